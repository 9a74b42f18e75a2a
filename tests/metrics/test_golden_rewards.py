"""The three metrics reproduce figures that were worked out apart from this code."""

import numpy as np
import pytest

from crowdselect.metrics import METRICS, family_correlations
from crowdselect.values import Model
from tests.crowds import rewards
from tests.golden import golden
from tests.metrics.crowds import inputs

G1 = golden("methods")["G1_metrics"]
ROWS = sorted(G1)
MODELS = tuple(
    Model(name, name[0], float(name[2:]), i) for i, name in enumerate(G1[ROWS[0]]["rewards"])
)


def values(row: str) -> list[float]:
    return [np.nan if r is None else r for r in G1[row]["rewards"].values()]


def metric(name: str, row: str, **options: object) -> float:
    return METRICS[name](**options)(inputs([values(row)], MODELS))[0]


@pytest.mark.parametrize("row", ROWS)
def test_difficulty_is_minus_the_mean(row):
    assert metric("difficulty", row) == pytest.approx(G1[row]["difficulty"], abs=1e-6)


@pytest.mark.parametrize("row", ROWS)
def test_separability_is_the_population_variance_and_not_the_sample_variance(row):
    found = metric("separability", row)
    assert found == pytest.approx(G1[row]["separability_ddof0"], abs=1e-6)
    if found > 0:
        assert found != pytest.approx(G1[row]["separability_ddof1"], abs=1e-6)


@pytest.mark.parametrize("row", ROWS)
def test_stability_counts_a_constant_family_as_zero(row):
    expected = G1[row]["stability_tieaware_nan_as_0"]
    assert metric("stability", row) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("row", ROWS)
def test_rho_per_family(row):
    found = family_correlations(rewards([values(row)], MODELS))
    expected = np.nan_to_num(G1[row]["rho_tieaware"], nan=0.0)
    np.testing.assert_allclose(found.rho[0], expected, atol=1e-6)
    assert sum(found.constant) == np.isnan(G1[row]["rho_tieaware"]).sum()


@pytest.mark.parametrize("row", [r for r in ROWS if G1[r]["stability_reference"] is not None])
def test_reference_ties_favour_the_larger_model(row):
    expected = G1[row]["stability_reference"]
    assert metric("stability", row, ties="reference") == pytest.approx(expected, abs=1e-6)
    by_profile = METRICS["stability"]()(inputs([values(row)], MODELS, profile="reference"))
    assert by_profile[0] == pytest.approx(expected, abs=1e-6)
