"""A tiny model, held-out tasks and finished runs; nothing is faked."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crowdselect import jobs
from crowdselect.benchmark import (
    BenchmarkConfig,
    BenchmarkView,
    Item,
    SubjectConfig,
    Suite,
    create,
    read_results,
)
from crowdselect.benchmark.base import summarise
from crowdselect.benchmark.results import append_outcome, write_items
from crowdselect.benchmark.subject import Subject
from crowdselect.lm.models import Loaded
from crowdselect.registry import content_key
from crowdselect.settings import Workspace
from scripts.demo_build.tasks import make_tasks
from tests.crowds import write_jsonl
from tests.finetune.conftest import base_model, chat, tokenizer

__all__ = ["base_model", "tokenizer"]


@pytest.fixture(scope="session")
def subject(base_model: Path) -> Subject:
    """The tiny model under test, loaded once."""
    return Subject(SubjectConfig(name="tiny", model=str(base_model)))


@pytest.fixture(scope="session")
def loaded(subject: Subject) -> Loaded:
    return subject.loaded


@pytest.fixture(scope="session")
def tasks_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve held-out tasks of the demo world."""
    path = tmp_path_factory.mktemp("tasks") / "tasks.parquet"
    pq.write_table(pa.Table.from_pylist([asdict(t) for t in make_tasks(12, 7, "heldout")]), path)
    return path


@pytest.fixture(scope="session")
def dev_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten conversations; every third has two turns."""
    rows = [{"messages": chat(i, 2 if i % 3 == 0 else 1), "id": f"c{i}"} for i in range(10)]
    return write_jsonl(tmp_path_factory.mktemp("dev") / "dev.jsonl", rows)


@pytest.fixture
def benchmarked(workspace: Workspace, base_model: Path) -> Callable[..., BenchmarkView]:
    """Run suites on the tiny model in this process; the view, whatever the state."""

    def call(*suites: str | Suite, **options: Any) -> BenchmarkView:
        subject = options.pop("subject", None) or SubjectConfig(name="tiny", model=str(base_model))
        config = BenchmarkConfig.parse({"subject": subject, "suites": suites, **options}, "test")
        path = create(workspace, config)
        jobs.run_here(path)
        return read_results(path)

    return call


@pytest.fixture
def finished(workspace: Workspace) -> Callable[..., BenchmarkView]:
    """A finished run with given values per question, as the job writes one."""

    def call(
        name: str,
        values: Sequence[float | None],
        *,
        benchmark: str = "verifiable",
        weights: Sequence[float] | None = None,
        options: dict[str, Any] | None = None,
        higher: bool = True,
        bounds: tuple[float, float] | None = None,
        computed: dict[str, str] | None = None,
        **subject: Any,
    ) -> BenchmarkView:
        given = {"name": name, "model": f"models/{name}", **subject}
        config = BenchmarkConfig.parse(
            {"subject": given, "suites": [{"name": "verifiable"}]}, "test"
        )
        path = create(workspace, config)
        items = [
            Item(f"q{i}", "", v, "?", "!", weight=1.0 if weights is None else weights[i])
            for i, v in enumerate(values)
        ]
        write_items(path / "items" / "x.parquet", items)
        protocol = {"benchmark": benchmark, "options": options or {}, "limit": None}
        protocol |= {"computed": computed} if computed else {}
        record = {
            "benchmark": benchmark,
            "title": benchmark,
            "unit": "score",
            "higher_is_better": higher,
            "bounds": bounds,
            "protocol": protocol,
            "protocol_key": content_key(protocol),
            "empty": 0,
            "retry": 0,
            "notes": [],
            "facts": {},
            "items": "items/x.parquet",
        }
        append_outcome(path, record, [summarise("score", items, bounds=bounds)])
        return read_results(path)

    return call
