"""The scatter on a page, without a browser: what is sent, what comes back, what is kept."""

import base64
import json
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from crowdselect.dashboard import scatter as sc
from crowdselect.dashboard.scatter.shelf import SHELF

APP = Path(__file__).parent / "apps" / "scatter_app.py"
EVERYTHING = [[-99, -99], [99, -99], [99, 99], [-99, 99]]


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_file(str(APP), default_timeout=60).run()


def sent(app: AppTest) -> dict:
    assert not app.exception
    (component,) = app.get("bidi_component")
    return json.loads(component.proto.json)


def lasso_of(app: AppTest) -> str:
    return next(t.value for t in app.text if t.value.startswith("lasso:"))


def with_state(app: AppTest, **state) -> AppTest:
    app.session_state["map"] = state
    return app.run()


def lasso(app: AppTest, polygon=EVERYTHING, hidden=()) -> dict:
    return {"points": sent(app)["points"]["id"], "polygon": polygon, "hidden": list(hidden)}


def test_a_rerun_sends_addresses_and_one_bit_per_point(app):
    data = sent(app)
    n = data["points"]["n"]
    mask = np.unpackbits(np.frombuffer(base64.b64decode(data["mask"]), dtype=np.uint8))
    assert mask[:n].sum() == n // 100
    assert len(json.dumps(data)) < n / 6 + 1500
    (component,) = app.get("bidi_component")
    assert len(component.proto.js_content) < 1500, "the program itself travels by address"


def test_moving_the_slider_changes_the_mask_only(app):
    before = sent(app)
    app.slider(key="weight").set_value(0.9).run()
    after = sent(app)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"mask", "version"}


def test_another_colouring_changes_colours_only(app):
    before = sent(app)
    app.radio(key="which").set_value("number").run()
    after = sent(app)
    assert {name for name in before if before[name] != after[name]} == {"codes", "scene", "version"}


def test_what_is_sent_is_on_the_shelf_and_text_is_not_in_the_coordinates(app):
    data = sent(app)
    xy = SHELF.content(data["points"]["url"].rsplit("/", 1)[1])
    codes = SHELF.content(data["codes"]["url"].rsplit("/", 1)[1])
    scene = json.loads(bytes(SHELF.content(data["scene"].rsplit("/", 1)[1])))
    assert len(xy) == 8 * data["points"]["n"]
    assert len(codes) == data["points"]["n"]
    assert scene["colour"]["names"][0] == "<b>cluster 0</b>"
    assert scene["description"] == "Map of synthetic instructions: 20,000 instructions"


def test_a_lasso_becomes_rows_and_hidden_categories_are_not_in_it(app):
    assert lasso_of(app) == "lasso: no lasso, 0 vertices; picked: None"
    with_state(app, lasso=lasso(app))
    assert lasso_of(app).startswith("lasso: 20000 rows, 4 vertices")
    with_state(app, lasso=lasso(app, hidden=range(1, 30)))
    assert lasso_of(app).startswith("lasso: 699 rows")


def test_a_lasso_of_other_points_is_ignored(app):
    with_state(
        app,
        lasso={"points": "f" * 32, "polygon": EVERYTHING, "hidden": []},
        picked={"points": "f" * 32, "index": 3, "at": 1},
    )
    assert lasso_of(app) == "lasso: no lasso, 0 vertices; picked: None"
    assert sent(app)["lasso"] is None


def test_the_lasso_outlives_another_page(app):
    with_state(app, lasso=lasso(app), picked={"points": sent(app)["points"]["id"], "index": 5})
    assert lasso_of(app).endswith("picked: 5")
    app.session_state["page"] = "other"
    app.run()
    assert not app.get("bidi_component")
    app.session_state["page"] = "home"
    app.run()
    assert lasso_of(app) == "lasso: 20000 rows, 4 vertices; picked: 5"
    assert sent(app)["lasso"]["polygon"] == EVERYTHING


def test_without_webgl_there_is_a_density_picture(app):
    with_state(app, webgl=False)
    assert not app.exception
    assert len(app.get("plotly_chart")) == 1
    assert any("webgl: False" in t.value for t in app.text)


def test_a_lasso_on_the_density_picture_selects_too(app):
    with_state(app, webgl=False)
    box = {"x": [-99, 99], "y": [-99, 99], "xref": "x", "yref": "y"}
    app.session_state["map/density"] = {"selection": {"points": [], "box": [box], "lasso": []}}
    app.run()
    assert lasso_of(app).startswith("lasso: 20000 rows, 4 vertices")
    xs, ys = zip(*EVERYTHING, strict=True)
    drawn = {"x": list(xs), "y": list(ys), "xref": "x", "yref": "y"}
    app.session_state["map/density"] = {"selection": {"points": [], "box": [], "lasso": [drawn]}}
    app.run()
    assert lasso_of(app).startswith("lasso: 20000 rows, 4 vertices")


def test_python_can_draw_and_clear_a_lasso():
    points = sc.PointSet.from_arrays([0.5], [0.5])
    state = sc.lasso_state(points, [(0, 0), (1, 0), (1, 1)], hidden=(2,))
    assert state == {"points": points.id, "polygon": [[0, 0], [1, 0], [1, 1]], "hidden": [2]}
    assert sc.lasso_state(points, None) is None


def test_a_selection_of_another_length_is_refused():
    def page():
        import numpy

        from crowdselect.dashboard import scatter
        from crowdselect.errors import InputError

        points = scatter.PointSet.from_arrays([1, 2, 3], [1, 2, 3])
        try:
            scatter.scatter(points, key="a", selected=numpy.zeros(2, dtype=bool))
        except InputError as error:
            import streamlit

            streamlit.text(error.problem)

    app = AppTest.from_function(page, default_timeout=60).run()
    assert app.text[0].value == "The selection has the shape (2,), but there are 3 points."
