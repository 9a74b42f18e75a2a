"""The large scatter on a page: sends addresses and a bitmask, returns what the person did."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import streamlit as st

from crowdselect.charts.style import palette
from crowdselect.dashboard.scatter.density import density_figure, polygon_of
from crowdselect.dashboard.scatter.palette import CATEGORIES, NEUTRAL, SEQUENTIAL, ThemeName
from crowdselect.dashboard.scatter.routes import base_address, program_address
from crowdselect.dashboard.scatter.shelf import SHELF
from crowdselect.dashboard.scatter.values import (
    MISSING_CODE,
    Aspect,
    Axes,
    CategoryColour,
    Colour,
    HoverSource,
    Label,
    PointSet,
    ScatterEvent,
    View,
)
from crowdselect.errors import InputError
from crowdselect.values import BoolArray

_HTML = "<div data-scatter></div>"
_LOADER = """
// The program is fetched once and kept by the browser; only this loader travels with reruns.
const slots = new WeakMap()

export default function (component) {
  const { data, parentElement } = component
  const slot = slots.get(parentElement) ?? { mounted: true }
  slots.set(parentElement, slot)
  slot.component = component
  const render = (program) => {
    if (!slot.mounted) return
    slot.unmount = () => program.unmount(parentElement)
    program.render(slot.component)
  }
  const fail = (error) => {
    console.warn("crowdselect scatter:", error)
    parentElement.querySelector("[data-scatter]").textContent =
      "The plot's program could not be loaded. Start the dashboard with: crowdselect serve"
  }
  import(new URL(data.module, location.origin).href).then(render).catch(fail)
  return () => {
    slot.mounted = false
    slots.delete(parentElement)
    slot.unmount?.()
  }
}
"""


def scatter(
    points: PointSet,
    *,
    key: str,
    selected: BoolArray | None = None,
    colour: Colour | None = None,
    labels: Sequence[Label] = (),
    axes: Axes | None = None,
    hover: HoverSource | None = None,
    highlight: int | None = None,
    height: int = 640,
    unit: str = "instructions",
    description: str = "Map",
    initial_view: View | None = None,
    report_view: bool = False,
    on_lasso: Callable[[], None] | None = None,
    on_pick: Callable[[], None] | None = None,
) -> ScatterEvent:
    """Draw up to two million points; zoom, pan and lasso survive every change of the rest.

    Parameters
    ----------
    points
        Where the points are. Make it once per data set (``st.cache_resource``).
    key
        Name of the plot in the app. Its lasso, view and hidden categories are kept under it, also
        while another page is shown.
    selected
        Shape (n,): drawn on top, the others muted. None: nothing is muted.
    colour
        Category or number per point; None: one neutral colour. Make it once per colouring.
    labels
        Names over the plot, for example of clusters.
    axes
        Titles of both axes, and each axis scaled by itself; None: a map, scaled alike.
    hover
        Where to look up the text of a point.
    highlight
        Row of a point to put a ring around.
    height
        Pixels; less on a small screen.
    unit, description
        What the points are, for the line below the plot and for screen readers.
    initial_view
        What to show where this tab remembers no view of these points.
    report_view
        Return the view (0.4 s after it came to rest), at the price of a rerun.
    on_lasso, on_pick
        Called before the rerun when the lasso or the clicked point changed.

    Raises
    ------
    InputError
        If ``selected`` or the colour is of another length than the points.
    """
    _check_lengths(points, selected, colour)
    known = _known_state(key, points)
    data = _payload(
        points,
        selected=selected,
        colour=colour,
        scene=_scene(points, colour, labels, axes, unit, description),
        hover=hover,
    )
    data |= {
        "name": key,
        "height": height,
        "highlight": highlight,
        "lasso": known.get("lasso"),
        "view": initial_view and vars(initial_view),
        "reportView": report_view,
    }
    callbacks = {"lasso": on_lasso, "picked": on_pick, "view": None, "webgl": None}
    state = _component()(
        key=key,
        data=data,
        default={name: known.get(name) for name in callbacks},
        **{f"on_{name}_change": call or _nothing for name, call in callbacks.items()},
    )
    st.session_state[_kept_key(key)] = {name: state.get(name) for name in callbacks}
    event = _event(state, points)
    return event if event.webgl else _density(points, selected, axes, key, height, event)


def lasso_state(
    points: PointSet, polygon: Sequence[tuple[float, float]] | None, hidden: Sequence[int] = ()
) -> dict[str, Any] | None:
    """The ``lasso`` of the component's state, to set it from Python before ``scatter`` runs.

    ``st.session_state[key] = {"lasso": lasso_state(points, polygon)}`` draws it as if by hand;
    None clears it. Tests inject a lasso in the same way.
    """
    if polygon is None:
        return None
    return {
        "points": points.id,
        "polygon": [list(corner) for corner in polygon],
        "hidden": list(hidden),
    }


def _nothing() -> None:
    """Streamlit wants a callback for every part of the state."""


@cache
def _component() -> Any:
    return st.components.v2.component("crowdselect_scatter", html=_HTML, js=_LOADER)


def _check_lengths(points: PointSet, selected: BoolArray | None, colour: Colour | None) -> None:
    sizes = {"selection": selected, "colouring": None if colour is None else colour.codes}
    for what, values in sizes.items():
        if values is not None and values.shape != (points.n,):
            raise InputError(
                f"The {what} has the shape {values.shape}, but there are {points.n:,} points.",
                f"Give one value per point, shape ({points.n},).",
            )


def _kept_key(key: str) -> str:
    return f"_scatter/{key}"


def _known_state(key: str, points: PointSet) -> dict[str, Any]:
    """The component's state, or what it was when its page was last shown; of these points only."""
    kept = st.session_state.get(_kept_key(key)) or {}
    known = {**kept, **(st.session_state.get(key) or {})}
    for name in ("lasso", "picked", "view"):
        if (known.get(name) or {}).get("points") != points.id:
            known[name] = None
    return known


def _payload(
    points: PointSet,
    *,
    selected: BoolArray | None,
    colour: Colour | None,
    scene: bytes,
    hover: HoverSource | None,
) -> dict[str, Any]:
    base = base_address()

    def put(content: bytes | memoryview, content_id: str | None = None) -> str:
        return f"{base}/data/{SHELF.put(content_id or _digest(content), content)}"

    mask = None if selected is None else base64.b64encode(np.packbits(selected).tobytes()).decode()
    codes = None if colour is None else colour.codes
    data: dict[str, Any] = {
        "module": program_address(),
        "points": {
            "id": points.id,
            "n": points.n,
            "url": put(points.xy.data, points.id),
            "bounds": list(points.bounds),
            "missing": points.missing,
        },
        "codes": None if codes is None else {"url": put(codes.data), "bytes": codes.dtype.itemsize},
        "scene": put(scene),
        "mask": mask,
        "hover": hover and f"{base}/text/{SHELF.offer(hover)}",
    }
    return data | {"version": _digest(json.dumps(data).encode())}


def _digest(content: bytes | memoryview) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def _scene(
    points: PointSet,
    colour: Colour | None,
    labels: Sequence[Label],
    axes: Axes | None,
    unit: str,
    description: str,
) -> bytes:
    aspect: Aspect = "equal" if axes is None else "free"
    scene = {
        "description": f"{description}: {points.n:,} {unit}",
        "unit": unit,
        "aspect": aspect,
        "axes": axes and vars(axes),
        "labels": [vars(label) for label in labels],
        "colour": _colour(colour),
        "neutral": NEUTRAL,
    }
    return json.dumps(scene).encode()


def _colour(colour: Colour | None) -> dict[str, Any] | None:
    if colour is None:
        return None
    if isinstance(colour, CategoryColour):
        hues = colour.hues or range(len(CATEGORIES["light"]))
        own = {
            theme: tuple(colours[hue % len(colours)] for hue in hues)
            for theme, colours in CATEGORIES.items()
        }
        return {"kind": "category", "title": colour.title, "names": colour.names} | _themes(own)
    low, high = colour.span
    with np.errstate(invalid="ignore"):
        below, above = bool((colour.values < low).any()), bool((colour.values > high).any())
    return {
        "kind": "number",
        "title": colour.title,
        "low": ("\N{LESS-THAN OR EQUAL TO} " if below else "") + _number(low),
        "high": ("\N{GREATER-THAN OR EQUAL TO} " if above else "") + _number(high),
        "missing": int((colour.codes == MISSING_CODE).sum()),
    } | _themes(SEQUENTIAL)


def _themes(colours: Mapping[ThemeName, tuple[str, ...]]) -> dict[str, Any]:
    return {"light": colours["light"], "dark": colours["dark"]}


def _number(value: float) -> str:
    return f"{value:.4g}".replace("-", "\N{MINUS SIGN}")


def _event(state: Mapping[str, Any], points: PointSet) -> ScatterEvent:
    def of_these(name: str) -> Mapping[str, Any]:
        value = state.get(name) or {}
        return value if value.get("points") == points.id else {}

    lasso, picked, view = of_these("lasso"), of_these("picked"), of_these("view")
    return ScatterEvent(
        polygon=tuple((float(x), float(y)) for x, y in lasso["polygon"]) if lasso else None,
        picked=int(picked["index"]) if picked else None,
        view=View(view["zoom"], view["x"], view["y"]) if view else None,
        webgl=state.get("webgl") is not False,
        hidden=tuple(int(code) for code in lasso.get("hidden", ())),
    )


def _density(
    points: PointSet,
    selected: BoolArray | None,
    axes: Axes | None,
    key: str,
    height: int,
    event: ScatterEvent,
) -> ScatterEvent:
    figure = density_figure(
        points, selected, palette(st.context.theme.type), axes=axes, height=height
    )
    answer = st.plotly_chart(
        figure,
        theme=None,
        key=f"{key}/density",
        on_select="rerun",
        selection_mode=("lasso", "box"),
    )
    return ScatterEvent(polygon_of(answer), event.picked, event.view, webgl=False)
