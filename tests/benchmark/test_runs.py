"""Benchmark runs from end to end: files, resume, failures, bad input."""

import math
from pathlib import Path
from typing import Any

import pytest

from crowdselect import files, jobs
from crowdselect.benchmark import (
    BenchmarkConfig,
    SubjectConfig,
    Suite,
    create,
    list_results,
    read_results,
    results_frame,
)
from crowdselect.benchmark.conversations import read_conversations
from crowdselect.benchmark.heldout_loss import answer_bytes, token_losses
from crowdselect.errors import InputError, NotFoundError
from crowdselect.lm.encoding import IGNORED, encode, settled_format
from crowdselect.lm.language_model import LanguageModel, ModelSpec


def test_verifiable_and_loss_give_scores_with_items(
    benchmarked: Any, tasks_file: Path, dev_file: Path, workspace: Any
) -> None:
    view = benchmarked(
        f"verifiable:path={tasks_file},max_new_tokens=6",
        f"heldout-loss:path={dev_file}",
        report_to=("tensorboard",),
    )
    tracked = [p.parent.name for p in (workspace.root / "trackers").rglob("events.out.*")]
    assert sorted(tracked) == [f"{view.name} heldout-loss:dev", f"{view.name} verifiable:tasks"]
    assert (view.state, view.error) == ("done", None)
    tasks, loss = view.outcomes
    assert (tasks.benchmark, loss.benchmark) == ("verifiable:tasks", "heldout-loss:dev")
    assert len(tasks.items()) == 12
    assert tasks.headline.n == 12
    assert 0 <= tasks.headline.interval.value <= 1
    assert [s.metric for s in loss.scores] == [
        "loss (nats per token)",
        "perplexity",
        "bits per byte",
    ]
    nats, perplexity = loss.scores[0].interval, loss.scores[1].interval
    assert perplexity.value == pytest.approx(math.exp(nats.value))
    assert nats.low < nats.value < nats.high
    assert [v.id for v in list_results(workspace)] == [view.id]
    frame = results_frame([view])
    assert set(frame["benchmark"]) == {"verifiable:tasks", "heldout-loss:dev"}


def test_loss_is_that_of_one_row_alone(loaded: Any, dev_file: Path) -> None:
    """Batches and padding change nothing; the reference is a plain loop over single rows."""
    import torch

    chat = settled_format(loaded.tokenizer)
    rows = encode(loaded.tokenizer, chat, read_conversations(dev_file))
    spec = ModelSpec(model="in memory", batch_tokens=100)
    together = token_losses(LanguageModel(spec, loaded), rows, 512)
    for row, (total, count) in zip(rows, together, strict=True):
        with torch.inference_mode():
            logits = loaded.model(input_ids=torch.tensor([row.input_ids])).logits[0]
        logs = torch.log_softmax(logits.double(), dim=-1)
        places = [i for i, label in enumerate(row.labels) if label != IGNORED and i > 0]
        assert count == len(places)
        assert total == pytest.approx(
            -sum(float(logs[i - 1, row.input_ids[i]]) for i in places), rel=1e-5
        )


def test_only_answers_carry_loss(loaded: Any, dev_file: Path) -> None:
    row = read_conversations(dev_file)[0]
    (encoded,) = encode(loaded.tokenizer, settled_format(loaded.tokenizer), [row])
    chosen = [label for label in encoded.labels if label != IGNORED]
    text = loaded.tokenizer.decode(chosen, skip_special_tokens=True).split()
    spoken = " ".join(m["content"] for m in row.messages if m["role"] == "assistant")
    assert text == spoken.split()
    assert chosen[-1] == loaded.tokenizer.eos_token_id
    assert answer_bytes(encoded, 512) == sum(
        len(m["content"]) for m in row.messages if m["role"] == "assistant"
    )
    assert answer_bytes(encoded, len(encoded.input_ids) - 1) == 0  # it is cut


def test_resume_asks_nothing_twice(
    workspace: Any, base_model: Path, tasks_file: Path, dev_file: Path
) -> None:
    """A run that was cut off in the middle of a line goes on, and ends as an uncut one."""
    given = {
        "subject": {"name": "tiny", "model": str(base_model)},
        "suites": [
            f"verifiable:path={tasks_file},max_new_tokens=4",
            f"heldout-loss:path={dev_file}",
        ],
    }
    whole, cut = (create(workspace, BenchmarkConfig.parse(given, "t")) for _ in range(2))
    assert jobs.run_here(whole) == "done"
    assert jobs.run_here(cut) == "done"
    journal = next((cut / "journal").glob("verifiable*"))
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:7]) + lines[7][:20])
    (cut / "results.jsonl").unlink()
    assert jobs.run_here(cut) == "done"
    again = journal.read_bytes().splitlines(keepends=True)
    assert again[:7] == lines[:7]
    assert len(files.read_lines(journal)) == 12
    a, b = read_results(whole), read_results(cut)
    assert [o.scores for o in a.outcomes] == [o.scores for o in b.outcomes]
    assert a.outcomes[0].items() == b.outcomes[0].items()


def test_what_is_finished_is_not_run_again(benchmarked: Any, tasks_file: Path) -> None:
    view = benchmarked(f"verifiable:path={tasks_file},max_new_tokens=4")
    before = (view.path / "results.jsonl").read_bytes()
    assert jobs.run_here(view.path) == "done"
    assert (view.path / "results.jsonl").read_bytes() == before


def test_one_failure_does_not_stop_the_others(
    benchmarked: Any, tasks_file: Path, tmp_path: Path, dev_file: Path
) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"messages": []}\n')
    view = benchmarked(f"heldout-loss:path={bad}", f"verifiable:path={tasks_file},max_new_tokens=4")
    assert view.state == "failed"
    assert "row 1: expected a list of messages, found an empty one" in view.error[0]
    assert [o.benchmark for o in view.outcomes] == ["verifiable:tasks"]


def test_cancel_keeps_the_journal(workspace: Any, base_model: Path, dev_file: Path) -> None:
    given = {
        "subject": {"name": "tiny", "model": str(base_model)},
        "suites": [f"heldout-loss:path={dev_file},batch_tokens=64"],
    }
    path = create(workspace, BenchmarkConfig.parse(given, "t"))
    job = jobs.Job(path)
    calls = 0

    def stop_soon(*_: object) -> None:
        nonlocal calls
        calls += 1
        if calls > 3:
            (path / "CANCEL").touch()
        job.check_cancelled()

    job.progress = stop_soon  # type: ignore[method-assign]  # stops at a known place
    from crowdselect.benchmark.job import run
    from crowdselect.errors import CancelledError

    with pytest.raises(CancelledError):
        run(job)
    kept = len(files.read_lines(next((path / "journal").iterdir())))
    assert 0 < kept < 10
    (path / "CANCEL").unlink()
    assert jobs.run_here(path) == "done"
    assert read_results(path).outcomes[0].n == 10


@pytest.mark.parametrize(
    ("suites", "words"),
    [
        (["verifable"], "no benchmark called 'verifable'"),
        (["verifiable:max_new_tokens=no"], "max_new_tokens is 'no'"),
        (["verifiable:max_new_tokens=0"], "outside [1"),
        (["verifiable:nothing=1"], "has no option 'nothing'"),
        (["verifiable:path"], "not OPTION=VALUE"),
        (["verifiable", "verifiable"], "asked for twice"),
        ([], "at least 1 item"),
    ],
)
def test_bad_suites_are_refused_at_once(workspace: Any, suites: list[str], words: str) -> None:
    with pytest.raises((InputError, NotFoundError)) as error:
        create(
            workspace,
            BenchmarkConfig.parse({"subject": {"name": "x", "model": "y"}, "suites": suites}, "t"),
        )
    assert words in error.value.problem
    assert not workspace.runs.exists()


def test_a_mistyped_benchmark_is_offered_its_neighbour(workspace: Any) -> None:
    config = BenchmarkConfig(
        subject=SubjectConfig(name="x", model="y"), suites=(Suite(name="verifable"),)
    )
    with pytest.raises(NotFoundError) as error:
        create(workspace, config)
    assert "verifiable" in error.value.remedy


def test_missing_things_fail_in_one_line(benchmarked: Any, tasks_file: Path) -> None:
    gone = SubjectConfig(name="gone", model="./no/such/model")
    view = benchmarked(f"verifiable:path={tasks_file}", subject=gone)
    assert view.state == "failed"
    assert view.error == ("There is no model folder ./no/such/model.", "Give a folder or a hub id.")
    with pytest.raises(NotFoundError, match=r"nowhere\.parquet"):
        benchmarked("verifiable:path=nowhere.parquet")


def test_a_served_model_has_no_weights(benchmarked: Any, dev_file: Path) -> None:
    served = SubjectConfig(name="served", model="m", endpoint="http://127.0.0.1:1/v1")
    view = benchmarked(f"heldout-loss:path={dev_file}", subject=served)
    assert "this benchmark needs its weights" in view.error[0]


def test_paths_are_kept_whole(
    workspace: Any, base_model: Path, dev_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run made in one folder can be resumed from another."""
    monkeypatch.chdir(dev_file.parent)
    given = {"subject": {"name": "x", "model": str(base_model)},
             "suites": ["heldout-loss:path=dev.jsonl"],
             "judge": {"kind": "reward", "model": "."}}  # fmt: skip
    path = create(workspace, BenchmarkConfig.parse(given, "t"))
    monkeypatch.chdir(workspace.root)
    config = read_results(path).config
    assert config.suites[0].options == {"path": str(dev_file)}
    assert config.judge is not None
    assert config.judge.model == str(dev_file.parent)
    assert jobs.run_here(path) == "done"
