"""What a benchmark run found: one outcome per benchmark, with its items, read from the run's files.

``runs/<id>/results.jsonl`` holds a line per finished benchmark, ``runs/<id>/items/<file>.parquet``
its items, ``runs/<id>/journal/`` what was finished before.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crowdselect import files, jobs
from crowdselect.benchmark.base import Item, Score
from crowdselect.benchmark.config import BenchmarkConfig
from crowdselect.benchmark.statistics import Bounds, Interval, Sums, sums_by_group
from crowdselect.errors import CrowdSelectError, NotFoundError
from crowdselect.registry import content_key
from crowdselect.settings import Workspace

if TYPE_CHECKING:
    import pandas as pd

RESULTS = "results.jsonl"
COMPUTED = "computed"
"""Key of a protocol: device and dtype of a model that ran on this machine."""


@dataclass(frozen=True)
class Outcome:
    """One benchmark of one run, finished."""

    benchmark: str
    """Label, such as ``verifiable`` or ``harness:gsm8k``."""
    title: str
    unit: str
    higher_is_better: bool
    protocol: Mapping[str, Any]
    """What must be equal for scores to be comparable."""
    protocol_key: str
    """Hash of ``protocol``."""
    scores: tuple[Score, ...]
    """The first one is the headline; then others and categories."""
    n: int
    """Questions that count in the headline."""
    failed: int
    """Items without a value."""
    empty: int
    """Empty answers (judged like any other)."""
    notes: tuple[str, ...]
    facts: Mapping[str, Any]
    """Seconds, chat template, cost, library versions: of interest, no part of the protocol."""
    items_path: Path
    bounds: Bounds | None = None
    """Least and greatest possible value of an item; None: unbounded, or not written down."""

    @property
    def headline(self) -> Score:
        """The score that the benchmark is known by."""
        return self.scores[0]

    @functools.cached_property
    def asked_key(self) -> str:
        """Hash of the protocol but for where the model computed."""
        return content_key({k: v for k, v in self.protocol.items() if k != COMPUTED})

    @property
    def computed(self) -> str:
        """Device and dtype of the model under test; empty: served, or not written down."""
        return " ".join(map(str, (self.protocol.get(COMPUTED) or {}).values()))

    @property
    def quick_look(self) -> bool:
        """Whether only some of the questions were asked."""
        return self.protocol.get("limit") is not None

    def items(self) -> list[Item]:
        """Every question with prompt, answer and value."""
        return read_items(self.items_path)

    def sums(self) -> Sums:
        """Weighted sum and weights of each question, over the items that did not fail."""
        import pyarrow.parquet as pq

        _check_there(self.items_path)
        table = pq.read_table(self.items_path, columns=["value", "question", "weight"])
        value, question, weight = (table[name].to_pylist() for name in table.column_names)
        valid = [i for i, v in enumerate(value) if v is not None]
        parts = ([column[i] for i in valid] for column in (value, question, weight))
        return sums_by_group(*parts)


@dataclass(frozen=True)
class BenchmarkView:
    """A benchmark run as it stands: its state and what is finished."""

    id: str
    path: Path
    state: jobs.State
    label: str
    done: int
    total: int | None
    eta_s: float | None
    started: str
    error: tuple[str, str] | None
    config: BenchmarkConfig
    outcomes: tuple[Outcome, ...]
    notes: tuple[str, ...]

    @property
    def name(self) -> str:
        """What results call the model under test."""
        return self.config.subject.name

    def outcome(self, benchmark: str) -> Outcome:
        """The outcome with this label; raises NotFoundError where it is not finished."""
        for outcome in self.outcomes:
            if outcome.benchmark == benchmark:
                return outcome
        known = ", ".join(o.benchmark for o in self.outcomes) or "none"
        raise NotFoundError(
            f"{self.id} has no result of {benchmark!r}.", f"Finished there: {known}."
        )


def read_results(run: Path | Workspace, run_id: str | None = None) -> BenchmarkView:
    """Read a run by its folder, or by workspace and id; raises NotFoundError if it is none."""
    path = run.run(run_id or "") if isinstance(run, Workspace) else run
    job = jobs.read(path)
    if job.kind != "benchmark":
        raise NotFoundError(
            f"{job.id} is a {job.kind} run, not a benchmark.", "See: crowdselect benchmark list"
        )
    events = files.read_lines(path / "events.jsonl")
    latest = {r["benchmark"]: r for r in files.read_lines(path / RESULTS)}
    return BenchmarkView(
        id=job.id,
        path=path,
        state=job.state,
        label=job.label,
        done=job.done,
        total=job.total,
        eta_s=job.eta_s,
        started=job.started,
        error=job.error,
        config=BenchmarkConfig.parse(job.config, str(path / "config.json")),
        outcomes=tuple(_outcome(path, record) for record in latest.values()),
        notes=tuple(dict.fromkeys(e["text"] for e in events if e["event"] == "note")),
    )


def list_results(workspace: Workspace) -> list[BenchmarkView]:
    """Every benchmark run of the workspace, newest first; damaged ones are left out."""
    found = []
    for view in jobs.all_runs(workspace, "benchmark"):
        with suppress(CrowdSelectError):
            found.append(read_results(view.path))
    return found


def results_frame(views: Sequence[BenchmarkView]) -> pd.DataFrame:
    """A row per run, benchmark, metric and category.

    Columns: ``run, name, benchmark, metric, category, score, low, high, n, failed, quick_look,
    protocol_key``; ``category`` is empty for all questions together.
    """
    import pandas as pd

    rows = [
        (v.id, v.name, o.benchmark, s.metric, s.category, s.interval.value, s.interval.low,
         s.interval.high, s.n, s.failed, o.quick_look, o.protocol_key)
        for v in views for o in v.outcomes for s in o.scores
    ]  # fmt: skip
    columns = ["run", "name", "benchmark", "metric", "category", "score", "low", "high", "n",
               "failed", "quick_look", "protocol_key"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def append_outcome(run: Path, record: Mapping[str, Any], scores: Sequence[Score]) -> None:
    """Add a finished benchmark to the run's results."""
    as_json = [
        {"metric": s.metric, "value": _number(s.interval.value), "low": _number(s.interval.low),
         "high": _number(s.interval.high), "n": s.n, "failed": s.failed, "category": s.category}
        for s in scores
    ]  # fmt: skip
    files.append_line(run / RESULTS, {**record, "scores": as_json})


def _number(value: float) -> float | None:
    """A JSON number; what is not finite becomes null."""
    return float(value) if math.isfinite(value) else None


def _outcome(run: Path, record: Mapping[str, Any]) -> Outcome:
    scores = tuple(
        Score(
            s["metric"],
            Interval(*(math.nan if s[k] is None else s[k] for k in ("value", "low", "high"))),
            s["n"],
            s["failed"],
            s["category"],
        )
        for s in record["scores"]
    )
    return Outcome(
        **{k: record[k] for k in ("benchmark", "title", "unit", "higher_is_better", "protocol",
                                  "protocol_key", "empty", "facts")},
        scores=scores,
        n=scores[0].n,
        failed=scores[0].failed,
        notes=tuple(record["notes"]),
        items_path=run / record["items"],
        bounds=tuple(record["bounds"]) if record.get("bounds") else None,
    )  # fmt: skip


def write_items(path: Path, items: Sequence[Item]) -> None:
    """Write items as Parquet, whole or not at all; ``details`` as JSON text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [("question", pa.string()), ("category", pa.string()), ("value", pa.float64()),
         ("prompt", pa.string()), ("answer", pa.string()), ("reason", pa.string()),
         ("weight", pa.float64()), ("details", pa.string())]
    )  # fmt: skip
    rows = [
        {**asdict(item), "details": json.dumps(item.details, ensure_ascii=False)} for item in items
    ]
    with files.write_aside(path) as aside:
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), aside, compression="zstd")


def read_items(path: Path) -> list[Item]:
    """Read what :func:`write_items` wrote."""
    import pyarrow.parquet as pq

    _check_there(path)
    rows = pq.read_table(path).to_pylist()
    return [Item(**{**row, "details": json.loads(row["details"])}) for row in rows]


def _check_there(path: Path) -> None:
    if not path.is_file():
        raise NotFoundError(f"The items {path} are gone.", "Run the benchmark again.")
