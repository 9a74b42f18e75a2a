"""A study as it stands: power, progress, the forest of differences, budgets, everything tried."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from crowdselect import files, jobs
from crowdselect.benchmark import Difference
from crowdselect.charts.agreement import agreement
from crowdselect.charts.budget_curves import budget_curves
from crowdselect.charts.cost_gain import cost_gain
from crowdselect.charts.forest import forest
from crowdselect.dashboard import jobs_view, reads, shell, state
from crowdselect.dashboard.study import form
from crowdselect.dashboard.text import md, plural
from crowdselect.jobs import JobView
from crowdselect.pipeline.study import (
    JOURNAL,
    SPLITS,
    StudyResult,
    find_study,
    in_words,
    read_study,
    study_names,
)

BUDGET = "recipe.budget"
MINUS = "\N{MINUS SIGN}"


def show() -> None:
    """Choose a study and one of its sets of questions; what it found is below."""
    names = study_names(reads.workspace())
    if not names:
        shell.empty(
            "No study yet",
            "A study trains on what several recipes choose, over seeds, and says what can be told "
            "apart. Start one below; one of more arms and budgets is a file for the command line.",
        )
        form.show(opened=True)
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox("Study", names, **state.view_widget("name", names[0], names), width=320)
        splits = [s for s in SPLITS if getattr(find_study(reads.workspace(), name).plan, s)]
        split = st.segmented_control(
            "Questions",
            splits,
            **state.view_widget("split", splits[0], splits),
            required=True,
            format_func=lambda split: split.capitalize(),
            help="Recipes are tuned on development and reported, once, on test.",
        )
    split = split or splits[0]
    found = results(name, split)
    plan = found.plan
    shell.heading(plan.title or plan.name, md(plan.note))
    st.caption(md(found.power))
    job = _job(name, split)
    if job is not None and job.state in jobs.ALIVE:
        jobs_view.follow(job.path, f"{name}: {split} questions")
        _filling(name, split)
        return
    if job is not None:
        jobs_view.ended(job)
    if (job is None or job.state == "done") and found.done < found.planned:
        form.go_on(find_study(reads.workspace(), name), split)
    _found(found)
    form.show(opened=False)


@shell.fragment(run_every=5.0)
def _filling(name: str, split: str) -> None:
    """The table while a study runs."""
    _table(results(name, split))


def _found(found: StudyResult) -> None:
    if found.hidden:
        st.info(md("\n".join(found.sentences())))
    for baseline in found.plan.baselines:
        if against := found.against(baseline):
            _forest(found, against, baseline)
    _curves(found)
    _costs(found)
    _fits(found)
    _table(found)
    _alike(found)
    if found.differences:
        shell.heading("In words")
        st.text("\n".join(found.sentences()))
    elif found.looks:
        st.text("\n".join(found.looked()))


def results(name: str, split: str) -> StudyResult:
    """The study's results, kept until one of its runs or the journal of looks changes."""
    study = find_study(reads.workspace(), name)
    ends = sorted(path.stat().st_mtime_ns for path in study.workspace.runs.glob("*/results.jsonl"))
    journal = files.read_lines(study.home.studies / JOURNAL)
    return _results(str(study.path), name, split, (study.plan.to_toml(), len(journal), *ends))


@st.cache_resource(max_entries=8, show_spinner="Reading the study")
def _results(folder: str, name: str, split: str, stamp: tuple[object, ...]) -> StudyResult:
    return read_study(find_study(reads.workspace(), name), split)


def _job(name: str, split: str) -> JobView | None:
    """The newest job of the study on these questions."""
    for view in jobs.all_runs(reads.workspace(), "study"):
        config = view.config
        if config.get("split") == split and config.get("plan", {}).get("name") == name:
            return view
    return None


def differences_frame(differences: Sequence[Difference]) -> pd.DataFrame:
    """Differences as a forest plot takes them."""

    def verdict(d: Difference) -> str:
        if not d.distinguishable():
            return "unclear"
        return "better" if (d.interval.value > 0) == d.higher_is_better else "worse"

    return pd.DataFrame(
        [
            {
                "name": d.first,
                "value": d.interval.value,
                "low": d.interval.low,
                "high": d.interval.high,
                "p": d.adjusted_p,
                "verdict": verdict(d),
            }
            for d in differences
        ]
    )


def _forest(found: StudyResult, differences: Sequence[Difference], baseline: str) -> None:
    note = f"{found.unit}; paired, 95 % intervals. {found.correction()}"
    shell.heading(f"Difference to {baseline}", md(note))
    fig = forest(differences_frame(differences), f"difference to {baseline}", shell.palette())
    shell.plot(fig, f"forest {baseline}", f"Differences of every arm to {baseline}")


def _curves(found: StudyResult) -> None:
    rows = [
        {"arm": row.arm, "budget": row.rows, "score": row.interval.value,
         "low": row.interval.low, "high": row.interval.high}
        for row in found.rows
        if BUDGET in row.point and not math.isnan(row.interval.value)
    ]  # fmt: skip
    frame = pd.DataFrame(rows)
    if frame.empty or frame["budget"].nunique() < 2:
        return
    shell.heading("Budgets", "Score by rows trained on, with 95 % intervals.")
    fig = budget_curves(frame, found.unit, shell.palette())
    shell.plot(fig, "budgets", "Score of every arm by its budget")


def _costs(found: StudyResult) -> None:
    """Steps against score, where some arms took more steps than others."""
    rows = [
        {"name": row.label, "cost": row.steps, "score": row.interval.value,
         "low": row.interval.low, "high": row.interval.high}
        for row in found.rows
        if row.steps and not math.isnan(row.interval.value)
    ]  # fmt: skip
    frame = pd.DataFrame(rows)
    if frame.empty or frame["cost"].nunique() < 2:
        return
    shell.heading("Cost against gain", "Optimiser steps against score, with 95 % intervals.")
    fig = cost_gain(frame, "optimiser steps", found.unit, shell.palette())
    shell.plot(fig, "costs", "Score of every arm by the steps that it trained")


def _alike(found: StudyResult) -> None:
    """Which arms' models are right about the same questions."""
    if len(found.alike) < 2:
        return
    with st.expander("Who agrees with whom"):
        st.caption(
            "Correlation over the questions of the arms' mean scores: near 1, both are right about "
            "the same ones."
        )
        fig = agreement(pd.DataFrame(found.alike), shell.palette(), "correlation")
        shell.plot(fig, "alike", "Correlation of the arms over the questions")


def _fits(found: StudyResult) -> None:
    """What fitted arms gain where they were fitted, where they were chosen, and on the test."""
    if not found.fitted:
        return
    note = "Gain over the first baseline; a fit looks best where it was fitted."
    shell.heading("Fitted arms", note)
    frame = pd.DataFrame(
        [
            {
                "arm": each.label,
                "fitted on": each.fitted,
                "chosen on": each.checked,
                "test": math.nan if each.test is None else each.test,
                "recipe": in_words(each.recipe),
                "selection": each.selection,
            }
            for each in found.fitted
        ]
    )
    st.dataframe(
        frame,
        hide_index=True,
        alt="Gains of the fitted arms",
        column_config={
            name: st.column_config.NumberColumn(format="%+.3f")
            for name in ("fitted on", "chosen on", "test")
        },
    )


def _table(found: StudyResult) -> None:
    """Every row, also of arms that nothing came of."""
    done = f"{found.done:,} of {plural(found.planned, 'cell')} finished"
    asked = f"; {plural(found.questions, 'question')}" if found.questions else ""
    shell.heading("Everything tried", f"{done}{asked}.")
    frame = pd.DataFrame(
        {
            "arm": [row.label for row in found.rows],
            "rows": pd.array([row.rows for row in found.rows], dtype="Int64"),
            "seeds": [f"{row.done} of {row.planned}" for row in found.rows],
            found.unit or "score": [row.interval.value for row in found.rows],
            "low": [row.interval.low for row in found.rows],
            "high": [row.interval.high for row in found.rows],
            "note": [row.note for row in found.rows],
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        alt="Every arm of the study",
        placeholder="",
        height=shell.rows_px(min(len(frame), 20)),
        column_config={
            name: st.column_config.NumberColumn(format="%.3f")
            for name in (found.unit or "score", "low", "high")
        },
    )
    st.download_button(
        "Download as CSV",
        frame.map(files.inert).to_csv(index=False),
        file_name=f"study-{found.plan.name}-{found.split}.csv",
        mime="text/csv",
        on_click="ignore",
    )
