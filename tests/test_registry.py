"""Registries, options and errors."""

import pickle
from dataclasses import dataclass

import pytest

from crowdselect.errors import (
    CancelledError,
    CrowdSelectError,
    InputError,
    MissingDependencyError,
    NotFoundError,
    require,
)
from crowdselect.registry import (
    Registry,
    build,
    content_key,
    describe,
    did_you_mean,
    option,
    options_of,
)


@dataclass(frozen=True)
class Tall:
    name = "tall"
    height: float = option(1.5, "How tall, in metres", low=0, high=3)
    hat: str = option("none", "What it wears", choices=("none", "bowler"))


@dataclass(frozen=True)
class Small:
    name = "small"


def test_names_in_order_and_lookup() -> None:
    shelf = Registry("thing", [Tall, Small])
    assert shelf.names() == ("tall", "small")
    assert list(shelf) == [Tall, Small]
    assert len(shelf) == 2
    assert "tall" in shelf
    assert shelf["small"] is Small


def test_an_unknown_name_is_offered_its_neighbours() -> None:
    with pytest.raises(NotFoundError, match="no thing called 'tal'") as raised:
        Registry("thing", [Tall])["tal"]
    assert "tall" in raised.value.remedy
    assert did_you_mean("zzz", ["b", "a"]) == "Known: a, b."
    assert did_you_mean("zzz", []) == "Known: none yet."
    assert did_you_mean("zzz", [f"run-{i:02}" for i in range(40)]).endswith("run-11 and 28 more.")


def test_a_name_is_taken_once() -> None:
    shelf = Registry("thing", [Tall])
    with pytest.raises(ValueError, match="two thing plug-ins"):
        shelf.add(Tall)


def test_entry_points_of_others_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    class Entry:
        def load(self) -> type:
            return Small

    asked = []
    monkeypatch.setattr(
        "crowdselect.registry.entry_points", lambda group: asked.append(group) or [Entry()]
    )
    shelf = Registry("thing", [Tall])
    assert "small" in shelf
    assert len(shelf) == 2
    assert asked == ["crowdselect.thing"]


def test_options_are_declared_once() -> None:
    height, hat = options_of(Tall)
    assert (height.name, height.type, height.default, height.low, height.high) == (
        "height", float, 1.5, 0, 3,
    )  # fmt: skip
    assert hat.choices == ("none", "bowler")
    assert describe(Tall(2.0)) == {"name": "tall", "options": {"height": 2.0, "hat": "none"}}
    assert build(Tall, {"height": 2}) == Tall(2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weight": 1}, "no option 'weight'"),
        ({"height": 4}, "outside"),
        ({"hat": "fez"}, "not a choice"),
    ],
)
def test_options_are_checked(options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        build(Tall, options)


def test_content_key_ignores_the_order_of_keys() -> None:
    assert content_key({"a": 1, "b": 2}) == content_key({"b": 2, "a": 1})
    assert content_key({"a": 1}) != content_key({"a": 1.5})
    assert len(content_key("x", 6)) == 6


@pytest.mark.parametrize(
    "error",
    [
        InputError("a", "b"),
        CancelledError(),
        MissingDependencyError("Maps", "umap", "pip install umap-learn"),
    ],
)
def test_errors_cross_processes_whole(error: CrowdSelectError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert (again.problem, again.remedy) == (error.problem, error.remedy)


def test_a_missing_package_names_the_line_that_installs_it() -> None:
    require("json", feature="Nothing", extra="none")
    with pytest.raises(MissingDependencyError) as raised:
        require("not_a_package_at_all", feature="Flying", extra="wings")
    assert raised.value.remedy == "pip install 'crowdselect[wings]'"
    assert "Flying" in raised.value.problem
