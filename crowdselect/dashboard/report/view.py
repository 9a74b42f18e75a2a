"""The report on the page, and its download."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st
from markupsafe import Markup

from crowdselect import __version__, pipeline
from crowdselect.charts.style import LIGHT
from crowdselect.dashboard import landscape_gate, notes, reads, shell, state
from crowdselect.dashboard.report.build import selection_of, story_of
from crowdselect.dashboard.report.html import html_report
from crowdselect.dashboard.report.story import Chapter, Example, Fact, FirstPage, Story, Told
from crowdselect.dashboard.select.draft import saved_of
from crowdselect.dashboard.text import md
from crowdselect.store import Crowd

DRAFT = "draft"
GLOSSARY = Markup("<dl>{terms}</dl>")
TERM = Markup("<dt><b>{}</b></dt><dd>{}</dd>")


def show(crowd: Crowd) -> None:
    """Choose a selection, read its story, take it along as one file."""
    saved = {s.id: s for s in saved_of(crowd)}
    offered = [*saved, DRAFT]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        choice = st.selectbox(
            "Selection",
            offered,
            **state.view_widget("of", offered[0], offered),
            format_func=lambda i: "the draft, not saved" if i == DRAFT else saved[i].name,
            width=320,
        )
        slot = st.container()
    recipe = notes.current(crowd) if choice == DRAFT else saved[choice].recipe
    if not reads.can_pick(crowd, recipe):
        landscape_gate.for_picking(crowd, recipe, "The report of a recipe with clusters")
        return
    if choice == DRAFT:
        title, note, created = f"A draft selection from {crowd.name}", "", ""
        chosen, version = selection_of(crowd, recipe), __version__
    else:
        title, note, created = saved[choice].name, saved[choice].note, saved[choice].created
        chosen, version = pipeline.load_selection(reads.workspace(), choice), saved[choice].version
    told = partial(
        story_of, crowd, chosen, title=title, note=note, created=created, version=version
    )
    _page(told(shell.palette()))
    with slot:
        _download(lambda: html_report(told(LIGHT)), f"{crowd.name}-{chosen.recipe.id}.html")


def _download(made: Callable[[], bytes], name: str) -> None:
    st.download_button(
        "Download as one HTML file",
        made,
        file_name=name,
        mime="text/html",
        on_click="ignore",
        icon=":material/download:",
        help="Opens anywhere, without a network; its first page prints on one sheet.",
    )


def _page(story: Story) -> None:
    st.header(md(story.title), anchor=False)
    st.caption(md(story.subtitle))
    _first(story.first)
    st.header("Details", anchor=False, divider="gray")
    _facts(story.facts)
    for i, chapter in enumerate(story.chapters):
        _chapter(chapter, i)
    if story.examples:
        shell.heading("Examples", "Evenly spaced ranks, the best first.")
        for example in story.examples:
            _example(example)
    if story.glossary:
        shell.heading("Words used")
        terms = Markup("").join(TERM.format(*term) for term in story.glossary)
        st.html(str(GLOSSARY.format(terms=terms)))
    st.caption(md(story.colophon))


def _first(first: FirstPage) -> None:
    """The page that is shown to whoever decides."""
    st.text(first.question)
    st.subheader(md(first.answer), anchor=False)
    if first.basis:
        st.text(first.basis)
    if first.figure is not None:
        shell.plot(first.figure, "report first", first.alt)
    _facts(first.costs, wide=210)
    left, right = st.columns(2)
    with left:
        _told("Came in", first.came_in)
    with right:
        _told("Did not", first.left_out)
    shell.heading("What to doubt")
    st.text("\n".join(f"\N{BULLET} {doubt}" for doubt in first.doubts))
    st.caption(md(first.dates))


def _facts(facts: Sequence[Fact], wide: int = 130) -> None:
    with st.grid("auto", min_column_width=wide, gap="small"):
        for fact in facts:
            label = f"{fact.label[:1].upper()}{fact.label[1:]}"
            st.metric(label, fact.value, border=True, help=md(fact.note) or None)


def _told(title: str, told: Sequence[Told]) -> None:
    shell.heading(title)
    for one in told:
        with st.container(border=True):
            st.text(one.instruction)
            st.caption(md(one.reason))
    if not told:
        st.caption("None.")


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
