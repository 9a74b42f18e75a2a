"""A model's name -> its family and size: from a table, known, guessed from the name, or unknown."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files

from crowdselect.values import Model

_SIZE = re.compile(
    r"(?<![0-9a-z.])(?:(?P<experts>\d+)x)?(?P<number>\d+(?:\.\d+)?)(?P<unit>[bm])(?![0-9a-z])",
    re.IGNORECASE,
)
"""``7B``, ``0.5b``, ``8x7B``, ``350M``; never the version in ``v1.5``, nor ``2`` in ``gemma-2``."""

_NAMED_SIZES: Mapping[tuple[str, str], float] = {
    ("phi-3", "mini"): 3.8,
    ("phi-3", "small"): 7.0,
    ("phi-3", "medium"): 14.0,
    ("phi-3.5", "mini"): 3.8,
    ("phi-4", "mini"): 3.8,
}
"""Sizes that a vendor calls by a word."""

_NOT_FAMILY = re.compile(
    r"[-_ ]*\b(instruct|chat|it|base|hf|sft|dpo|rlhf|preview|latest|awq|gptq|gguf|fp8|bf16|int[48]|"
    r"\d+k|mini|small|medium)\b",
    re.IGNORECASE,
)


@cache
def known_models() -> Mapping[str, Model]:
    """Return the 19 models of Magpie-100K-Generator-Zoo by lower-case name.

    Families and sizes as in CrowdSelect (arXiv 2503.01836, table 5), with the true size of
    Phi-3-mini, 3.8 B, where the paper has 3.5; the ranks are the same.
    """
    text = (files("crowdselect.ingest") / "known_models.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {
        row["model"].lower(): Model(
            row["model"], row["family"], float(row["size_b"]), source="known"
        )
        for row in rows
    }


def guess_model(name: str) -> Model:
    """Return what the name says: size from ``7B`` and the like, family from what is left.

    ``8x7B`` counts as 56: all experts' parameters, the shared ones twice, as such names do.
    Anything not in the name stays unknown.
    """
    short = name.rsplit("/", 1)[-1]
    match = _SIZE.search(short)
    size = None
    rest = short
    if match is not None:
        size = float(match["number"]) * int(match["experts"] or 1)
        size = size / 1000 if match["unit"].lower() == "m" else size
        rest = short[: match.start()] + short[match.end() :]
    else:
        size = next((s for (f, w), s in _NAMED_SIZES.items() if _named(short, f, w)), None)
    family = re.sub(r"[-_ ]{2,}", "-", _NOT_FAMILY.sub("", rest)).strip("-_ .").lower()
    if size is None:
        return Model(name, source="unknown")
    return Model(name, family or None, size, source="guessed")


def _named(short: str, family: str, word: str) -> bool:
    lower = short.lower()
    return lower.startswith(f"{family}-") and re.search(rf"\b{word}\b", lower) is not None


def describe_models(names: Sequence[str], table: Sequence[Model] = ()) -> tuple[Model, ...]:
    """Return every model of ``names`` with family and size.

    A model of ``table`` is as the table says (empty fields stay unknown), the others known or
    guessed by their names. Those in the table come first and in its order, which decides ties.
    """
    told = [m for m in table if m.name in set(names)]
    rest = [n for n in names if n not in {m.name for m in told}]
    return tuple(
        replace(m, order=k) for k, m in enumerate([*told, *(_known_or_guessed(n) for n in rest)])
    )


def _known_or_guessed(name: str) -> Model:
    known = known_models().get(name.rsplit("/", 1)[-1].lower())
    return replace(known, name=name) if known else guess_model(name)
