"""All answers to one instruction as one block of escaped HTML: a single element is drawn fast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from markupsafe import Markup

from crowdselect.charts.style import size_words
from crowdselect.dashboard.instruction.markdown import Look, as_html
from crowdselect.dashboard.text import number

STYLE = Markup(
    "<style>"
    ".cs-answers{display:grid;gap:.6rem;grid-template-columns:repeat(auto-fill,minmax(320px,1fr))}"
    ".cs-answers article{border:1px solid color-mix(in srgb,currentColor 18%,transparent);"
    "border-radius:6px;padding:.5rem .6rem;min-width:0}"
    ".cs-answers article.trained{border:2px solid #2B78C5}"
    ".cs-answers header{display:flex;flex-direction:column;gap:.1rem}"
    ".cs-answers b{overflow-wrap:anywhere}"
    ".cs-answers small{opacity:.8;overflow-wrap:anywhere}"
    ".cs-answers mark{margin-right:.4em;color:inherit;border-radius:4px;padding:0 .4em;"
    "font-size:.88em;background:color-mix(in srgb,#2B78C5 24%,transparent)}"
    ".cs-answers mark.r{background:color-mix(in srgb,#2FA37C 26%,transparent)}"
    ".cs-answers .t{max-height:15rem;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere;"
    "margin-top:.4rem;font-size:.93em}"
    ".cs-answers.all .t{max-height:none}"
    ".cs-answers .c{font-family:ui-monospace,monospace;font-size:.92em;margin:.3rem 0;"
    "padding:.3rem .45rem;white-space:pre-wrap;overflow-wrap:anywhere;border-radius:4px;"
    "background:color-mix(in srgb,currentColor 7%,transparent)}"
    ".cs-answers .m{white-space:normal}"
    ".cs-answers .m :is(h1,h2,h3,h4,h5,h6){font-size:1.02em;margin:.5rem 0 .2rem;padding:0}"
    ".cs-answers .g{display:grid;grid-template-columns:auto 1fr;gap:0 .6rem;margin-top:.4rem;"
    "padding-top:.3rem;border-top:1px solid color-mix(in srgb,currentColor 14%,transparent);"
    "font-size:.88em;align-items:baseline;max-height:11rem;overflow:auto}"
    ".cs-answers .g b{font-weight:500}"
    ".cs-answers.all .g{max-height:none}"
    ".cs-answers .none{opacity:.65;font-style:italic}"
    "</style>"
)
BLOCK = Markup('<div class="cs-answers{wide}">{cards}</div>')
CARD = Markup(
    '<article class="{kind}"><header><span>{marks}</span>{title}</header>'
    '<div class="t{none}" tabindex="0" role="region" aria-label="answer of {model}">{text}</div>'
    "{others}</article>"
)
GROUP = Markup('<div class="g" tabindex="0" role="region" aria-label="who gave it">{}</div>')
HEAD = Markup("<b>{name}</b><small>{about}</small>")
MARK = Markup('<mark class="{kind}">{words}</mark>')


@dataclass(frozen=True)
class Marked:
    """What is said about single answers."""

    trained: int | str | None = None
    """Label in the frame of the answer that is trained on, or a text written by hand."""
    why: str = "trained on"
    """Said of the answer that is trained on."""
    references: Sequence[str] = field(default_factory=tuple)
    """What the data holds as the right answer."""


def sort_answers(answers: pd.DataFrame, judge: str | None) -> pd.DataFrame:
    """Best reward of ``judge`` first; unrated after the rated, missing answers last."""
    frame = answers.assign(_missing=answers["response"].isna())
    keys = ["_missing"]
    ascending = [True]
    if judge is not None and judge in frame:
        keys.append(judge)
        ascending.append(False)
    ordered = frame.sort_values(keys, ascending=ascending, na_position="last", kind="stable")
    return ordered.drop(columns="_missing").reset_index(drop=True)


def grouped(answers: pd.DataFrame) -> list[list[int]]:
    """Places (labels) of ``answers`` by equal text but for space around it, first come first."""
    groups: dict[str | None, list[int]] = {}
    for place, response in zip(answers.index.tolist(), answers["response"], strict=True):
        groups.setdefault(None if pd.isna(response) else str(response).strip(), []).append(place)
    return list(groups.values())


def answers_html(
    answers: pd.DataFrame,
    judges: tuple[str, ...],
    marked: Marked | None = None,
    *,
    look: Look = "text",
    whole: bool = False,
) -> Markup:
    """A card per text in the order of ``answers``; equal texts share one.

    ``answers``: ``model``, ``family``, ``size_b``, ``response`` and a column per judge. A text by
    hand and a reference that no model gave have cards of their own, first. ``whole``: no scrolling.
    """
    marked = marked or Marked()
    cards = _extra_cards(answers, marked, look)
    cards += [_card(answers, group, judges, marked, look) for group in grouped(answers)]
    return STYLE + BLOCK.format(wide=" all" if whole else "", cards=Markup("").join(cards))


def _extra_cards(answers: pd.DataFrame, marked: Marked, look: Look) -> list[Markup]:
    given = {str(r).strip() for r in answers["response"].dropna()}
    cards = []
    if isinstance(marked.trained, str):
        mark = MARK.format(kind="", words=marked.why)
        cards.append(_written(marked.trained, "Written by hand", mark, "trained", look))
    for reference in marked.references:
        if reference.strip() not in given:
            mark = MARK.format(kind="r", words="reference")
            cards.append(_written(reference, "Reference answer", mark, "", look))
    return cards


def _written(text: str, title: str, mark: Markup, kind: str, look: Look) -> Markup:
    head = HEAD.format(name=title, about="")
    return CARD.format(
        kind=kind, marks=mark, title=head, none="", model=title, text=as_html(text, look), others=""
    )


def _card(
    answers: pd.DataFrame, group: list[int], judges: tuple[str, ...], marked: Marked, look: Look
) -> Markup:
    records = answers.to_dict("index")
    first = records[group[0]]
    trained = marked.trained in group
    text = _text(first["response"])
    marks = [MARK.format(kind="", words=marked.why)] if trained else []
    if text.strip() in {reference.strip() for reference in marked.references}:
        marks.append(MARK.format(kind="r", words="equals the reference"))
    lines = [HEAD.format(name=f"{p + 1}. {records[p]['model']}", about=_about(records[p], judges))
             for p in sorted(group, key=lambda place: place != marked.trained)]  # fmt: skip
    alone = len(group) == 1
    title = (
        lines[0] if alone else HEAD.format(name=f"{len(group)} models, the same answer", about="")
    )
    empty = pd.isna(first["response"]) or not first["response"]
    return CARD.format(
        kind="trained" if trained else "",
        marks=Markup("").join(marks),
        title=title,
        none=" none" if empty else "",
        model=first["model"],
        text=text if empty else as_html(text, look),
        others="" if alone else GROUP.format(Markup("").join(lines)),
    )


def _text(response: str | float | None) -> str:
    if response is None or pd.isna(response):
        return "no answer"
    return str(response) or "an empty answer"


def _about(row: Mapping[Any, Any], judges: tuple[str, ...]) -> str:
    parts = []
    if not pd.isna(row["family"]):
        parts.append(str(row["family"]))
    if not pd.isna(row["size_b"]):
        parts.append(size_words(row["size_b"]))
    parts += [f"{j} {number(row[j])}" for j in judges if j in row and not pd.isna(row[j])]
    return " \N{MIDDLE DOT} ".join(parts)
