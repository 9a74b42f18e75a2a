// Colours of the current Streamlit theme, and the palettes made from them.
import type { Scene } from "./payload"
import { MISSING } from "./payload"

export type Rgb = [number, number, number]

export interface Theme {
  name: "light" | "dark"
  background: Rgb
  text: Rgb
}

const probe = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true })

/** Any CSS colour as numbers from 0 to 255. */
function parse(colour: string, otherwise: Rgb): Rgb {
  if (!probe || !colour || colour === "unset") return otherwise
  probe.clearRect(0, 0, 1, 1)
  probe.fillStyle = colour
  probe.fillRect(0, 0, 1, 1)
  const [r, g, b] = probe.getImageData(0, 0, 1, 1).data
  return [r, g, b]
}

export function readTheme(element: HTMLElement): Theme {
  const style = getComputedStyle(element)
  const background = parse(style.getPropertyValue("--st-background-color").trim(), [255, 255, 255])
  const text = parse(style.getPropertyValue("--st-text-color").trim(), [27, 39, 51])
  const light = background[0] * 0.299 + background[1] * 0.587 + background[2] * 0.114 > 128
  return { name: light ? "light" : "dark", background, text }
}

export function sameTheme(a: Theme, b: Theme): boolean {
  return [...a.background, ...a.text].every((v, i) => v === [...b.background, ...b.text][i])
}

function hex(colour: string): Rgb {
  const value = Number.parseInt(colour.slice(1), 16)
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255]
}

function mix(a: Rgb, b: Rgb, share: number): Rgb {
  return a.map((value, i) => Math.round(value + (b[i] - value) * share)) as Rgb
}

/** One colour per code of the scene's colouring, in the theme's variant. */
export function codeColours(scene: Scene, theme: Theme): Rgb[] {
  const { colour } = scene
  const neutral = hex(scene.neutral[theme.name])
  if (!colour) return [neutral]
  const stops = colour[theme.name].map(hex)
  if (colour.kind === "category") return colour.names.map((_, i) => stops[i % stops.length])
  const ramp = Array.from({ length: MISSING }, (_, i) => {
    const place = (i / (MISSING - 1)) * (stops.length - 1)
    const from = Math.min(Math.floor(place), stops.length - 2)
    return mix(stops[from], stops[from + 1], place - from)
  })
  return [...ramp, neutral]
}

/** How strongly points that are not selected fade into the background. */
const MUTED = { light: 0.64, dark: 0.56 }

export function paletteBytes(
  colours: Rgb[],
  theme: Theme,
  muted: boolean,
  hidden: ReadonlySet<number>,
): Uint8Array {
  const bytes = new Uint8Array(colours.length * 4)
  colours.forEach((colour, code) => {
    const shown = muted ? mix(colour, theme.background, MUTED[theme.name]) : colour
    bytes.set([...shown, hidden.has(code) ? 0 : 255], code * 4)
  })
  return bytes
}

export function css([r, g, b]: Rgb): string {
  return `rgb(${r} ${g} ${b})`
}
