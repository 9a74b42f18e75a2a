"""Recipes survive JSON and TOML, their id follows their content, and bad ones are explained."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdselect.errors import InputError
from crowdselect.values import Filters, Range, Recipe

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
    answer=st.sampled_from(["best", "random", "top5_random", "model:a"]),
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
    assert Recipe(crowd="demo").id == "9e3b34f7dde4"


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
