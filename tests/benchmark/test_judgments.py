"""Judgments that exist: the published formats, scored without asking anyone."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crowdselect.benchmark import compare, list_results
from crowdselect.benchmark.judgments import find_judgments
from crowdselect.errors import InputError, NotFoundError
from crowdselect.settings import Workspace
from tests.benchmark.test_golden_scores import ARENA, GOLDEN
from tests.cli.conftest import Said, run
from tests.crowds import write_jsonl

__all__ = ["run"]


@pytest.fixture
def command(run: Callable[..., Said], workspace: Workspace) -> Callable[..., Said]:
    return lambda *arguments: run("benchmark", *arguments, "--workspace", workspace.root)


def arena_rows(model: str, judge: str = "gpt-4.1") -> list[dict[str, Any]]:
    """The golden games in arena-hard-auto's layout (a judgment is an object since v2)."""
    rows = []
    for number, verdicts in enumerate(ARENA["games_g0_baselineA_g1_modelA"][model]):
        games = [
            {"score": v, "judgment": {"answer": f"so [[{v}]]"},
             "prompt": [{"role": "user", "content": f"question {number}"}]}
            for v in verdicts
        ]  # fmt: skip
        rows.append(
            {"uid": f"q{number}", "category": "hard_prompt", "judge": judge, "model": model,
             "baseline": "o3-mini", "games": games}
        )  # fmt: skip
    return rows


@pytest.fixture
def arena(tmp_path: Path) -> Path:
    """A data folder as in the repository, with other files beside the judgments."""
    data = tmp_path / "arena-hard-v2.0"
    for name in ("model_judgment/gpt-4.1", "model_answer"):
        (data / name).mkdir(parents=True)
    for model in ("modelX", "modelY"):
        rows = arena_rows(model)
        write_jsonl(data / "model_judgment" / "gpt-4.1" / f"{model}.jsonl", rows)
    write_jsonl(data / "question.jsonl", [{"uid": "q0", "prompt": "question 0"}])
    write_jsonl(data / "model_answer" / "modelX.jsonl", [{"uid": "q0", "messages": []}])
    return data


def scores_of(outcome: Any) -> dict[str, Any]:
    return {s["metric"]: s["interval"] for s in outcome["scores"] if not s["category"]}


def test_a_folder_of_arena_hard_is_scored(command: Any, arena: Path, workspace: Workspace) -> None:
    found = command("arena-hard", "--judgments", arena, "--json")
    assert found.code == 0, found.err
    assert [row["name"] for row in found.json] == ["modelX", "modelY"]
    for row in found.json:
        scores = scores_of(row["outcomes"][0])
        assert scores["win rate %"]["value"] == pytest.approx(100 * ARENA["v2_score"][row["name"]])
        older = scores["win rate %, format of Arena-Hard v0.1 (95 %)"]["value"]
        assert older == pytest.approx(ARENA["v01_score_pct"][row["name"]], abs=0.005)
        assert row["outcomes"][0]["protocol"]["judge"] == {
            "kind": "made elsewhere", "model": "gpt-4.1",
        }  # fmt: skip
    view = list_results(workspace)[0]
    item = view.outcomes[0].items()[0]
    assert (item.prompt, item.reason[:5]) == ("question 0", "so [[")
    (only,) = compare(list_results(workspace)).benchmarks
    assert only.differences[0].questions == 7, "a question with a missing game counts for neither"
    said = command("compare", "modelX", "modelY")
    assert "7 questions" in said.out


def test_all_ten_verdicts_and_the_older_layout(command: Any, tmp_path: Path) -> None:
    """v0.1 wrote the judgment as a text, and no baseline."""
    pairs = [("A<B", "B<A"), ("A<<B", "B<<A"), ("B=A", "A=B"), ("C", "A>B")]
    rows = [
        {"question_id": f"q{i}", "model": "m", "judge": "gpt-4-1106-preview",
         "games": [{"user_prompt": "?", "judgment": f"[[{v}]]", "score": v} for v in pair]}
        for i, pair in enumerate(pairs)
    ]  # fmt: skip
    rows.append({"question_id": "q9", "model": "m", "judge": "gpt-4-1106-preview",
                 "games": [None, {"judgment": "", "score": "A>B"}]})  # fmt: skip
    found = command("arena-hard", "--judgments", write_jsonl(tmp_path / "m.jsonl", rows), "--json")
    assert found.code == 0, found.err
    (outcome,) = found.json[0]["outcomes"]
    assert scores_of(outcome)["win rate %"]["value"] == pytest.approx(100 * 9 / 10)
    assert (outcome["n"], outcome["failed"]) == (3, 4)
    assert any("no verdict: 'C'" in note for note in found.json[0]["notes"])


def test_mt_bench_by_fastchats_file(command: Any, tmp_path: Path) -> None:
    golden = GOLDEN["mt_bench_single_rows"]
    data = tmp_path / "mt_bench"
    (data / "model_judgment").mkdir(parents=True)
    rows = [
        {"question_id": 81 + i, "model": m, "judge": ["gpt-4", "single-v1"], "user_prompt": "?",
         "judgment": f"[[{s}]]", "score": s, "turn": t, "tstamp": 1.0}
        for i, (m, s, t) in enumerate(golden["rows_model_score_turn"])
    ]  # fmt: skip
    write_jsonl(data / "model_judgment" / "gpt-4_single.jsonl", rows)
    questions = [
        {"question_id": 81 + i, "category": ("math", "stem")[i % 2], "turns": ["first", "second"]}
        for i in range(len(rows))
    ]
    write_jsonl(data / "question.jsonl", questions)
    found = command("mt-bench", "--judgments", data / "model_judgment", "--json")
    assert found.code == 0, found.err
    for row in found.json:
        scores = scores_of(row["outcomes"][0])
        assert scores["grade (1 to 10)"]["value"] == pytest.approx(golden["average"][row["name"]])
        first = scores["grade (1 to 10), turn 1"]["value"]
        assert first == pytest.approx(golden["turn1"][row["name"]])
        assert row["outcomes"][0]["failed"] == 1
        assert {s["category"] for s in row["outcomes"][0]["scores"]} == {"", "math", "stem"}
    only = command("mt-bench", "--judgments", data, "--model", "m2", "--json").json
    assert [row["name"] for row in only] == ["m2"]


def test_alpaca_eval_by_its_annotations(command: Any, tmp_path: Path) -> None:
    """Win rates as alpaca_eval has them: no preference drops out, 0 is a tie."""
    preferences, expected, rounded = GOLDEN["alpaca_winrate"][3]
    rows = [
        {"instruction": f"i{k}", "dataset": "helpful_base", "output_1": "a" * 9,
         "output_2": "b" * k,
         "generator_1": "gpt4_1106_preview", "generator_2": "mine", "annotator": "judge",
         "preference": preference}
        for k, preference in enumerate(preferences)
    ]  # fmt: skip
    folder = tmp_path / "results" / "mine" / "judge"
    folder.mkdir(parents=True)
    (folder / "annotations.json").write_text(json.dumps(rows, indent=1))
    (folder.parent / "model_outputs.json").write_text(json.dumps([{"instruction": "i0"}]))
    found = command("alpaca-eval", "--judgments", tmp_path / "results", "--json")
    assert found.code == 0, found.err
    (outcome,) = found.json[0]["outcomes"]
    scores = scores_of(outcome)
    assert scores["win rate %"]["value"] == pytest.approx(expected, abs=1e-4)
    assert scores["discrete win rate %"]["value"] == pytest.approx(rounded, abs=1e-4)
    assert outcome["protocol"]["options"] == {"anchor": "gpt4_1106_preview"}
    assert outcome["failed"] == 1
    assert "length-controlled win rate % (own)" in scores


def test_what_is_not_there_is_named(command: Any, arena: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no file or folder"):
        find_judgments("arena-hard", tmp_path / "none")
    with pytest.raises(InputError, match="holds no judgments of mt-bench") as raised:
        find_judgments("mt-bench", arena)
    assert "question_id, model, score, turn" in raised.value.remedy
    pairs = write_jsonl(tmp_path / "gpt-4_pair.jsonl", [{"question_id": 1, "g1_winner": "tie"}])
    with pytest.raises(InputError, match="row 1 lacks model, score, turn") as raised:
        find_judgments("mt-bench", pairs)
    assert "pairwise" in raised.value.remedy
    said = command("arena-hard", "--judgments", arena, "--model", "modelZ")
    assert said.code == 2
    assert "no judgments of modelZ by any judge" in said.err
    assert "modelX by gpt-4.1" in said.err


def test_runs_of_other_models_do_not_take_the_judgments(benchmarked: Any, arena: Path) -> None:
    file = arena / "model_judgment" / "gpt-4.1" / "modelX.jsonl"
    view = benchmarked(f"arena-hard:judgments={file}")
    assert view.state == "failed"
    assert "has no judgments of" in view.error[0]
    assert "It has: modelX" in view.error[1]
