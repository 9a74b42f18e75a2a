"""What is said below the pages, in the words of the pages: controls instead of flags and commands.

Errors name what a person at a command line would type. A page says them through :func:`on_page`:
an option by the label that its declaration gives it, a command by where the page has the same.
"""

from __future__ import annotations

import re
from functools import cache

from crowdselect.benchmark import BENCHMARKS
from crowdselect.dashboard import offered
from crowdselect.errors import InputError
from crowdselect.ingest import SOURCES
from crowdselect.options import Option, options_of
from crowdselect.scoring import SCORERS
from crowdselect.selection import STRATEGIES

OPTIONS = "Options of this format"
"""The title of the box that holds a format's options."""
REPLACE = "Replace a crowd of this name"
BY_HAND = {
    "--replace": REPLACE, "--name": "Name", "--model": "Model", "--server": "Server",
    "--judge-url": "Server", "--judge-kind": "Kind", "--judge": "Model", "--target": "Select for",
    "--against": "Benchmark questions that must stay out", "--format": "Format",
    "--id-column": "Column of the ids",
    "--weights": "weights", "--again": "Why look again",
}  # fmt: skip
"""Flags whose control a page makes by hand: what it is called there."""
PLACES = {
    "ingest": "Crowd, Add a crowd", "crowd generate": "Crowd, Models: Start answering",
    "crowd judge": "Crowd, Models: Start judging", "score": "Crowd, Scores: Start scoring",
    "landscape": "Map: Compute embeddings and map", "select": "Select",
    "export": "Select, Export", "finetune": "Fine-tune, New run", "benchmark": "Benchmark",
    "study run": "Study: Start a study", "run resume": "Resume",
    "selection remove": "Select, Saved and compare: Remove",
}  # fmt: skip
"""Commands, and the page with the part or button that does the same."""
OWNERS = ("serve", "workspace", "plugins")
"""Commands of whoever runs the server: no page has them, and they are said as they are."""
NOWHERE = {
    "--workspace", "--memory", "--trust-remote-code", "--repair", "--hub", "--read-only", "--out",
    "--engine", "--public", "--alike", "--max-requests", "--limit", "--chosen-on", "--no-runs",
    "--option", "--against-column", "--against-words", "--keep-flagged", "--allow-code-execution",
    "--api-key-variable", "--likelihood", "--report-to", "--accelerate-config",
}  # fmt: skip
"""Flags that no page has a control for, because they are the server's owner's or the command
line's alone: they are said as they are."""
_METAVAR = r"(?: (?:[A-Z][A-Z_]+\b|'[A-Z]+'))?"
_PAIR = re.compile(r"(?:--option|-o) ([a-z][a-z_]*)=([\w{}:.-]*\w)?")
_SUITE = re.compile(r"--suite ([\w{}-]+):([a-z_]+)=(\S*[\w])?")
_FLAG = re.compile(rf"(?<![\w-])(--[a-z][a-z-]*[a-z])(?![\w-]){_METAVAR}")
_FORMAT = re.compile(r"(use:? )?crowdselect ingest ([a-z-]+)(?: (?:FILE|FOLDER)\b)?")
_TWICE = re.compile(r"(“[^”]*”) \1")
_COMMAND = re.compile(
    rf"`?crowdselect (?!{'|'.join(OWNERS)})({'|'.join(sorted(PLACES, key=len, reverse=True))})\b"
    r"[^`;,)(.]*(?:\.(?=\S)[^`;,)(.]*)*`?"
)


def flag_of(declared: Option) -> str | None:
    """The option's flag on the command line; None: it has none."""
    if declared.flag is None:
        return None
    return declared.flag or "--" + declared.name.replace("_", "-")


@cache
def labels() -> dict[str, str]:
    """Flag -> what the pages call its control, from where the option is declared."""
    found = {flag: o.words for o in reversed(offered.everything()) if (flag := flag_of(o))}
    return {flag: label for flag, label in (found | BY_HAND).items() if flag not in NOWHERE}


def on_page(text: str, source: str = "") -> str:
    """``text`` with the controls of the pages for flags, options and commands.

    ``source``: the format of an ingest, whose own options come first.
    """
    own = {flag_of(o): o.words for o in options_of(SOURCES[source])} if source else {}
    there: list[str] = []

    def flag(match: re.Match[str]) -> str:
        label = own.get(match[1]) or labels().get(match[1])
        if match[1] in own:
            there.append(match[1])
        return match[0] if label is None else f"“{label}”"

    def format_(match: re.Match[str]) -> str:
        if match[2] not in SOURCES:
            return match[0]
        return f"{'take ' if match[1] else ''}the format “{SOURCES[match[2]].title}”"

    said = _COMMAND.sub(_place, _FORMAT.sub(format_, text))
    said = _FLAG.sub(flag, _SUITE.sub(_of_benchmark, _PAIR.sub(_of_plugin, said)))
    said = _TWICE.sub(r"\1", said)
    return f"{said.rstrip('.')} (under {OPTIONS})" if there else said


def _place(match: re.Match[str]) -> str:
    rest = " " if match[0].endswith(" ") else ""
    return f"“{PLACES[match[1]]}”{rest}"


def _of_plugin(match: re.Match[str]) -> str:
    """An option that a strategy's or a scorer's form has; others are as they were."""
    declared = (o for plugin in (*STRATEGIES, *SCORERS) for o in options_of(plugin))
    label = next((o.words for o in declared if o.name == match[1]), None)
    if label is None:
        return match[0]
    value = match[2] or ""
    return f"“{label}”" if not value or value.isupper() else f"“{label}” {value}"


def _of_benchmark(match: re.Match[str]) -> str:
    known = match[1] in BENCHMARKS.names()
    title = BENCHMARKS[match[1]].title if known else match[1]
    return f"“{match[2].replace('_', ' ')}” under “Options of {title}”"


def reworded(error: InputError, source: str) -> InputError:
    """An ingest's error with problem and remedy in words of the page."""
    remedy = on_page(error.remedy.rstrip("."), source)
    return InputError(on_page(error.problem, source), f"{remedy}.")


def told(problem: str, remedy: str) -> tuple[str, str]:
    """Both sentences of an error in words of the pages."""
    return on_page(problem), on_page(remedy)
