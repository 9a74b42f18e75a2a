"""A crowd from instructions alone: models answer them, then a judge scores the answers."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from crowdselect import jobs
from crowdselect.dashboard import jobs_view, options, reads, shell
from crowdselect.dashboard.crowd import arrival
from crowdselect.dashboard.models import Served, answering_field, named_models, server_field
from crowdselect.dashboard.offered import ANSWER_TOKENS
from crowdselect.dashboard.uploads import MOST_MB, keep
from crowdselect.making import GenerateConfig
from crowdselect.pipeline.making import create_generate
from crowdselect.settings import check_name

KINDS = ["csv", "tsv", "parquet", "jsonl", "json", "txt"]


def show() -> None:
    """Jobs that make a crowd, then the form for another."""
    names = reads.crowd_names()
    kept = reads.workspace().kept_uploads.name
    for view in jobs.all_runs(reads.workspace(), "generate"):
        if view.config.get("name") in names or kept not in str(view.config.get("source")):
            continue
        if view.state in jobs.ALIVE:
            jobs_view.follow(view.path, f"Models answer for {view.config.get('name')}")
        else:
            jobs_view.ended(view)
    shell.heading(
        "Only instructions?",
        "A file with one instruction a row is enough: the models that you choose answer them here, "
        "then a judge scores the answers, and the crowd is complete.",
    )
    upload = st.file_uploader(
        "File of instructions", type=KINDS, max_upload_size=MOST_MB, key="instructions file"
    )
    name = st.text_input(
        "Name of the new crowd", key="instructions name", persist_state="session", max_chars=100,
        placeholder="my-crowd",
    )  # fmt: skip
    served = server_field("instructions server")
    chosen = answering_field(
        "Models that answer",
        "instructions models",
        served,
        "Difficulty needs one model, separability two; stability two of one family.",
    )
    most = options.ask(ANSWER_TOKENS, "instructions tokens", help=None)
    ready = upload is not None and bool(chosen) and bool(name)
    if st.button("Let them answer", type="primary", disabled=not ready):
        _start(keep(upload), check_name("crowd", name), chosen, served, int(most))


def _start(path: Path, name: str, chosen: list[str], served: Served, most: int) -> None:
    answerers = [
        {"name": Path(model).name, "model": model, "base_url": served.base_url}
        for model in named_models(chosen, served)
    ]
    asked = {
        "source": str(path),
        "name": name,
        "answerers": answerers,
        "max_new_tokens": most,
        "api_key_variable": served.api_key_variable,
    }
    jobs.start(create_generate(reads.workspace(), GenerateConfig.parse(asked, "The form")))
    st.session_state[arrival.CAME_IN] = name
    st.rerun()
