// The colours explained: a list of categories that can be switched off, or a colour bar.
import type { CategoryColour, NumberColour, Scene } from "./payload"
import { css, type Rgb } from "./theme"

const format = new Intl.NumberFormat("en-US")

export const count = (value: number): string => format.format(value)

export class Legend {
  private rows: { button: HTMLButtonElement; count: HTMLElement }[] = []
  private all: HTMLElement | null = null

  constructor(
    private readonly root: HTMLElement,
    private readonly onHidden: (hidden: Set<number>) => void,
  ) {}

  set(scene: Scene, colours: Rgb[]): void {
    const { colour } = scene
    this.rows = []
    this.all = null
    this.root.hidden = !colour
    if (!colour) {
      this.root.replaceChildren()
      return
    }
    const title = element("div", "legend-title", colour.title)
    const body = colour.kind === "category" ? this.list(colour, colours) : bar(colour, colours)
    this.root.replaceChildren(title, ...body)
  }

  /** Numbers behind the names: "47 / 412" where something is selected, else "412". */
  update(totals: Uint32Array, selected: Uint32Array | null, hidden: ReadonlySet<number>): void {
    this.rows.forEach(({ button, count: cell }, code) => {
      const total = count(totals[code] ?? 0)
      cell.textContent = selected ? `${count(selected[code] ?? 0)} / ${total}` : total
      button.setAttribute("aria-pressed", String(!hidden.has(code)))
    })
    if (this.all) this.all.hidden = hidden.size === 0
  }

  private list(colour: CategoryColour, colours: Rgb[]): HTMLElement[] {
    const items = element("div", "legend-items")
    items.setAttribute("role", "group")
    items.setAttribute("aria-label", colour.title)
    colour.names.forEach((name, code) => {
      const button = element("button", "legend-item") as HTMLButtonElement
      button.type = "button"
      button.title = `${name}\nClick to hide or show, double-click to show only this`
      const swatch = element("span", "swatch")
      swatch.style.background = css(colours[code])
      const number = element("span", "legend-count")
      button.append(swatch, element("span", "legend-name", name), number)
      button.onclick = (event) => this.toggle(code, event.detail > 1)
      items.append(button)
      this.rows.push({ button, count: number })
    })
    const all = element("button", "link", "Show all") as HTMLButtonElement
    all.type = "button"
    all.onclick = () => this.onHidden(new Set())
    this.all = all
    return [items, all]
  }

  private toggle(code: number, only: boolean): void {
    const hidden = new Set<number>()
    this.rows.forEach(({ button }, other) => {
      const shown = button.getAttribute("aria-pressed") === "true"
      if (only ? other !== code : shown === (other === code)) hidden.add(other)
    })
    this.onHidden(hidden)
  }
}

function bar(colour: NumberColour, colours: Rgb[]): HTMLElement[] {
  const stripe = element("div", "bar")
  const ramp = colours.slice(0, -1).filter((_, i) => i % 16 === 0 || i === colours.length - 2)
  stripe.style.background = `linear-gradient(to right, ${ramp.map(css).join(", ")})`
  const ends = element("div", "bar-ends")
  ends.append(element("span", "", colour.low), element("span", "", colour.high))
  if (colour.missing === 0) return [stripe, ends]
  const missing = element("div", "legend-missing")
  const swatch = element("span", "swatch")
  swatch.style.background = css(colours[colours.length - 1])
  missing.append(swatch, element("span", "", `${count(colour.missing)} without a value`))
  return [stripe, ends, missing]
}

export function element(tag: string, className = "", text = ""): HTMLElement {
  const made = document.createElement(tag)
  if (className) made.className = className
  if (text) made.textContent = text
  return made
}
