"""The report on the page, and its download."""

from __future__ import annotations

import streamlit as st

from crowdselect import pipeline
from crowdselect.charts.style import LIGHT
from crowdselect.dashboard import landscape_gate, notes, reads, shell, state
from crowdselect.dashboard.report.build import selection_of, story_of
from crowdselect.dashboard.report.html import html_report
from crowdselect.dashboard.report.story import Chapter, Example, Story
from crowdselect.dashboard.select.draft import saved_of
from crowdselect.dashboard.text import md
from crowdselect.store import Crowd
from crowdselect.values import Selection

DRAFT = "draft"


def show(crowd: Crowd) -> None:
    """Choose a selection, read its story, take it along as one file."""
    saved = {s.id: s for s in saved_of(crowd)}
    offered = [*saved, DRAFT]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        choice = st.selectbox(
            "Selection",
            offered,
            key=state.view_key("of", offered[0], offered),
            format_func=lambda i: "the draft, not saved" if i == DRAFT else saved[i].name,
            width=320,
        )
        slot = st.container()
    recipe = notes.current(crowd) if choice == DRAFT else saved[choice].recipe
    if not reads.can_pick(crowd, recipe):
        landscape_gate.ready(crowd, recipe, what="The report of a recipe with clusters")
        return
    if choice == DRAFT:
        title, note = f"A draft selection from {crowd.name}", ""
        chosen = selection_of(crowd, recipe)
    else:
        title, note = saved[choice].name, saved[choice].note
        chosen = pipeline.load_selection(reads.workspace(), choice)
    _page(story_of(crowd, chosen, shell.palette(), title=title, note=note))
    with slot:
        _download(crowd, chosen, title, note)


def _download(crowd: Crowd, chosen: Selection, title: str, note: str) -> None:
    def made() -> bytes:
        return html_report(story_of(crowd, chosen, LIGHT, title=title, note=note))

    st.download_button(
        "Download as one HTML file",
        made,
        file_name=f"{crowd.name}-{chosen.recipe.id}.html",
        mime="text/html",
        on_click="ignore",
        icon=":material/download:",
        help="Opens anywhere, without a network.",
    )


def _page(story: Story) -> None:
    st.header(md(story.title), anchor=False)
    st.caption(md(story.subtitle))
    with st.grid("auto", min_column_width=130, gap="small"):
        for fact in story.facts:
            st.metric(fact.label.capitalize(), fact.value, border=True, help=md(fact.note) or None)
    for i, chapter in enumerate(story.chapters):
        _chapter(chapter, i)
    if story.examples:
        shell.heading("Examples", "Evenly spaced ranks, the best first.")
        for example in story.examples:
            _example(example)
    st.caption(md(story.colophon))


def _chapter(chapter: Chapter, number: int) -> None:
    shell.heading(chapter.title)
    for sentence in chapter.sentences:
        st.text(sentence)
    if chapter.figure is not None:
        shell.plot(chapter.figure, f"report {number}", chapter.alt)
    if chapter.table is not None:
        st.dataframe(
            chapter.table,
            hide_index=True,
            height=shell.rows_px(len(chapter.table)),
            alt=chapter.title,
        )
    if chapter.code:
        with st.expander("Command and recipe"):
            st.code(chapter.code, language=None, wrap_lines=True)


def _example(example: Example) -> None:
    with st.container(border=True):
        st.caption(md(f"{example.rank}. {example.id}"))
        st.text(example.instruction)
        st.caption(md(example.reason))
        if example.answer is None:
            st.caption("No answer.")
            return
        with st.expander(f"Answer of {md(example.model)}"):
            st.text(example.answer)
