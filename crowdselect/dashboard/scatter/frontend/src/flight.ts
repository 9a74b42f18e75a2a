// Points on their way from where they stood on the screen to where they belong now.
import type { Points } from "./points"
import type { Viewport } from "./viewport"

const FLIGHT_MS = 1000
/** Coordinates from here on stand for "no place"; the Python side is ../../values.py. */
const NOWHERE = 1e29

export class Flight {
  private readonly from: Points
  private readonly now: Points
  private started = 0

  /** `before`, seen through `old`, and `to`, seen through `view`: the same rows. */
  constructor(before: Points, old: Viewport, private readonly to: Points, view: Viewport) {
    const { n } = to
    this.from = { n, x: Float32Array.from(to.x), y: Float32Array.from(to.y) }
    this.now = { n, x: new Float32Array(n), y: new Float32Array(n) }
    // Both ways are straight and without a turn, so two probes say all about them.
    const [x0, y0] = view.toData(...old.toScreen(0, 0))
    const [x1, y1] = view.toData(...old.toScreen(1, 1))
    for (let i = 0; i < n; i++) {
      if (before.x[i] > NOWHERE || to.x[i] > NOWHERE) continue
      this.from.x[i] = x0 + before.x[i] * (x1 - x0)
      this.from.y[i] = y0 + before.y[i] * (y1 - y0)
    }
  }

  /** Where the points are at the time `now`, and null once they have arrived. */
  at(now: number): Points | null {
    this.started ||= now
    const share = (now - this.started) / FLIGHT_MS
    if (share >= 1) return null
    const eased = share * share * (3 - 2 * share)
    for (const axis of ["x", "y"] as const) {
      const [from, to, out] = [this.from[axis], this.to[axis], this.now[axis]]
      for (let i = 0; i < out.length; i++) out[i] = from[i] + (to[i] - from[i]) * eased
    }
    return this.now
  }
}

/** Null where there is nothing to move, or whoever looks asked for less motion. */
export function takeOff(
  before: Points | null,
  old: Viewport | null,
  to: Points,
  view: Viewport,
): Flight | null {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches
  return before && old && before.n === to.n && !still ? new Flight(before, old, to, view) : null
}
