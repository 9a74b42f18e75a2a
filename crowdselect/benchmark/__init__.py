"""Benchmarks: a model -> results with intervals, compared fairly with others.

Start and follow (all by run directories, like every job)::

    config = BenchmarkConfig(
        subject=SubjectConfig(name="best-1000", model="path/or/hub-id"),
        suites=(Suite(name="verifiable"), Suite.from_text("heldout-loss:path=dev.jsonl")),
    )
    path = start(workspace, config)          # a process of its own; create() only makes it
    view = read_results(path)                # or read_results(workspace, run_id); while it runs too
    view.state, view.label, view.done, view.total, view.eta_s, view.error, view.notes
    for outcome in view.outcomes:            # finished benchmarks
        outcome.headline.interval            # .value, .low, .high (95 %)
        outcome.scores                       # metrics and categories
        outcome.items()                      # question, category, prompt, answer, value, reason
    list_results(workspace)                  # every benchmark run, newest first
    results_frame(views)                     # one row per run, benchmark, metric, category
    compare(views)                           # paired differences, Holm, warnings, refusals

    estimate_cost(config)                    # the most a served judge can cost, before the start

``jobs.cancel(path)`` stops a run, ``jobs.start(path)`` resumes it. A ``SubjectConfig`` for a
fine-tuning run is made by ``crowdselect.pipeline.benchmark.subject_of``.

``BENCHMARKS`` lists every benchmark with its options. ``published_tables()`` gives the papers'
tables, marked as published.
"""

from crowdselect.benchmark.base import Benchmark, Context, Item, Score
from crowdselect.benchmark.comparison import (
    ENOUGH_SEEDS,
    BenchmarkComparison,
    Group,
    GroupScore,
    ResultComparison,
    compare,
)
from crowdselect.benchmark.config import BenchmarkConfig, Suite
from crowdselect.benchmark.differences import (
    Difference,
    Side,
    paired_difference,
    side_interval,
)
from crowdselect.benchmark.job import check, create, estimate_cost, start
from crowdselect.benchmark.judge import JudgeConfig
from crowdselect.benchmark.judgments import FORMATS as JUDGMENTS
from crowdselect.benchmark.power import Spread, assumed, detectable, measured
from crowdselect.benchmark.published import published_tables
from crowdselect.benchmark.results import (
    BenchmarkView,
    Outcome,
    list_results,
    read_results,
    results_frame,
)
from crowdselect.benchmark.shelf import BENCHMARKS, SHORTHANDS, build_suite
from crowdselect.benchmark.sources import file_hash
from crowdselect.benchmark.statistics import Interval, holm
from crowdselect.benchmark.subject import SubjectConfig
from crowdselect.benchmark.traps import Optimism

__all__ = [
    "BENCHMARKS",
    "ENOUGH_SEEDS",
    "JUDGMENTS",
    "SHORTHANDS",
    "Benchmark",
    "BenchmarkComparison",
    "BenchmarkConfig",
    "BenchmarkView",
    "Context",
    "Difference",
    "Group",
    "GroupScore",
    "Interval",
    "Item",
    "JudgeConfig",
    "Optimism",
    "Outcome",
    "ResultComparison",
    "Score",
    "Side",
    "Spread",
    "SubjectConfig",
    "Suite",
    "assumed",
    "build_suite",
    "check",
    "compare",
    "create",
    "detectable",
    "estimate_cost",
    "file_hash",
    "holm",
    "list_results",
    "measured",
    "paired_difference",
    "published_tables",
    "read_results",
    "results_frame",
    "side_interval",
    "start",
]
