// How large and how opaque points are: fewer, and closer, means larger.
import type { Style } from "./renderer"
import type { Rgb, Theme } from "./theme"

/** More device pixels per CSS pixel than this cost time and show nothing new. */
export const DEVICE_PIXELS = 2

function size(n: number, zoom: number): number {
  const whole = Math.min(7, Math.max(1.6, 26 * Math.max(n, 1) ** -0.2))
  return Math.min(12, whole * Math.min(4, Math.max(1, zoom ** 0.35)))
}

export function baseStyle(n: number, zoom: number, ratio: number, muted: boolean): Style {
  const opacity = muted ? 0.7 : n > 300_000 ? 0.6 : 0.8
  return { size: size(n, zoom) * ratio, opacity, outline: 0, outlineColour: [0, 0, 0] }
}

/** Selected points stand out; many of them less each, or they would hide one another. */
export function selectedStyle(
  n: number,
  selected: number,
  zoom: number,
  ratio: number,
  theme: Theme,
): Style {
  const few = selected < 0.05 * n || selected < 300
  const px = few ? Math.max(5.5, size(n, zoom) * 1.5) : size(n, zoom) * 1.25
  const colour = theme.text.map((value) => value / 255) as Rgb
  return { size: px * ratio, opacity: 1, outline: px >= 5 ? ratio : 0, outlineColour: colour }
}
