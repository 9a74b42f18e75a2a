// Where a data coordinate is on the screen, and back.
import { type ZoomTransform, zoomIdentity } from "d3-zoom"
import type { Pair, View } from "./payload"
import type { Camera } from "./renderer"

const MARGIN = 0.04

export class Viewport {
  width = 1
  height = 1
  transform: ZoomTransform = zoomIdentity
  private middle: Pair = [0, 0]
  private unitPixels: Pair = [1, 1]

  constructor(
    private readonly bounds: [number, number, number, number],
    private readonly aspect: "equal" | "free",
  ) {}

  resize(width: number, height: number): void {
    this.width = Math.max(1, width)
    this.height = Math.max(1, height)
    const [x0, x1, y0, y1] = this.bounds
    this.middle = [(x0 + x1) / 2, (y0 + y1) / 2]
    const fit = 1 - 2 * MARGIN
    const sx = (this.width * fit) / (x1 - x0 || 1)
    const sy = (this.height * fit) / (y1 - y0 || 1)
    this.unitPixels = this.aspect === "equal" ? [Math.min(sx, sy), Math.min(sx, sy)] : [sx, sy]
  }

  /** Pixels from the plot's corner at zoom 1, without pan: circles stay circles here. */
  unit = (x: number, y: number): Pair => [
    this.width / 2 + (x - this.middle[0]) * this.unitPixels[0],
    this.height / 2 - (y - this.middle[1]) * this.unitPixels[1],
  ]

  toScreen(x: number, y: number): Pair {
    return this.transform.apply(this.unit(x, y))
  }

  toData(px: number, py: number): Pair {
    const [ux, uy] = this.transform.invert([px, py])
    return [
      this.middle[0] + (ux - this.width / 2) / this.unitPixels[0],
      this.middle[1] - (uy - this.height / 2) / this.unitPixels[1],
    ]
  }

  /** Pixels per unit of x as it is drawn now. */
  get scale(): number {
    return this.transform.k * this.unitPixels[0]
  }

  camera(): Camera {
    const { k } = this.transform
    return {
      centre: this.toData(this.width / 2, this.height / 2),
      scale: [
        (2 * k * this.unitPixels[0]) / this.width,
        (2 * k * this.unitPixels[1]) / this.height,
      ],
    }
  }

  get showsAll(): boolean {
    const { k, x, y } = this.transform
    return k === 1 && Math.abs(x) < 0.5 && Math.abs(y) < 0.5
  }

  view(): View {
    const [x, y] = this.toData(this.width / 2, this.height / 2)
    return { zoom: this.transform.k, x, y }
  }

  /** The transform that shows `view`, at the current size. */
  transformFor(view: View): ZoomTransform {
    const [ux, uy] = this.unit(view.x, view.y)
    return zoomIdentity
      .translate(this.width / 2 - view.zoom * ux, this.height / 2 - view.zoom * uy)
      .scale(view.zoom)
  }
}
