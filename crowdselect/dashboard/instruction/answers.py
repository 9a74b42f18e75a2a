"""All answers to one instruction as one block of escaped HTML: a single element is drawn fast."""

from __future__ import annotations

import pandas as pd
from markupsafe import Markup

from crowdselect.charts.style import size_words
from crowdselect.dashboard.text import number

STYLE = Markup(
    "<style>"
    ".cs-answers{display:grid;gap:.6rem;grid-template-columns:repeat(auto-fill,minmax(300px,1fr))}"
    ".cs-answers article{border:1px solid color-mix(in srgb,currentColor 18%,transparent);"
    "border-radius:6px;padding:.5rem .6rem;min-width:0}"
    ".cs-answers header{display:flex;flex-wrap:wrap;gap:.1rem .6rem;align-items:baseline}"
    ".cs-answers b{overflow-wrap:anywhere}"
    ".cs-answers small{opacity:.8;overflow-wrap:anywhere}"
    ".cs-answers .t{max-height:15rem;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere;"
    "margin-top:.4rem;font-size:.93em}"
    ".cs-answers .none{opacity:.65;font-style:italic}"
    "</style>"
)
CARD = Markup(
    "<article><header><b>{rank}{model}</b><small>{about}</small></header>"
    '<div class="t{none}" tabindex="0" role="region" aria-label="answer of {model}">{text}</div>'
    "</article>"
)


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


def answers_html(answers: pd.DataFrame, judges: tuple[str, ...]) -> Markup:
    """Cards in the order of ``answers``: model, family, size, every judge's reward, the text.

    ``answers``: ``model``, ``family``, ``size_b``, ``response`` and a column per judge.
    """
    cards = [
        CARD.format(
            rank=f"{i}. ",
            model=row["model"],
            about=_about(row, judges),
            none=" none" if pd.isna(row["response"]) or not row["response"] else "",
            text=_text(row["response"]),
        )
        for i, (_, row) in enumerate(answers.iterrows(), start=1)
    ]
    return STYLE + Markup('<div class="cs-answers">{}</div>').format(Markup("").join(cards))


def _text(response: str | float | None) -> str:
    if response is None or pd.isna(response):
        return "no answer"
    return str(response) or "an empty answer"


def _about(row: pd.Series, judges: tuple[str, ...]) -> str:
    parts = []
    if not pd.isna(row["family"]):
        parts.append(str(row["family"]))
    if not pd.isna(row["size_b"]):
        parts.append(size_words(row["size_b"]))
    rewards = [number(row[j]) for j in judges if j in row]
    if rewards:
        parts.append(("reward " if len(rewards) == 1 else "rewards ") + " / ".join(rewards))
    return " \N{MIDDLE DOT} ".join(parts)
