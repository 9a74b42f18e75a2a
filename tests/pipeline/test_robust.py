"""Robust selections of a real crowd: without a part is as if the crowd had never had it."""

from typing import Any

import numpy as np
import pytest

from crowdselect import pipeline
from crowdselect.metrics import BASE, METRICS, MetricInputs
from crowdselect.ranks import normalise
from crowdselect.selection import jaccard
from crowdselect.store import Crowd
from crowdselect.values import FloatArray, Recipe, RewardMatrix
from tests import crowds
from tests.pipeline import tiny

WEIGHTS = {"difficulty": 1.0, "separability": 1.0, "stability": 2.0}


def asked(**fields: Any) -> Recipe:
    given = {"crowd": "tiny", "strategy": "robust", "clusters": 0, "budget": 12, **fields}
    return Recipe.parse(given, "test")


def place(rewards: RewardMatrix, keep: list[bool]) -> FloatArray:
    """The weighted place by the models that are kept."""
    models = tuple(m for m, stays in zip(rewards.models, keep, strict=True) if stays)
    seen = RewardMatrix(rewards.judge, rewards.ids, models, rewards.values[:, keep])
    found = [WEIGHTS[n] * normalise(METRICS[n]()(MetricInputs(seen, None, "paper"))) for n in BASE]
    return normalise(np.round(np.sum(found, axis=0), 12))


def test_against_crowds_that_lack_one_part(crowd: Crowd) -> None:
    strict, gentle = crowd.rewards("strict"), crowd.rewards("gentle")
    without = [[m.name != gone for m in crowd.models] for gone, _, _ in tiny.MODELS]
    without += [[m.family != gone for m in crowd.models] for gone in ("small", "other")]
    places = [place(strict, keep) for keep in without]
    places.append(place(gentle, [True] * 6))  # without the judge strict
    places.append(place(strict, [True] * 6))
    worst = np.min([np.nan_to_num(each, nan=0.0) for each in places], axis=0)
    found = pipeline.select(crowd, asked())
    rows = crowd.rows(found.ids.tolist())
    assert found.scores == pytest.approx(worst[rows], abs=1e-11)
    assert found.scores.min() >= np.nanmax(np.delete(worst, rows)) - 1e-11
    plain = pipeline.select(crowd, asked(strategy="crowdselect"))
    assert set(plain.ids) != set(found.ids)


def test_the_order_of_models_does_not_matter(crowd: Crowd, workspace, tmp_path) -> None:
    models = crowds.write_models(tmp_path, tiny.MODELS[::-1])
    other = pipeline.ingest(
        workspace, "table", [tiny.write_tidy(tmp_path)], name="tiny",
        options={"models": str(models)}, replace=True,
    )  # fmt: skip
    assert [m.name for m in other.models] != [m.name for m in crowd.models]
    first, second = (pipeline.select(each, asked(clusters=3)) for each in (crowd, other))
    assert first.ids.tolist() == second.ids.tolist()
    assert first.reasons == second.reasons


def test_its_own_robustness_leaves_a_second_part_out(crowd: Crowd, workspace, tmp_path) -> None:
    data = tiny.frame()
    smaller = pipeline.ingest(
        workspace, "table", [tiny.write_tidy(tmp_path, data[data["model"] != "lonely"])],
        name="tiny", options={"models": str(tiny.write_models(tmp_path))}, replace=True,
    )  # fmt: skip
    full, without = (pipeline.select(each, asked()).ids.tolist() for each in (crowd, smaller))
    found = {x.name: x.jaccard for x in pipeline.robustness(crowd, asked()).left_out}
    assert found["lonely"] == pytest.approx(jaccard(full, without))
