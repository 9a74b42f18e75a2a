"""The one reader of judges' grades: the last that stands as a verdict, or why there is none."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from crowdselect.servers.grade_text import NUMERAL, OTHER_SCALE, plain_text
from crowdselect.servers.thoughts import strip_thoughts
from crowdselect.servers.values import ENDLESS

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_VALUE = rf"(?:{NUMERAL}(?![A-Za-z\d])|(?:{'|'.join(WORDS)})\b)"
_GRADE = re.compile(
    rf"(?:(?:about|around|roughly|approximately|an?|a solid|only)\s+)?\[?\s*"
    rf"(?P<below>[<>≤≥~]=?\s*)?(?P<value>[+-]?{_VALUE}\.?(?!\d))\s*"
    r"(?:(?:points?|pts?|stars?|marks?|punkte?)\b|分|点|점)?\s*"
    rf"(?:(?P<percent>%|percent\b|/\s*100\b)|(?P<plus>\+(?!\s*\d)|-(?=\s*(?:$|\n)))"
    rf"|(?:/|(?:out of(?: a possible)?|of|von|sur|su|de|из)\s)\s*(?P<best>{_VALUE})"
    rf"|(?P<range>(?:-|–|—|~|±|(?:to|or|bis|oder|à|ou)\s)\s*(?:an? )?{_VALUE}))?"
    r"(?P<chain>\s*/\s*\d+)?\s*\]?(?:\s*(?:points?|pts?|stars?|marks?|punkte?)\b)?",
    re.IGNORECASE,
)
_NAMES = (
    r"(?:grades?|scores?|ratings?|marks?|verdict|bewertung|punktzahl|note finale"
    r"|note globale|puntuación|puntaje|calificación|pontuação|nota|voto|оценка|балл"
    r"|评分|分数|得分|总分|점수|평점|スコア|評価|点数)"
)
_FINAL = r"(?:final|overall|total|conclusive)"
_SIGN = r"(?:(?:is|ist|est|es)\b(?:\s*:)?|:|=>?|->|→|–|—|-(?=\s))"
_LABEL = re.compile(
    rf"(?<!\w){_NAMES}(?!\w)[ ]*(?:\([^()\n]{{0,40}}\)|\x01)?[ ]*(?P<sign>{_SIGN})?\s*",
    re.IGNORECASE,
)
_FINAL_LABEL = re.compile(
    rf"(?<!\w)(?P<word>{_FINAL})(?P<name>[ _-]{_NAMES})?(?!\w)[ ]*(?:\([^()\n]{{0,40}}\)|\x01)?[ ]*"
    rf"(?P<sign>{_SIGN})?[ ,]*\s*",
    re.IGNORECASE,
)
_HYPOTHETICAL = re.compile(
    r"\b(?:max|maximum|highest|best|top|possible|perfect|lowest|minimum|min|average|mean|expected"
    r"|full|reference|previous|typical|no|any|another|such)\s+$",
    re.IGNORECASE,
)
_WITH_BEST = re.compile(
    rf"(?<![\w./,-])[+-]?(?:{_VALUE})\s*(?:/|(?:out of|von|sur|su|из)\s)", re.IGNORECASE
)
_BRACKETS = re.compile(r"\[\[([^\[\]\n]{0,60})\]\]")
_IT = r"(?:it|this|that|the|its|answer|response|reply|overall|quality|here|as|at|with)"
_PHRASE = re.compile(
    r"\b(?:"
    rf"(?:give|gave|giving|award|awarding|assign|rate|rating|grade|score)\s+(?:{_IT}\s+)+"
    r"|(?:give|gave|award|assign|rate|deserves?|merits?)\s+(?=an?\s)"
    rf"|I(?:.?d| would|.ll| will)?\s+(?:give|rate|grade|score|say|think|choose)\s+(?:{_IT}\s+)*"
    r"|(?:it|this|answer|response|reply)\s+(?:would |should )?"
    r"(?:gets?|receives?|earns?|deserves?|merits?|is worth)\s+"
    r"|(?:score|grade|rating|mark) of\s+"
    r")(?P<between>(?:somewhere )?between\s+)?",
    re.IGNORECASE,
)
_STOP = re.compile(
    r"\s*(?:$|[.,;:!?)\n(\x01]|[-–—]\s|(?:because|for|since|as|on|overall|from|with|due|given)\b)"
)
_OPENING_STOP = re.compile(r"\s*(?:$|[.,;:!(\n]|[-–—]\s|(?:because|since|as|for)\b)")


_BEFORE = re.compile(rf"^\s*{_FINAL}?\s*{_NAMES}?\s*[:=]?\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Grade:
    """A grade, or the clause that says why there is none."""

    value: float | None
    problem: str = ""


def read_grade(text: str, low: float, high: float, name: str = "") -> Grade:
    """The grade from ``low`` to ``high`` (both included) that a reply gives.

    Thoughts are left out whatever their tag. Then the last grade that stands as a verdict counts:
    in ``[[brackets]]``, in JSON, after its name (``Score: 8``) or alone on the first or last line;
    else ``8/10``; else a phrase such as "I would give it an 8", or the number that a reply opens
    with. A range, another scale, a percentage and a number off the scale are problems, and so is a
    reply in which no number stands as a verdict. Nothing is ever converted or rounded.

    ``name`` is what was graded, which may stand for the word grade: ``Accuracy: 8``.
    """
    answer = strip_thoughts(text, verdict=True)
    if answer is None:
        return Grade(None, ENDLESS)
    found = _in_json(answer)
    if found:
        return _judged(found[-1], low, high) if len(set(found)) == 1 else _two(found)
    plain = plain_text(answer, low, high)
    if name:
        own = rf"(?<!\w){re.escape(name)}(?=\s*(?:{_NAMES}\s*)?(?:\([^()\n]*\)\s*)?{_SIGN})"
        plain = re.sub(rf"{own}(?:\s*{_NAMES})?", "score", plain, flags=re.IGNORECASE)
    for kind in (_final, _standing, _of_best, _phrases, _opening, _bare_final):
        grades = list(kind(plain))
        # A fraction of something else (3/4 of the points) is no grade where there is one.
        grades = [g for g in grades if g.best in (None, high)] or grades
        if grades:
            return _judged(_last(grades, plain), low, high)
    return Grade(None, f"no grade in the answer: {text.strip()[:60]!r}")


@dataclass(frozen=True)
class _Found:
    """What was read at a place: a value, and on which scale; or what it is instead."""

    value: float
    best: float | None = None
    instead: str = ""
    place: int = 0


def _judged(found: _Found, low: float, high: float) -> Grade:
    if found.instead:
        return Grade(None, found.instead)
    if found.best is not None and found.best != high:
        return Grade(None, f"the grade {found.value:g} is out of {found.best:g}, not {high:g}")
    if found.value > high:
        return Grade(None, f"the grade {found.value:g} is above {high:g}")
    if found.value < low:
        return Grade(None, f"the grade {found.value:g} is below {low:g}")
    return Grade(found.value + 0.0)  # never -0


def _two(found: list[_Found]) -> Grade:
    both = " and ".join(sorted({f"{f.value:g}" for f in found}))
    return Grade(None, f"several grades in the answer: {both}")


def _last(grades: list[_Found], plain: str) -> _Found:
    last = max(grades, key=lambda each: (each.place, bool(each.instead)))
    begin = plain.rfind("\n", 0, last.place) + 1
    end = plain.find("\n", last.place)
    if OTHER_SCALE in plain[begin : end if end >= 0 else None]:
        return _Found(last.value, instead=f"the grade {last.value:g} is on another scale")
    return last


def _number(text: str) -> float:
    lower = text.lower().rstrip(".").lstrip("+")
    if lower in WORDS:
        return float(WORDS.index(lower))
    whole, sign, part = lower.replace(",", ".").partition(".")
    # Three digits after a comma are thousands: 1,000.
    return float(
        f"{whole}{part}" if sign and "," in lower and len(part) == 3 else f"{whole}.{part}"
    )


def _read(text: str, place: int) -> tuple[_Found, int] | None:
    """The grade that begins at ``place``, and where it ends."""
    found = _GRADE.match(text, place)
    if found is None:
        return None
    shown = " ".join(found[0].split()).strip("[] ")
    value = _number(found["value"])
    if found["range"]:
        return _Found(value, None, f"a range instead of a grade: {shown!r}", place), found.end()
    if found["percent"] or found["plus"] or found["chain"] or found["below"]:
        return _Found(value, None, f"not a grade: {shown!r}", place), found.end()
    best = _number(found["best"]) if found["best"] else None
    return _Found(value, best, "", place), found.end()


def _whole(text: str, place: int) -> _Found | None:
    """The grade that ``text`` consists of; anything else with a number in it is no grade."""
    inner = _BEFORE.sub("", text)
    read = _read(inner, 0)
    if read is not None and not inner[read[1] :].strip(" .!,;]"):
        found = read[0]
        return _Found(found.value, found.best, found.instead, place)
    if re.search(r"\d", inner):
        return _Found(0.0, None, f"not a grade: {text.strip()!r}", place)
    return None


def _final(text: str) -> Iterator[_Found]:
    """After a name that says that it is the final or overall one."""
    for label in _FINAL_LABEL.finditer(text):
        read = _read(text, label.end())
        named = label["sign"] and (label["name"] or label["word"].lower() == "overall")
        if read and (named or read[0].best is not None):
            yield read[0]


def _bare_final(text: str) -> Iterator[_Found]:
    """``Total: 8`` or ``Final: 8``, which may also be what the judge counted."""
    for label in _FINAL_LABEL.finditer(text):
        read = _read(text, label.end())
        if read and label["sign"] and _alone(text, label.start(), read[1]):
            yield read[0]


def _standing(text: str) -> Iterator[_Found]:
    """In double brackets, after its name, or alone on the first or the last line."""
    for brackets in _BRACKETS.finditer(text):
        if found := _whole(brackets[1], brackets.start()):
            yield found
    yield from _named(text)
    yield from _alone_on_a_line(text)


def _named(text: str) -> Iterator[_Found]:
    """After its name; grades of several things (``Style score: 8``) are none of the whole."""
    of: dict[str, _Found] = {}
    for label in _LABEL.finditer(text):
        read = _read(text, label.end())
        if read is None or _HYPOTHETICAL.search(text, 0, label.start()):
            continue
        before = re.split(r"[.,;:!?\n{}()|]", text[: label.start()])[-1].strip().lower()
        if label["sign"] and _opens(before, label["sign"]):
            of[before] = read[0]
            yield read[0]
        elif _alone(text, label.start(), read[1]):
            yield read[0]
    things = [found for before, found in of.items() if before not in _OWN_WORDS]
    if len({found.value for found in things}) > 1:
        yield _Found(0.0, None, _two(things).problem, max(f.place for f in things))


_OWN_WORDS = ("", "my", "the", "so my", "so the", "thus the", "therefore the", "a", "and my")
"""Before a name that is that of the grade itself."""


def _opens(before: str, sign: str) -> bool:
    """Whether a name opens its clause, as a verdict's does; ``score = 0`` in prose is code."""
    if sign.startswith("=") or not before:
        return not before
    last = before.rsplit(" ", 1)[-1]
    return last in _OWN_WORDS or bool(re.fullmatch(r"[^\W\d]+(?: [^\W\d]+){0,2}", before))


def _alone(text: str, begin: int, end: int) -> bool:
    before = text[text.rfind("\n", 0, begin) + 1 : begin]
    return not before.strip() and bool(re.match(r"[ .!]*(?:\n|$)", text[end:]))


def _alone_on_a_line(text: str) -> Iterator[_Found]:
    lines = [(m.start(), m[0]) for m in re.finditer(r"[^\n]+", text) if m[0].strip()]
    ends = dict.fromkeys(lines[:1] + lines[-1:])
    found = []
    for place, line in ends:
        bare = line.strip(" ,;:.!()\t\x01")
        read = _read(bare, 0)
        if read and not bare[read[1] :].strip(" .!"):
            found.append(_Found(read[0].value, read[0].best, read[0].instead, place))
    if len({(f.value, f.instead) for f in found}) > 1:
        two = _two(found)
        yield _Found(0.0, None, two.problem, found[-1].place)
    else:
        yield from found


def _of_best(text: str) -> Iterator[_Found]:
    """``8/10`` and ``8 out of 10`` anywhere."""
    for match in _WITH_BEST.finditer(text):
        read = _read(text, match.start())
        if read and (read[0].best is not None or read[0].instead):
            yield read[0]


def _phrases(text: str) -> Iterator[_Found]:
    """Such as "I would give it an 8", "this deserves a 7", or "a score of 8"."""
    for phrase in _PHRASE.finditer(text):
        if phrase["between"]:
            yield _Found(0.0, None, "a range instead of a grade", phrase.start())
        elif (read := _read(text, phrase.end())) and _STOP.match(text, read[1]):
            yield read[0]


def _opening(text: str) -> Iterator[_Found]:
    """The number that the reply opens with, set apart from what follows."""
    plain = text.lstrip()
    read = _read(plain, 0)
    if read and _OPENING_STOP.match(plain, read[1]):
        yield read[0]


_KEY = re.compile(
    rf"(?P<final>{_FINAL})?[ _-]?(?:grade|score|rating|mark|verdict|points)?", re.IGNORECASE
)


def _in_json(text: str) -> list[_Found]:
    """The grades of the last JSON value in the text that holds any."""
    decoder = json.JSONDecoder()
    found: list[_Found] = []
    place = 0
    while (start := re.compile(r"[\[{](?!\[)").search(text, place)) is not None:
        try:
            value, place = decoder.raw_decode(text, start.start())
        except (ValueError, RecursionError):
            place = start.end()
            continue
        found = list(_grades_of(value)) or found
    return found


def _grades_of(value: Any) -> Iterator[_Found]:
    if isinstance(value, list):
        for each in value:
            yield from _grades_of(each)
    if not isinstance(value, dict):
        return
    named = [(m, v) for k, v in value.items() if k and (m := _KEY.fullmatch(str(k).strip()))]
    final = [pair for pair in named if pair[0]["final"]] or named
    for _, each in final:
        if isinstance(each, int | float | str) and not isinstance(each, bool):
            yield _whole(plain_text(str(each), 0, 0), 0) or _Found(
                0.0, None, f"not a grade: {each!r}"
            )
    if not final:
        for each in value.values():
            yield from _grades_of(each)
