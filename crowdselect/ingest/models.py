"""A model's name -> its family and size: from a table, known, guessed from the name, or unknown."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Literal

from crowdselect.ingest.catalogue import look_up, plain_name
from crowdselect.values import Model

_SIZE = re.compile(
    r"(?<![0-9a-z.])(?:(?P<experts>\d+)x)?(?P<number>\d+(?:\.\d+)?)(?P<unit>[bm])(?![0-9a-z])",
    re.IGNORECASE,
)
"""``7B``, ``0.5b``, ``8x7B``, ``350M``; never the version in ``v1.5``, nor ``2`` in ``gemma-2``."""

_ACTIVE = re.compile(r"(?<![0-9a-z.])[ae](?P<number>\d+(?:\.\d+)?)(?P<unit>[bm])(?![0-9a-z])")
"""``A3B``: parameters that take part in a token."""
_POINT = re.compile(r"(?<![0-9a-z.])(\d)b(\d)(?![0-9a-z])")
"""``7b1``: 7.1 billion."""
_NOT_FAMILY = re.compile(r"\b(mini|small|medium)\b")
Sizes = Literal["total", "active"]


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


def guess_model(name: str, sizes: Sizes = "total") -> Model:
    """Return what the name says: size from ``7B`` and the like, family from what is left.

    ``8x7B`` counts as 56: all experts' parameters, the shared ones twice, as such names do; of
    ``30B-A3B`` the 3 count where ``sizes`` is active. Date, format and tuning (``-2507``, ``-AWQ``,
    ``-Instruct``) are no part of the family. Anything not in the name stays unknown.
    """
    short = _POINT.sub(r"\1.\2b", plain_name(name))
    active = _ACTIVE.search(short)
    rest = short[: active.start()] + short[active.end() :] if active else short
    match = _SIZE.search(rest)
    if match is None:
        return Model(name, source="unknown")
    size = _billions(match) * int(match["experts"] or 1)
    if active and sizes == "active":
        size = _billions(active)
    rest = _NOT_FAMILY.sub("", rest[: match.start()] + rest[match.end() :])
    family = re.sub(r"-{2,}", "-", rest).strip("-. ")
    return Model(name, family or None, size, source="guessed")


def _billions(match: re.Match[str]) -> float:
    return float(match["number"]) / (1000 if match["unit"].lower() == "m" else 1)


def describe_models(
    names: Sequence[str], table: Sequence[Model] = (), sizes: Sizes = "total"
) -> tuple[Model, ...]:
    """Return every model of ``names`` with family and size.

    A model of ``table`` is as the table says (empty fields stay unknown), the others known (from
    the Magpie zoo or the catalogue of open models) or guessed by their names. Those in the table
    come first and in its order, which decides ties. ``sizes``: what counts of a mixture of experts,
    all parameters or those active per token.
    """
    told = [m for m in table if m.name in set(names)]
    rest = [n for n in names if n not in {m.name for m in told}]
    return tuple(
        replace(m, order=k)
        for k, m in enumerate([*told, *(_known_or_guessed(n, sizes) for n in rest)])
    )


def in_catalogue_order(names: Sequence[str]) -> tuple[str, ...]:
    """Return ``names`` with the known models among them in an order that does not depend on rows.

    For models found among the rows of a table: the Magpie zoo as published, then others by name,
    in the places that known models have. What is only guessed keeps its place, which decides
    nothing.
    """
    zoo = {name: k for k, name in enumerate(known_models())}
    known = {n for n in names if _known_or_guessed(n, "total").source == "known"}
    ordered = iter(
        sorted(known, key=lambda n: (zoo.get(n.rsplit("/", 1)[-1].lower(), len(zoo)), n))
    )
    return tuple(next(ordered) if n in known else n for n in names)


def _known_or_guessed(name: str, sizes: Sizes) -> Model:
    known = known_models().get(name.rsplit("/", 1)[-1].lower())
    if known is not None:
        return replace(known, name=name)
    found = look_up(name)
    if found is None:
        return guess_model(name, sizes)
    active = found.active_b if sizes == "active" else None
    return Model(name, found.family, active or found.total_b, source="known")
