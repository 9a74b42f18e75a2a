"""lm-evaluation-harness in a process of its own, on a task from a local file; translation."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from crowdselect import files, jobs
from crowdselect.benchmark import BenchmarkConfig, SubjectConfig, create, harness, read_results
from crowdselect.benchmark.harness import Harness
from crowdselect.benchmark.harness_task import local_task
from crowdselect.benchmark.response_style import repeated_ngrams
from crowdselect.benchmark.translation import Translation, read_segments
from crowdselect.errors import InputError
from tests.benchmark.judge import serve
from tests.crowds import write_jsonl
from tests.finetune.conftest import WORDS

pytest.importorskip("lm_eval")


@pytest.fixture(scope="session")
def choices(tmp_path_factory: Any) -> Path:
    """Six questions with choices; the answer as index, letter or text."""
    rows = []
    for i in range(6):
        listed = [WORDS[i], WORDS[i + 1], WORDS[i + 2]]
        answer = [1, "B", listed[1]][i % 3]
        rows.append({"question": f"Say: {listed[1]}", "choices": listed, "answer": answer})
    return write_jsonl(tmp_path_factory.mktemp("harness") / "pick.jsonl", rows)


def task_rows(tmp_path: Path, *rows: dict[str, Any], name: str = "t.jsonl") -> list[dict[str, Any]]:
    local_task(write_jsonl(tmp_path / name, list(rows)), tmp_path)
    return [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(
    ("row", "place"),
    [
        ({"choices": ["stone", "pear"], "answer": "B"}, 1),
        ({"options": ["stone", "pear"], "answer": "(b)"}, 1),
        ({"options": {"A": "stone", "B": "pear"}, "answer_idx": "B", "answer": "pear"}, 1),
        ({"choices": {"text": ["stone", "pear"], "label": ["A", "B"]}, "answerKey": "B"}, 1),
        ({"choices": {"text": ["a", "pear"], "label": ["1", "2"]}, "answerKey": "2"}, 1),
        ({"choices": [{"text": "stone", "label": "x"}, {"text": "pear", "label": "y"}],
          "answer": "y"}, 1),
        ({"A": "stone", "B": "pear", "answer": "B"}, 1),
        ({"choices": "[\"stone\", \"pear\"]", "answer": "pear"}, 1),
        ({"choices": ["no", "yes"], "answer": True}, 1),
        ({"choices": ["1", "2", "3", "4"], "answer": 2}, 1),
        ({"choices": [1, 2, 3, 4], "answer": "2"}, 1),
        ({"choices": [1.0, 2.5], "answer": 2.5}, 1),
        ({"choices": ["8", "2", "24"], "answer_index": 2}, 2),
        ({"choices": ["stone", "pear"], "answer": 1}, 1),
        ({"choices": ["stone", "pear"], "answer": "1"}, 1),
        ({"options": ["stone", "pear"], "answer": ["pear", "B"]}, 1),
    ],
)  # fmt: skip
def test_choices_of_every_layout(tmp_path: Path, row: dict[str, Any], place: int) -> None:
    (found,) = task_rows(tmp_path, {"question": "Which?", **row})
    assert found["answer"] == place
    assert found["choices"][place] in ("pear", "yes", "2", "2.5", "24")


def test_numbers_are_places_where_another_row_shows_it(tmp_path: Path) -> None:
    rows = [
        {"question": "q", "choices": ["8", "2", "24", "120"], "answer": 2},
        {"question": "r", "choices": ["a", "b", "c", "d"], "answer": 3},
    ]
    assert [row["answer"] for row in task_rows(tmp_path, *rows)] == [2, 3]


def test_answers_that_are_written(tmp_path: Path) -> None:
    several = {"question": "q", "answer": ["Lima", "Ciudad de Lima"]}
    found = task_rows(tmp_path, several, {"question": "r", "answer": 42.0})
    assert [row["answer"] for row in found] == [["Lima", "Ciudad de Lima"], ["42"]]
    (found,) = task_rows(tmp_path, {"question": "q", "answers": {"text": ["x", "y"]}})
    assert found["answer"] == ["x", "y"]
    (tmp_path / "t.csv").write_text("question,passage,answer\nHow many?,It has 42.,42\n")
    local_task(tmp_path / "t.csv", tmp_path)
    (row,) = map(json.loads, (tmp_path / "rows.jsonl").read_text().splitlines())
    assert row == {"question": "It has 42.\nHow many?", "answer": "42"}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"choices": ["a", "b"], "answer": "c"}, "'c' is none of its 2 choices"),
        ({"choices": ["a", "b"], "answer": ["a", "b"]}, "are not one of its 2"),
        ({"choices": "a, b", "answer": "a"}, "choices are no list"),
        ({"answera": "x", "answerb": "y", "label": "1"}, "answera, answerb look like choices"),
        ({"option_1": "x", "answer": "y"}, "option_1 look like choices"),
        ({"answer": [{"a": 1}]}, "neither text nor number"),
        ({"system": "s", "answer": "y"}, "column system"),
        ({}, "lacks an answer"),
    ],
)
def test_rows_that_cannot_be_asked_are_refused(
    tmp_path: Path, row: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError) as caught:
        task_rows(tmp_path, {"question": "q", **row})
    assert words in caught.value.problem
    assert "t.jsonl, row 1" in caught.value.problem


def test_a_task_from_a_file(benchmarked: Any, choices: Path, loaded: Any) -> None:
    """The harness's accuracy is that of the choice with the highest likelihood, by hand."""
    import torch

    view = benchmarked(f"harness:file={choices},batch_size=4")
    assert view.error is None, view.error
    outcome = view.outcomes[0]
    assert (outcome.benchmark, outcome.headline.metric, outcome.headline.n) == (
        "harness:pick",
        "acc",
        6,
    )
    for item in outcome.items():
        row = json.loads(choices.read_text().splitlines()[int(item.question.split("/")[1])])
        prompt = loaded.tokenizer(item.prompt, add_special_tokens=False)["input_ids"]
        sums = []
        for choice in row["choices"]:
            rest = loaded.tokenizer(choice, add_special_tokens=False)["input_ids"]
            with torch.inference_mode():
                logits = loaded.model(input_ids=torch.tensor([prompt + rest])).logits[0]
            logs = torch.log_softmax(logits, dim=-1)
            sums.append(sum(float(logs[len(prompt) + i - 1, t]) for i, t in enumerate(rest)))
        best = max(range(3), key=lambda k: sums[k])
        assert item.answer == f"choice {best}"
        assert item.value == float(best == 1)
    assert outcome.protocol["lm_eval"]
    assert not any(isinstance(v, str) for v in outcome.items()[0].details.values() if v == "N/A")


def test_blanks_around_a_written_answer_are_no_mistake(tmp_path: Path) -> None:
    """Nor are case and punctuation; other words are."""
    from lm_eval import simple_evaluate
    from lm_eval.api.model import LM
    from lm_eval.tasks import TaskManager

    said = {"q0": " new york.", "q1": "\n New York \n", "q2": "New York", "q3": "York"}

    class Said(LM):
        def generate_until(self, requests: Any, **_: Any) -> list[str]:
            return [said[r.args[0]] for r in requests]

        loglikelihood = loglikelihood_rolling = None

    rows = [{"question": q, "answer": "New York"} for q in said]
    task = local_task(write_jsonl(tmp_path / "capitals.jsonl", rows), tmp_path)
    manager = TaskManager(include_defaults=False)
    found = simple_evaluate(model=Said(), tasks=[task], task_manager=manager, bootstrap_iters=0)
    assert found["results"]["capitals"]["exact_match,none"] == pytest.approx(0.75)


def test_an_unknown_task_is_offered_its_neighbours(benchmarked: Any) -> None:
    view = benchmarked("harness:task=gsm8kk")
    assert view.state == "failed"
    assert "has no task 'gsm8kk'" in view.error[0]
    assert "gsm8k" in view.error[1]


def test_a_hub_out_of_reach_is_one_clear_line(benchmarked: Any) -> None:
    view = benchmarked("gsm8k", limit=2)
    assert view.state == "failed"
    assert "the hub is unreachable" in view.error[0]


def test_code_is_never_run_unasked(workspace: Any) -> None:
    for suite in ("humaneval", "harness:task=mbpp"):
        given = {"subject": {"name": "x", "model": "y"}, "suites": [suite]}
        with pytest.raises(InputError, match="runs code that the model wrote"):
            create(workspace, BenchmarkConfig.parse(given, "t"))
        allowed = BenchmarkConfig.parse({**given, "allow_code_execution": True}, "t")
        assert create(workspace, allowed).exists()


def test_cancel_stops_the_worker(workspace: Any, base_model: Path) -> None:
    """The harness takes seconds to load; a cancel ends its process at once."""
    given = {"subject": {"name": "x", "model": str(base_model)}, "suites": ["gsm8k"]}
    path = create(workspace, BenchmarkConfig.parse(given, "t"))
    jobs.start(path)
    deadline = time.time() + 60
    while not list(path.glob("work/*/given.json")) and time.time() < deadline:
        time.sleep(0.05)
    jobs.cancel(path)
    while read_results(path).state == "running" and time.time() < deadline:
        time.sleep(0.05)
    assert read_results(path).state == "cancelled"
    import psutil

    given_file = str(path / "work" / "harness-gsm8k" / "given.json")
    left = [p for p in psutil.process_iter(["cmdline"]) if given_file in (p.info["cmdline"] or [])]
    assert left == []


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"question": "a"}], "row 1: it lacks an answer"),
        ([{"question": "a", "choices": ["x"], "answer": "y"}], "is none of its 1 choices"),
        ([{"question": "a", "choices": ["x"], "answer": 3}], "is none of its 1 choices"),
        (
            [{"question": "a", "answer": 1}, {"question": "a", "choices": ["x"], "answer": 0}],
            "some",
        ),
        ([], "holds no questions"),
    ],
)
def test_bad_tasks(tmp_path: Path, rows: list[dict[str, Any]], words: str) -> None:
    path = write_jsonl(tmp_path / "t.jsonl", rows)
    with pytest.raises(InputError) as error:
        local_task(path, tmp_path / "out")
    assert words in error.value.problem


def test_a_written_answer_is_compared(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "sums.jsonl", [{"prompt": "1+1", "answer": 2}])
    task = local_task(path, tmp_path / "out")
    assert (task["output_type"], task["task"]) == ("generate_until", "sums")
    assert files.read_lines(tmp_path / "out" / "rows.jsonl") == [{"question": "1+1", "answer": "2"}]


def test_only_the_main_filter_counts() -> None:
    record = {"task": "g", "doc": 0, "values": {"exact_match": 1.0}, "target": "", "prompt": "",
              "answer": "", "filters": ["strict-match", "flexible-extract"]}  # fmt: skip
    harness = Harness(task="gsm8k")
    assert len(harness._items({**record, "filter": "strict-match"})) == 1
    assert harness._items({**record, "filter": "flexible-extract"}) == []
    with pytest.raises(InputError, match="has no metric 'acc'"):
        Harness(task="gsm8k", metric="acc")._items({**record, "filter": "strict-match"})


def test_translation_scores_are_sacrebleus(benchmarked: Any, tmp_path: Path) -> None:
    import sacrebleu

    targets = [
        "the cat sits on the red mat today",
        "a bird flies over the old grey house",
        "rain falls on the town all day long",
        "two men carry a long table home",
    ]
    said = [targets[0].replace("the red", "a red"), "a bird flew over the old grey house",
            targets[2], "men carry the table"]  # fmt: skip
    rows = [{"source": f"satz {i}", "target": t} for i, t in enumerate(targets)]
    path = write_jsonl(tmp_path / "pairs.jsonl", rows)

    def translate(_: int, body: dict[str, Any]) -> dict[str, Any]:
        return {"text": said[int(body["messages"][-1]["content"][-1])]}

    with serve(translate) as server:
        served = {"name": "served", "model": "m", "endpoint": server.url}
        view = benchmarked(f"translation:path={path}", subject=served)
    assert view.error is None, view.error
    scores = {s.metric: s.interval for s in view.outcomes[0].scores}
    bleu, chrf = scores["BLEU"], scores["chrF"]
    assert bleu.value == pytest.approx(sacrebleu.corpus_bleu(said, [targets]).score)
    assert chrf.value == pytest.approx(sacrebleu.corpus_chrf(said, [targets]).score)
    assert bleu.low < bleu.value < bleu.high
    segments = [sacrebleu.sentence_chrf(s, [t]).score for s, t in zip(said, targets, strict=True)]
    assert scores["chrF of a segment"].value == pytest.approx(sum(segments) / 4)


def test_translation_objects_and_bad_pairs(tmp_path: Path) -> None:
    good = write_jsonl(tmp_path / "a.jsonl", [{"translation": {"de": "Haus", "en": "house"}}])
    assert read_segments(str(good))[0].target == "house"
    bad = write_jsonl(tmp_path / "b.jsonl", [{"source": "Haus"}])
    with pytest.raises(InputError, match="row 1 holds no pair"):
        read_segments(str(bad))


@pytest.mark.skipif("comet" in sys.modules, reason="unbabel-comet is installed")
def test_comet_says_what_is_missing(benchmarked: Any, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [{"source": "Haus", "target": "house"}])
    with serve(lambda *_: {"text": "house"}) as server:
        served = {"name": "served", "model": "m", "endpoint": server.url}
        view = benchmarked(f"translation:path={path},comet=wmt22", subject=served)
    assert "needs the package unbabel-comet" in view.error[0]
    assert "an environment of its own" in view.error[1]
    assert Translation().comet == ""


@pytest.mark.parametrize(
    ("text", "share"), [("a b c d a b c d", 1 / 5), ("a b c", 0.0), ("x " * 10, 6 / 7), ("", 0.0)]
)
def test_repetition_by_hand(text: str, share: float) -> None:
    assert repeated_ngrams(text.split()) == pytest.approx(share)


def test_a_task_of_the_harness_on_a_served_model(benchmarked: Any, tmp_path: Path) -> None:
    rows = [{"question": f"Say {w}", "answer": w} for w in WORDS[:4]]
    path = write_jsonl(tmp_path / "own.jsonl", rows)

    def say(number: int, body: dict[str, Any]) -> dict[str, Any]:
        word = body["messages"][-1]["content"].split()[-1]
        return {"text": "no" if word == WORDS[0] else word}

    with serve(say) as server:
        served = {"name": "served", "model": "m", "endpoint": server.url}
        view = benchmarked(f"harness:file={path}", subject=served)
    assert view.error is None, view.error
    assert view.outcomes[0].scores[0].interval.value == pytest.approx(0.75)


def test_what_a_served_model_needs_is_said_before_anything_runs(monkeypatch: Any) -> None:
    monkeypatch.setattr(harness, "NEEDED_BY_SERVED", ("requests", "no_such_package"))
    given = {"name": "served", "model": "m", "endpoint": "http://127.0.0.1:9/v1"}
    config = BenchmarkConfig.parse({"subject": given, "suites": ["harness:task=gsm8k"]}, "test")
    (error,) = Harness(task="gsm8k").conflicts(config)
    assert "no_such_package" in error.problem
    local = config.model_copy(update={"subject": SubjectConfig(name="l", model="m")})
    assert list(Harness(task="gsm8k").conflicts(local)) == []
