"""Studies on a tiny crowd with a tiny, really trained model: shared, resumed, looked at once."""

import math
import re
from pathlib import Path
from typing import Any

import pytest

from crowdselect import jobs
from crowdselect.benchmark.conversations import read_conversations
from crowdselect.errors import CrowdSelectError, InputError, NotFoundError
from crowdselect.pipeline.ingest import open_crowd
from crowdselect.pipeline.study import (
    Study,
    StudyPlan,
    check_plan,
    cost_of,
    create,
    find_study,
    only_arms,
    power_line,
    read_plan,
    read_study,
    study_names,
)
from crowdselect.pipeline.study.plan import Split, rows_of
from crowdselect.reading import sha256_of
from crowdselect.settings import Workspace
from tests.finetune.conftest import base_model, tokenizer
from tests.pipeline.studies import Plan, tiny_plans

__all__ = ["base_model", "tokenizer"]

ARMS = [
    {"name": "random", "recipe": {"strategy": "random"}},
    {"name": "top", "recipe": {"strategy": "top", "options": {"metric": "best_reward"}}},
    {"name": "top, by another name",
     "recipe": {"strategy": "top", "options": {"metric": "best_reward"}}},
    {"name": "base", "untrained": True},
]  # fmt: skip


@pytest.fixture
def plan(tmp_path: Path, base_model: Path) -> Plan:
    """A study of three trained arms and the base model; any field can be given."""
    return tiny_plans(tmp_path, base_model, asked=(8, 12), new_tokens=3, seeds=2, arms=ARMS)


def run(workspace: Workspace, plan: StudyPlan, split: str = "development", **how: Any) -> str:
    return jobs.run_here(create(workspace, plan, split, workers=0, **how))


def test_work_is_shared_kept_and_looked_at_once(
    ready: Workspace, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = Study(ready, plan())
    # Killed in the third cell: what was finished stays, the rest is made by the next start.
    trained: list[Path] = []
    dies = [True]
    finish = jobs.finish_here

    def counted(path: Path, called: str) -> None:
        trained.append(path)
        if dies[0] and len(trained) == 4:
            raise SystemExit
        finish(path, called)

    monkeypatch.setattr(jobs, "finish_here", counted)
    with pytest.raises(SystemExit):
        run(ready, plan())
    kept = set((ready.studies / "mine" / "runs").glob("*/results.jsonl"))
    assert len(kept) == 2
    assert not read_study(study, "development").complete
    trained.clear()
    dies[0] = False
    assert run(ready, plan()) == "done"
    names = [path.name.split("-")[0] for path in trained]
    assert names.count("finetune") == 3  # random and top with two seeds, one was made before
    assert kept <= set((ready.studies / "mine" / "runs").glob("*/results.jsonl"))

    trained.clear()
    followed = plan(train={**plan().train, "report_to": ["tensorboard"]})
    assert run(ready, followed) == "done"
    assert trained == [], "who follows a study changes nothing of it"
    tracked = {p.parent.name for p in (ready.studies / "mine" / "trackers").rglob("events.out.*")}
    assert {"mine random, development", "mine base, development"} <= tracked

    found = read_study(study, "development")
    assert found.complete
    assert [(r.label, r.done, r.rows) for r in found.rows] == [
        ("random", 2, 6), ("top", 2, 6), ("top, by another name", 2, 6), ("base", 1, None)
    ]  # fmt: skip
    assert [(d.first, d.second) for d in found.differences] == [
        ("top", "random"), ("top, by another name", "random")
    ]  # fmt: skip
    values = {row.label: row.interval.value for row in found.rows}
    assert values["top"] == values["top, by another name"]
    assert [row.steps for row in found.rows] == [2, 2, 2, None]
    assert set(found.alike) == {row.label for row in found.rows}
    assert found.differences[0].interval.value == pytest.approx(values["top"] - values["random"])

    # The test: no number before the last cell, then nothing is trained again.
    create(ready, plan(), "test")
    hidden = read_study(study, "test")
    assert hidden.hidden
    assert all(math.isnan(row.interval.value) for row in hidden.rows)
    trained.clear()
    assert run(ready, plan(), "test") == "done"
    assert {path.name.split("-")[0] for path in trained} == {"benchmark"}
    assert run(ready, plan(), "test") == "done"  # the same study again is the same look

    # Another study on the same questions says why, and its report tells of both looks.
    other = plan(name="second", arms=ARMS[:2], seeds=[5])
    with pytest.raises(InputError, match=r"looked at once, last by the study mine .*4 rows"):
        create(ready, other, "test")
    assert run(ready, other, "test", again="a reviewer asked") == "done"
    second = read_study(find_study(ready, "second"), "test")
    assert [look.study for look in second.looks] == ["mine"]
    assert second.corrected_over == len(second.differences) + 1  # two of mine are one comparison
    assert second.differences[0].adjusted_p >= second.differences[0].p_value
    assert "looked at these questions" in "\n".join(second.sentences())
    first = read_study(study, "test")
    assert "a reviewer asked" in "\n".join(first.sentences())
    assert study_names(ready) == ["mine", "second"]


SPLIT = {
    "split": {"development": 6, "test": 9},
    "development": "heldout-loss:path={development}",
    "test": "heldout-loss:path={test},max_length=16",
    "recipe": {"budget": 1000, "clusters": 0, "encoder": "lsa"},
    "arms": [
        {"name": "random", "recipe": {"strategy": "random"}},
        {
            "name": "targeted",
            "recipe": {
                "strategy": "targeted",
                "budget": 6,
                "options": {"targets": "{development}"},
            },
        },
    ],
    "seeds": 1,
}


def test_a_crowd_is_its_own_questions_and_none_of_them_is_trained_on(
    ready: Workspace, plan: Plan
) -> None:
    assert run(ready, plan(**SPLIT)) == "done"
    study = find_study(ready, "mine")
    asked = {
        name: [row.id for row in read_conversations(study.path / "split" / f"{name}.jsonl")]
        for name in ("development", "test")
    }
    assert [len(ids) for ids in asked.values()] == [6, 9]
    crowd = open_crowd(ready, "tiny")
    chosen = [study.chosen(cell) for cell in study.cells()]
    trained = [[row.id for row in read_conversations(about["data"])] for about in chosen if about]
    assert set(trained[0]) | {i for ids in asked.values() for i in ids} == set(crowd.ids)
    assert len(trained[0]) == crowd.n - 15  # everything else, and nothing twice
    assert len(trained[1]) == 6
    best = read_conversations(study.path / "split" / "test.jsonl")[0]
    answers = crowd.answers(crowd.row_of[str(best.id)])
    judge = crowd.judges[0]
    liked = set(answers.loc[answers[judge] == answers[judge].max(), "response"])
    assert best.messages[-1]["content"] in liked

    # Questions that are cut before their answers are no questions, and that is said.
    assert run(ready, plan(**SPLIT), "test") == "done"
    assert read_study(study, "test").questions == 0
    assert "no question that every model answered" in read_study(study, "test").warnings[0]

    # The study moves with its workspace: what it made is found where it lies now.
    before = read_study(study, "development")
    assert before.complete
    assert before.power.startswith("What loss on held-out answers will show is told once two arms")
    assert before.questions == 6
    moved = Workspace(ready.root.rename(ready.root.with_name("moved")))
    after = read_study(find_study(moved, "mine"), "development")
    assert after.complete
    assert [r.interval for r in after.rows] == [r.interval for r in before.rows]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"split": {"development": 6}}, "{test} stands for no questions"),
        ({"split": None}, "{development} stands for no questions"),
        ({"split": {"development": 6, "test": 100_000}}, "none is left to train on"),
    ],
)
def test_a_split_that_cannot_be_is_said(
    ready: Workspace, plan: Plan, fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        create(ready, plan(**{**SPLIT, **fields}), "test")


def test_an_arm_that_cannot_select_is_named_before_anything_is_trained(
    ready: Workspace, plan: Plan
) -> None:
    wanted = {"strategy": "targeted", "options": {"targets": "tag:nobody"}}
    path = create(ready, plan(arms=[ARMS[0], {"name": "odd", "recipe": wanted}]), workers=0)
    assert jobs.run_here(path) == "failed"
    problem, remedy = jobs.read(path).error or ("", "")
    assert problem == "odd, seed 0: No instruction of tiny has the tag 'nobody'."
    assert "--target FILE" in remedy
    assert not (ready.studies / "mine" / "runs").exists()


def test_columns_are_scored_and_files_of_targets_kept_before_anything_is_chosen(
    ready: Workspace, plan: Plan, tmp_path: Path
) -> None:
    targets = tmp_path / "targets.jsonl"
    targets.write_text('{"instruction": "bake bread in the oven"}\n', encoding="utf-8")
    arms = [
        ARMS[0],
        {"name": "hard to read", "recipe": {"strategy": "top", "options": {"metric": "mine_loss"}}},
        {"name": "baking", "recipe": {"strategy": "targeted",
                                      "options": {"targets": str(targets)}}},
    ]  # fmt: skip
    scores = [{"name": "mine", "scorer": "ifd"}]
    made = plan(arms=arms, scores=scores, seeds=[0], train={**plan().train, "max_steps": 1})
    assert run(ready, made) == "done"
    assert "mine" in open_crowd(ready, "tiny").score_columns()
    study = Study(ready, made)
    found = read_study(study, "development")
    assert [row.rows for row in found.rows] == [6, 6, 6]
    row = next(r for r in rows_of(made) if r.label == "baking")
    assert row.recipe_of("tiny", 0).options["targets"] == sha256_of(targets)
    targets.unlink()
    with pytest.raises(NotFoundError, match="no file of targets"):
        check_plan(made, "development")
    unknown = {"scores": [{"name": "mine", "scorer": "ifd", "options": {"odd": 1}}]}
    with pytest.raises(InputError, match="odd"):
        check_plan(plan(**unknown), "development")


def test_a_grid_gives_every_arm_every_value_it_does_not_set_itself(plan: Plan) -> None:
    grid = {
        "recipe.budget": [6, 12],
        "train": [{"mode": "full"}, {"mode": "lora", "learning_rate": 5e-3}],
    }
    fixed = {"name": "all", "recipe": {"strategy": "random", "budget": 60}}
    made = plan(grid=grid, arms=[*ARMS[:2], fixed, ARMS[3]])
    rows = check_plan(made, "development")
    labels = [row.label for row in rows]
    assert labels[:2] == [
        "random, budget 6, mode full", "random, budget 6, mode lora, learning_rate 0.005"
    ]  # fmt: skip
    assert len(labels) == 4 + 4 + 2 + 1
    lora = rows[1].config_of("x.jsonl", 3)
    assert (lora.mode, lora.learning_rate, lora.seed, lora.max_steps) == ("lora", 5e-3, 3, 2)
    assert rows[1].recipe_of("tiny", 3).budget == 6
    assert rows[0].recipe_of("tiny", 3).seed == 3
    assert [row.recipe["budget"] for row in rows if row.arm.name == "all"] == [60, 60]
    assert rows[0].meets(rows[4])
    assert not rows[0].meets(rows[5])
    line = power_line(Study(Workspace(Path("nowhere")), made), "test")
    assert line.startswith("With 2 seeds and 12 questions you will see no difference")
    assert "over 8 comparisons" in line  # four points of top, two of all at two budgets each


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"baselines": ["nobody"]}, "baseline 'nobody' is no trained arm"),
        ({"baselines": ["base"]}, "baseline 'base' is no trained arm"),
        ({"arms": [ARMS[0], ARMS[0]]}, "two arms are called 'random'"),
        ({"grid": {"seeds": [1]}}, "grid cannot vary 'seeds'"),
        ({"seeds": [1, 1]}, "seeds are not different"),
        ({"development": "", "test": ""}, "names no benchmark"),
        ({"name": "../up"}, "cannot be the name of a study"),
    ],
)
def test_what_is_no_study_is_said(plan: Plan, fields: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        plan(**fields)


def test_what_cannot_run_is_said_before_anything_is_made(ready: Workspace, plan: Plan) -> None:
    for fields, said in (
        ({"recipe": {"budjet": 3}}, "recipe of random: budjet"),
        ({"train": {"preset": "demo"}}, "names no model for random"),
        ({"train": {"model": "x", "epoch": 3}}, "fine-tune of random: epoch"),
        ({"test": plan().development}, "tunes and reports on the same questions"),
        ({"crowd": "nobody"}, "no crowd called 'nobody'"),
    ):
        with pytest.raises(CrowdSelectError, match=said):
            create(ready, plan(**fields))
    assert not ready.studies.exists()
    assert not list(ready.runs.glob("*"))


def test_a_file_says_demo_paths_beside_it_and_what_replaces_them(tmp_path: Path) -> None:
    text = """
        crowd = "demo"
        baselines = ["random"]
        seeds = 3
        test = "verifiable:path=./mine.pq"
        development = "verifiable:path={demo}/study/development.parquet"
        train = { model = "{demo}/models/base-0.2m" }
        [[arms]]
        name = "random"
        [[arms]]
        name = "top"
        recipe = { strategy = "top" }
        [[arms]]
        name = "bottom"
        recipe = { strategy = "bottom" }
    """
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    found = read_plan(file, seeds=(4,), model="other/model", judge="mine")
    assert found.name == "mine"
    assert found.seeds == (4,)
    assert found.test == f"verifiable:path={tmp_path / 'mine.pq'}"
    assert Path(found.development.partition("=")[2]).is_file()
    assert found.train["model"] == "other/model"
    assert found.recipe == {"judge": "mine"}
    assert StudyPlan.from_toml(found.to_toml(), "again") == found
    assert [arm.name for arm in only_arms(found, ["top"]).arms] == ["random", "top"]
    with pytest.raises(NotFoundError, match="no arm 'tip'"):
        only_arms(found, ["tip"])
    file.write_text("arms = [", encoding="utf-8")
    with pytest.raises(InputError, match=r"mine\.toml is not TOML"):
        read_plan(file)
    with pytest.raises(NotFoundError, match="no study file"):
        read_plan(tmp_path / "none.toml")


SHIPPED = sorted((Path(__file__).parents[2] / "studies").glob("*.toml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_studies_that_ship_can_be_run(path: Path, tmp_path: Path) -> None:
    """Each loads and says what it takes; on the demo, on two cores, under half an hour a split."""
    found = read_plan(path)
    assert rows_of(found)
    for split in (name for name in ("development", "test") if getattr(found, name)):
        if found.split is None:  # else its questions are taken out of a crowd: the next test
            check_plan(found, split)
        cost = cost_of(Study(Workspace(tmp_path), found), split, 2)
        assert cost.cells >= len(rows_of(found))
        assert "cells to go" in cost.sentence()
        if found.crowd == "demo":
            assert cost.seconds is not None
            assert cost.seconds / 2 < 30 * 60
            assert "on 2 workers (by the demo's models" in cost.sentence()


def test_the_study_of_a_real_crowd_takes_its_questions_out_of_whatever_crowd_it_is_given(
    ready: Workspace, base_model: Path
) -> None:
    path = next(path for path in SHIPPED if path.stem == "real")
    found = read_plan(path, crowd="tiny", judge="strict", model=str(base_model))
    smaller = found.model_copy(update={"split": Split(development=5, test=6)})
    create(ready, smaller, "test")
    study = find_study(ready, "real")
    assert len(read_conversations(study.path / "split" / "test.jsonl")) == 6
    rds = study.plan.arm("RDS+").recipe
    assert rds["encoder"] == f"rds?model={base_model}"
    assert (ready.root / "questions" / f"{rds['options']['targets']}.json").is_file()
