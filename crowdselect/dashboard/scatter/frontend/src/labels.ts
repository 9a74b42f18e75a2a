// Names laid over the plot; of two that would touch, the one with less weight waits for zoom, and
// so does one that keeps clear of points where it would cover some.
import type { Scene } from "./payload"
import type { Viewport } from "./viewport"

interface Placed {
  element: HTMLElement
  x: number
  y: number
  least: number
  width: number
  height: number
}

interface Box {
  left: number
  top: number
  right: number
  bottom: number
}

const GAP = 4
const TOLERANCE = 0.999

export class Labels {
  private placed: Placed[] = []

  constructor(private readonly layer: HTMLElement) {}

  set(labels: Scene["labels"]): void {
    const heaviestFirst = [...labels].sort((a, b) => b.weight - a.weight)
    this.placed = heaviestFirst.map(({ x, y, text, least }) => {
      const element = document.createElement("span")
      element.textContent = text
      return { element, x, y, least, width: 0, height: 0 }
    })
    this.layer.replaceChildren(...this.placed.map(({ element }) => element))
    for (const label of this.placed) {
      label.width = label.element.offsetWidth
      label.height = label.element.offsetHeight
    }
  }

  /** Move every label to its place, inside the plot; hide those that leave it or touch another. */
  place(viewport: Viewport): void {
    const used: Box[] = []
    for (const { element, x, y, least, width, height } of this.placed) {
      const [px, py] = viewport.toScreen(x, y)
      const left = within(px - width / 2, viewport.width - width)
      const top = within(py - height / 2, viewport.height - height)
      const box = { left, top, right: left + width, bottom: top + height }
      const inside = px >= 0 && py >= 0 && px <= viewport.width && py <= viewport.height
      // Moved inwards from the border it would stand elsewhere than where there is room for it.
      const moved = Math.hypot(left + width / 2 - px, top + height / 2 - py) > 1
      const clear = least === 0 || (viewport.scale >= least * TOLERANCE && !moved)
      const shown = inside && clear && !used.some((other) => touch(box, other))
      element.style.visibility = shown ? "visible" : "hidden"
      if (!shown) continue
      element.style.transform = `translate(${left}px, ${top}px)`
      used.push(box)
    }
  }
}

function within(place: number, most: number): number {
  return Math.round(Math.max(0, Math.min(place, most)))
}

function touch(a: Box, b: Box): boolean {
  return (
    a.left < b.right + GAP &&
    b.left < a.right + GAP &&
    a.top < b.bottom + GAP &&
    b.top < a.bottom + GAP
  )
}
