// The little card beside the pointer; its text is looked up when it is needed.
import type { HoverText } from "./payload"
import { element } from "./legend"

const KEEP = 300
const SETTLE_MS = 40

export class HoverCard {
  private readonly texts = new Map<string, HoverText>()
  private waiting = 0
  private wanted: number | null = null

  constructor(private readonly card: HTMLElement) {}

  /** Show what `base`/`row` says, beside the place; null hides the card. */
  show(base: string | null, row: number | null, place: [number, number] | null): void {
    if (row === this.wanted) {
      if (row !== null && place) this.move(place)
      return
    }
    this.wanted = row
    clearTimeout(this.waiting)
    this.card.hidden = true
    if (row === null || base === null || !place) return
    const url = `${base}/${row}`
    const known = this.texts.get(url)
    if (known) {
      this.fill(known, place)
      return
    }
    this.waiting = window.setTimeout(() => void this.look(url, row, place), SETTLE_MS)
  }

  private async look(url: string, row: number, place: [number, number]): Promise<void> {
    const response = await fetch(url).catch(() => null)
    if (!response?.ok) return
    const text = (await response.json()) as HoverText
    this.texts.set(url, text)
    if (this.texts.size > KEEP) this.texts.delete(this.texts.keys().next().value as string)
    if (this.wanted === row) this.fill(text, place)
  }

  private fill(text: HoverText, place: [number, number]): void {
    const facts = text.facts.map(([name, value]) => {
      const line = element("div", "fact")
      line.append(element("span", "fact-name", name), element("span", "", value))
      return line
    })
    this.card.replaceChildren(element("div", "hover-title", text.title), ...facts)
    this.card.hidden = false
    this.move(place)
  }

  /** Beside the pointer, on the side where there is room. */
  private move([x, y]: [number, number]): void {
    const { offsetWidth: width, offsetHeight: height } = this.card
    const area = this.card.parentElement as HTMLElement
    const left = x + 14 + width > area.clientWidth ? Math.max(0, x - 14 - width) : x + 14
    const top = Math.max(0, Math.min(y + 14, area.clientHeight - height))
    this.card.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`
  }
}
