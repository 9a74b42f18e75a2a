"""Results with intervals, paired differences, categories, and answers side by side."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from crowdselect import files, jobs
from crowdselect.benchmark import (
    BenchmarkComparison,
    BenchmarkView,
    ResultComparison,
    compare,
    list_results,
    read_results,
    results_frame,
)
from crowdselect.charts.benchmark_scores import benchmark_scores
from crowdselect.charts.category_scores import USEFUL, category_scores, useful
from crowdselect.dashboard import jobs_view, reads, shell, table
from crowdselect.dashboard.benchmark import examples
from crowdselect.dashboard.text import md, plural
from crowdselect.errors import CrowdSelectError


def show() -> None:
    """Runs as a table; the ticked ones (or all) below."""
    views = list_results(reads.workspace())
    jobs_view.damaged_note()
    if not views:
        shell.empty("No benchmark yet", "Start one under New benchmark.")
    elif any(v.state in jobs.ALIVE for v in views):
        _live()
    else:
        _runs(views)


@shell.fragment(run_every=3.0)
def _live() -> None:
    """Table and runs, read at one time, every three seconds; once more when the last ends."""
    views = list_results(reads.workspace())
    _runs(views)
    if not any(v.state in jobs.ALIVE for v in views):
        st.rerun()


def _runs(views: Sequence[BenchmarkView]) -> None:
    rows = table.ticks(
        overview(views),
        [view.id for view in views],
        name="runs",
        height=260,
        alt="Benchmark runs",
        column_config={"started": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm")},
    )
    ticked = [views[i] for i in rows]
    chosen = ticked or views
    for view in chosen:
        if view.state in jobs.ALIVE:
            suites = ", ".join(suite.name for suite in view.config.suites)
            jobs_view.follow(view.path, f"{view.name}: {suites}")
    stopped = [v for v in chosen if v.state in ("failed", "cancelled")]
    if ticked:
        for view in stopped:
            st.text(view.name)
            jobs_view.ended(jobs.read(view.path))
    elif stopped:
        st.caption(f"{plural(len(stopped), 'run')} did not reach the end; tick one to see why.")
    if finished := [v for v in chosen if v.outcomes]:
        _results(finished)
    _notes(chosen)


def overview(views: Sequence[BenchmarkView]) -> pd.DataFrame:
    """One line per run, newest first."""
    return pd.DataFrame(
        {
            "model": [v.name for v in views],
            "benchmarks": [", ".join(s.name for s in v.config.suites) for v in views],
            "state": [jobs_view.state_words(v.state, v.path) for v in views],
            "finished": [f"{len(v.outcomes)} of {len(v.config.suites)}" for v in views],
            "quick look": [any(o.quick_look for o in v.outcomes) for v in views],
            "started": pd.to_datetime([v.started for v in views]),
            "run": [v.id for v in views],
        }
    )


def _notes(views: Sequence[BenchmarkView]) -> None:
    """What the runs remarked on, behind one line."""
    notes = [f"{view.name}: {note}" for view in views for note in view.notes]
    if notes:
        with st.expander(f"{plural(len(notes), 'remark')} of the runs"):
            st.text("\n".join(notes))


def _results(views: Sequence[BenchmarkView]) -> None:
    frame = results_frame(views)
    compared = comparison(views)
    by_label = {} if compared is None else {b.benchmark: b for b in compared.benchmarks}
    for label in dict.fromkeys(frame["benchmark"]):
        _one(frame[frame["benchmark"] == label], label, by_label.get(label), views)
    for reason in () if compared is None else compared.refused:
        st.warning(md(reason))
    with st.expander("All numbers"):
        st.dataframe(frame, hide_index=True, alt="All benchmark numbers")
        st.download_button(
            "Download as CSV",
            frame.map(files.inert).to_csv(index=False),
            file_name="benchmark-results.csv",
            mime="text/csv",
            on_click="ignore",
        )


@st.cache_resource(max_entries=12, show_spinner="Comparing")
def _compare(stamp: str, ids: tuple[str, ...]) -> ResultComparison | None:
    views = [read_results(reads.workspace().run(i)) for i in ids]
    try:
        return compare(views)
    except CrowdSelectError:
        return None


def comparison(views: Sequence[BenchmarkView]) -> ResultComparison | None:
    """Paired differences; None where there are not two models to compare."""
    stamp = repr([(v.id, len(v.outcomes)) for v in views])
    return _compare(stamp, tuple(v.id for v in views))


def _one(
    frame: pd.DataFrame,
    label: str,
    compared: BenchmarkComparison | None,
    views: Sequence[BenchmarkView],
) -> None:
    outcome = next(o for v in views for o in v.outcomes if o.benchmark == label)
    better = "higher" if outcome.higher_is_better else "lower"
    shell.heading(outcome.title, f"{md(outcome.unit)}, {better} is better; 95 % intervals.")
    overall = frame[(frame["category"] == "") & (frame["metric"] == outcome.headline.metric)]
    p = shell.palette()
    left, right = st.columns(2)
    with left:
        fig = benchmark_scores(overall, outcome.headline.metric, p)
        shell.plot(fig, f"scores {label}", f"Scores on {outcome.title}")
        if overall["quick_look"].any():
            st.caption("A quick look: only some of the questions were asked.")
        if overall["failed"].sum():
            st.caption(f"{int(overall['failed'].sum()):,} answers failed and do not count.")
    with right:
        _differences(label, compared)
    _sentences(compared)
    parts = frame[(frame["category"] != "") & (frame["metric"] == outcome.headline.metric)]
    if not parts.empty:
        _categories(parts, outcome.headline.metric, outcome.title, label)
    with st.expander("Answers side by side"):
        examples.show(label, views)


def _categories(parts: pd.DataFrame, metric: str, title: str, label: str) -> None:
    """Scores by category, those with enough questions."""
    drawn, few = useful(parts.rename(columns={"name": "run", "run": "id"}))
    if not drawn.empty:
        fig = category_scores(drawn, metric, shell.palette())
        shell.plot(fig, f"categories {label}", f"Scores by category on {title}")
    if few:
        names = ", ".join(few[:5]) + (f" and {len(few) - 5} more" if len(few) > 5 else "")
        st.caption(
            f"Fewer than {USEFUL} questions, so not drawn: {md(names, 200)}. All numbers are below."
        )


def _differences(label: str, compared: BenchmarkComparison | None) -> None:
    if compared is None or not compared.differences:
        st.caption("Tick two models to see their paired difference.")
        return
    rows = pd.DataFrame(
        [
            {
                "name": f"{d.first} \N{MINUS SIGN} {d.second}",
                "score": d.interval.value,
                "low": d.interval.low,
                "high": d.interval.high,
                "n": d.questions,
            }
            for d in compared.differences
        ]
    )
    fig = benchmark_scores(rows, "paired difference", shell.palette(), zero=True)
    shell.plot(fig, f"differences {label}", "Paired differences")


def _sentences(compared: BenchmarkComparison | None) -> None:
    """The differences in words, then what limits them."""
    if compared is None or not compared.differences:
        return
    st.text("\n".join(difference.sentence() for difference in compared.differences))
    if compared.warnings:
        st.warning("\n".join(f"- {md(text)}" for text in compared.warnings))
