"""The one place that knows secrets, and takes them out of whatever is said or written."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, TextIO
from urllib.parse import quote

HIDDEN = "[secret]"
SHORTEST = 6
"""Shorter values are words, not secrets: hiding them would garble texts."""
_SECRET_NAME = re.compile(
    r"(KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?)$", re.IGNORECASE
)
_named: set[str] = set()


def read_key(variable: str) -> str | None:
    """The key that the variable holds; from now on it is scrubbed, whatever the variable's name."""
    _named.add(variable)
    return os.environ.get(variable) or None


def known_secrets() -> list[str]:
    """Values of variables that were read as keys or are called like one, the longest first."""
    values = {
        value
        for name, value in os.environ.items()
        if len(value.strip()) >= SHORTEST and (name in _named or _SECRET_NAME.search(name))
    }
    forms = {form for value in values for form in (value, value.strip(), quote(value, safe=""))}
    return sorted(forms, key=len, reverse=True)


def scrub(text: str) -> str:
    """``text`` with every known secret replaced by ``[secret]``."""
    for secret in known_secrets():
        text = text.replace(secret, HIDDEN)
    return text


def scrub_all(value: Any) -> Any:
    """A value of JSON's kinds with every text in it scrubbed, keys of objects too."""
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, Mapping):
        return {scrub_all(k): scrub_all(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [scrub_all(v) for v in value]
    return value


class Scrubbed:
    """A text stream that hides secrets line by line: a log of a process."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write ``text`` scrubbed; returns the length of what was given."""
        self._stream.write(scrub(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
