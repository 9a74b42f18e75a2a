"""One scatter twice: our component, and plotly's scattergl as one would write it with care."""

import os

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from crowdselect.dashboard import scatter as sc

N = int(os.environ.get("SCATTER_N", "100000"))
CLUSTERS = 50


@st.cache_resource
def world(n: int) -> tuple[sc.PointSet, sc.CategoryColour]:
    rng = np.random.default_rng(0)
    cluster = rng.integers(0, CLUSTERS, n)
    xy = rng.normal(0, 8, (CLUSTERS, 2))[cluster] + rng.normal(0, 1.2, (n, 2))
    names = tuple(f"cluster {i}" for i in range(CLUSTERS))
    return sc.PointSet.from_arrays(*xy.T), sc.CategoryColour("Cluster", cluster, names)


def plotly(points: sc.PointSet, colour: sc.CategoryColour, chosen: np.ndarray, weight: float):
    """Arrays, not lists (plotly sends them as binary), codes as colour, no hover text."""
    figure = go.Figure(layout={"height": 640, "dragmode": "lasso", "showlegend": False})
    marker = {"size": 3, "color": colour.codes, "colorscale": "Turbo", "opacity": 0.5}
    figure.add_scattergl(
        x=points.x, y=points.y, mode="markers", marker=marker, customdata=np.arange(points.n)
    )
    figure.add_scattergl(
        x=points.x[chosen],
        y=points.y[chosen],
        mode="markers",
        marker={"size": 5, "color": "black"},
    )
    figure.update_layout(meta=f"{weight:.2f}")
    event = st.plotly_chart(figure, key="plot", on_select="rerun", selection_mode="lasso")
    return len(event["selection"]["points"]) if event["selection"]["points"] else None


def page() -> None:
    points, colour = world(N)

    @st.fragment
    def view() -> None:
        weight = st.slider("weight", 0.0, 1.0, 0.5, 0.01)
        score = weight * points.x + (1 - weight) * points.y
        selected = np.zeros(points.n, dtype=bool)
        selected[np.argpartition(-score, points.n // 100)[: points.n // 100]] = True
        if st.query_params.get("with") == "plotly":
            rows = plotly(points, colour, selected, weight)
        else:
            event = sc.scatter(points, key="map", selected=selected, colour=colour)
            inside = event.rows(points, colour)
            rows = None if inside is None else len(inside)
        st.text(f"weight {weight:.2f}, lasso {rows}")

    view()


if __name__ == "__main__":
    st.set_page_config(layout="wide")
    page()
else:
    app = st.App(__file__, routes=sc.routes())
