// The elements of one plot.
import { element } from "./legend"
import type { Tool } from "./memory"
import styles from "./style.css"

const ICONS: Record<string, string> = {
  pan: "M12 3v18M3 12h18M12 3l-3 3m3-3 3 3M12 21l-3-3m3 3 3-3M3 12l3-3m-3 3 3 3M21 12l-3-3m3 3-3 3",
  lasso: "M12 4c5 0 8 2.6 8 6s-3 6-8 6-8-2.6-8-6 3-6 8-6zM8 15.500c-1 1 .5 2.500 2 2s2 1 1 2.500-3 1.500-4 1",
  box: "M4 4h3M10 4h4M17 4h3v3M20 10v4M20 17v3h-3M14 20h-4M7 20H4v-3M4 14v-4M4 7V4",
  in: "M12 5v14M5 12h14",
  out: "M5 12h14",
  reset: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  clear: "M6 6l12 12M18 6L6 18",
}

export const HELP =
  "Arrow keys move, plus and minus zoom, 0 shows everything, Enter opens the point in the " +
  "middle, L draws a lasso, B a box, Escape clears it."

export interface Dom {
  root: HTMLElement
  frame: HTMLElement
  surface: HTMLElement
  canvas: HTMLCanvasElement
  lasso: SVGPathElement
  rings: Record<"hover" | "highlight", SVGCircleElement>
  labels: HTMLElement
  card: HTMLElement
  message: HTMLElement
  legend: HTMLElement
  axisX: HTMLElement
  axisY: HTMLElement
  status: HTMLElement
  tools: HTMLElement
  buttons: Record<Tool | "in" | "out" | "reset" | "clear", HTMLButtonElement>
}

function svg<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Record<string, string>,
): SVGElementTagNameMap[Name] {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  return made
}

function button(icon: string, label: string): HTMLButtonElement {
  const made = document.createElement("button")
  made.type = "button"
  made.title = label
  made.setAttribute("aria-label", label.replace(/ \(.*\)$/, ""))
  const drawing = svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" })
  drawing.append(svg("path", { d: ICONS[icon] }))
  made.append(drawing)
  return made
}

export function buildDom(host: HTMLElement): Dom {
  const style = element("style", "", styles)
  const root = element("div", "scatter")
  const frame = element("div", "frame")
  const surface = element("div", "surface")
  surface.tabIndex = 0
  surface.setAttribute("role", "application")
  const canvas = document.createElement("canvas")
  canvas.setAttribute("aria-hidden", "true")
  const overlay = svg("svg", { class: "overlay", "aria-hidden": "true" })
  const lasso = svg("path", { class: "lasso" })
  const rings = {
    highlight: svg("circle", { class: "ring highlight", r: "9", visibility: "hidden" }),
    hover: svg("circle", { class: "ring", r: "7", visibility: "hidden" }),
  }
  overlay.append(lasso, rings.highlight, rings.hover)
  const labels = element("div", "labels")
  labels.setAttribute("aria-hidden", "true")
  const card = element("div", "card")
  card.hidden = true
  card.setAttribute("role", "tooltip")
  const message = element("div", "message", "Loading points\u2026")
  message.setAttribute("role", "status")
  surface.append(canvas, overlay, labels, card)
  const buttons = {
    pan: button("pan", "Move (drag; Shift+drag draws a lasso)"),
    lasso: button("lasso", "Lasso (L)"),
    box: button("box", "Box (B)"),
    in: button("in", "Zoom in (+)"),
    out: button("out", "Zoom out (-)"),
    reset: button("reset", "Show everything (0)"),
    clear: button("clear", "Clear the lasso (Esc)"),
  }
  const tools = element("div", "tools")
  tools.setAttribute("role", "toolbar")
  tools.setAttribute("aria-label", "Plot tools")
  tools.append(...Object.values(buttons))
  const axisX = element("div", "axis-x")
  const axisY = element("div", "axis-y")
  const plot = element("div", "plot")
  plot.append(surface, message)
  frame.append(axisY, plot, tools, axisX)
  const legend = element("div", "legend")
  const status = element("div", "status")
  status.setAttribute("role", "status")
  const main = element("div", "main")
  main.append(frame, legend)
  root.append(main, status)
  host.replaceChildren(style, root)
  return {
    root, frame, surface, canvas, lasso, rings, labels, card, message, legend, axisX, axisY,
    status, tools, buttons,
  }
}
