"""Ties, the gate and answer policies, from the recipe to rows, report and files."""

import numpy as np
import pandas as pd
import pytest

from crowdselect import pipeline
from crowdselect.errors import InputError
from crowdselect.finetune import PairRule
from crowdselect.pipeline import Session
from crowdselect.pipeline.finetune import training_source
from crowdselect.pipeline.selection.pairs import selected_pairs


@pytest.fixture
def graded(ready, crowd):
    """The crowd with a judge that says right (1) or wrong (0): on 20 of 60 nobody is right."""
    values = np.zeros((crowd.n, len(crowd.models)))
    for row in range(crowd.n):
        values[row, : row % 3 * 2] = 1.0
    frame = pd.DataFrame(values, columns=[m.name for m in crowd.models])
    frame.insert(0, "id", crowd.ids)
    crowd.add_judge("right", frame)
    return pipeline.open_crowd(ready, "tiny")


def right(crowd, selection):
    """The reward of every training answer."""
    values = crowd.rewards("right").values
    names = [m.name for m in crowd.models]
    columns = [names.index(model) for model in selection.models]
    return values[crowd.rows(selection.ids), columns]


def test_ties_are_counted_and_decided_by_the_recipe(graded, recipe) -> None:
    made = {
        ties: pipeline.select(graded, recipe(judge="right", budget=60, ties=ties))
        for ties in ("draw", "judges", "larger", "first")
    }
    rows = {name: list(s.ids) for name, s in made.items()}
    assert rows["draw"] == rows["first"] == rows["larger"], "instructions do not depend on it"
    for selection in made.values():
        said = selection.report["answers"]
        assert (said["tied"], said["below_full_reward"], said["full_reward"]) == (60, 20, 1.0)
        assert said["n"] == said["rewarded"] == 60
    assert set(made["first"].models) == {"small-1b"}
    assert any("older versions" in w for w in made["first"].report["warnings"])
    assert len(set(made["draw"].models)) > 3
    told, strict, gentle = (graded.rewards(j).values for j in ("right", "strict", "gentle"))
    names = [m.name for m in graded.models]
    sizes = np.array([m.size_b or 0 for m in graded.models])
    for identity, larger, other in zip(
        made["larger"].ids, made["larger"].models, made["judges"].models, strict=True
    ):
        row = graded.row_of[identity]
        best = np.flatnonzero(told[row] == told[row].max())
        assert sizes[names.index(larger)] == sizes[best].max()
        over = [rest[row, best] > rest[row, names.index(other)] for rest in (strict, gentle)]
        assert not np.logical_and(*over).any(), "no tied answer is better to every other judge"


def test_hard_instructions_without_a_gate_are_warned_of(graded, recipe) -> None:
    hard = pipeline.select(graded, recipe(judge="right"))
    told = hard.report["answers"]
    share = f"{told['below_full_reward']} of 12 training answers"
    assert any("no gate" in w and share in w for w in hard.report["warnings"])
    for fields in ({"gate": {"kind": "reward"}}, {"weights": {"separability": 1.0}}):
        other = pipeline.select(graded, recipe(judge="right", **fields))
        assert not any("no gate" in w for w in other.report["warnings"])


@pytest.mark.parametrize("strategy", ["crowdselect", "random"])
def test_a_gate_lets_only_good_enough_through(graded, recipe, strategy) -> None:
    gate = {"kind": "reward", "at_least": 1.0}
    chosen = pipeline.select(graded, recipe(judge="right", gate=gate, strategy=strategy, budget=60))
    assert len(chosen.ids) == 40
    assert (right(graded, chosen) == 1.0).all()
    told = chosen.report["gate"]
    assert (told["removed"], told["passed"]) == (20, 40)
    assert chosen.report["excluded"] == {"gate": 20}
    assert told["metrics"]["difficulty"]["removed"] > told["metrics"]["difficulty"]["passed"]
    if strategy == "crowdselect":
        assert sum(c["removed"] for c in told["clusters"]) == 20
        assert sum(c["of"] for c in told["clusters"]) == 60
    drawn = pipeline.select(graded, recipe(judge="right", gate=gate, answer="random", budget=60))
    assert (right(graded, drawn) == 0.0).any()
    good = recipe(judge="right", gate=gate, answer="random", among="good", budget=60)
    assert (right(graded, pipeline.select(graded, good)) == 1.0).all()


def test_gates_of_every_kind(graded, recipe) -> None:
    session = Session(graded)
    strict = graded.rewards("strict").values
    best = np.nanmax(strict, axis=1)
    half = recipe(gate={"kind": "quantile", "at_least": 0.5})
    np.testing.assert_array_equal(session.passes_gate(half), best >= np.median(best))
    other = recipe(gate={"kind": "reward", "at_least": 1.0, "judge": "right"})
    assert session.passes_gate(other).sum() == 40
    agreed = session.best_grades(recipe(gate={"kind": "judges", "at_least": 1.0}))
    assert set(np.round(agreed, 9)) <= {round(x / 3, 9) for x in range(4)}
    crowd = recipe(gate={"kind": "crowd", "at_least": 0.3})
    assert session.best_grades(crowd).shape == (60,)
    for broken in (
        recipe(judge="all", gate={"kind": "reward"}),
        recipe(among="good"),
    ):
        with pytest.raises(InputError):
            pipeline.select(graded, broken)


def test_what_the_crowd_agrees_on_and_what_a_base_model_likes(ready, crowd, recipe) -> None:
    from crowdselect.selection import consensus

    chosen = pipeline.select(crowd, recipe(answer="consensus"))
    for identity, model in zip(chosen.ids, chosen.models, strict=True):
        answers = crowd.answers(crowd.row_of[identity])
        order = consensus([answers["response"].tolist()], len(crowd.models))[0]
        assert order[answers["model"].tolist().index(model)] == np.nanmax(order)
    with pytest.raises(InputError, match="no likelihoods"):
        pipeline.select(crowd, recipe(answer="base_likes"))
    likes = np.random.default_rng(1).normal(size=(crowd.n, len(crowd.models)))
    frame = pd.DataFrame(likes, columns=[m.name for m in crowd.models])
    frame.insert(0, "id", crowd.ids)
    crowd.add_judge("likes-tiny", frame)
    crowd = pipeline.open_crowd(ready, "tiny")
    liked = pipeline.select(crowd, recipe(answer="base_likes"))
    best = [crowd.models[j].name for j in likes[crowd.rows(liked.ids)].argmax(axis=1)]
    assert list(liked.models) == best
    named = pipeline.select(crowd, recipe(answer="base_likes:likes-tiny"))
    assert named.models == liked.models
    both = pipeline.metrics(crowd, ["difficulty@all"]).columns["difficulty@all"]
    before = pipeline.metrics(crowd, ["difficulty@strict", "difficulty@gentle"]).columns
    from crowdselect.metrics import combine_judges

    np.testing.assert_array_equal(both, combine_judges(list(before.values())))


@pytest.mark.parametrize("ties", ["draw", "judges", "larger"])
def test_pairs_take_the_same_of_equal_answers(graded, recipe, ties) -> None:
    chosen = pipeline.select(graded, recipe(judge="right", budget=60, ties=ties))
    pairs, _ = selected_pairs(graded, chosen, PairRule(), "it")
    model_of = dict(zip(chosen.ids, chosen.models, strict=True))
    assert len(pairs.ids) == 40
    better = [graded.models[j].name for j in pairs.chosen]
    assert better == [model_of[i] for i in pairs.ids]
    worse = {graded.models[j].name for j in pairs.rejected}
    assert len(worse) > 1 or ties == "larger"


def test_a_fine_tune_says_how_good_its_answers_are(ready, graded, recipe) -> None:
    chosen = pipeline.select(graded, recipe(judge="right", budget=60))
    pipeline.save_selection(ready, chosen, "all")
    source = training_source(ready, "all")
    words = "Of 60 training answers 60 tied with another, 20 below full reward"
    assert source.options["origin"].answers == words
    made = pipeline.export(ready, "all", "alpaca")
    assert made.manifest["report"]["answers"] == chosen.report["answers"]
    card = (made.path / "README.md").read_text()
    assert "| responses below full reward | 20 of 60 |" in card
    assert "| responses as good as another | 60 of 60 |" in card


def test_poor_answers_by_a_judge_without_a_top_are_warned_of(crowd, recipe) -> None:
    """Such a judge has no full reward: its typical best answer is what hard ones fall behind."""
    told = pipeline.select(crowd, recipe(weights={"difficulty": 1.0}))
    assert told.report["answers"]["below_full_reward"] is None
    poor = told.report["answers"]["below_typical_best"]
    best = np.nanmax(crowd.rewards("strict").values, axis=1)
    chosen = np.nanmax(crowd.rewards("strict").values[crowd.rows(told.ids)], axis=1)
    assert poor == (chosen < np.median(best)).sum() > 6
    assert any(f"{poor} of 12 training answers" in w for w in told.report["warnings"])
    easy = pipeline.select(crowd, recipe(weights={"difficulty": -1.0}))
    assert not any("no gate" in w for w in easy.report["warnings"])
