"""``crowdselect benchmark`` and the way from a fine-tuning run to a result."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crowdselect import files, jobs
from crowdselect.benchmark import BenchmarkConfig, create, list_results
from crowdselect.errors import CrowdSelectError, NotFoundError
from crowdselect.finetune import FinetuneConfig
from crowdselect.finetune import create as create_finetune
from crowdselect.pipeline.benchmark import benchmark_views, subject_of
from crowdselect.settings import Workspace
from tests.benchmark.judge import serve
from tests.cli.conftest import Said, run
from tests.pipeline.conftest import _ingested, ready, recipe

__all__ = ["_ingested", "ready", "recipe", "run"]


@pytest.fixture
def command(run: Callable[..., Said], workspace: Workspace) -> Callable[..., Said]:
    """``crowdselect benchmark ...`` in an empty workspace."""
    return lambda *arguments: run("benchmark", *arguments, "--workspace", workspace.root)


def test_from_a_fine_tune_to_a_comparison(
    command: Any, workspace: Workspace, base_model: Path, dev_file: Path
) -> None:
    options = {"data": str(dev_file), "model": str(base_model), "max_steps": 2, "burst_steps": 0,
               "batch_size": 2, "lora_rank": 2, "precision": "fp32"}  # fmt: skip
    tuned = create_finetune(workspace, FinetuneConfig.parse(options, "t"))
    assert jobs.run_here(tuned) == "done", jobs.read(tuned).error
    subject = subject_of(workspace, tuned.name)
    assert subject.adapter == str(tuned / "model")
    assert (subject.run, subject.training_seed) == (tuned.name, 42)
    assert subject.name == f"dev ({base_model.name}, LoRA)"

    suite = ("--suite", f"heldout-loss:path={dev_file}")
    first = command(tuned.name, *suite, "--json")
    assert first.code == 0, first.err
    assert first.json["outcomes"][0]["scores"][0]["n"] == 10
    second = command("run", str(base_model), *suite, "--name", "base")
    assert second.code == 0, second.err
    assert "heldout-loss:dev" in second.out
    said = command("compare", tuned.name, "base")
    assert said.code == 0, said.err
    assert "questions" in said.out
    assert "One training seed only" in said.out
    as_json = command("compare", tuned.name, "base", "--json").json
    assert as_json["groups"][0]["name"] == subject.name
    assert len(as_json["benchmarks"][0]["differences"]) == 1
    listed = command("list", "--json").json
    assert {row["name"] for row in listed} == {"base", subject.name}
    shown = command("show", listed[0]["run"])
    assert "perplexity" in shown.out


def test_seeds_and_settings_of_runs(workspace: Workspace, base_model: Path, dev_file: Path) -> None:
    """Runs that differ in their seed only are of one variant; any other option tells them apart."""
    given = {"data": str(dev_file), "model": str(base_model)}
    variants = []
    for change in ({}, {"seed": 1}, {"learning_rate": 1e-3}):
        path = create_finetune(workspace, FinetuneConfig.parse({**given, **change}, "t"))
        (path / "model").mkdir()
        variants.append(subject_of(workspace, path.name).variant)
    assert variants[0] == variants[1] != variants[2]
    other = dev_file.with_name("other.jsonl")
    other.write_text("".join(dev_file.read_text().splitlines(keepends=True)[1:]))
    path = create_finetune(workspace, FinetuneConfig.parse({**given, "data": str(other)}, "t"))
    (path / "model").mkdir()
    assert subject_of(workspace, path.name).variant != variants[0]
    assert subject_of(workspace, path.name, name="mine").variant == ""


def test_what_a_target_means(workspace: Workspace, base_model: Path, tmp_path: Path) -> None:
    assert subject_of(workspace, str(base_model)).model == str(base_model)
    assert subject_of(workspace, "owner/name").model == "owner/name"
    served = subject_of(workspace, "m", endpoint="http://localhost:1/v1")
    assert (served.model, served.endpoint) == ("m", "http://localhost:1/v1")
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    files.write_json(adapter / "adapter_config.json", {"base_model_name_or_path": "owner/base"})
    found = subject_of(workspace, str(adapter), chosen_on=("mt-bench",))
    assert (found.model, found.adapter) == ("owner/base", str(adapter))
    assert found.chosen_on == ("mt-bench",)
    for wrong in ("./nowhere", "finetune-nothing"):
        with pytest.raises(NotFoundError):
            subject_of(workspace, wrong)


def test_a_run_without_a_model_says_so(
    command: Any, workspace: Workspace, base_model: Path, dev_file: Path
) -> None:
    given = {"data": str(dev_file), "model": str(base_model)}
    path = create_finetune(workspace, FinetuneConfig.parse(given, "t"))
    with pytest.raises(CrowdSelectError, match="no model yet"):
        subject_of(workspace, path.name)
    said = command(path.name, "--suite", "verifiable")
    assert said.code == 2
    assert "has no model yet" in said.err


def test_views_are_found_by_run_name_and_fine_tune(workspace: Workspace, finished: Any) -> None:
    a, b = finished("a", [1.0, 0.0], run="finetune-1"), finished("b", [0.0, 0.0])
    assert [v.id for v in benchmark_views(workspace, ["finetune-1"])] == [a.id]
    assert [v.id for v in benchmark_views(workspace, [b.id, "b"])] == [b.id]
    with pytest.raises(NotFoundError, match="no benchmark run 'c'"):
        benchmark_views(workspace, ["c"])


def test_bad_input_is_two_lines(command: Any, workspace: Workspace, base_model: Path) -> None:
    for arguments, words in (
        (("run", base_model, "--suite", "verifable"), "Did you mean verifiable"),
        (("run", base_model, "--suite", "humaneval"), "--allow-code-execution"),
        (("run", base_model, "--suite", "mt-bench"), "needs a judge"),
        (("run", base_model, "--suite", "mt-bench", "--judge", "m", "--judge-option", "x"), "NAME"),
        (("run", base_model, "--suite", "mt-bench", "--judge", "m", "--judge-kind", "x"), "kind"),
        (("run", base_model), "--suite"),
        (("show", "nothing"), "no run 'nothing'"),
        (("compare", "nothing"), "no benchmark run"),
    ):
        said = command(*arguments)
        assert said.code == 2, arguments
        assert words in said.err, said.err
        assert len(said.err.strip().splitlines()) == 2
    assert list_results(workspace) == []


def test_a_failed_benchmark_hides_no_other_result(
    command: Any, base_model: Path, dev_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.jsonl").write_text('{"a": 1}\n')
    said = command(
        str(base_model), "--suite", f"heldout-loss:path={dev_file}",
        "--suite", f"translation:path={tmp_path / 'bad.jsonl'}",
    )  # fmt: skip
    assert said.code == 2
    assert "holds no pair" in said.err
    assert "perplexity" in said.out


def test_detach_and_follow(command: Any, workspace: Workspace, base_model: Path) -> None:
    with serve(lambda *_: {"text": "a b"}) as server:
        said = command(
            "served", "--endpoint", server.url, "--suite", "response-style", "--detach", "--json"
        )
        assert said.code == 0, said.err
        path = Path(said.json["path"])
        import time

        deadline = time.time() + 120
        while jobs.read(path).state not in ("done", "failed") and time.time() < deadline:
            time.sleep(0.2)
    assert jobs.read(path).state == "done", jobs.read(path).error


def test_cost_is_known_before(command: Any, base_model: Path) -> None:
    said = command(
        base_model, "--suite", "mt-bench", "--judge", "m", "--judge-option", "price_in=2",
        "--judge-option", "price_out=8", "--estimate", "--json", "--limit", "10",
    )  # fmt: skip
    assert said.code == 0, said.err
    cost = said.json["mt-bench"]
    assert cost["requests"] == 20
    assert cost["completion_tokens"] == 20 * 2048
    expected = (cost["prompt_tokens"] * 2 + cost["completion_tokens"] * 8) / 1e6
    assert cost["money"] == pytest.approx(expected)


def test_published_tables_can_be_read(command: Any, run: Any) -> None:
    rows = run("benchmark", "published", "--table", "2", "--json").json
    assert len(rows) == 64
    assert all(row["published"] for row in rows)


def test_a_selections_note_declares_what_it_was_chosen_on(
    ready: Any, recipe: Any, base_model: Path
) -> None:
    """Run -> selection -> recipe: the trap is traced without anyone naming it again."""
    from crowdselect import pipeline

    crowd = pipeline.open_crowd(ready, "tiny")
    chosen = recipe()
    selection = pipeline.select(crowd, chosen)
    saved = pipeline.save_selection(ready, selection, "best", "Good. chosen on: MT-Bench, x:y")
    written = pipeline.export(ready, saved, "messages")
    given = {"data": str(written.data), "model": str(base_model), "selection": saved.id,
             "recipe": {"id": saved.id, "weights": chosen.weights}}  # fmt: skip
    path = create_finetune(ready, FinetuneConfig.parse(given, "t"))
    (path / "model").mkdir()
    subject = subject_of(ready, path.name, chosen_on=("verifiable",))
    assert subject.chosen_on == ("verifiable", "mt-bench", "x:y")
    assert subject.name == f"best ({base_model.name}, LoRA)"
    assert subject.origin is not None
    assert subject.origin.selection == saved.id
    assert subject.origin.recipe is not None
    assert subject.origin.recipe.weights == chosen.weights

    made = create(ready, BenchmarkConfig(subject=subject, suites=("verifiable",)))
    assert [v.id for v in benchmark_views(ready, ["best"])] == [made.name]
