"""A benchmark run as a job: one benchmark after the other; what is finished is never done again."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from crowdselect import files, jobs
from crowdselect.benchmark.base import Benchmark, Context, Item
from crowdselect.benchmark.config import BenchmarkConfig
from crowdselect.benchmark.results import RESULTS, append_outcome, read_results, write_items
from crowdselect.benchmark.shelf import build_suite
from crowdselect.benchmark.sources import absolute, local_file
from crowdselect.benchmark.subject import Subject
from crowdselect.errors import CancelledError, CrowdSelectError, InputError
from crowdselect.hub import HUB
from crowdselect.jobs import Job
from crowdselect.lm.journal import Journal
from crowdselect.lm.packaged import located
from crowdselect.lm.template import template_name
from crowdselect.options import opening
from crowdselect.registry import content_key
from crowdselect.servers import Cost, by_kind, may_succeed, price
from crowdselect.settings import Workspace
from crowdselect.tracking import check_trackers, report


def create(workspace: Workspace, config: BenchmarkConfig, *, run_id: str | None = None) -> Path:
    """Make the run directory of a benchmark, called ``run_id``, without starting it.

    The suites are checked first. Paths become absolute, so that a run can be resumed from
    anywhere. Raises NotFoundError for an
    unknown benchmark or a file that is not there, InputError for options that cannot be used.
    """
    config = _settled(workspace, config)
    check(config)
    return jobs.create(workspace, "benchmark", config.model_dump(mode="json"), run_id=run_id)


def _settled(workspace: Workspace, config: BenchmarkConfig) -> BenchmarkConfig:
    """The config with absolute paths; a packaged model that judges is its folder."""
    suites = []
    for suite in config.suites:
        plugin = type(build_suite(suite))
        paths = {
            name: absolute(str(value))
            for name, value in suite.options.items()
            if value and name in opening(plugin)
        }
        suites.append(suite.model_copy(update={"options": {**suite.options, **paths}}))
    changes: dict[str, Any] = {"suites": tuple(suites)}
    if config.judge is not None and config.judge.kind != "server":
        judge = located(config.judge.model, workspace.cache)
        changes["judge"] = config.judge.model_copy(update={"model": absolute(judge)})
    return config.model_copy(update=changes)


def start(workspace: Workspace, config: BenchmarkConfig) -> Path:
    """Start a benchmark run in a process of its own and return its run directory.

    Follow it with ``read_results``, cancel with ``jobs.cancel``, resume with ``jobs.start(path)``.
    """
    path = create(workspace, config)
    jobs.start(path)
    return path


def check(config: BenchmarkConfig) -> list[Benchmark]:
    """The benchmarks that a config asks for; raises where it cannot be run."""
    found = [build_suite(suite) for suite in config.suites]
    labels = [benchmark.label for benchmark in found]
    for label in labels:
        if labels.count(label) > 1:
            raise InputError(f"{label} is asked for twice.", "Ask for it in a run of its own.")
    for benchmark in found:
        if benchmark.needs_judge and config.judge is None:
            raise InputError(
                f"{benchmark.label} needs a judge.",
                "Give --judge MODEL with --judge-url URL, or --judge-kind local or reward.",
            )
        for problem in benchmark.conflicts(config):
            raise problem
        for name in opening(type(benchmark), "file"):
            path = getattr(benchmark, name)
            if path and not path.startswith(HUB):
                local_file(path)
    return found


def estimate_cost(config: BenchmarkConfig) -> dict[str, Cost]:
    """The most that judging can take, by benchmark, before anything is started.

    Only benchmarks that a served judge grades are listed; money where the judge has prices.
    """
    judge = config.judge
    if judge is None or judge.kind != "server":
        return {}
    found = {}
    for benchmark in check(config):
        if benchmark.needs_judge:
            most = benchmark.judging(config.limit)
            money = price(judge, most.prompt_tokens, most.completion_tokens)
            found[benchmark.label] = replace(most, money=money)
    return found


def run(job: Job) -> None:
    """Run (or resume) every benchmark of a run directory; the entry point of the job kind.

    A benchmark that fails does not stop the others; its error is raised at the end, and a resume
    goes on from its journal.
    """
    config = BenchmarkConfig.parse(job.config, str(job.path / "config.json"))
    benchmarks = check(config)
    check_trackers(config.report_to)
    subject = Subject(config.subject)
    failures: list[CrowdSelectError] = []
    for number, benchmark in enumerate(benchmarks, start=1):
        place = f"{benchmark.title} ({number} of {len(benchmarks)})"
        try:
            if _run_one(job, config, subject, benchmark, place) and config.report_to:
                _report(job, config, benchmark.label)
        except CancelledError:
            raise
        except CrowdSelectError as error:
            job.event("note", text=f"{benchmark.label}: {error.problem}")
            failures.append(error)
    if failures:
        raise failures[0]


def _run_one(
    job: Job, config: BenchmarkConfig, subject: Subject, benchmark: Benchmark, place: str
) -> bool:
    """Run a benchmark, unless it is done; whether it was run."""
    notes: list[str] = []
    judging: list[Cost] = []
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", benchmark.label)
    context = Context(
        subject=subject,
        journal=Journal(None),
        folder=job.path / "work" / name,
        progress=partial(_progress, job, place),
        seed=config.seed,
        limit=config.limit,
        note=partial(_note, job, notes),
        cache=job.workspace.cache / "requests",
        judge=config.judge,
        allow_code_execution=config.allow_code_execution,
        spent=judging.append,
    )
    protocol = benchmark.protocol(context)
    key = content_key(protocol)
    if _finished(job.path, benchmark.label, key):
        return False
    began = time.monotonic()
    journal = Journal(job.path / "journal" / f"{name}-{key}-{config.seed}.jsonl")
    context = context.with_journal(journal)
    job.progress(0, None, f"{place}: starting")
    items = benchmark.run(context)
    if not items:
        raise InputError(f"{benchmark.label} has no questions.", "Check its file, or the limit.")
    write_items(job.path / "items" / f"{name}.parquet", items)
    empty = _note_failures(context, items)
    record: dict[str, Any] = {
        "benchmark": benchmark.label,
        "title": benchmark.title,
        "unit": benchmark.unit,
        "higher_is_better": benchmark.higher_is_better,
        "bounds": benchmark.bounds_of(items),
        "protocol": protocol,
        "protocol_key": key,
        "empty": empty,
        "retry": sum(map(_may_succeed, items)),
        "notes": notes,
        "facts": {
            "seconds": round(time.monotonic() - began, 2),
            **_facts(subject),
            **({"judging": asdict(judging[-1])} if judging else {}),
        },
        "items": f"items/{name}.parquet",
    }
    append_outcome(job.path, record, benchmark.scores(items, config.seed))
    return True


def _report(job: Job, config: BenchmarkConfig, label: str) -> None:
    """Hand a finished benchmark to the trackers, with the run, selection and recipe it tests."""
    best = read_results(job.path).outcome(label).headline
    subject, origin = config.subject, config.subject.origin
    facts: dict[str, Any] = {
        "benchmark_run": job.id, "benchmark": label, "tested": subject.name, "run": subject.run,
        "selection": origin.selection if origin else None,
        "recipe": origin.recipe.id if origin and origin.recipe else None,
    }  # fmt: skip
    values = {"score": best.interval.value, "low": best.interval.low, "high": best.interval.high,
              "questions": float(best.n)}  # fmt: skip
    report(config.report_to, job.workspace.root, f"{subject.name} {label}", facts, values)


def _facts(subject: Subject) -> dict[str, Any]:
    """Chat template, device and library versions of a model that was loaded here."""
    if not subject.is_loaded:
        return {"chat_template": "server" if subject.config.endpoint else None}
    loaded = subject.loaded
    versions = {name: version(name) for name in ("torch", "transformers")}
    template = template_name(loaded.tokenizer)
    dtype = str(next(loaded.model.parameters()).dtype).removeprefix("torch.")
    return {
        "chat_template": template, "device": loaded.device, "dtype": dtype, "versions": versions,
    }  # fmt: skip


def _progress(job: Job, place: str, done: int, total: int | None, label: str = "") -> None:
    job.progress(done, total, f"{place}: {label}" if label else place)


def _note(job: Job, notes: list[str], text: str) -> None:
    notes.append(text)
    job.event("note", text=text)


def _finished(run: Path, label: str, key: str) -> bool:
    """Whether it is done, with no request left that a server refused and may answer now."""
    done = {r["benchmark"]: r for r in files.read_lines(run / RESULTS)}
    record = done.get(label)
    return record is not None and record["protocol_key"] == key and not record["retry"]


def _may_succeed(item: Item) -> bool:
    """Whether the item failed because a server refused, which it may not do the next time."""
    return bool(item.details.get("retry")) or may_succeed(item.reason)


def _note_failures(context: Context, items: Sequence[Item]) -> int:
    """Tell what failed and why, and how many answers are empty; return the latter."""
    failed = [item for item in items if item.value is None]
    if failed:
        kinds = by_kind(item.reason or "no value" for item in failed)
        told = "; ".join(f"{count} x {reason}" for reason, count in list(kinds.items())[:5])
        context.note(f"{len(failed)} of {len(items)} failed and do not count: {told}")
    retry = sum(map(_may_succeed, failed))
    if retry:
        context.note(f"{retry} requests were refused; resume the run to ask for them again.")
    empty = sum(not item.answer.strip() for item in items if item.value is not None)
    if empty:
        context.note(f"{empty} of {len(items)} answers are empty; they are judged as they are.")
    return empty
