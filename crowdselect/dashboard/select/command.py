"""The same from the command line: the exact command and the recipe it reads."""

from __future__ import annotations

import shlex

import streamlit as st

from crowdselect.values import Recipe

RECIPE_FILE = "recipe.toml"


def command(recipe: Recipe, name: str | None = None) -> str:
    """The shell line that makes the same selection from a saved recipe."""
    parts = ["crowdselect", "select", recipe.crowd, "--recipe", RECIPE_FILE]
    if name:
        parts += ["--name", name]
    return shlex.join(parts)


def show(recipe: Recipe) -> None:
    """Command, recipe and its download."""
    # Without a language: Streamlit's colours for one are too pale to read.
    st.code(command(recipe), language=None, wrap_lines=True)
    st.code(recipe.to_toml(), language=None, wrap_lines=True)
    st.download_button(
        "Download recipe.toml",
        recipe.to_toml(),
        file_name=RECIPE_FILE,
        mime="application/toml",
        on_click="ignore",
    )
    st.caption(f"Recipe id {recipe.id}: the same id means the same selection of the same crowd.")
