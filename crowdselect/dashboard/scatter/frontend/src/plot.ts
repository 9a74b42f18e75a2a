// One plot: takes what Python sends, keeps what is on screen, tells Python what the person did.
import { Axes } from "./axes"
import { buildDom, type Dom, HELP } from "./dom"
import { type Flight, takeOff } from "./flight"
import { Gestures } from "./gestures"
import { HoverCard } from "./hover"
import { Labels } from "./labels"
import { polygonOf, svgPath } from "./lasso"
import { count, Legend } from "./legend"
import { colouring, Memory, type Tool } from "./memory"
import type { Lasso, Pair, Payload, Scene, State } from "./payload"
import { decodeMask, decodePoints, fetchBytes, NearestPoint, type Points } from "./points"
import { Renderer } from "./renderer"
import { baseStyle, DEVICE_PIXELS, selectedStyle } from "./sizes"
import { codeColours, paletteBytes, readTheme, type Rgb, sameTheme, type Theme } from "./theme"
import { Toolbar } from "./toolbar"
import { Viewport } from "./viewport"

const HOVER_PIXELS = 10
const SLOW_LAYER_MS = 30
const REPORT_MS = 400

type Emit = <Key extends keyof State>(key: Key, value: State[Key]) => void

export class Plot {
  emit: Emit = () => undefined
  private readonly dom: Dom
  private readonly gestures: Gestures
  private readonly legend: Legend
  private readonly labels: Labels
  private readonly card: HoverCard
  private readonly axes: Axes
  private readonly toolbar: Toolbar
  private readonly observer: ResizeObserver
  private renderer: Renderer | null = null
  private payload: Payload | null = null
  private scene: Scene | null = null
  private points: Points | null = null
  private codes: Uint8Array | Uint16Array | null = null
  private selected: Uint32Array | null = null
  private totals = new Uint32Array()
  private hidden: ReadonlySet<number> = new Set()
  private colours: Rgb[] = []
  private theme: Theme | null = null
  private viewport: Viewport | null = null
  private memory: Memory | null = null
  private nearest: NearestPoint | null = null
  private flight: Flight | null = null
  private lasso: Lasso | null = null
  private drawing: Pair[] = []
  private hovered: number | null = null
  private updates = 0
  private frame = 0
  private report = 0
  private layerStale = true
  private layerMs = Infinity
  private moving = false

  constructor(host: HTMLElement) {
    this.dom = buildDom(host)
    const { dom } = this
    this.legend = new Legend(dom.legend, (hidden) => this.hide(hidden))
    this.labels = new Labels(dom.labels)
    this.card = new HoverCard(dom.card)
    this.axes = new Axes(dom.axisX, dom.axisY)
    this.gestures = new Gestures(dom.surface, {
      tool: () => this.memory?.value.tool ?? "pan",
      moved: (transform, byUser) => this.moved(transform, byUser),
      rested: () => this.rested(),
      drawing: (outline) => this.showDrawing(outline),
      drawn: (outline) => this.setLasso(outline),
      hovered: (place) => this.hover(place),
      clicked: (place) => this.pick(place),
      key: (key) => this.toolbar.press(key),
    })
    this.toolbar = new Toolbar(dom, {
      choose: (tool) => this.setTool(tool),
      zoom: (factor) => this.gestures.zoomBy(factor),
      reset: () => this.gestures.reset(),
      clear: () => this.lasso && this.sendLasso(null),
    })
    this.observer = new ResizeObserver(() => this.resize())
    this.observer.observe(dom.surface)
    dom.canvas.addEventListener("webglcontextlost", this.contextLost)
    dom.canvas.addEventListener("webglcontextrestored", this.contextRestored)
    try {
      this.renderer = new Renderer(dom.canvas)
    } catch (error) {
      console.warn("crowdselect scatter:", error)
      dom.root.dataset.webgl = "missing"
    }
  }

  /** Take over what a rerun sent; only what changed is fetched, uploaded and drawn. */
  async update(payload: Payload): Promise<void> {
    const update = ++this.updates
    this.dom.root.style.setProperty("--height", `${payload.height}px`)
    if (!this.renderer) {
      this.sayNoWebgl()
      return
    }
    try {
      const [points, codes, scene] = await Promise.all([
        fetchBytes(payload.points.url),
        payload.codes && fetchBytes(payload.codes.url),
        fetchBytes(payload.scene),
      ])
      if (update !== this.updates) return
      this.apply(payload, points, codes, JSON.parse(new TextDecoder().decode(scene)) as Scene)
    } catch (error) {
      if (update === this.updates) this.say(`The points could not be loaded (${error}). Reload the page.`)
    }
  }

  dispose(): void {
    this.updates++
    cancelAnimationFrame(this.frame)
    clearTimeout(this.report)
    this.observer.disconnect()
    this.dom.canvas.removeEventListener("webglcontextlost", this.contextLost)
    this.renderer?.dispose()
  }

  private apply(payload: Payload, xy: ArrayBuffer, codes: ArrayBuffer | null, scene: Scene): void {
    const { payload: before, points: old, viewport: seen } = this
    this.payload = payload
    const theme = readTheme(this.dom.root)
    const newPoints = before?.points.id !== payload.points.id
    const newScene = before?.scene !== payload.scene
    const newCodes = newPoints || before?.codes?.url !== payload.codes?.url
    const newMask = newPoints || before?.mask !== payload.mask
    const newTheme = !this.theme || !sameTheme(this.theme, theme)
    this.theme = theme
    this.scene = scene
    if (newPoints) this.takePoints(payload, xy)
    if (newPoints || newScene) this.takeScene(payload, scene, newPoints)
    if (newPoints) this.fly(old, seen)
    if (newCodes) this.takeCodes(payload, codes)
    if (newMask) this.takeMask(payload)
    if (newPoints || newScene || newTheme) this.takeColours()
    const muting = Boolean(before?.mask) !== Boolean(payload.mask)
    if (newPoints || newScene || newTheme || newCodes || muting) this.repaint()
    if (newMask || newCodes || newScene) this.countAgain()
    this.takeLasso(before, payload)
    this.say(payload.points.n === 0 ? "There are no points to show." : "")
    this.schedule()
  }

  private takePoints(payload: Payload, bytes: ArrayBuffer): void {
    this.points = decodePoints(bytes, payload.points.n)
    this.renderer?.setPoints(this.points)
    this.memory = new Memory(payload.name, payload.points.id)
    this.nearest = null
    this.hovered = null
    this.layerMs = Infinity
    this.toolbar.show(this.memory.value.tool)
  }

  /** On a map the same rows fly to their new places; elsewhere a place means something else. */
  private fly(old: Points | null, seen: Viewport | null): void {
    const { points, viewport, scene, dom } = this
    const map = scene?.aspect === "equal"
    this.flight = map && points && viewport ? takeOff(old, seen, points, viewport) : null
    if (this.flight) dom.root.dataset.flights = `${Number(dom.root.dataset.flights ?? 0) + 1}`
  }

  private takeScene(payload: Payload, scene: Scene, newPoints: boolean): void {
    const { hidden, view } = this.memory?.value ?? { hidden: null, view: null }
    const shown = newPoints ? view : this.viewport?.view()
    this.hidden = new Set(hidden?.scene === colouring(scene) ? hidden.codes : [])
    this.viewport = new Viewport(payload.points.bounds, scene.aspect)
    this.axes.place(scene.axes, this.viewport)
    this.viewport.resize(this.dom.surface.clientWidth, this.dom.surface.clientHeight)
    this.gestures.moveTo(this.viewport.transformFor(shown ?? payload.view ?? this.viewport.view()))
    this.dom.surface.setAttribute("aria-label", `${scene.description}. ${HELP}`)
    this.labels.set(scene.labels)
    this.nearest = null
  }

  private takeCodes(payload: Payload, bytes: ArrayBuffer | null): void {
    const type = payload.codes?.bytes === 2 ? Uint16Array : Uint8Array
    this.codes = bytes && new type(bytes)
    this.renderer?.setCodes(this.codes)
    this.totals = new Uint32Array(this.codeCount())
    if (this.codes) for (const code of this.codes) this.totals[code]++
  }

  private takeMask({ mask, points }: Payload): void {
    this.selected = mask === null ? null : decodeMask(mask, points.n)
    this.renderer?.setSelected(this.selected)
  }

  private takeColours(): void {
    if (!this.scene || !this.theme) return
    this.colours = codeColours(this.scene, this.theme)
    this.legend.set(this.scene, this.colours)
    this.countAgain()
  }

  /** Python's lasso wins when it changed there (cleared by a button, restored on a page switch). */
  private takeLasso(before: Payload | null, payload: Payload): void {
    const points = payload.points.id
    if (JSON.stringify(before?.lasso) !== JSON.stringify(payload.lasso)) this.lasso = payload.lasso
    if (this.lasso?.points !== points) this.lasso = null
    this.dom.buttons.clear.disabled = !this.lasso
  }

  private codeCount(): number {
    const colour = this.scene?.colour
    return colour?.kind === "category" ? colour.names.length : 256
  }

  private countAgain(): void {
    let chosen: Uint32Array | null = null
    if (this.selected && this.codes) {
      chosen = new Uint32Array(this.codeCount())
      for (const row of this.selected) chosen[this.codes[row]]++
    }
    this.legend.update(this.totals, chosen, this.hidden)
    const { n, missing } = this.payload?.points ?? { n: 0, missing: 0 }
    const all = `${count(n)} ${this.scene?.unit ?? ""}`
    const some = this.selected ? `, ${count(this.selected.length)} selected` : ""
    const none = missing ? `, ${count(missing)} without a place here` : ""
    this.dom.status.textContent = all + some + none
  }

  private repaint(): void {
    if (!this.theme) return
    const muted = this.selected !== null
    this.renderer?.setPalette("base", paletteBytes(this.colours, this.theme, muted, this.hidden))
    this.renderer?.setPalette(
      "selected",
      paletteBytes(this.colours, this.theme, false, this.hidden),
    )
    this.layerStale = true
  }

  private schedule(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0
      this.draw()
    })
  }

  private draw(): void {
    const { renderer, viewport, theme, points, payload, dom } = this
    if (!renderer || !viewport || !theme || !points || !payload) return
    const ratio = Math.min(devicePixelRatio || 1, DEVICE_PIXELS)
    const size = [viewport.width, viewport.height].map((side) => Math.round(side * ratio))
    if (renderer.resize(size[0], size[1])) this.layerStale = true
    const camera = viewport.camera()
    const zoom = viewport.transform.k
    if (this.flight) {
      const now = this.flight.at(performance.now())
      renderer.movePoints(now ?? points)
      this.layerStale = true
      if (now) this.schedule()
      else this.flight = null
    }
    if (this.layerStale && !(this.moving && this.layerMs > SLOW_LAYER_MS)) {
      const started = performance.now()
      const measure = this.layerMs === Infinity
      renderer.drawLayer(camera, baseStyle(points.n, zoom, ratio, this.selected !== null), measure)
      if (measure) this.layerMs = performance.now() - started
      this.layerStale = false
    }
    const chosen = this.selected?.length ?? 0
    renderer.compose(camera, selectedStyle(points.n, chosen, zoom, ratio, theme))
    this.drawOverlay(viewport)
    dom.root.dataset.version = payload.version
    dom.root.dataset.zoom = zoom.toFixed(3)
  }

  private drawOverlay(viewport: Viewport): void {
    const { dom, scene } = this
    const outline = this.lasso?.polygon.map(([x, y]) => viewport.toScreen(x, y)) ?? []
    dom.lasso.setAttribute("d", svgPath(this.drawing.length ? this.drawing : outline))
    this.ring("hover", this.hovered)
    this.ring("highlight", this.payload?.highlight ?? null)
    this.labels.place(viewport)
    if (scene) this.axes.place(scene.axes, viewport)
  }

  private ring(which: "hover" | "highlight", row: number | null): void {
    const ring = this.dom.rings[which]
    const shown = row !== null && this.points !== null && row < this.points.n
    ring.setAttribute("visibility", shown ? "visible" : "hidden")
    if (!shown || !this.points || !this.viewport) return
    const [x, y] = this.viewport.toScreen(this.points.x[row], this.points.y[row])
    ring.setAttribute("cx", x.toFixed(1))
    ring.setAttribute("cy", y.toFixed(1))
  }

  private resize(): void {
    const { viewport, dom } = this
    if (!viewport || dom.surface.clientWidth === 0) return
    const view = viewport.view()
    viewport.resize(dom.surface.clientWidth, dom.surface.clientHeight)
    this.nearest = null
    this.layerStale = true
    this.gestures.moveTo(viewport.transformFor(view))
  }

  private moved(transform: Viewport["transform"], byUser: boolean): void {
    if (!this.viewport) return
    this.viewport.transform = transform
    this.moving = byUser
    this.layerStale = true
    if (byUser) this.hover(null)
    this.schedule()
  }

  private rested(): void {
    const { viewport, memory, payload } = this
    this.moving = false
    if (!viewport || !memory || !payload) return
    const view = viewport.view()
    memory.save({ view: viewport.showsAll ? null : view })
    this.schedule()
    if (!payload.reportView) return
    clearTimeout(this.report)
    const points = payload.points.id
    this.report = window.setTimeout(() => this.emit("view", { ...view, points }), REPORT_MS)
  }

  private showDrawing(outline: Pair[]): void {
    this.drawing = outline
    this.dom.lasso.setAttribute("d", svgPath(outline))
    if (outline.length === 0) this.schedule()
  }

  private setLasso(outline: Pair[]): void {
    const { viewport, payload } = this
    if (!viewport || !payload) return
    const polygon = polygonOf(outline, (x, y) => viewport.toData(x, y))
    this.sendLasso({ points: payload.points.id, polygon, hidden: [...this.hidden] })
  }

  private sendLasso(lasso: Lasso | null): void {
    this.lasso = lasso
    this.dom.buttons.clear.disabled = !lasso
    this.emit("lasso", lasso)
    this.schedule()
  }

  private find([px, py]: Pair): number | null {
    const { viewport, points } = this
    if (!viewport || !points) return null
    this.nearest ??= new NearestPoint(points, viewport.unit)
    const visible = (row: number) => !this.hidden.has(this.codes?.[row] ?? -1)
    const radius = HOVER_PIXELS / viewport.transform.k
    return this.nearest.find(...viewport.toData(px, py), radius, visible)
  }

  private hover(place: Pair | null): void {
    const row = place && this.find(place)
    this.card.show(this.payload?.hover ?? null, row, place)
    if (row === this.hovered) return
    this.hovered = row
    this.ring("hover", row)
  }

  private pick(place: Pair): void {
    const row = this.find(place)
    if (row === null || !this.payload) return
    this.hover(place)
    this.emit("picked", { points: this.payload.points.id, index: row, at: Date.now() })
  }

  private setTool(tool: Tool): void {
    this.memory?.save({ tool })
    this.toolbar.show(tool)
  }

  private hide(hidden: Set<number>): void {
    this.hidden = hidden
    if (this.scene) this.memory?.save({ hidden: { scene: colouring(this.scene), codes: [...hidden] } })
    this.repaint()
    this.countAgain()
    this.schedule()
    if (this.lasso) this.sendLasso({ ...this.lasso, hidden: [...hidden] })
  }

  private say(text: string): void {
    this.dom.message.textContent = text
    this.dom.message.hidden = text === ""
  }

  private sayNoWebgl(): void {
    this.say(
      "This browser offers no WebGL2 (graphics acceleration may be switched off), so single " +
        "points cannot be drawn. The picture below shows where they are dense.",
    )
    this.emit("webgl", false)
  }

  private contextLost = (event: Event): void => {
    event.preventDefault()
    this.say("The graphics driver was restarted. The plot comes back in a moment\u2026")
  }

  private contextRestored = (): void => {
    if (!this.points || !this.payload) return
    this.renderer = new Renderer(this.dom.canvas)
    this.renderer.setPoints(this.points)
    this.renderer.setCodes(this.codes)
    this.renderer.setSelected(this.selected)
    this.repaint()
    this.say("")
    this.schedule()
  }
}
