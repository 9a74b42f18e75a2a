// From an outline on the screen to a short polygon in data coordinates.
import simplify from "simplify-js"
import type { Pair } from "./payload"

const MOST_VERTICES = 200
const DIGITS = 7

/** At most 200 vertices, none more than about a pixel off until that is not enough. */
export function polygonOf(outline: Pair[], toData: (x: number, y: number) => Pair): Pair[] {
  const path = outline.map(([x, y]) => ({ x, y }))
  let short = simplify(path, 0.5, true)
  for (let pixels = 1; short.length > MOST_VERTICES; pixels *= 1.5) short = simplify(path, pixels, true)
  return short.map(({ x, y }) => toData(x, y).map((value) => Number(value.toPrecision(DIGITS))) as Pair)
}

export function svgPath(corners: Pair[]): string {
  if (corners.length === 0) return ""
  return `M${corners.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join("L")}Z`
}
