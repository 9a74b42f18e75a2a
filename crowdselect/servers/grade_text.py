"""A judge's reply made plain: markup, quotes, lists and mentions of the scale taken out."""

from __future__ import annotations

import html
import itertools
import re
import unicodedata

OTHER_SCALE = "\x01"
"""Stands where the reply names a scale that is not the one that was asked for."""

NUMERAL = r"\d{1,9}(?:[.,]\d{1,9})?"
_TO = r"\s*(?:-|–|—|\.\.\.?|to|through|and|bis|à|a|до)\s*"
_TOP = rf"(?P<high>{NUMERAL})"
_ON_A = r"(?:(?:on|from|using|in|auf|sur|en)\s+)?(?:(?:an?|the|einer|une|una)\s+)?"
_ASIDE = r"[^()\n\d]{0,20}"
_SCALES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\({_ASIDE}{NUMERAL}{_TO}{_TOP}{_ASIDE}\)",
        rf"\(\s*(?:out of|of|max(?:imum)?\.?:?|up to|von|sur|su|de|/)\s*{_TOP}{_ASIDE}\)",
        rf"{_ON_A}\b(?:scale|skala|échelle|escala)\b[^\d\n]{{0,12}}{NUMERAL}{_TO}{_TOP}",
        rf"(?:on|using|in)\s+(?:an?|the|my)\s+{_TOP}[- ](?:point|mark)s?\s+scale",
        rf"(?<![\d/.,])(?<!\d )\bout of\s+(?:a (?:possible|maximum(?: of)?) )?{_TOP}\s*[,:]",
    )
)
_BOUNDS = r"(?<![\w./,-])(?:from |between )?(?:{lows}){to}(?:{high})(?![\d.,]*\d|/|%)"
_FRACTIONS = {"½": ".5", "¼": ".25", "¾": ".75", "⅓": ".33", "⅔": ".67"}
_BOXED = re.compile(r"\\boxed\s*\{([^{}]*)\}")
_LATEX = re.compile(r"\\(?:text|mathbf|mathrm)\s*\{([^{}]*)\}|\\[()\[\]]|\$")
_TAG_PAIR = re.compile(r"<(\w+)(?:\s[^<>]*)?>([^<>]{0,80})</\1\s*>", re.IGNORECASE)
_TAG_NAMES = ("score", "grade", "rating", "mark", "verdict", "points")
_TAG = re.compile(r"</?[A-Za-z][\w:-]*(?:\s[^<>]*)?/?>|<\|[^|<>]*\|>")
_QUOTED_LINE = re.compile(r"^[ \t]*>[^\n]*$", re.MULTILINE)
_LINE_MARK = re.compile(r"^[ \t]*(?:[-•+·][ \t]+|#{1,6}[ \t]+|\|[ \t]*)+", re.MULTILINE)
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)\w*[ \t]*$", re.MULTILINE)
_QUOTE = re.compile(r"(?<!\w)[\"'“”„«»‘’]|[\"'“”„«»‘’](?!\w)")
_NUMBERED = re.compile(r"^[ \t]*\(?(\d{1,2})[.)][ \t]+(?=\S)", re.MULTILINE)


def plain_text(text: str, low: float, high: float) -> str:
    """``text`` with plain digits and without markup; another scale is marked."""
    text = _plain_characters(html.unescape(text))
    text = _QUOTED_LINE.sub("", _FENCE.sub("", text))
    text = _LATEX.sub(lambda found: found[1] or "", _BOXED.sub(r"[[\1]]", text))
    text = _TAG.sub("", _TAG_PAIR.sub(_named_tag, text))
    text = re.sub(r"\*+|`+|__+|~~", "", text)
    text = _QUOTE.sub("", _LINE_MARK.sub("", text)).replace("|", " ")
    return _without_scales(_without_numbering(text), low, high)


def _named_tag(pair: re.Match[str]) -> str:
    """``<score>8</score>`` as ``score: 8``; another tag's text alone on its line."""
    word = pair[1].lower()
    name = f"{pair[1]}: " if word.endswith(_TAG_NAMES) else ""
    return f"\n{name}{pair[2]}\n"


def _plain_characters(text: str) -> str:
    """Digits of every script and full-width signs in ASCII; nothing invisible."""
    found = []
    for place, char in enumerate(text):
        kind = unicodedata.category(char)
        if kind == "Nd":
            found.append(str(unicodedata.decimal(char)))
        elif char in _FRACTIONS:
            before = text[place - 1 : place]
            found.append(_FRACTIONS[char] if before.isdecimal() else f"0{_FRACTIONS[char]}")
        elif "！" <= char <= "～":
            found.append(unicodedata.normalize("NFKC", char))
        elif kind not in ("Cf", "Cs") and (kind != "Cc" or char in "\n\t\r"):
            found.append(
                {"−": "-", "‐": "-", "‑": "-", "٫": ".", "【": "[", "】": "]"}.get(char, char)
            )
    return "".join(found)


def _without_numbering(text: str) -> str:
    """Without the numbers of a list; one numbered line alone is no list."""
    numbers = [int(n) for n in _NUMBERED.findall(text)]
    if len(numbers) > 1 and all(b == a + 1 for a, b in itertools.pairwise(numbers)):
        return _NUMBERED.sub("", text)
    return text


def _without_scales(text: str, low: float, high: float) -> str:
    def mark(found: re.Match[str]) -> str:
        top = float(found["high"].replace(",", "."))
        return " " if top == high else OTHER_SCALE

    for scale in _SCALES:
        text = scale.sub(mark, text)
    lows = "|".join(sorted({"0", "1", f"{low:g}"}))
    bounds = _BOUNDS.replace("{lows}", lows).replace("{to}", _TO).replace("{high}", f"{high:g}")
    return re.sub(bounds, " ", text, flags=re.IGNORECASE)
