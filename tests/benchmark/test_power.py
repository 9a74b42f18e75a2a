"""The smallest difference that a comparison shows: against simulation with our own test."""

import numpy as np
import pytest

from crowdselect.benchmark.differences import Side, paired_difference
from crowdselect.benchmark.power import Spread, assumed, detectable, measured

SPREAD = Spread(0.3, 0.05, 0.6)
QUESTIONS = [f"q{i}" for i in range(150)]


def drawn(rng: np.random.Generator, seeds: int, *effects: float) -> list[Side]:
    """Strategies whose means differ by ``effects``, with the spread of SPREAD."""
    n = len(QUESTIONS)
    hardness, sides = rng.normal(size=n), []
    for effect in effects:
        own = rng.normal(scale=SPREAD.by_question / np.sqrt(2), size=n)
        runs = []
        for _ in range(seeds):
            run = effect + rng.normal(scale=SPREAD.by_seed)
            values = hardness + own + run + rng.normal(scale=SPREAD.noise, size=n)
            runs.append(dict(zip(QUESTIONS, ((float(v), 1.0) for v in values), strict=True)))
        sides.append(Side(runs))
    return sides


@pytest.mark.parametrize(("seeds", "comparisons"), [(3, 1), (5, 10)])
def test_a_difference_of_the_size_that_is_said_is_found_four_times_in_five(
    seeds: int, comparisons: int
) -> None:
    rng = np.random.default_rng(1)
    size = detectable(SPREAD, seeds, len(QUESTIONS), comparisons)

    def found(effect: float) -> float:
        draws = (drawn(rng, seeds, effect, 0.0) for _ in range(250))
        return np.mean([paired_difference(*sides)[1] * comparisons < 0.05 for sides in draws])

    assert found(size) == pytest.approx(0.8, abs=0.1)
    assert found(0.0) <= 0.07
    assert found(size / 2) < 0.5


def test_more_seeds_and_questions_show_less_and_more_comparisons_more() -> None:
    base = detectable(SPREAD, 5, 600)
    assert detectable(SPREAD, 10, 600) < base
    assert detectable(SPREAD, 5, 2400) < base
    assert detectable(SPREAD, 5, 600, 24) > base
    half_width = 0.56 * detectable(assumed(), 10, 2400)  # 1.96 of 1.96 + 0.84 standard errors
    assert half_width == pytest.approx(0.011, abs=0.002)


def test_the_spread_is_read_off_finished_models() -> None:
    sides = drawn(np.random.default_rng(2), 40, *([0.0] * 12))
    found = measured(sides, QUESTIONS, "here")
    assert found is not None
    assert found.noise == pytest.approx(SPREAD.noise, rel=0.03)
    assert found.by_seed == pytest.approx(SPREAD.by_seed, rel=0.25)
    assert found.by_question == pytest.approx(SPREAD.by_question, rel=0.25)
    assert measured(sides[:1], QUESTIONS, "here") is None
    assert measured([Side([dict.fromkeys(QUESTIONS, (0.0, 1.0))] * 2)] * 2, QUESTIONS, "") is None
    assert measured(drawn(np.random.default_rng(2), 1, 0.0, 0.0), QUESTIONS, "here") is None
