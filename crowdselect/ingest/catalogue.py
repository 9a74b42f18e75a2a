"""Open models by name: family, parameters in all and per token, and who says so.

The rows of ``open_models.csv`` are data: one model each, its id without owner, date, format and so
on; ``|`` separates several ids. Sizes are those that the source states, in billions; where the name
holds the usual figure (``7b``), that one. Generations (Llama 2, 3, 3.1) are families of their own.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_SUFFIXES = re.compile(
    r"instruct|chat|it|hf|base|pt|sft|dpo|rlhf|preview|latest|thinking|assistant|aligned"
    r"|awq|gptq|gguf|ggml|exl2|mlx|onnx|bnb|quantized|quant|marlin|[bfn]?f(?:p?4|8|16|32)|fp\d+"
    r"|mxfp4|int[48]|w\d+a\d+|[2348]bit|[2348]bits|g\d+|\d+k|1m|unsloth|dynamic|kv"
)
"""What says how a model was packed or tuned, not which one it is."""
_LATER_SUFFIXES = re.compile(r"turbo|lite|fast|v\d+(?:\.\d+)*|pretrained|reference|pro")
"""The same, unless an id in the catalogue holds it."""
_BITS = re.compile(
    r"[-_.](?:i?q\d(?:_(?:[ksmlx]+|\d|nl))*|[2348]-?bit|\d+\.\d+bpw|quantized\.w\d+a\d+)(?=$|[-_.])"
)
_DATE = re.compile(
    r"(?:20)?2[2-9](?:0[1-9]|1[0-2])(?:[0-3]\d)?|(?:0[1-9]|1[0-2])(?:2[2-9]|[0-3]\d)"
)
"""2507, 0325, 1124, 0106, 20240718."""
_OWNERS = ("meta", "c4ai", "ai21", "nvidia", "ibm")
"""First parts of names that say whose model it is."""
_MONTH_AND_YEAR = re.compile(r"-(?:0[1-9]|1[0-2])-20[23]\d(?=$|-)")


@dataclass(frozen=True)
class OpenModel:
    """A row of the catalogue."""

    family: str
    total_b: float
    """Parameters in billions."""
    active_b: float | None
    """Those that take part in a token, of a mixture of experts; None: all."""
    source: str
    """Who states the figures."""


@cache
def catalogue() -> Mapping[str, OpenModel]:
    """Every open model by the form of its ids that :func:`look_up` compares."""
    text = (files("crowdselect.ingest") / "open_models.csv").read_text(encoding="utf-8")
    found = {}
    for row in csv.DictReader(text.splitlines()):
        active = float(row["active_b"]) if row["active_b"] else None
        model = OpenModel(row["family"], float(row["total_b"]), active, row["source"])
        for name in row["pattern"].split("|"):
            found[_joined(name)] = model
    return found


def look_up(name: str) -> OpenModel | None:
    """The catalogue's model that ``name`` stands for, whatever owner, date or format it names."""
    known = catalogue()
    return next((known[form] for form in _forms(name) if form in known), None)


def plain_name(name: str) -> str:
    """``name`` in small letters without owner, format, tuning and date: what says the family."""
    return "-".join(_undated(_without(_tokens(name), _SUFFIXES)))


def _forms(name: str) -> Iterator[str]:
    tokens = _tokens(name)
    bare = _without(tokens, _SUFFIXES)
    undated = _undated(bare)
    for form in (tokens, bare, undated, _without(undated, _LATER_SUFFIXES)):
        yield _joined("-".join(form))


def _tokens(name: str) -> list[str]:
    """The parts of a name in small letters, without the owner; ``1_6b`` is one part, 1.6b."""
    short = name.strip().replace("__", "/").rstrip("/").rsplit("/", 1)[-1].lower()
    short = _BITS.sub("", re.sub(r"\.gguf$", "", short))
    short = re.sub(r"(?<=\d)_(?=\d)", ".", short)
    tokens = [part for part in re.split(r"[-_ :]+", short) if part]
    return tokens[1:] if len(tokens) > 1 and tokens[0] in _OWNERS else tokens


def _undated(tokens: list[str]) -> list[str]:
    return _without(_MONTH_AND_YEAR.sub("", "-".join(tokens)).split("-"), _DATE)


def _without(tokens: list[str], dropped: re.Pattern[str]) -> list[str]:
    """``tokens`` without those that ``dropped`` matches; the first says what it is and stays."""
    return [t for place, t in enumerate(tokens) if place == 0 or not dropped.fullmatch(t)]


def _joined(name: str) -> str:
    """One form for ``llama-3-8b`` and ``llama3-8b``; figures stay apart."""
    return re.sub(r"(?<=[a-z])-(?=\d)", "", re.sub(r"(?<=\d)_(?=\d)", ".", name.lower()))
