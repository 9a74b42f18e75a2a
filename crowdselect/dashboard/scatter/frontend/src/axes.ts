// Ticks and titles of a plot whose coordinates mean something.
import { ticks as niceTicks, tickStep } from "d3-array"
import { format, precisionFixed } from "d3-format"
import type { Scene } from "./payload"
import type { Viewport } from "./viewport"
import { element } from "./legend"

const PIXELS_PER_TICK = { x: 90, y: 60 }

export class Axes {
  constructor(
    private readonly x: HTMLElement,
    private readonly y: HTMLElement,
  ) {}

  place(axes: Scene["axes"], viewport: Viewport): void {
    this.x.hidden = this.y.hidden = !axes
    if (!axes) return
    const { width, height } = viewport
    const [x0, y1] = viewport.toData(0, 0)
    const [x1, y0] = viewport.toData(width, height)
    const across = ticks(x0, x1, width / PIXELS_PER_TICK.x).map(([value, text]) => {
      const tick = element("span", "tick", text)
      tick.style.left = `${viewport.toScreen(value, y0)[0]}px`
      return tick
    })
    const up = ticks(y0, y1, height / PIXELS_PER_TICK.y).map(([value, text]) => {
      const tick = element("span", "tick", text)
      tick.style.top = `${viewport.toScreen(x0, value)[1]}px`
      return tick
    })
    this.x.replaceChildren(...across, element("span", "axis-title", axes.x))
    this.y.replaceChildren(...up, element("span", "axis-title", axes.y))
  }
}

function ticks(low: number, high: number, room: number): [number, string][] {
  const count = Math.max(2, room)
  const text = format(`,.${precisionFixed(tickStep(low, high, count))}f`)
  return niceTicks(low, high, count).map((value) => [value, text(value)])
}
