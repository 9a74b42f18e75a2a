"""AlpacaEval's layout: outputs and annotations joined by text, preferences as probabilities."""

import json
from pathlib import Path
from typing import Any

import pytest

from crowdselect.errors import InputError
from crowdselect.settings import Workspace
from crowdselect.store import Crowd
from tests.crowds import by_id, ingest, left_behind

TEXTS = ("Name a river.", "Add 1 and 1.", "Say hi.")
WEIGHTED, CLASSIC = "weighted_alpaca_eval_gpt4_turbo", "alpaca_eval_gpt4"


def annotation(text: str, model: str, preference: Any, **more: Any) -> dict[str, Any]:
    return {
        "instruction": text, "output_1": "baseline", "generator_1": "gpt4_1106_preview",
        "output_2": f"{model}: {text}", "generator_2": model, "preference": preference,
        "raw_completion": {"text": "m"},
    } | more  # fmt: skip


def write(folder: Path, model: str, judge: str | None, items: list[dict[str, Any]]) -> Path:
    """Write outputs (``judge`` None) or annotations."""
    path = folder / model / (f"{judge}/annotations.json" if judge else "model_outputs.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(items))
    return path


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Two models with outputs and annotations in differing orders."""
    folder = tmp_path / "results"
    for k, model in enumerate(("tiny-1b", "tiny-7b")):
        outputs = [
            {"instruction": t, "output": f"{model}: {t}", "generator": model, "dataset": "d"}
            for t in TEXTS
        ]
        write(folder, model, None, outputs[::-1] if k else outputs)
        items = [annotation(t, model, 1 + (i + 1) / 10 + k / 100) for i, t in enumerate(TEXTS)]
        write(folder, model, WEIGHTED, items[1:] + items[:1])
    (folder / "README").mkdir()
    return folder


def text_rewards(crowd: Crowd, judge: str) -> dict[tuple[str, str], float]:
    texts = dict(zip(crowd.ids, crowd.instruction_texts(), strict=True))
    return {(texts[i], m): round(v, 9) for (i, m), v in by_id(crowd, judge).items()}


def test_preferences_become_probabilities_whatever_the_order(workspace: Workspace, results: Path):
    crowd = ingest(workspace, [results], source="alpaca-eval")
    assert crowd.judges == (WEIGHTED,)
    assert text_rewards(crowd, WEIGHTED) == {
        (text, model): round((i + 1) / 10 + k / 100, 9)
        for i, text in enumerate(TEXTS)
        for k, model in enumerate(("tiny-1b", "tiny-7b"))
    }
    assert crowd.extra_columns()["dataset"].tolist() == ["d"] * 3
    row = crowd.row_of[crowd.ids[1]]
    text = crowd.instruction(row).text
    assert crowd.answers(row)["response"].tolist() == [f"tiny-1b: {text}", f"tiny-7b: {text}"]


def test_several_annotators_are_several_judges_with_partial_coverage(workspace, results):
    write(results, "tiny-7b", CLASSIC, [annotation(TEXTS[0], "tiny-7b", 2.0)])
    crowd = ingest(workspace, [results], source="alpaca-eval")
    assert crowd.judges == (CLASSIC, WEIGHTED)
    assert text_rewards(crowd, CLASSIC) == {(TEXTS[0], "tiny-7b"): 1.0}
    assert crowd.report.judges[0].models_without == ("tiny-1b",)
    only = ingest(workspace, [results], "only", "alpaca-eval", annotators=WEIGHTED)
    assert only.judges == (WEIGHTED,)
    with pytest.raises(InputError, match="No model has annotations of gpt5"):
        ingest(workspace, [results], "x", "alpaca-eval", annotators="gpt5")


def test_missing_preferences_draws_and_swapped_sides(workspace, results):
    write(results, "tiny-7b", WEIGHTED, [
        annotation(TEXTS[0], "tiny-7b", None),
        annotation(TEXTS[1], "tiny-7b", 0),
        annotation(TEXTS[2], "tiny-7b", 1.25, generator_1="tiny-7b", generator_2="gpt4"),
        {"output_2": "x", "generator_2": "tiny-7b", "preference": 1.0},
    ])  # fmt: skip
    crowd = ingest(workspace, [results], source="alpaca-eval")
    found = {t: v for (t, m), v in text_rewards(crowd, WEIGHTED).items() if m == "tiny-7b"}
    assert found == {TEXTS[1]: 0.5, TEXTS[2]: 0.75}
    lines = crowd.report_lines()
    assert "1 annotations have no preference; their rewards are missing." in lines
    assert "1 annotations name no instruction; they were left out." in lines


def test_a_model_with_annotations_only_takes_its_answers_from_them(workspace, results):
    write(results, "late-3b", WEIGHTED, [annotation(t, "late-3b", 1.5) for t in TEXTS[:2]])
    crowd = ingest(workspace, [results], source="alpaca-eval")
    assert crowd.report.missing_responses == 1
    answers = {crowd.instruction(r).text: crowd.answers(r)["response"][0] for r in range(3)}
    assert answers[TEXTS[0]] == f"late-3b: {TEXTS[0]}"


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([annotation(TEXTS[0], "tiny-1b", 3.5)], r"item 1: 'preference' .* found 3\.5"),
        ([annotation(TEXTS[0], "tiny-1b", "m")], r"item 1: 'preference' .* found 'm'"),
        ([annotation(TEXTS[0], "tiny-1b", True)], "found True"),
        ([annotation(TEXTS[0], "tiny-1b", 1.5), annotation([1], "x", 1)], "item 2: 'instruction'"),
        ({"not": "a list"}, "is not a list of JSON objects"),
        (["text"], "is not a list of JSON objects"),
    ],
)
def test_annotations_that_make_no_sense_are_named(workspace, results, items, message):
    write(results, "tiny-1b", WEIGHTED, items)
    with pytest.raises(InputError, match=message) as caught:
        ingest(workspace, [results], source="alpaca-eval")
    assert f"tiny-1b/{WEIGHTED}/annotations.json" in caught.value.problem
    assert left_behind(workspace) == []


def test_cut_files_and_other_folders(workspace, results, tmp_path):
    path = results / "tiny-1b" / "model_outputs.json"
    path.write_text(path.read_text()[:50])
    with pytest.raises(InputError, match=r"tiny-1b/model_outputs\.json cannot be read as JSON"):
        ingest(workspace, [results], source="alpaca-eval")
    with pytest.raises(InputError, match="is not one folder of results"):
        ingest(workspace, [tmp_path / "nowhere"], source="alpaca-eval")
    (tmp_path / "bare").mkdir()
    with pytest.raises(InputError, match="holds no MODEL/model_outputs"):
        ingest(workspace, [tmp_path / "bare"], source="alpaca-eval")
    assert left_behind(workspace) == []


def test_the_report_says_what_every_key_was_taken_for(workspace: Workspace, results: Path):
    crowd = ingest(workspace, [results], source="alpaca-eval")
    told = {use.column: use.meaning for use in crowd.report.columns}
    items = [json.loads(p.read_text()) for p in results.rglob("*.json")]
    assert set(told) == {key for file in items for item in file for key in item}
    assert {c: m for c, m in told.items() if m != "left out"} == {
        "instruction": "instruction",
        "output": "response",
        "output_2": "response",
        "preference": "judge",
        "dataset": "kept",
    }
