// The buttons above the plot; which tool is on is remembered.
import type { Dom } from "./dom"
import type { Tool } from "./memory"

const TOOLS = ["pan", "lasso", "box"] as const
const KEYS: Record<string, Tool> = { p: "pan", l: "lasso", b: "box" }
const STEP = 1.6

export interface Actions {
  choose(tool: Tool): void
  zoom(factor: number): void
  reset(): void
  clear(): unknown
}

export class Toolbar {
  constructor(
    private readonly dom: Dom,
    private readonly on: Actions,
  ) {
    const { buttons } = dom
    for (const tool of TOOLS) buttons[tool].onclick = () => on.choose(tool)
    buttons.in.onclick = () => on.zoom(STEP)
    buttons.out.onclick = () => on.zoom(1 / STEP)
    buttons.reset.onclick = () => on.reset()
    buttons.clear.onclick = () => on.clear()
  }

  show(tool: Tool): void {
    this.dom.surface.dataset.tool = tool
    for (const name of TOOLS) {
      this.dom.buttons[name].setAttribute("aria-pressed", String(name === tool))
    }
  }

  /** True if `key` belongs to a tool. */
  press(key: string): boolean {
    const tool = KEYS[key.toLowerCase()]
    if (key === "Escape") this.on.clear()
    else if (tool) this.on.choose(tool)
    return key === "Escape" || Boolean(tool)
  }
}
