"""A link gives back the recipe it was made from, and refuses what is no recipe."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdselect.dashboard.link import from_params, is_recipe_param, to_params
from crowdselect.errors import InputError
from crowdselect.values import Filters, Gate, QuestionFile, Range, Recipe

words = st.text(min_size=1, max_size=12)
finite = st.floats(-4, 4).map(lambda x: round(x, 2))
recipes = st.builds(
    Recipe,
    crowd=st.just("c"),
    judge=st.none() | words,
    weights=st.dictionaries(words, finite, max_size=4),
    budget=st.integers(0, 10**6) | st.floats(0.01, 0.99),
    clusters=st.integers(0, 40),
    seed=st.integers(0, 2**31),
    strategy=st.sampled_from(["crowdselect", "random"]),
    options=st.dictionaries(words, st.booleans() | st.integers(-5, 5) | words, max_size=2),
    impute_missing=st.booleans(),
    answer=words | st.sampled_from(["best", "consensus"]),
    ties=st.sampled_from(["draw", "first"]),
    gate=st.none()
    | st.builds(Gate, kind=st.sampled_from(["reward", "quantile"]), judge=st.none() | words),
    decontaminate=st.lists(
        st.builds(QuestionFile, name=words, sha256=st.just("a" * 64)), max_size=2
    ).map(tuple),
    filters=st.builds(
        Filters,
        contains=st.none() | words,
        clusters=st.lists(st.integers(0, 9), max_size=3).map(tuple),
        ranges=st.lists(st.builds(Range, metric=words, low=finite), max_size=2).map(tuple),
        lasso=st.lists(st.tuples(finite, finite), max_size=4).map(tuple),
        near_duplicates=st.none() | st.floats(0.5, 1),
    ),
)


@settings(max_examples=60)
@given(recipes)
def test_round_trip(recipe):
    params = to_params(recipe)
    assert all(is_recipe_param(name) for name in params)
    assert from_params(params, "c") == recipe


def test_the_default_recipe_has_a_short_link():
    assert to_params(Recipe(crowd="c")) == {"crowd": "c"}


def test_a_link_is_readable():
    recipe = Recipe(crowd="c", weights={"difficulty": 1.5}, filters=Filters(contains="python"))
    assert to_params(recipe) == {"crowd": "c", "w.difficulty": "1.5", "filters.contains": "python"}


def test_no_weights_is_not_the_default_weights():
    recipe = Recipe(crowd="c", weights={})
    assert from_params(to_params(recipe), "c").weights == {}


@pytest.mark.parametrize(
    "params",
    [{"w.difficulty": "much"}, {"budget": "-3"}, {"filters.nonsense": "1"}, {"clusters": "[]"}],
)
def test_bad_links_are_refused_in_one_sentence(params):
    with pytest.raises(InputError, match="The link"):
        from_params(params, "c")


def test_foreign_parameters_are_ignored():
    assert from_params({"i": "u1", "embed": "true"}, "c") == Recipe(crowd="c")
