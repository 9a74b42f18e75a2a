"""Widgets come from the plug-in's declaration and return only what differs from the defaults."""

from streamlit.testing.v1 import AppTest

from crowdselect.dashboard import options
from crowdselect.finetune import FinetuneConfig
from crowdselect.options import options_named


def page():
    from dataclasses import dataclass

    import streamlit as st

    from crowdselect.dashboard.options import edit
    from crowdselect.registry import option

    @dataclass(frozen=True)
    class Plugin:
        rank: int = option(16, "rank of the adapter", low=1, high=64)
        rate: float = option(1e-5, "learning rate", low=0.0, high=1.0)
        mode: str = option("a", "mode", choices=("a", "b"))
        packing: bool = option(True, "pack")
        steps: int | None = option(None, "at most so many steps")
        name: str = option("", "name")

    st.session_state["result"] = edit(Plugin, {"rank": 8}, "p")


def test_defaults_are_left_out_and_presets_kept():
    at = AppTest.from_function(page, default_timeout=20).run()
    assert not at.exception
    assert at.session_state["result"] == {"rank": 8}


def test_every_kind_of_option_can_be_changed():
    at = AppTest.from_function(page, default_timeout=20).run()
    at.number_input(key="p.rank").set_value(32)
    at.number_input(key="p.rate").set_value(0.5)
    at.selectbox(key="p.mode").set_value("b")
    at.checkbox(key="p.packing").set_value(False)
    at.number_input(key="p.steps").set_value(12)
    at.text_input(key="p.name").set_value("x")
    at.run()
    assert at.session_state["result"] == {
        "rank": 32,
        "rate": 0.5,
        "mode": "b",
        "packing": False,
        "steps": 12,
        "name": "x",
    }


def test_bounds_of_the_declaration_are_the_widgets():
    at = AppTest.from_function(page, default_timeout=20).run()
    assert (at.number_input(key="p.rank").min, at.number_input(key="p.rank").max) == (1, 64)


def test_a_share_is_asked_for_in_per_cent():
    (held,) = options_named(FinetuneConfig, "eval_share")
    assert (held.label, options.shown(held, 0.1), options.said(held, 10)) == (
        "Held out, %",
        10,
        0.1,
    )
    assert options.said(held, 0) == held.default
