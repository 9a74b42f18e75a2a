"""What every metric on the shelf keeps to."""

import dataclasses

import numpy as np
import pytest

from crowdselect.errors import InputError
from crowdselect.metrics import BASE, METRICS, Metric, MetricInputs
from crowdselect.registry import options_of
from tests.crowds import models_of, rewards
from tests.metrics.crowds import Texts

PLUGINS = list(METRICS)
N = 25


@pytest.fixture(scope="module")
def crowd() -> MetricInputs:
    rng = np.random.default_rng(0)
    values = np.round(rng.normal(size=(N, 9)), 1)
    values[rng.random(values.shape) < 0.2] = np.nan
    texts = Texts(
        [f"instruction {i} " * (i % 4 + 1) for i in range(N)],
        [["word " * (i + j + 1) for j in range(9)] for i in range(N)],
    )
    return MetricInputs(rewards(values, models_of()), texts)


def test_the_shelf_begins_with_the_papers_three():
    assert METRICS.names()[:3] == BASE


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda p: p.name)
def test_declares_itself(plugin):
    assert dataclasses.is_dataclass(plugin)
    assert plugin.__dataclass_params__.frozen
    assert isinstance(plugin(), Metric)
    assert plugin.title
    assert "=" in plugin.direction
    assert plugin.unit
    assert plugin.source
    assert len(plugin.ends) == 2
    assert plugin.range[0] < plugin.range[1]
    assert plugin.needs <= {"rewards", "texts"}
    assert plugin.needs
    assert all(o.help for o in options_of(plugin))


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda p: p.name)
def test_gives_one_number_per_instruction_inside_its_range(plugin, crowd):
    found = plugin()(crowd)
    assert found.shape == (N,)
    assert found.dtype == np.float64
    there = found[~np.isnan(found)]
    assert len(there)
    assert (there >= plugin.range[0]).all()
    assert (there <= plugin.range[1]).all()


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda p: p.name)
def test_is_deterministic_and_leaves_its_input_alone(plugin, crowd):
    before = crowd.rewards.values.copy()
    np.testing.assert_array_equal(plugin()(crowd), plugin()(crowd))
    np.testing.assert_array_equal(before, crowd.rewards.values)


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda p: p.name)
def test_permuting_instructions_permutes_values(plugin, crowd):
    if "texts" in plugin.needs:
        order = list(range(N))[::-1]
        texts = Texts([crowd.texts.instructions()[i] for i in order], [])
        found = plugin()(MetricInputs(texts=texts))
    else:
        found = plugin()(MetricInputs(rewards(crowd.rewards.values[::-1], models_of())))
    np.testing.assert_array_equal(found, plugin()(crowd)[::-1])


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda p: p.name)
def test_says_what_is_missing(plugin):
    with pytest.raises(InputError, match=plugin.name):
        plugin()(MetricInputs())


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda p: p.name)
def test_explains_a_value_in_one_sentence(plugin, crowd):
    value = float(np.nanmax(plugin()(crowd)))
    text = plugin().why(value, 93.0)
    assert text.endswith(".")
    assert text[0].isupper() or text[0].isdigit()
    assert plugin.name == "calc_share" or "93 %" in text


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda p: p.name)
def test_an_empty_crowd_gives_an_empty_column(plugin):
    empty = MetricInputs(rewards(np.zeros((0, 9)), models_of()), Texts([], []))
    assert plugin()(empty).shape == (0,)
