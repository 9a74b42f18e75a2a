// Mouse, touch and keyboard: pan and zoom by d3-zoom; lasso and box drawn here.
import { select, type Selection } from "d3-selection"
import { zoom, type ZoomBehavior, zoomIdentity, type ZoomTransform } from "d3-zoom"
import type { Tool } from "./memory"
import type { Pair } from "./payload"

export interface Handlers {
  tool(): Tool
  moved(transform: ZoomTransform, byUser: boolean): void
  rested(): void
  drawing(outline: Pair[]): void
  drawn(outline: Pair[]): void
  hovered(place: Pair | null): void
  clicked(place: Pair): void
  key(key: string): boolean
}

const PAN_SHARE = 0.12
const ZOOM_STEP = 1.4
const CLICK_PIXELS = 4
const STEP_PIXELS = 3

export class Gestures {
  private readonly behaviour: ZoomBehavior<HTMLElement, unknown>
  private readonly target: Selection<HTMLElement, unknown, null, undefined>
  private outline: Pair[] = []
  private pointer: number | null = null
  private drew = false

  constructor(
    private readonly surface: HTMLElement,
    private readonly on: Handlers,
  ) {
    this.target = select(surface)
    this.behaviour = zoom<HTMLElement, unknown>()
      .scaleExtent([0.5, 20000])
      .clickDistance(CLICK_PIXELS)
      .filter((event: Event) => this.pans(event))
      .on("zoom", (event) => on.moved(event.transform, Boolean(event.sourceEvent)))
      .on("end", () => on.rested())
    this.target.call(this.behaviour)
    surface.onpointerdown = (event) => this.start(event)
    surface.onpointermove = (event) => this.move(event)
    surface.onpointerup = (event) => this.finish(event)
    surface.onpointercancel = () => this.cancel()
    surface.onpointerleave = () => on.hovered(null)
    surface.onclick = (event) => this.click(event)
    surface.onkeydown = (event) => {
      if (event.target === surface && this.press(event)) event.preventDefault()
    }
  }

  moveTo(transform: ZoomTransform): void {
    this.target.call(this.behaviour.transform, transform)
  }

  zoomBy(factor: number): void {
    this.target.call(this.behaviour.scaleBy, factor)
  }

  reset(): void {
    this.moveTo(zoomIdentity)
  }

  private draws(event: { shiftKey: boolean }): boolean {
    return this.on.tool() !== "pan" || event.shiftKey
  }

  /** What d3-zoom may have: the wheel, two fingers, and a drag unless it draws a lasso. */
  private pans(event: Event): boolean {
    if (event.type === "wheel") return true
    if (event.type.startsWith("touch")) {
      return (event as TouchEvent).touches.length > 1 || this.on.tool() === "pan"
    }
    const mouse = event as MouseEvent
    return mouse.button === 0 && !mouse.ctrlKey && !this.draws(mouse)
  }

  private place(event: MouseEvent): Pair {
    const area = this.surface.getBoundingClientRect()
    return [event.clientX - area.left, event.clientY - area.top]
  }

  private start(event: PointerEvent): void {
    this.on.hovered(null)
    if (this.pointer !== null) {
      this.cancel()
      return
    }
    this.drew = false
    if (event.button !== 0 || !this.draws(event)) return
    this.surface.setPointerCapture(event.pointerId)
    this.surface.focus({ preventScroll: true })
    this.pointer = event.pointerId
    this.outline = [this.place(event)]
  }

  private move(event: PointerEvent): void {
    if (this.pointer === null) {
      if (event.buttons === 0) this.on.hovered(this.place(event))
      return
    }
    if (event.pointerId !== this.pointer) return
    const here = this.place(event)
    const [x0, y0] = this.outline[0]
    const [lastX, lastY] = this.outline[this.outline.length - 1]
    if (this.on.tool() === "box") {
      this.outline = [[x0, y0], [here[0], y0], here, [x0, here[1]]]
    } else if (Math.hypot(here[0] - lastX, here[1] - lastY) >= STEP_PIXELS) {
      this.outline.push(here)
    }
    this.on.drawing(this.outline)
  }

  private finish(event: PointerEvent): void {
    if (event.pointerId !== this.pointer) return
    const { outline } = this
    this.cancel()
    this.drew = spread(outline) > CLICK_PIXELS
    if (this.drew) this.on.drawn(outline)
  }

  private cancel(): void {
    this.pointer = null
    this.outline = []
    this.on.drawing([])
  }

  /** The browser sends a click after a drawn lasso too; that one is none. */
  private click(event: MouseEvent): void {
    const drew = this.drew
    this.drew = false
    if (!drew && event.detail === 1 && !event.shiftKey) this.on.clicked(this.place(event))
  }

  private press(event: KeyboardEvent): boolean {
    if (event.ctrlKey || event.metaKey || event.altKey) return false
    if (event.key === "Escape" && this.pointer !== null) {
      this.cancel()
      return true
    }
    const { clientWidth, clientHeight } = this.surface
    const pan = (x: number, y: number) => {
      const { k } = (this.surface as HTMLElement & { __zoom: ZoomTransform }).__zoom
      const [dx, dy] = [x * clientWidth * PAN_SHARE, y * clientHeight * PAN_SHARE]
      this.target.call(this.behaviour.translateBy, dx / k, dy / k)
    }
    const actions: Record<string, () => void> = {
      ArrowLeft: () => pan(1, 0),
      ArrowRight: () => pan(-1, 0),
      ArrowUp: () => pan(0, 1),
      ArrowDown: () => pan(0, -1),
      "+": () => this.zoomBy(ZOOM_STEP),
      "=": () => this.zoomBy(ZOOM_STEP),
      "-": () => this.zoomBy(1 / ZOOM_STEP),
      "0": () => this.reset(),
      Enter: () => this.on.clicked([clientWidth / 2, clientHeight / 2]),
    }
    const action = actions[event.key]
    action?.()
    return Boolean(action) || this.on.key(event.key)
  }
}

function spread(outline: Pair[]): number {
  const xs = outline.map(([x]) => x)
  const ys = outline.map(([, y]) => y)
  return Math.max(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys))
}
