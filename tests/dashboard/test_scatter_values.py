"""The large scatter without Streamlit: geometry, encodings, palette, shelf."""

import hashlib
import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from crowdselect.charts.style import palette as figures_palette
from crowdselect.dashboard import scatter as sc
from crowdselect.dashboard.map import places
from crowdselect.dashboard.scatter import PointSet, palette, values
from crowdselect.dashboard.scatter.shelf import Shelf
from crowdselect.errors import InputError
from crowdselect.polygon import points_in_polygon
from crowdselect.values import Clustering

SCATTER = Path(sc.__file__).parent
coordinate = st.floats(-5, 5, width=32).map(lambda v: round(v, 1))
corner = st.tuples(coordinate, coordinate)


def crosses_odd_times(polygon, x, y):
    """The textbook crossing test for one point, one edge after the other."""
    inside = False
    for ends in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        (x1, y1), (x2, y2) = sorted(ends, key=lambda corner: corner[1])
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * ((x2 - x1) / (y2 - y1)):
            inside = not inside
    return inside


@given(
    st.lists(corner, min_size=3, max_size=12),
    arrays(np.float32, st.tuples(st.just(2), st.integers(0, 40)), elements=coordinate),
)
def test_the_sorted_crossing_test_is_the_textbook_one(polygon, xy):
    x, y = xy
    expected = [i for i in range(len(x)) if crosses_odd_times(polygon, float(x[i]), float(y[i]))]
    assert points_in_polygon(polygon, x, y).tolist() == expected


def test_a_square_holds_what_is_in_it_and_nan_is_nowhere():
    x = np.array([0.5, 1.5, np.nan, 0.1, 0.5])
    y = np.array([0.5, 0.5, 0.5, 0.9, np.nan])
    square = [(0, 0), (1, 0), (1, 1), (0, 1)]
    assert points_in_polygon(square, x, y).tolist() == [0, 3]
    assert points_in_polygon(square[:2], x, y).tolist() == []
    assert points_in_polygon([], x, y).dtype == np.int64


@given(st.integers(0, 2**31), st.floats(0, 6.283))
def test_turning_everything_turns_nothing_inside_out(seed, angle):
    rng = np.random.default_rng(seed)
    corners, points = rng.normal(size=(7, 2)), rng.normal(size=(200, 2))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    before = points_in_polygon(corners, *points.T)
    after = points_in_polygon(corners @ turn, *(points @ turn).T)
    assert before.tolist() == after.tolist()


def test_points_are_named_by_their_content_and_sent_as_x_then_y():
    x, y = [1.0, 2.0, np.nan, 4.0], [5.0, np.inf, 7.0, 8.0]
    points = sc.PointSet.from_arrays(x, y)
    assert points.id == sc.PointSet.from_arrays(np.array(x), np.array(y)).id
    assert points.id != sc.PointSet.from_arrays(y, x).id
    assert points.bounds == (1, 4, 5, 8)
    assert (points.n, points.missing) == (4, 2)
    sent = np.frombuffer(points.xy.data, dtype="<f4")
    assert sent[[0, 3, 4, 7]].tolist() == [1, 4, 5, 8]
    assert np.isfinite(sent).all()
    assert points.inside([(-100, -100), (100, -100), (100, 100), (-100, 100)]).tolist() == [0, 3]


def test_no_points_and_equal_points_have_bounds():
    assert sc.PointSet.from_arrays([], []).bounds == (0, 1, 0, 1)
    assert sc.PointSet.from_arrays([3, 3], [4, 4]).bounds == (3, 3, 4, 4)


def test_too_many_points_are_refused_with_a_way_out():
    zeros = np.zeros(values.MOST_POINTS + 1, dtype=np.float32)
    with pytest.raises(InputError, match=r"at most 2,000,000 points, and there are 2,000,001") as e:
        sc.PointSet.from_arrays(zeros, zeros)
    assert "sample" in e.value.remedy
    with pytest.raises(InputError, match="equally long"):
        sc.PointSet.from_arrays([1, 2], [1])


@pytest.mark.parametrize(("names", "dtype"), [(256, np.uint8), (257, np.uint16)])
def test_categories_take_as_few_bytes_as_they_can(names, dtype):
    colour = sc.CategoryColour("Cluster", np.array([0, names - 1]), tuple(map(str, range(names))))
    assert colour.codes.dtype == dtype
    assert colour.codes.tolist() == [0, names - 1]


def test_a_category_without_a_name_is_refused():
    with pytest.raises(InputError, match="numbered 0 to 2"):
        sc.CategoryColour("Cluster", np.array([0, 2]), ("a", "b"))
    with pytest.raises(InputError, match="numbered -1 to 1"):
        sc.CategoryColour("Cluster", np.array([-1, 1]), ("a", "b"))
    with pytest.raises(InputError, match="has 1,001"):
        sc.CategoryColour("Model", np.array([0]), tuple(map(str, range(1001))))


def test_labels_become_categories_the_most_frequent_first():
    colour = sc.CategoryColour.from_labels("Model", ["b", "a", "b", None, "b", "a"])
    assert colour.names == ("b", "a", "none")
    assert [colour.names[code] for code in colour.codes] == ["b", "a", "b", "none", "b", "a"]


def test_numbers_are_quantised_without_outliers_and_missing_ones_stay_apart():
    numbers = np.concatenate([np.linspace(0, 100, 1001), [1e9, np.nan]])
    colour = sc.NumberColour("Length", numbers)
    low, high = colour.span
    assert (low, high) == pytest.approx((1, 100), abs=1.5)
    assert colour.codes[-1] == values.MISSING_CODE
    assert colour.codes[-2] == 254
    back = low + colour.codes[50:950] / 254 * (high - low)
    assert np.abs(back - numbers[50:950]).max() <= (high - low) / 254 / 2 + 1e-9


@pytest.mark.parametrize("numbers", [[5.0, 5.0], [np.nan, np.nan], []])
def test_constant_missing_and_no_numbers_have_codes(numbers):
    colour = sc.NumberColour("Length", np.array(numbers))
    expected = [values.MISSING_CODE if np.isnan(v) else 0 for v in numbers]
    assert colour.codes.tolist() == expected


# Machado, Oliveira and Fernandes 2009, severity 1.0.
VISION = {
    "normal": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
               [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
               [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
               [0.004733, 0.691367, 0.303900]],
}  # fmt: skip


def linear(colour):
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def oklab(rgb):
    lms = np.cbrt(
        np.array(
            [[0.4122214708, 0.5363325363, 0.0514459929],
             [0.2119034982, 0.6806995451, 0.1073969566],
             [0.0883024619, 0.2817188376, 0.6299787005]]
        ) @ np.clip(rgb, 0, 1)
    )  # fmt: skip
    return 100 * np.array(
        [[0.2104542553, 0.7936177850, -0.0040720468],
         [1.9779984951, -2.4285922050, 0.4505937099],
         [0.0259040371, 0.7827717662, -0.8086757660]]
    ) @ lms  # fmt: skip


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("vision", VISION)
def test_colour_blind_readers_can_tell_the_categories_apart(theme, vision):
    def least(colours):
        seen = [oklab(np.array(VISION[vision]) @ linear(colour)) for colour in colours]
        return min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2))

    colours = palette.CATEGORIES[theme]
    assert len(set(colours)) == 24
    assert least(figures_palette(theme).categories) > 8
    # In OKLab times 100 a difference of 2 is just noticeable.
    assert least(colours[:8]) > 8
    assert least(colours) > 4.5


def test_the_rule_beyond_the_palette_is_to_start_again():
    assert sc.category_colour(24) == sc.category_colour(0)
    assert sc.category_colour(25, "dark") == palette.CATEGORIES["dark"][1]


def test_the_shelf_names_content_by_a_secret_and_forgets_the_longest_unused():
    shelf = Shelf(most_bytes=20)
    first = shelf.put("a", b"0123456789")
    assert shelf.put("a", b"0123456789") == first
    assert Shelf().put("a", b"0123456789") != first
    second = shelf.put("b", b"0123456789")
    shelf.put("a", b"0123456789")
    third = shelf.put("c", b"x")
    assert shelf.content(second) is None
    assert bytes(shelf.content(first)) == b"0123456789"
    assert bytes(shelf.content(third)) == b"x"


def test_the_shelf_keeps_even_one_thing_that_is_too_large():
    shelf = Shelf(most_bytes=1)
    assert shelf.content(shelf.put("a", b"0123456789")) is not None


def test_the_newest_lookup_of_a_hover_source_is_used():
    shelf = Shelf()
    address = shelf.offer(sc.HoverSource("crowd", lambda row: sc.HoverText(f"old {row}")))
    assert shelf.offer(sc.HoverSource("crowd", lambda row: sc.HoverText(f"new {row}"))) == address
    assert shelf.source(address).lookup(3) == sc.HoverText("new 3")
    assert shelf.source("0" * 32) is None


def test_a_selected_point_lies_in_the_density_picture_of_its_set():
    rng = np.random.default_rng(0)
    points = sc.PointSet.from_arrays(*rng.normal(size=(2, 5000)))
    from crowdselect.charts.style import LIGHT

    everything = np.ones(points.n, dtype=bool)
    figure = sc.density_figure(points, everything, LIGHT, axes=sc.Axes("<b>x</b>", "y"))
    density, chosen = figure.data
    assert np.nansum(np.square(density.z.astype(float))) == pytest.approx(5000, rel=1e-3)
    assert (chosen.type, len(chosen.x)) == ("scatter", 2000)
    assert "<b>" not in figure.layout.xaxis.title.text


def test_the_built_program_is_that_of_the_sources():
    sources = sorted(p for p in (SCATTER / "frontend/src").iterdir() if p.name[0] != ".")
    digest = hashlib.sha256()
    for path in [*sources, SCATTER / "frontend/package.json"]:
        digest.update(path.read_bytes())
    first = (SCATTER / "build/scatter.js").open(encoding="utf-8").readline()
    assert f"sources {digest.hexdigest()[:16]}" in first, (
        "run: cd crowdselect/dashboard/scatter/frontend && npm ci && npm run build"
    )


def test_the_lock_file_names_no_registry():
    assert "resolved" not in (SCATTER / "frontend/package-lock.json").read_text()


def test_importing_the_package_does_not_load_streamlit():
    code = "import sys, crowdselect; sys.exit('streamlit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_names_of_clusters_stand_beside_points_and_apart():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(c, 0.6, 300) for c in (0, 4, 8)])
    y = np.concatenate([rng.normal(c, 0.6, 300) for c in (0, 5, 1)])
    points = PointSet.from_arrays(x, y)
    labels = np.repeat([0, 1, 2], 300)
    names = ("sql · table · query", "poem", "soup · onions · recipe")
    clusters = Clustering(np.arange(900).astype(str), labels, names, "lsa", 42, 0.0, "")
    found = places.place_labels(points, clusters)
    assert [(label.text, label.weight) for label in found] == [(name, 300.0) for name in names]
    taken, origin, scale = places._occupied(points)
    boxes = []
    for label in found:
        width = (len(label.text) * places.LETTER_PX + 12) / places.CELL_PX / 2
        height = places.HEIGHT_PX / places.CELL_PX / 2
        at = (np.array([label.x, label.y]) - origin) * scale
        low = np.floor(at - np.array([width, height]) + 0.5).astype(int)
        high = np.ceil(at + np.array([width, height]) - 0.5).astype(int)
        assert taken[low[0] : high[0], low[1] : high[1]].sum() == 0
        # In a plot as small as is said: the same name takes more of it, and still covers nothing.
        smaller = label.least / (scale * places.CELL_PX)
        assert 0.4 <= smaller <= 1
        pad = np.array([width, height]) / smaller
        there = np.array([points.x, points.y]).T
        cells = (there - origin) * scale
        assert not (np.abs(cells - at) < pad - 0.51).all(axis=1).any()
        own = np.array([np.median(x[labels == len(boxes)]), np.median(y[labels == len(boxes)])])
        assert np.hypot(*(np.array([label.x, label.y]) - own)) < 5
        boxes.append((low, high))
    for i, (low, high) in enumerate(boxes):
        for other_low, other_high in boxes[:i]:
            assert (high <= other_low).any() or (other_high <= low).any()
