"""The large scatter: up to two million points on WebGL2 inside a Streamlit page.

Used by the map and by the metric scatter. See docs/scatter.md.
"""

from crowdselect.dashboard.scatter.component import lasso_state, scatter
from crowdselect.dashboard.scatter.density import density_figure
from crowdselect.dashboard.scatter.palette import category_colour
from crowdselect.dashboard.scatter.routes import routes
from crowdselect.dashboard.scatter.values import (
    Axes,
    CategoryColour,
    Colour,
    HoverSource,
    HoverText,
    Label,
    NumberColour,
    PointSet,
    ScatterEvent,
    View,
)

__all__ = [
    "Axes",
    "CategoryColour",
    "Colour",
    "HoverSource",
    "HoverText",
    "Label",
    "NumberColour",
    "PointSet",
    "ScatterEvent",
    "View",
    "category_colour",
    "density_figure",
    "lasso_state",
    "routes",
    "scatter",
]
