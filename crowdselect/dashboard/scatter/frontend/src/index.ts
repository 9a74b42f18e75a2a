// Entry of the component: one Plot per mounted element, kept through every rerun.
import type { FrontendRendererArgs } from "@streamlit/component-v2-lib"
import type { Payload, State } from "./payload"
import { Plot } from "./plot"

export type Component = FrontendRendererArgs<State, Payload>

const plots = new WeakMap<object, Plot>()

export function render(component: Component): void {
  const { parentElement, data } = component
  let plot = plots.get(parentElement)
  if (!plot) {
    const host = parentElement.querySelector<HTMLElement>("[data-scatter]")
    if (!host) return
    plot = new Plot(host)
    plots.set(parentElement, plot)
  }
  plot.emit = component.setStateValue
  void plot.update(data)
}

export function unmount(parentElement: object): void {
  plots.get(parentElement)?.dispose()
  plots.delete(parentElement)
}
