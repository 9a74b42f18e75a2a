// What Python sends and what goes back. The Python side is ../../component.py.

export type Pair = [number, number]

/** Sent with every rerun: small, everything heavy is behind a URL that names its content. */
export interface Payload {
  module: string
  /** Stable name of this plot in the app; keys what is remembered in sessionStorage. */
  name: string
  /** Changes whenever anything drawn changes; put on the element once it is on screen. */
  version: string
  height: number
  points: {
    id: string
    n: number
    url: string
    bounds: [number, number, number, number]
    /** How many have no place. */
    missing: number
  }
  scene: string
  codes: { url: string; bytes: 1 | 2 } | null
  /** base64 of numpy.packbits(selected), or null: nothing is selected, nothing is muted. */
  mask: string | null
  lasso: Lasso | null
  highlight: number | null
  hover: string | null
  view: View | null
  reportView: boolean
}

/** Text and colours of the plot: changes with the colouring, not with the selection. */
export interface Scene {
  description: string
  unit: string
  aspect: "equal" | "free"
  axes: { x: string; y: string } | null
  labels: { x: number; y: number; text: string; weight: number; least: number }[]
  colour: CategoryColour | NumberColour | null
  neutral: { light: string; dark: string }
}

export interface CategoryColour {
  kind: "category"
  title: string
  names: string[]
  light: string[]
  dark: string[]
}

export interface NumberColour {
  kind: "number"
  title: string
  low: string
  high: string
  missing: number
  light: string[]
  dark: string[]
}

/** Zoom 1 shows everything; x, y is the data coordinate in the middle of the plot. */
export interface View {
  zoom: number
  x: number
  y: number
}

export interface Lasso {
  points: string
  polygon: Pair[]
  hidden: number[]
}

export interface State extends Record<string, unknown> {
  lasso: Lasso | null
  picked: { points: string; index: number; at: number } | null
  view: (View & { points: string }) | null
  webgl: boolean | null
}

export interface HoverText {
  title: string
  facts: [string, string][]
}

/** The code of a missing number; Python writes the same. */
export const MISSING = 255
