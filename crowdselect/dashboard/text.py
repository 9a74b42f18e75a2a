"""Text from data stays text: escapes for the places where Streamlit would read Markdown or HTML."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from markupsafe import Markup, escape

LEAST = 1e-4
"""Smaller numbers are not told apart from zero."""
MINUS = "\N{MINUS SIGN}"
WORD_JOINER = "\N{WORD JOINER}"
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_ADDRESS = re.compile(r":(?=//)|www(?=\.)|@(?=[\w-]+\.)", re.IGNORECASE)
_WORDS = re.compile(r"\s+|\w+|[^\w\s]")


def md(text: object, limit: int | None = None) -> str:
    """``text`` for a Streamlit label, caption or heading: no Markdown, link, image, TeX or emoji.

    Line breaks become spaces; ``limit`` cuts to that many characters. A bare address would become
    a link even with its punctuation escaped, so an invisible word joiner breaks it up.
    """
    flat = " ".join(str(text).split())
    apart = _ADDRESS.sub(lambda found: f"{found[0]}{WORD_JOINER}", shorten(flat, limit))
    return _PUNCTUATION.sub(r"\\\1", apart)


def shorten(text: str, limit: int | None) -> str:
    """Cut to ``limit`` characters with an ellipsis; None: as it is."""
    if limit is None or len(text) <= limit:
        return text
    return text[: limit - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"


def plural(n: int, noun: str, nouns: str | None = None) -> str:
    """``1 row``, ``2,000 rows``."""
    return f"{n:,} {noun if n == 1 else nouns or noun + 's'}"


def n_of_m(n: int, m: int, noun: str = "instructions") -> str:
    """``1,000 of 100,000 instructions``, or ``all 805 instructions``."""
    return f"all {m:,} {noun}" if n == m else f"{n:,} of {m:,} {noun}"


def number(value: float | None, digits: int = 3) -> str:
    """A number with ``digits`` significant digits and a real minus; nothing for NaN."""
    if value is None or value != value:
        return "\N{EN DASH}"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}".replace("-", MINUS)
    if abs(value) < LEAST:
        return f"{'<' if value > 0 else '>'} {LEAST if value > 0 else -LEAST:g}".replace("-", MINUS)
    text = f"{value:,.0f}" if abs(value) >= 10**digits else f"{value:.{digits}g}"
    return text.replace("-", MINUS)


def percent(share: float, digits: int = 0) -> str:
    """A share in [0, 1] as per cent; nothing for NaN."""
    return "\N{EN DASH}" if share != share else f"{share * 100:.{digits}f} %"


def diff_html(left: str, right: str, *, most_words: int = 6000) -> tuple[Markup, Markup]:
    """Both texts as escaped HTML, what the other lacks wrapped in ``<mark>``, compared by words.

    Texts of more than ``most_words`` words are cut there and say so.
    """
    a, cut_a = _words(left, most_words)
    b, cut_b = _words(right, most_words)
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    out_a, out_b = [], []
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        out_a.append(_piece("".join(a[i1:i2]), tag != "equal"))
        out_b.append(_piece("".join(b[j1:j2]), tag != "equal"))
    return Markup("").join(out_a) + cut_a, Markup("").join(out_b) + cut_b


def _words(text: str, most: int) -> tuple[list[str], Markup]:
    words = _WORDS.findall(text)
    if len(words) <= most:
        return words, Markup("")
    note = escape(f" (first {most:,} of {len(words):,} words compared)")
    return words[:most], note


def _piece(text: str, differs: bool) -> Markup:
    if not text or not differs or text.isspace():
        return escape(text)
    return Markup("<mark>{}</mark>").format(text)


def block_html(body: Markup, kind: str) -> Markup:
    """A scrolling block that keeps line breaks; ``kind`` is ``left`` or ``right``.

    Removed and added words differ by underline as well as by colour.
    """
    colours = {
        "left": "background:rgba(240,165,58,.28);text-decoration:underline dotted",
        "right": "background:rgba(90,169,240,.30);text-decoration:underline",
    }
    return Markup(
        "<style>.cs-{k} mark{{color:inherit;{c}}}</style>"
        '<div class="cs-{k}" style="white-space:pre-wrap;overflow-wrap:anywhere">{b}</div>'
    ).format(k=kind, c=Markup(colours[kind]), b=body)  # noqa: S704 - constants of this function


def sentences(parts: list[str]) -> Iterator[str]:
    """The non-empty parts, each ending in a full stop."""
    for part in parts:
        if part := part.strip():
            yield part if part.endswith((".", "!", "?")) else part + "."
