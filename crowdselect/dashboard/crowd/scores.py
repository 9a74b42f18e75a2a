"""Score columns beside the crowd's own metrics: what there is, import a file, score with models."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import pandas as pd
import streamlit as st

from crowdselect import jobs
from crowdselect.dashboard import jobs_view, options, reads, shell
from crowdselect.dashboard.crowd import score_report
from crowdselect.dashboard.models import (
    Served,
    answering_field,
    named_models,
    packaged_models,
    server_field,
)
from crowdselect.dashboard.text import md, plural
from crowdselect.dashboard.uploads import kept
from crowdselect.registry import options_of
from crowdselect.store import Crowd

HIDDEN = ("models",)
"""They have a field of their own."""


def show(crowd: Crowd) -> None:
    """The columns, running jobs, and two ways to get more."""
    _columns(crowd)
    score_report.show(crowd)
    for view in jobs.all_runs(reads.workspace(), "score"):
        if view.state in jobs.ALIVE and view.config.get("source") == crowd.name:
            jobs_view.follow(view.path, f"Scoring with {view.config.get('scorer')}")
    if shell.read_only_note("scoring"):
        return
    left, right = st.columns(2, gap="medium")
    with left:
        _import(crowd)
    with right:
        _score(crowd)
    _last(crowd)


def _columns(crowd: Crowd) -> None:
    shell.heading(
        "Score columns",
        "Imported or made by a model; each can be weighed, plotted and filtered like a metric.",
    )
    infos = crowd.score_columns()
    if not infos:
        st.caption("None yet.")
        return
    data = pd.DataFrame(
        [
            {"column": name, "title": i.title, "usually wanted": i.direction, "made by": i.source}
            for name, i in infos.items()
        ]
    )
    st.dataframe(data, hide_index=True, height=shell.rows_px(len(data)), alt="Score columns")


def _import(crowd: Crowd) -> None:
    shell.heading("Import a file", "One row per instruction: its id, and columns of numbers.")
    upload = st.file_uploader(
        "Scores",
        type=["csv", "tsv", "parquet", "jsonl"],
        key="scores upload",
        max_upload_size=200,
    )
    column = st.text_input(
        "Column of the ids", key="scores id", persist_state="session", placeholder="detected"
    )
    if st.button("Import", disabled=upload is None) and upload is not None:
        with kept([upload]) as (path,):
            found = crowd.import_scores(path, id_column=column or None, name=path.stem)
        st.toast(md(found.summary))
        st.rerun()


def _score(crowd: Crowd) -> None:
    from crowdselect.scoring import SCORERS

    shell.heading("Score with models", "Runs as a job; what is finished survives a restart.")
    titles = {plugin.name: plugin.title for plugin in SCORERS}
    name = st.selectbox(
        "Scorer",
        list(titles),
        key="scorer",
        persist_state="session",
        format_func=titles.__getitem__,
    )
    plugin = SCORERS[name]
    declared = {o.name for o in options_of(plugin)}
    given: dict[str, Any] = {}
    chosen: list[str] = []
    served = Served()
    if "models" in declared:
        served = server_field("score server")
        chosen = answering_field("Models that score", "score models", served, None)
    with st.expander("Options"):
        offered = tuple(o.name for o in options_of(plugin) if o.name not in HIDDEN)
        given |= options.edit(plugin, {}, f"score.{name}", only=offered)
    missing = "models" in declared and not chosen
    if missing and plugin.packaged and packaged_models():
        missing = False
        st.caption(md(f"No model is named, so it is {' '.join(packaged_models().values())}"))
    if find_spec("torch") is None:
        st.caption(md("Models loaded here need: pip install 'crowdselect[finetune]'."))
    if st.button("Start scoring", type="primary", disabled=missing):
        if "models" in declared:
            given["models"] = _models(chosen, served)
        _start(crowd, name, given)


def _models(chosen: list[str], served: Served) -> list[dict[str, Any]]:
    from crowdselect.lm.language_model import model_spec

    names = named_models(chosen, served)
    if served.base_url:
        where = {"base_url": served.base_url, "api_key_variable": served.api_key_variable}
        return [{"model": name, **where} for name in names]
    return [model_spec({"model": name}) for name in names]


def _start(crowd: Crowd, name: str, given: dict[str, Any]) -> None:
    from crowdselect.pipeline.scoring import ScoreConfig, create_score

    config = ScoreConfig(source=crowd.name, scorer=name, options=given)
    with st.spinner("Preparing the model"):
        jobs.start(create_score(reads.workspace(), config))
    st.rerun()


def _last(crowd: Crowd) -> None:
    """How the newest scoring of this crowd ended, where it did not reach its end."""
    view = jobs_view.latest("score", source=crowd.name)
    if view is not None and view.state not in jobs.ALIVE:
        st.caption(f"Last scoring: {md(view.config.get('scorer'))}, {jobs_view.WORDS[view.state]}.")
        jobs_view.ended(view)
        done = len(crowd.score_columns())
        if view.state == "done":
            st.caption(f"{plural(done, 'score column')} in all.")
