"""More answers and more judges for a crowd: start the jobs and follow them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from crowdselect import jobs
from crowdselect.dashboard import jobs_view, options, reads, shell
from crowdselect.dashboard.models import model_fields
from crowdselect.dashboard.offered import ANSWER_TOKENS, DIMENSION, GRADE_TOKENS
from crowdselect.making import GenerateConfig, JudgingConfig
from crowdselect.store import Crowd

KINDS = {"generate": ("name", "Models answer"), "judge": ("crowd", "A judge scores")}
"""Job kind -> the option that names the crowd, and what is going on."""

ASKS = {"reward": "its reward", "likelihood": "its likelihood"}
"""Kind of judge on this machine -> what it says of an answer."""
AGREEMENT = "agreement"

WHAT_A_JUDGE_IS = (
    "A judge reads an instruction with an answer and gives a number, the reward: higher is better. "
    "Difficulty, separability and stability are made of these numbers, so they are as good as the "
    "judge. A reward model is trained for this; a chat model behind a server is asked for a grade. "
    "Add a second one: Bias audit then says how far they agree, and which one to trust."
)


def show(crowd: Crowd) -> None:
    """Running jobs, then the two forms."""
    for kind, (option, title) in KINDS.items():
        for view in jobs.all_runs(reads.workspace(), kind):
            if view.state in jobs.ALIVE and view.config.get(option) == crowd.name:
                jobs_view.follow(view.path, title)
    if shell.read_only_note("adding models and judges"):
        return
    left, right = st.columns(2, gap="medium")
    with left:
        _answer(crowd)
    with right:
        _judge(crowd)
    for kind, (option, _) in KINDS.items():
        last = jobs_view.latest(kind, **{option: crowd.name})
        if last is not None and last.state in ("failed", "cancelled"):
            jobs_view.ended(last)


def _answer(crowd: Crowd) -> None:
    shell.heading("Add a model's answers", "The crowd grows when the model is done.")
    model, served = model_fields("generate", answering=True)
    name = st.text_input(
        "Name in the crowd", key="generate name", persist_state="session", placeholder="the model's"
    )
    most = options.ask(ANSWER_TOKENS, "generate tokens", help=None)
    if st.button("Start answering", disabled=not model):
        from crowdselect.pipeline.making import create_generate

        answerer = {"name": name or Path(model).name, "model": model, "base_url": served.base_url}
        asked = {
            "source": crowd.name,
            "name": crowd.name,
            "answerers": [answerer],
            "max_new_tokens": most,
            "api_key_variable": served.api_key_variable,
        }
        jobs.start(create_generate(reads.workspace(), GenerateConfig.parse(asked, "the form")))
        st.rerun()


def _judge(crowd: Crowd) -> None:
    shell.heading("Add a judge", WHAT_A_JUDGE_IS)
    model, served = model_fields("judge")
    name = st.text_input(
        "Name of the judge", key="judge name", persist_state="session", placeholder="the model's"
    )
    graded: dict[str, Any] = {}
    if served.base_url:
        graded["max_tokens"] = options.ask(
            GRADE_TOKENS, "judge room", help="A model that reasons needs thousands."
        )
        what = options.ask(DIMENSION, "judge dimension", help=None)
        graded["dimension"] = what or DIMENSION.default
    asks = st.segmented_control(
        "What it says",
        list(ASKS),
        key="judge asks",
        persist_state="session",
        default="reward",
        required=True,
        format_func=ASKS.__getitem__,
        help="How good an answer is; or, of the model that is to be tuned, which answer it finds "
        "likeliest (the answer policy base_likes).",
        disabled=bool(served.base_url),
    )
    likely = asks == "likelihood" and not served.base_url
    if likely:
        graded["form"] = st.text_input(
            "Form", "plain", key="judge form", persist_state="session",
            help="plain, chat, or a text with {question} that stands before the answer",
        )  # fmt: skip
    if st.button("Start judging", disabled=not model):
        from crowdselect.pipeline.making import create_judge, likes_name

        last = Path(model).name
        called = likes_name(last, graded["form"]) if likely else last
        asked = {
            "crowd": crowd.name,
            "name": name or called,
            "model": model,
            "kind": "server" if served.base_url else asks,
            "base_url": served.base_url,
            "api_key_variable": served.api_key_variable,
            **graded,
        }
        jobs.start(create_judge(reads.workspace(), JudgingConfig.parse(asked, "the form")))
        st.rerun()
    if AGREEMENT not in crowd.judges and st.button(
        "Let the crowd judge itself",
        help="A judge that needs no model: how many of the models gave the same answer",
    ):
        from crowdselect.pipeline.making import add_agreement

        with st.spinner("Comparing the answers"):
            add_agreement(reads.workspace(), crowd.name)
        st.rerun()
