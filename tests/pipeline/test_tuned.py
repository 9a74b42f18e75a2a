"""Fitted arms: on a tiny crowd with a tiny, really trained model, and their mathematics alone."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import RidgeCV

from crowdselect import jobs, pipeline
from crowdselect.errors import CrowdSelectError, InputError, MissingDependencyError
from crowdselect.pipeline.study import (
    Study,
    StudyPlan,
    check_plan,
    create,
    datamodel,
    only_arms,
    optimising,
    read_study,
)
from crowdselect.pipeline.study.plan import rows_of
from crowdselect.pipeline.study.tuned import Fitted, Part
from crowdselect.pipeline.study.tuning import (
    Levels,
    Tune,
    feature_names,
    fields_of,
    level_features,
    levels_of,
)
from crowdselect.settings import Workspace
from tests.finetune.conftest import base_model, tokenizer
from tests.pipeline.studies import Plan, tiny_plans

__all__ = ["base_model", "tokenizer"]

GATE = {"kind": "quantile", "at_least": 0.3}
FIT = {
    "runs": 5, "finalists": 2, "metrics": ["difficulty"], "clusters": [0], "gates": [{}, GATE],
    "check": 0.5,
}  # fmt: skip
ARMS = [
    {"name": "random", "recipe": {"strategy": "random"}},
    {"name": "tuned", "tune": {**FIT, "proxy": {"max_steps": 1}}},
]


@pytest.fixture
def plan(tmp_path: Path, base_model: Path) -> Plan:
    return tiny_plans(tmp_path, base_model, asked=(12, 12), new_tokens=2, seeds=[3], arms=ARMS)


def test_a_fit_is_resumed_saved_and_told_beside_gate_and_coverage(
    ready: Workspace, plan: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = Study(ready, plan())
    trained: list[Path] = []
    finish, dies = jobs.finish_here, [True]

    def counted(path: Path, called: str) -> None:
        trained.append(path)
        if dies[0] and len(trained) == 6:
            raise SystemExit
        finish(path, called)

    monkeypatch.setattr(jobs, "finish_here", counted)
    with pytest.raises(SystemExit):
        jobs.run_here(create(ready, plan(), workers=0, only_fit=True))
    kept = set((ready.studies / "mine" / "runs").glob("*/results.jsonl"))
    assert kept
    trained.clear()
    dies[0] = False
    assert jobs.run_here(create(ready, plan(), workers=0, only_fit=True)) == "done"
    assert not {path.parent.name for path in kept} & {path.name for path in trained}

    # An ordinary recipe: saved under a name, and the page and command line select the same by it.
    row = next(r for r in rows_of(study.plan) if r.label == "tuned")
    fit = study.fit_of(row)
    saved = pipeline.load_selection(ready, "mine-tuned")
    assert saved.recipe == study.recipe_of(row, 3)
    again = pipeline.select(pipeline.open_crowd(ready, "tiny"), saved.recipe)
    assert saved.ids.tolist() == again.ids.tolist()
    about = pipeline.find_selection(ready, "mine-tuned")
    assert "Fitted by the study mine: 5 tilted subsets" in about.note
    assert about.chosen_on == ("verifiable:development",)
    assert len(fit["finalists"]) == 2
    gains = [each["checked"] for each in fit["finalists"]]
    assert fit["chosen"] == int(np.argmax(gains))
    assert fit["fitted_on"] + fit["checked_on"] == 12

    # The study: beside gate and facility location; nothing is fitted twice.
    trained.clear()
    assert jobs.run_here(create(ready, plan(), "test", workers=0)) == "done"
    assert not [p for p in trained if "finetune" in p.name and p in kept]
    found = read_study(study, "test")
    assert found.complete
    labels = ["random", "tuned", "gated random", "gated facility location"]
    assert [r.label for r in found.rows] == labels
    (told,) = found.fitted
    difference = next(d for d in found.differences if d.first == "tuned")
    assert told.test == pytest.approx(difference.interval.value)
    assert told.fitted == fit["finalists"][fit["chosen"]]["fitted"]
    assert "is saved as mine-tuned" in "\n".join(found.sentences())

    # What was tried on development counts there, and only there.
    assert found.corrected_over == 3
    assert jobs.run_here(create(ready, plan(), workers=0)) == "done"
    development = read_study(study, "development")
    assert development.corrected_over == 3 + 5
    assert "5 tilted subsets to fit tuned" in "\n".join(development.sentences())
    assert development.fitted[0].test is None


def test_what_is_gained_in_fitting_stands_beside_what_is_left() -> None:
    told = Fitted("tuned", "datamodel", "random", "s", {}, 0.04, 0.02, 800, 400, 0.01, 2400)
    assert told.sentence() == (
        "tuned gains over random +0.040 on the 800 development questions it was fitted on, +0.020 "
        "on the 400 that chose it, +0.010 on the 2,400 test questions. Of what it gained in "
        "fitting, 25% is left on the test. It is saved as s."
    )
    assert "Nothing better" in replace(told, fitted=-0.01).sentence()
    assert "left" not in replace(told, test=0.05).sentence()
    assert "0% is left" in replace(told, test=-0.02).sentence()


def test_questions_part_by_their_name_alone() -> None:
    names = [f"q{i}" for i in range(2000)]
    few, many = Part(0.2), Part(0.5)
    assert np.mean([few.is_check(n) for n in names]) == pytest.approx(0.2, abs=0.04)
    assert all(many.is_check(n) for n in names if few.is_check(n))


def test_the_datamodel_finds_what_made_the_scores() -> None:
    tune = Tune(runs=80, clusters=(0, 10), gates=({}, GATE), budgets=(300, 600))
    made = datamodel.subsets(tune, {})
    levels = [each for each, _ in made]
    assert sorted(map(levels.count, levels_of(tune, {}))) == [10] * 8
    rng = np.random.default_rng(1)
    means = rng.uniform(0.3, 0.7, (80, 3))
    features = np.hstack([means, [level_features(tune, {}, each) for each in levels]])
    names = feature_names(tune, {})
    assert names == [*tune.metrics, "gate 1", "clusters 10", "log2 budget"]
    truth = np.array([-0.4, 0.0, 0.2, 0.05, -0.02, 0.01])
    found = datamodel.fit(features, features @ truth + rng.normal(0, 0.002, 80), names, 0)
    assert list(found.coefficients.values()) == pytest.approx(truth, abs=0.01)
    assert found.correlation > 0.98
    assert found.r_squared > 0.95
    first, second, third = datamodel.candidates(tune, {}, found)
    assert first["strategy"] == third["strategy"] == "crowdselect"
    assert first["weights"]["difficulty"] == -1.0
    assert first["weights"]["stability"] == pytest.approx(0.5, abs=0.03)
    assert (first["gate"], first["clusters"], first["budget"]) == (GATE, 0, 600)
    assert second == {**first, "strategy": "tilted", "options": {"strength": 3.0}}
    assert third["budget"] == 300
    # The penalty is scikit-learn's; what is said of held-out subsets is not of those fitted on.
    alone = RidgeCV(alphas=datamodel._ALPHAS).fit(
        (features - features.mean(0)) / features.std(0), features @ truth
    )
    whole = datamodel.fit(features, features @ truth, names, 0).coefficients
    assert list(whole.values()) == pytest.approx(alone.coef_ / features.std(0))
    noise = datamodel.fit(features, rng.normal(size=80), names, 0)
    assert noise.correlation < 0.3
    assert np.isnan(datamodel.fit(features, np.ones(80), names, 0).correlation)


def test_without_weights_a_recipe_is_random() -> None:
    none = Levels({}, 0, 5)
    assert fields_of(none, {"difficulty": 0.0})["strategy"] == "random"
    assert fields_of(replace(none, clusters=3), {})["strategy"] == "random_per_cluster"


def test_optuna_stops_what_falls_behind_and_finds_the_same_again() -> None:
    pytest.importorskip("optuna")
    tune = Tune(by="optuna", runs=40, seeds=3, clusters=(0, 10), gates=({}, GATE))
    asked: list[int] = []

    def score(trials: Any, seed: int) -> list[float]:
        asked.append(len(trials))
        return [
            fields.get("weights", {}).get("stability", 0.0) + (fields["clusters"] == 10)
            + 0.01 * seed
            for _, fields in trials
        ]  # fmt: skip

    trials = optimising.optimise(tune, {"budget": 6}, score)
    assert len(trials) == 40
    assert sum(asked) == sum(len(trial.scores) for trial in trials)
    assert sum(asked) < 100
    assert sum(len(trial.scores) < 3 for trial in trials) >= 10
    best = optimising.best(trials, 3)
    assert best[0]["clusters"] == 10
    assert best[0]["weights"]["stability"] >= 1.5
    assert best[0]["budget"] == 6
    assert len({json.dumps(each) for each in best}) == 3
    assert optimising.optimise(tune, {"budget": 6}, score) == trials


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"development": ""}, "fitted on development questions, and the study names none"),
        ({"arms": [ARMS[0], {"name": "tuned", "tune": {"runs": 7}}]}, "7 tilted subsets cannot"),
        ({"arms": [ARMS[0], {"name": "t", "tune": {"metrics": ["difficulty:x"]}}]}, "difficulty"),
        ({"arms": [ARMS[0], {"name": "t", "tune": {"proxy": {"epoch": 3}}}]}, "epoch"),
    ],
)
def test_a_fit_that_cannot_run_is_said_first(plan: Any, fields: Any, said: str) -> None:
    with pytest.raises(CrowdSelectError, match=said) as raised:
        check_plan(plan(**fields), "test")
    assert raised.value.remedy


def test_a_plan_with_a_fit_is_checked_and_keeps_gate_and_coverage(
    plan: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="first baseline is fitted"):
        plan(baselines=["tuned"])
    with pytest.raises(InputError, match=r"tune\.gates"):
        plan(arms=[ARMS[0], {"name": "t", "tune": {"gates": [{"kind": "odd"}]}}])
    made = plan()
    assert made.arm("gated random").recipe == {"strategy": "random", "gate": GATE}
    assert StudyPlan.from_toml(made.to_toml(), "again") == made
    kept = [arm.name for arm in only_arms(made, ["tuned"]).arms]
    assert kept == ["random", "tuned", "gated random", "gated facility location"]
    by_optuna = plan(arms=[ARMS[0], {"name": "t", "tune": {"by": "optuna"}}])
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match="optuna") as raised:
        check_plan(by_optuna, "test")
    assert "crowdselect[tune]" in raised.value.remedy
