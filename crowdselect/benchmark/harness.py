"""Academic tasks through lm-evaluation-harness, each in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from crowdselect import files
from crowdselect.benchmark.base import Benchmark, Context, Item, Score
from crowdselect.benchmark.config import BenchmarkConfig
from crowdselect.benchmark.harness_task import VERSION, local_task
from crowdselect.errors import CrowdSelectError, InputError, require
from crowdselect.registry import content_key, option

RUNS_CODE = ("humaneval", "mbpp", "ds1000", "codexglue")
"""Beginnings of the names of tasks that execute what the model wrote."""
METRICS = ("exact_match", "acc", "f1", "pass@1", "bleu", "mcc")
FILTERS = ("get-answer", "strict-match", "none")
POLL_S = 0.5
NEEDED_BY_SERVED = ("requests", "aiohttp", "tenacity")
"""What the harness imports, without a word where it is missing, to ask a server."""


@dataclass(frozen=True)
class Harness(Benchmark):
    """A task of lm-evaluation-harness, or a task of one's own in a JSONL file.

    The chat template is applied, so numbers differ from leaderboards that do not. Group scores are
    means over questions.
    """

    name: ClassVar[str] = "harness"
    title: ClassVar[str] = "lm-evaluation-harness"
    unit: ClassVar[str] = "score"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    source: ClassVar[str] = "EleutherAI/lm-evaluation-harness"
    kind: ClassVar[Literal["harness"]] = "harness"

    task: str = option("", "Task, group or tag of the harness, such as gsm8k")
    file: str = option(
        "", "Own task: JSONL with question, answer and, for a choice, choices", opens="file"
    )
    fewshot: int = option(-1, "Worked examples in the prompt; -1: as the task says", low=-1)
    metric: str = option("", "Which metric of the task; empty: its main one")
    batch_size: int = option(8, "Prompts per batch", low=1)

    @property
    def label(self) -> str:
        """The name and the task."""
        return f"{self.name}:{self.task or Path(self.file).stem}"

    def conflicts(self, config: BenchmarkConfig) -> Iterator[CrowdSelectError]:
        """Neither task nor file, both, or code that must not run."""
        if bool(self.task) == bool(self.file):
            yield InputError(
                "The harness needs a task or a file.",
                "Write --suite harness:task=gsm8k, or --suite harness:file=mine.jsonl.",
            )
        if self.task.startswith(RUNS_CODE) and not config.allow_code_execution:
            yield InputError(
                f"{self.task} runs code that the model wrote, with your rights on this machine.",
                "Use a container, and say --allow-code-execution.",
            )

        if config.subject.endpoint:
            yield from _without(NEEDED_BY_SERVED)

    def protocol(self, context: Context) -> dict[str, Any]:
        """As every benchmark's; with the harness's version."""
        require("lm_eval", feature="Academic tasks", extra="benchmark")
        from importlib.metadata import version

        found = super().protocol(context)
        del found["options"]["batch_size"]
        if self.file:
            found["task_version"] = VERSION
        return {**found, "lm_eval": version("lm_eval")}

    def run(self, context: Context) -> Sequence[Item]:
        """Run the task in a worker process, unless an earlier start finished it."""
        key = content_key([self.protocol(context), context.seed])
        out = context.folder / f"samples-{key}.json"
        if not out.exists():
            self._work(context, out)
        return [item for record in files.read_json(out) for item in self._items(record)]

    def _work(self, context: Context, out: Path) -> None:
        task: Any = self.task
        if self.file:
            task = local_task(Path(self.file).expanduser(), context.folder)
        subject = context.subject.config
        given = {
            "subject": subject.model_dump(mode="json"),
            "task": task,
            "fewshot": None if self.fewshot < 0 else self.fewshot,
            "limit": context.limit,
            "batch_size": self.batch_size,
            "seed": context.seed,
            "allow_code": context.allow_code_execution,
            "out": str(out),
        }
        files.write_json(context.folder / "given.json", given)
        answer = context.folder / "error.json"
        answer.unlink(missing_ok=True)
        code = _run_worker(context, context.folder / "given.json")
        if answer.exists():
            raise CrowdSelectError(*files.read_json(answer))
        if code != 0 or not out.exists():
            raise CrowdSelectError(
                f"lm-evaluation-harness ended with code {code} on {self.label}.",
                "Its output is in the run's log.txt.",
            )

    def _items(self, record: dict[str, Any]) -> list[Item]:
        """The main metric's value of one document; the harness's other metrics as details."""
        values: dict[str, float] = record["values"]
        wanted = [self.metric] if self.metric else [m for m in METRICS if m in values]
        name = next(iter(wanted or values), "")
        if name not in values:
            raise InputError(
                f"{self.label} has no metric {name!r}.", f"It has: {', '.join(values)}."
            )
        kept = record["filter"] in record["filters"][:1]
        if not kept:
            return []
        details = {"metric": name, "target": record["target"], **values}
        question = f"{record['task']}/{record['doc']}"
        return [
            Item(question, record["task"], values[name], record["prompt"], record["answer"],
                 details=details)
        ]  # fmt: skip

    def scores(self, items: Sequence[Item], seed: int) -> list[Score]:
        """The mean of the main metric, over all questions and per subtask."""
        from dataclasses import replace

        name = str(items[0].details["metric"])
        return [replace(s, metric=name) for s in super().scores(items, seed)]


def _without(packages: Sequence[str]) -> Iterator[CrowdSelectError]:
    """The error of each package that is not installed."""
    for package in packages:
        try:
            require(package, feature="A task of the harness on a served model", extra="benchmark")
        except CrowdSelectError as error:
            yield error


def _run_worker(context: Context, given: Path) -> int:
    """Run the worker in a group of its own, stopping it when the run is cancelled."""
    command = [sys.executable, "-m", "crowdselect.benchmark.harness_worker", str(given)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        while process.poll() is None:
            context.progress(0, 1, "running (the harness tells no finer progress)")
            try:
                process.wait(POLL_S)
            except subprocess.TimeoutExpired:
                continue
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
    return process.returncode
