"""Recipes survive JSON and TOML, their id follows their content, and bad ones are explained."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdselect.errors import InputError
from crowdselect.rules import gate_from_text
from crowdselect.values import Filters, Gate, QuestionFile, Range, Recipe

NAME = st.text(string.ascii_letters + string.digits + "._@- äß", min_size=1, max_size=12)
NUMBER = st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: x + 0.0)
FILTERS = st.builds(
    Filters,
    contains=st.none() | st.text(max_size=10),
    lacks=st.none() | st.text(max_size=10),
    clusters=st.lists(st.integers(0, 40), max_size=4).map(tuple),
    ranges=st.lists(
        st.builds(Range, metric=NAME, low=st.none() | NUMBER, high=st.none() | NUMBER), max_size=2
    ).map(tuple),
    min_chars=st.none() | st.integers(0, 10**6),
    max_chars=st.none() | st.integers(0, 10**6),
    lasso=st.lists(st.tuples(NUMBER, NUMBER), max_size=4).map(tuple),
    exact_duplicates=st.sampled_from(["drop", "keep"]),
    near_duplicates=st.none() | st.floats(0.01, 1),
)
RECIPES = st.builds(
    Recipe,
    crowd=NAME,
    strategy=NAME,
    options=st.dictionaries(NAME, st.integers(-9, 9) | NUMBER | st.text() | st.booleans()),
    judge=st.none() | NAME,
    weights=st.dictionaries(NAME, NUMBER, max_size=4),
    profile=st.sampled_from(["paper", "reference"]),
    impute_missing=st.booleans(),
    clusters=st.integers(0, 100),
    budget=st.integers(0, 10**6) | st.floats(0.001, 0.999),
    filters=FILTERS,
    pins=st.lists(NAME, max_size=3).map(tuple),
    bans=st.lists(NAME, max_size=3).map(tuple),
    answer=st.sampled_from(["best", "random", "top5_random", "model:a", "consensus"]),
    ties=st.sampled_from(["draw", "judges", "larger", "first"]),
    among=st.sampled_from(["any", "good"]),
    gate=st.none()
    | st.builds(Gate, kind=st.sampled_from(["reward", "crowd"]), at_least=st.floats(0, 1)),
    decontaminate=st.lists(
        st.builds(QuestionFile, name=NAME, sha256=st.just("a" * 64), words=st.integers(1, 20)),
        max_size=2,
    ).map(tuple),
    seed=st.integers(0, 2**31),
)


@given(RECIPES)
def test_toml_and_json_round_trips(recipe: Recipe) -> None:
    again = Recipe.from_toml(recipe.to_toml())
    assert again == recipe
    assert again.id == recipe.id
    assert again.to_toml() == recipe.to_toml()
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe


@given(RECIPES, RECIPES)
def test_the_id_follows_the_content(one: Recipe, two: Recipe) -> None:
    assert (one.id == two.id) == (one.model_dump(mode="json") == two.model_dump(mode="json"))
    assert len(one.id) == 12


def test_the_order_of_weights_does_not_matter() -> None:
    one = Recipe(crowd="c", weights={"a": 1, "b": 2})
    two = Recipe(crowd="c", weights={"b": 2, "a": 1})
    assert one == two
    assert one.id == two.id
    assert hash(one) == hash(two)


def test_the_id_is_stable() -> None:
    """Ids name folders: they may not change from release to release without a reason."""
    assert Recipe(crowd="demo", ties="first").id == "9e3b34f7dde4"
    assert Recipe(crowd="demo", answer="random").id == "aa70e4a0bb4e"
    assert Recipe(crowd="demo").id == "da6294acc09a"


OLDER = """crowd = "demo"
strategy = "crowdselect"
profile = "paper"
impute_missing = false
encoder = "minilm"
clusters = 10
clustering = "exact"
budget = 1000
pins = []
bans = []
answer = "best"
seed = 42

[options]

[weights]
difficulty = 1.0
separability = 1.0
stability = 2.0

[filters]
clusters = []
ranges = []
lasso = []
exact_duplicates = "drop"
"""


def test_a_recipe_of_an_older_version_means_what_it_meant() -> None:
    """It was saved when the first model took every tie, under the id that it still has."""
    older = Recipe.from_toml(OLDER)
    assert (older.ties, older.id) == ("first", "9e3b34f7dde4")
    assert older.gate is None
    assert older.decontaminate == ()
    assert Recipe.from_toml(older.to_toml()) == older
    drawn = Recipe.from_toml(OLDER.replace('"best"', '"random"'))
    assert (drawn.ties, drawn.id) == ("draw", "aa70e4a0bb4e"), "no answers are put in order"
    written = Recipe.from_toml('crowd = "demo"\nseed = 42')
    assert written.ties == "draw", "what a person writes by hand means the default"


def test_the_id_changes_only_where_the_bytes_do() -> None:
    base = Recipe(crowd="c")
    for more in (
        {"ties": "larger"},
        {"ties": "first"},
        {"gate": {"kind": "reward", "at_least": 1}},
        {"gate": {"kind": "reward", "at_least": 1}, "among": "good"},
        {"decontaminate": [{"name": "q.jsonl", "sha256": "0" * 64}]},
    ):
        assert Recipe.parse({"crowd": "c", **more}, "r").id != base.id
    for policy in ("random", "model:a"):
        one, two = (Recipe(crowd="c", answer=policy, ties=t) for t in ("draw", "larger"))
        assert one.id == two.id
    copied = base.model_copy(update={"answer": "random", "ties": "larger"})
    assert copied.id == Recipe(crowd="c", answer="random").id


@pytest.mark.parametrize(
    ("text", "gate"),
    [
        ("reward=1", Gate(kind="reward", at_least=1)),
        (" quantile = 0.5 @ ArmoRM ", Gate(kind="quantile", at_least=0.5, judge="ArmoRM")),
        ("judges=1", Gate(kind="judges", at_least=1)),
        ("reward=-2.5", Gate(kind="reward", at_least=-2.5)),
        ("none", None),
    ],
)
def test_gates_are_read(text: str, gate: Gate | None) -> None:
    assert gate_from_text(text) == gate


@pytest.mark.parametrize("text", ["reward", "rewards=1", "reward=", "reward=nan", "quantile=2",
                                  "reward=1@", "judges=1@a"])  # fmt: skip
def test_what_is_no_gate_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        gate_from_text(text)


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ('crowd = "c"\nbudget = -1', "budget"),
        ('crowd = "c"\nbudget = 1.5', "budget"),
        ('crowd = "c"\nwieghts = {}', "wieghts"),
        ('crowd = "c"\n[weights]\ndifficulty = "much"', r"weights\.difficulty"),
        ('crowd = "c"\n[weights]\ndifficulty = nan', "finite"),
        ('crowd = "c"\n[filters]\nnear_duplicates = 2', r"filters\.near_duplicates"),
        ("seed = 1", "crowd"),
        ("crowd =", "not TOML"),
    ],
)
def test_a_bad_recipe_is_explained(toml: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as raised:
        Recipe.from_toml(toml, "mine.toml")
    assert raised.value.problem.startswith("mine.toml")
    assert raised.value.remedy


def test_a_recipe_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Recipe(crowd="c").seed = 1  # type: ignore[misc]
