"""What ingest says, in the words of its page: controls instead of flags and commands."""

from __future__ import annotations

import re

from crowdselect.errors import InputError
from crowdselect.ingest import SOURCES
from crowdselect.options import options_of

OPTIONS = "Options of this format"
"""The title of the box that holds a format's options."""
_FLAG = re.compile(r"--([a-z][a-z-]*[a-z])(?: (?:NAME|NUMBER|FILE)\b)?")
_COMMAND = re.compile(r"(?:use: )?crowdselect ingest ([a-z-]+)(?: (?:FILE|FOLDER)\b)?")


def in_words_of_the_page(text: str, source: str) -> str:
    """``--model-column NAME`` as the option that the page calls so, a command as the format."""
    labels = {o.name.replace("_", "-"): o.words for o in options_of(SOURCES[source])}
    there: list[str] = []

    def option(match: re.Match[str]) -> str:
        if match[1] not in labels:
            return match[0]
        there.append(match[1])
        return f"“{labels[match[1]]}”"

    def command(match: re.Match[str]) -> str:
        return f"the format “{SOURCES[match[1]].title}”" if match[1] in SOURCES else match[0]

    said = _FLAG.sub(option, _COMMAND.sub(command, text))
    return f"{said} (under {OPTIONS})" if there else said


def reworded(error: InputError, source: str) -> InputError:
    """The error with problem and remedy in words of the page."""
    remedy = in_words_of_the_page(error.remedy.rstrip("."), source)
    return InputError(in_words_of_the_page(error.problem, source), f"{remedy}.")
