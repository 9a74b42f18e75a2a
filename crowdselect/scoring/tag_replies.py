"""A tagger's reply -> its tags, in every form that taggers write lists in; or None: no list."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

from crowdselect.servers import strip_thoughts

TAG_KEYS = ("tag", "label", "name", "intent", "intention", "keyword", "skill", "topic", "category")
"""Of an object that is one tag with its explanation, as InsTagger writes it."""
MOST_WORDS = 6
"""Longer items of a bulleted or comma-separated list are sentences, not tags."""
_OPEN = re.compile(r"[\[{]")
_BULLET = re.compile(r"^[ \t]*(?:[-*•+–]|\(?\d{1,2}[.)])[ \t]+(.+?)[ \t]*$", re.MULTILINE)
_EXPLAINED = re.compile(r"\s*(?::|\s[-–—]\s|\().*$", re.DOTALL)
_NAMED = re.compile(
    r"^\W*(?:tags?|labels?|intent(?:ion)?s?|skills?|keywords?)\W*:[ \t]*(.+)$",
    re.IGNORECASE | re.MULTILINE,
)
_SMART = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'"})


def read_tags(text: str) -> list[str] | None:
    """Tags in lower case, each once, in order; None where the reply holds no list of tags.

    The last list counts, after the thoughts: JSON or Python strings, objects with a tag (and its
    explanation), a list under a key, bullets, or commas after ``Tags:``. A list with an item that
    is no tag is no list of tags: a count of a part of it would be wrong without a word. An empty
    list is an answer: no tags.
    """
    answer = strip_thoughts(text, verdict=True)
    if answer is None:
        return None
    written = list(_values(answer))
    lists = [tags for value, _ in written if (tags := _tags_of(value)) is not None]
    if not all(whole for _, whole in written):
        return None
    if lists:
        objects = all(isinstance(value, dict) for value, _ in written)
        found = [t for tags in lists for t in tags] if objects else _last(lists)
    elif written:
        return None
    else:
        found = _in_words(answer) or []
        if not found:
            return None
    return list(dict.fromkeys(" ".join(tag.lower().split()) for tag in found if tag.strip()))


def _last(lists: list[list[str]]) -> list[str]:
    return next((tags for tags in reversed(lists) if tags), [])


def _values(text: str) -> Iterator[tuple[Any, bool]]:
    """Every JSON or Python list and object in the text; with False: one that never closes."""
    place = 0
    while (start := _OPEN.search(text, place)) is not None:
        try:
            value, place = json.JSONDecoder().raw_decode(text, start.start())
        except (ValueError, RecursionError):
            end = _closing(text, start.start())
            if end is None:
                yield None, not re.match(r"[\[{]\s*[\"'“‘{\[]", text[start.start() :])
                return
            value, place = _python(text[start.start() : end]), end
        yield value, True


def _closing(text: str, start: int) -> int | None:
    """Where the bracket at ``start`` closes, by count."""
    depth = 0
    for place in range(start, len(text)):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return place + 1
    return None


def _python(text: str) -> Any:
    """A list with single quotes, smart quotes or a comma too many; else None."""
    for form in (text, text.translate(_SMART)):
        try:
            return ast.literal_eval(form)
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            continue
    bare = [part.strip() for part in text.strip("[]").split(",")]
    plain = text.startswith("[") and all(re.fullmatch(r"[^\W\d][\w +#/.-]*", b) for b in bare)
    return bare if plain else None


def _tags_of(value: Any) -> list[str] | None:
    """The tags of a decoded value; None: it is no list of tags."""
    if isinstance(value, dict):
        lower = {str(k).strip().lower(): v for k, v in value.items()}
        one = next((lower[k] for k in TAG_KEYS if isinstance(lower.get(k), str)), None)
        if one is not None:
            return [one]
        lists = [v for v in lower.values() if isinstance(v, list)]
        return _tags_of(lists[0]) if len(lists) == 1 else None
    if isinstance(value, set | tuple):
        value = list(value)
    if not isinstance(value, list):
        return None
    tags: list[str] = []
    for item in value:
        found = [item] if isinstance(item, str) else None
        if isinstance(item, dict):
            found = _tags_of(item)
        if found is None:
            return None
        tags += found
    return tags


def _in_words(text: str) -> list[str] | None:
    """Bullets, or items between commas; None where one is too long for a tag."""
    items = [_EXPLAINED.sub("", item) for item in _BULLET.findall(text)]
    if not items:
        named = _NAMED.search(text)
        line = named[1] if named else text.strip()
        items = re.split(r"\s*[,;]\s*", line.rstrip(" .")) if named or "," in line else []
        if not named and ("\n" in line or re.search(r"[.!?:]", line)):
            return None
    items = [re.sub(r"[*`\"'“”]+", "", item).strip() for item in items]
    if not items or any(
        not i or len(i.split()) > MOST_WORDS or not re.search(r"[^\W\d]", i) for i in items
    ):
        return None
    return items
