"""A new benchmark run: which models, which benchmarks, who judges."""

from __future__ import annotations

from typing import Any

import streamlit as st

from crowdselect.benchmark import BENCHMARKS, BenchmarkConfig, JudgeConfig, Suite, start
from crowdselect.dashboard import options, reads, shell, state
from crowdselect.dashboard.finetune.names import targets
from crowdselect.dashboard.models import Served, at_hand, model_field, named_model, server_field
from crowdselect.dashboard.offered import KIND, LIMIT, VERDICT_TOKENS
from crowdselect.dashboard.text import md, plural
from crowdselect.pipeline.benchmark import subject_of


def show() -> None:
    """The form with its start button."""
    if shell.read_only_note("benchmarking"):
        return
    known = targets()
    left, right = st.columns(2)
    with left:
        chosen = st.multiselect(
            "Models",
            list(known),
            format_func=lambda t: known.get(t, t),
            key="benchmark models",
            persist_state="session",
            accept_new_options=True,
            placeholder="Fine-tuning runs, folders or hub ids",
            help="Every run of fine-tuning is offered, then the base models.",
        )
    with right:
        names = st.multiselect(
            "Benchmarks",
            list(BENCHMARKS.names()),
            key="benchmark names",
            persist_state="session",
            format_func=lambda n: BENCHMARKS[n].title,
        )
    suites = [_suite(name) for name in names]
    limit = options.ask(
        LIMIT,
        "benchmark limit",
        step=50,
        placeholder="all",
        width=260,
        help="A limit makes a quick look, and results say so.",
    )
    judge = _judge() if any(BENCHMARKS[n].judged for n in names) else None
    ready = bool(chosen and names)
    if not ready:
        st.caption("Choose at least one model and one benchmark.")
    if st.button("Start", type="primary", disabled=not ready):
        _start(chosen, suites, limit, judge)


def _suite(name: str) -> Suite:
    with st.expander(f"Options of {md(BENCHMARKS[name].title)}"):
        chosen = options.edit(BENCHMARKS[name], {}, f"benchmark.{name}")
    return Suite(name=name, options=chosen)


def _judge() -> dict[str, Any]:
    """The judge as a dictionary; the config checks it when the run starts."""
    shell.heading("Judge", "Any OpenAI-compatible server, a local model, or a reward model.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = options.ask(KIND, "benchmark judge kind", width=120, help=None)
        served = Served()
        if kind == "server":
            served = server_field("benchmark judge server", here=False)
        found: dict[str, Any] = {"kind": kind, "model": model_field("benchmark judge", served)}
        if served.base_url:
            found |= {"base_url": served.base_url, "api_key_variable": served.api_key_variable}
        if kind != "reward":
            found["max_tokens"] = options.ask(
                VERDICT_TOKENS,
                "benchmark judge room",
                width=160,
                placeholder="as the benchmark",
                help="In tokens; none: the benchmark's own. A judge that reasons needs thousands.",
            )
    if kind == "server" and not served.base_url:
        st.caption("No server is opened to pages: name them in servers.toml of the workspace.")
    return found


def _start(
    chosen: list[str], suites: list[Suite], limit: int | None, judge: dict[str, Any] | None
) -> None:
    config = {
        "suites": suites,
        "limit": limit,
        "judge": None if judge is None else JudgeConfig.parse(judge, "The judge"),
    }
    known = targets()
    for target in chosen:
        model = at_hand(target) if target in known else named_model(target, Served())
        subject = subject_of(reads.workspace(), model)
        asked = BenchmarkConfig.parse({**config, "subject": subject}, "The form")
        start(reads.workspace(), asked)
    state.set_view("tab", "Results")
    st.toast(f"Started {plural(len(chosen), 'benchmark run')}.")
    st.rerun()
