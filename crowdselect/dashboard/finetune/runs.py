"""The fine-tunes there are: follow, cancel, resume, compare."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from crowdselect import jobs
from crowdselect.charts.loss_curve import loss_curve
from crowdselect.dashboard import jobs_view, reads, shell, table
from crowdselect.dashboard.finetune.names import (
    model_words,
    run_words,
    selection_names,
    trained_on,
)
from crowdselect.dashboard.text import md, number
from crowdselect.finetune import RunView, list_runs, resume
from crowdselect.readonly import read_only

SHOWN = "finetune shown"


def show() -> None:
    """The table of runs; the ticked ones (or those just started) are followed below."""
    jobs_view.damaged_note()
    views = list_runs(reads.workspace())
    if not views:
        shell.empty("No run yet", "Start one under New run.")
    elif any(v.state in jobs.ALIVE for v in views):
        _live()
    else:
        _runs(views)


@shell.fragment(run_every=2.0)
def _live() -> None:
    """Table and runs, read at one time, every two seconds; drawn once more when the last ends."""
    views = list_runs(reads.workspace())
    _runs(views)
    if not any(v.state in jobs.ALIVE for v in views):
        st.rerun()


def _runs(views: Sequence[RunView]) -> None:
    rows = table.ticks(
        overview(views),
        [view.id for view in views],
        name="runs",
        height=300,
        alt="Fine-tuning runs",
        column_config={
            "final loss": st.column_config.TextColumn(alignment="right"),
            "progress": st.column_config.ProgressColumn(min_value=0, max_value=1, format="percent"),
        },
    )
    ticked = [views[i].id for i in rows]
    wanted = ticked or st.session_state.get(SHOWN) or [views[0].id]
    _follow([v for v in views if v.id in wanted])


def overview(views: Sequence[RunView]) -> pd.DataFrame:
    """One line per run, newest first."""
    names = selection_names()
    return pd.DataFrame(
        {
            "selection": [trained_on(v.config, names) for v in views],
            "model": [model_words(v.config.model) for v in views],
            "method": [f"{v.config.method}, {v.config.mode}" for v in views],
            "state": [jobs_view.state_words(v.state, v.path) for v in views],
            "progress": [_share(v) for v in views],
            "final loss": ["" if v.final_loss is None else f"{v.final_loss:.4f}" for v in views],
            "run": [v.id for v in views],
        }
    )


def _share(view: RunView) -> float:
    if view.state == "done":
        return 1.0
    return view.step / view.max_steps if view.max_steps else 0.0


def curve_frame(views: Sequence[RunView]) -> pd.DataFrame:
    """``run``, ``step``, ``loss``, ``kind`` of every logged step."""
    names = selection_names()
    words = {v.id: run_words(v.id, v.config, names) for v in views}
    rows = [(words[v.id], point.step, point.loss, "train") for v in views for point in v.curve] + [
        (words[v.id], step, loss, "eval") for v in views for step, loss in v.eval_curve
    ]
    return pd.DataFrame(rows, columns=["run", "step", "loss", "kind"])


def _follow(views: Sequence[RunView]) -> None:
    curve = curve_frame(views)
    if not curve.empty:
        shell.plot(loss_curve(curve, shell.palette()), "loss", "Loss over steps")
    for view in views:
        _one(view)


def _one(view: RunView) -> None:
    with st.container(border=True):
        st.text(run_words(view.id, view.config, selection_names()))
        alive = view.state in jobs.ALIVE
        parts = [jobs_view.state_words(view.state, view.path), view.label if alive else ""]
        if view.max_steps:
            parts.append(f"step {view.step:,} of {view.max_steps:,}")
        if view.curve:
            parts.append(f"loss {view.curve[-1].loss:.4f}")
        if view.tokens_per_s:
            parts.append(f"{view.tokens_per_s:,.0f} tokens/s")
        if view.mfu:
            parts.append(f"MFU {view.mfu:.0%}")
        if alive:
            parts.append(jobs_view.duration(view.eta_s))
        st.caption(md(" \N{MIDDLE DOT} ".join(p for p in parts if p)))
        if view.error:
            st.error(f"{md(view.error[0])}\n\n{md(view.error[1])}")
        for note in view.notes:
            st.caption(md(note))
        _buttons(view)
        with st.expander("Options and data"):
            by = jobs.read_record(view.path).author
            st.caption(f"Run {md(view.id)}" + (f", started by {md(by)}" if by else ""))
            st.json(view.config.model_dump(mode="json"), expanded=False)
            if view.data:
                st.json(dict(view.data), expanded=False)


def _buttons(view: RunView) -> None:
    if read_only():
        return
    if view.state in jobs.ALIVE:
        jobs_view.cancel_button(view.id, view.path)
    elif view.state in ("failed", "cancelled"):
        st.button("Resume", key=f"resume {view.id}", on_click=_resume, args=(view,))
    elif view.final_loss is not None:
        st.caption(f"Mean training loss {number(view.final_loss, 4)}")


def _resume(view: RunView) -> None:
    resume(view.path)
    st.session_state[SHOWN] = [view.id]
