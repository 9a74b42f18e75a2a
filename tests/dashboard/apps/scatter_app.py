"""A page with one scatter of synthetic points, for the browser tests and the benchmark."""

import os

import numpy as np
import streamlit as st

from crowdselect.dashboard import scatter as sc

N = int(os.environ.get("SCATTER_N", "20000"))
HOSTILE = "<script>alert(1)</script> ![x](http://127.0.0.1:9/x.png) $$\\LaTeX$$"


@st.cache_resource
def world(n: int) -> tuple[sc.PointSet, dict[str, sc.Colour], list[sc.Label]]:
    rng = np.random.default_rng(0)
    centres = rng.normal(0, 8, (30, 2))
    cluster = rng.integers(0, 30, n)
    xy = centres[cluster] + rng.normal(0, 1.1, (n, 2))
    points = sc.PointSet.from_arrays(xy[:, 0], xy[:, 1])
    names = tuple(f"cluster {i}" if i else "<b>cluster 0</b>" for i in range(30))
    values = np.where(rng.random(n) < 0.02, np.nan, xy[:, 0] + rng.normal(0, 1, n))
    colours = {
        "cluster": sc.CategoryColour("Cluster", cluster, names),
        "number": sc.NumberColour("Difficulty", values),
    }
    weights = np.bincount(cluster, minlength=30)
    labels = [
        sc.Label(float(x), float(y), name, float(w))
        for (x, y), name, w in zip(centres, names, weights, strict=True)
    ]
    return points, colours, labels


def text(row: int) -> sc.HoverText:
    return sc.HoverText(f"row {row} {HOSTILE}", (("cluster", "<i>7</i>"), ("difficulty", "0.25")))


def home() -> None:
    points, colours, labels = world(N)

    @st.fragment
    def view() -> None:
        weight = st.slider("weight", 0.0, 1.0, 0.5, 0.01, key="weight")
        which = st.radio("colour", ["cluster", "number", "nothing"], horizontal=True, key="which")
        metric = st.toggle("axes", key="axes")
        score = weight * points.x + (1 - weight) * points.y
        selected = np.zeros(points.n, dtype=bool)
        selected[np.argpartition(-score, points.n // 100)[: points.n // 100]] = True
        colour = colours.get(which)
        event = sc.scatter(
            points,
            key="map",
            selected=selected,
            colour=colour,
            labels=() if metric else labels,
            axes=sc.Axes("difficulty", "separability") if metric else None,
            hover=sc.HoverSource("crowd", text),
            height=560,
            description="Map of synthetic instructions",
        )
        rows = event.rows(points, colour)
        inside = "no lasso" if rows is None else f"{len(rows)} rows"
        vertices = 0 if event.polygon is None else len(event.polygon)
        st.text(f"lasso: {inside}, {vertices} vertices; picked: {event.picked}")
        st.text(f"webgl: {event.webgl}; selected: {int(selected.sum())}; weight: {weight:.2f}")

    view()


def other() -> None:
    st.text("another page")


if __name__ == "__main__":
    st.set_page_config(layout="wide")
    pages = {
        "home": st.Page(home, title="Home", default=True),
        "other": st.Page(other, title="Other"),
    }
    page = st.navigation(list(pages.values()), position="top")
    # A test without a browser says here which page it wants.
    pages.get(st.session_state.get("page", ""), page).run()
else:
    app = st.App(__file__, routes=sc.routes())
