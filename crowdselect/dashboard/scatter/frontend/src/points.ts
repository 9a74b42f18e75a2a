// Fetching and decoding the binary parts, and finding the point under the pointer.
import KDBush from "kdbush"

export interface Points {
  n: number
  x: Float32Array
  y: Float32Array
}

const KEEP = 8
const cache = new Map<string, Promise<ArrayBuffer>>()

/** Fetch once per URL; a URL names its content, so an answer never goes stale. */
export function fetchBytes(url: string): Promise<ArrayBuffer> {
  const known = cache.get(url)
  const answer = known ?? download(url)
  cache.delete(url)
  cache.set(url, answer)
  if (!known) {
    answer.catch(() => cache.delete(url))
    if (cache.size > KEEP) cache.delete(cache.keys().next().value as string)
  }
  return answer
}

async function download(url: string): Promise<ArrayBuffer> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`HTTP ${response.status}`)
  return response.arrayBuffer()
}

export function decodePoints(bytes: ArrayBuffer, n: number): Points {
  return { n, x: new Float32Array(bytes, 0, n), y: new Float32Array(bytes, 4 * n, n) }
}

/** Rows whose bit is set in base64(numpy.packbits(mask)), ascending. */
export function decodeMask(base64: string, n: number): Uint32Array {
  const packed = atob(base64)
  const rows = new Uint32Array(n)
  let count = 0
  for (let byte = 0; byte < packed.length; byte++) {
    const bits = packed.charCodeAt(byte)
    if (bits === 0) continue
    for (let bit = 0; bit < 8; bit++) {
      const row = byte * 8 + bit
      if (bits & (128 >> bit) && row < n) rows[count++] = row
    }
  }
  return rows.slice(0, count)
}

/** Nearest visible point to a place, in units in which a circle on the screen is a circle. */
export class NearestPoint {
  private readonly index: KDBush
  private readonly found: number[] = []

  constructor(
    private readonly points: Points,
    private readonly unit: (x: number, y: number) => [number, number],
  ) {
    this.index = new KDBush(Math.max(points.n, 1), 64, Float32Array)
    for (let i = 0; i < points.n; i++) this.index.add(...unit(points.x[i], points.y[i]))
    if (points.n === 0) this.index.add(1e30, 1e30)
    this.index.finish()
  }

  find(x: number, y: number, radius: number, visible: (row: number) => boolean): number | null {
    const [ux, uy] = this.unit(x, y)
    const count = this.index.withinInto(ux, uy, radius, this.found)
    let best: number | null = null
    let least = Infinity
    for (let i = 0; i < count; i++) {
      const row = this.found[i]
      const [px, py] = this.unit(this.points.x[row], this.points.y[row])
      const distance = (px - ux) ** 2 + (py - uy) ** 2
      if (distance < least && visible(row)) {
        least = distance
        best = row
      }
    }
    return best
  }
}
