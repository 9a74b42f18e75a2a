// What survives a page switch and a reload in this tab: view, tool and hidden categories.
import type { Scene, View } from "./payload"

export type Tool = "pan" | "lasso" | "box"

export interface Remembered {
  view: View | null
  tool: Tool
  hidden: { scene: string; codes: number[] } | null
}

const NOTHING: Remembered = { view: null, tool: "pan", hidden: null }

export class Memory {
  private readonly key: string
  value: Remembered

  constructor(name: string, points: string) {
    this.key = `crowdselect.scatter/${name}/${points}`
    this.value = { ...NOTHING, ...this.read() }
  }

  save(change: Partial<Remembered>): void {
    this.value = { ...this.value, ...change }
    try {
      sessionStorage.setItem(this.key, JSON.stringify(this.value))
    } catch {
      // A full or forbidden storage costs the memory, not the plot.
    }
  }

  private read(): Partial<Remembered> {
    try {
      return JSON.parse(sessionStorage.getItem(this.key) ?? "{}") as Partial<Remembered>
    } catch {
      return {}
    }
  }
}

/** Names a scene's categories: what was hidden under other ones is not hidden under these. */
export function colouring({ colour }: Scene): string {
  return colour?.kind === "category" ? [colour.title, ...colour.names].join("\n") : ""
}
