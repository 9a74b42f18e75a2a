"""A new fine-tune: on which selections, of which model, and the few options that matter."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from crowdselect import pipeline
from crowdselect.dashboard import options, reads, shell, state
from crowdselect.dashboard.finetune.names import base_models, demo_models, model_words
from crowdselect.dashboard.models import Served, at_hand, named_model, packaged_models
from crowdselect.dashboard.offered import HELD_OUT, METHOD, MODE, TUNED
from crowdselect.dashboard.text import md, plural
from crowdselect.finetune import PRESETS, FinetuneConfig, preset_options
from crowdselect.pipeline import SavedSelection
from crowdselect.pipeline.finetune import finetune, training_source

MODES = {"lora": "LoRA adapter", "full": "all weights"}
METHODS = {
    "sft": "SFT, on the answers",
    "dpo": "DPO, on pairs",
    "orpo": "ORPO, on pairs",
    "simpo": "SimPO, on pairs",
}
ADAPTER = ("lora_rank",)
"""Asked for an adapter only."""
STEPS: dict[str, dict[str, Any]] = {
    "epochs": {"step": 0.5},
    "learning_rate": {"format": "%.2g"},
    "max_length": {"step": 128},
}


@dataclasses.dataclass(frozen=True)
class Asked:
    """What the form asks for."""

    selections: tuple[SavedSelection, ...]
    model: str
    options: Mapping[str, Any]

    @property
    def complete(self) -> bool:
        """Tell whether a run can be started."""
        return bool(self.selections and self.model)


def show() -> None:
    """The form with estimate and start."""
    saved = pipeline.list_selections(reads.workspace())
    if not saved:
        shell.empty("No saved selection", "Save one on the Select page; then train on it here.")
        return
    if shell.read_only_note("fine-tuning"):
        return
    asked = _ask(saved)
    with st.container(horizontal=True):
        estimate = st.button("Estimate", disabled=not asked.complete)
        start = st.button("Start", type="primary", disabled=not asked.complete)
    if not asked.complete:
        st.caption("Choose at least one selection and a base model.")
    if estimate:
        _estimate(asked)
    if start:
        _start(asked)


def _ask(saved: Sequence[SavedSelection]) -> Asked:
    left, right = st.columns(2)
    with left:
        chosen = selections_field(
            "Selections",
            saved,
            "finetune selections",
            "One run per selection, with the same options.",
        )
    with right:
        named = base_model_field("finetune", saved[0].recipe.crowd)
    settings = training_fields("finetune", small=named in demo_models())
    return Asked(chosen, named, settings)


def selections_field(
    label: str, saved: Sequence[SavedSelection], key: str, words: str | None = None
) -> tuple[SavedSelection, ...]:
    """The choice among saved selections, the newest at first."""
    by_id = {one.id: one for one in saved}
    chosen = st.multiselect(
        label,
        list(by_id),
        default=next(iter(by_id)),
        key=key,
        persist_state="session",
        help=words,
        format_func=lambda i: f"{by_id[i].name} ({by_id[i].n:,})",
    )
    return tuple(by_id[i] for i in chosen)


def base_model_field(key: str, crowd: str) -> str:
    """The choice of a model to train, as it is opened; empty: none."""
    # The demo's own models have learned the demo's world, and no other.
    demo = crowd in reads.crowd_names() and reads.crowd(crowd).report.source == "demo"
    models = base_models(demo=demo)
    model = st.selectbox(
        "Base model",
        models,
        index=0 if models else None,
        key=f"{key} model",
        persist_state="session",
        format_func=model_words,
        accept_new_options=True,
        placeholder="A folder or a hub name",
        help="A folder with a model, or a hub id that can be reached from here.",
    )
    named = (model or "").strip()
    if named in packaged_models():
        st.caption(md(packaged_models()[named]))
    if named in models:
        return named
    return named_model(named, Served())  # typed: what earlier runs used, their owner has opened


def training_fields(key: str, *, small: bool, study: bool = False) -> dict[str, Any]:
    """The recipe of training; ``small``: a demo model, which a CPU trains whole in minutes.

    ``study``: one of answers, whose seeds and questions the study gives.
    """
    method = str(METHOD.default)
    with st.container(horizontal=True, vertical_alignment="top"):
        if not study:
            method = options.ask(
                METHOD, f"{key} method", width=230, help=None, format_func=METHODS.__getitem__
            )
        mode = options.ask(
            MODE,
            f"{key} mode {small}",
            begin="full" if small else MODE.default,
            draw=st.segmented_control,
            required=True,
            help=None,
            format_func=MODES.__getitem__,
        )
        fitting = [n for n, p in PRESETS.items() if p.options.get("method", "sft") == method]
        usual = _usual(mode, small=small)
        preset = st.selectbox(
            "Preset",
            fitting,
            index=fitting.index(usual) if usual in fitting else 0,
            key=f"{key} preset {method} {usual}",
            persist_state="session",
            width=230,
        )
    st.caption(md(PRESETS[preset].source))
    values = {**_defaults(), **preset_options(preset)}
    given: dict[str, Any] = {"method": method, "mode": mode, "preset": preset}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for one in TUNED:
            if (one.name in ADAPTER and mode == "full") or (study and one.name == "seed"):
                continue
            usual_value = values[one.name]
            chosen = options.ask(
                dataclasses.replace(one, default=usual_value),
                f"{key} {one.name} {preset} {mode}",
                width=140,
                **STEPS.get(one.name, {}),
            )
            if chosen != usual_value:
                given[one.name] = chosen
        held_out = 0.0
        if not study:
            held_out = options.ask(HELD_OUT, f"{key} eval", width=120, max_value=50)
    if held_out:
        given["eval_share"] = held_out
    return given


def _usual(mode: str, *, small: bool) -> str:
    if small and mode == "full":
        return "demo"
    return "crowdselect-paper" if mode == "full" else "lora-default"


def _defaults() -> dict[str, Any]:
    return {name: field.default for name, field in FinetuneConfig.model_fields.items()}


UNKNOWN = "known once the run has measured"
"""In place of a time that no formula tells."""


def _estimate(asked: Asked) -> None:
    """Tokens, steps, memory and time by formula; the run itself measures before it starts."""
    from crowdselect.finetune import estimate, in_time

    rows = []
    model = at_hand(asked.model)
    with st.spinner("Counting tokens"):
        for saved in asked.selections:
            source = training_source(
                reads.workspace(), saved.id, method=str(asked.options["method"])
            )
            config = FinetuneConfig.parse(
                {"model": model, **source.options, **asked.options}, "The form"
            )
            found = estimate(config, burst=False, folder=reads.workspace().root)
            rows.append((saved.name, found))
    table = [
        {
            "selection": name,
            "rows": e.rows,
            "steps": e.steps,
            "tokens": e.tokens,
            "memory, GiB": e.memory / 2**30,
            "free, GiB": e.memory_free / 2**30,
            "time": UNKNOWN if e.seconds is None else in_time(e.seconds),
        }
        for name, e in rows
    ]
    st.dataframe(
        pd.DataFrame(table),
        hide_index=True,
        alt="Estimate per selection",
        column_config={
            "tokens": st.column_config.NumberColumn(format="localized"),
            "memory, GiB": st.column_config.NumberColumn(format="%.1f"),
            "free, GiB": st.column_config.NumberColumn(format="%.1f"),
        },
    )
    for name, e in rows:
        if e.refusal is not None:
            st.error(f"{md(name)}: {md(e.refusal[0])} {md(e.refusal[1])}")
        for note in e.notes:
            st.caption(f"{md(name)}: {md(note)}")
    st.caption("By formula. A started run first times a few real steps and reports what it found.")


def _start(asked: Asked) -> None:
    model = at_hand(asked.model)
    started = [
        finetune(reads.workspace(), saved.id, model, **asked.options).name
        for saved in asked.selections
    ]
    state.set_view("tab", "Runs")
    st.session_state["finetune shown"] = started
    st.toast(f"Started {plural(len(started), 'run')}.")
    st.rerun()
