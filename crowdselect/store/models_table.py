"""``models.csv``: name, family, size in billions and where they come from; people edit it."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from crowdselect.errors import InputError
from crowdselect.files import write_text
from crowdselect.reading import decimal_mark, name_list, number, read_table, small_letters
from crowdselect.values import Model

_FIELDS = ("model", "family", "size_b", "source")
_UNITS = {"b": 1, "m": 1e-3}
"""What a size may end in: billions, millions."""
_SOURCES = ("table", "known", "guessed", "unknown")


def write_models(path: Path, models: Sequence[Model]) -> None:
    """Write ``models`` in their order, whole or not at all."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_FIELDS)
    for m in models:
        size = "" if m.size_b is None else f"{m.size_b:g}"
        writer.writerow([m.name, m.family or "", size, m.source])
    write_text(path, out.getvalue())


def read_models(path: Path) -> tuple[Model, ...]:
    """Read ``models.csv``, or such a table of any kind; raises InputError naming file and row."""
    table = read_table(path)
    if len(table) and not {c.lower() for c in table.columns} & {"model", "name"}:
        raise InputError(
            f"{path.name} has the columns {name_list(table.columns)}, and no column 'model'.",
            "Write one row per model under the header model,family,size_b.",
        )
    return models_from_rows(table.rows, path.name)


def models_from_rows(rows: Sequence[Mapping[str, Any]], label: str) -> tuple[Model, ...]:
    """Turn rows with model, family, size_b (and source) into models.

    Raises InputError for a missing or repeated name and a size that is no positive number.
    """
    models: dict[str, Model] = {}
    for place, given in enumerate(rows, start=1):
        row = small_letters(given)
        name = _text(row.get("model") or row.get("name"))
        if not name:
            raise InputError(
                f"{label}, row {place}: column 'model' is empty.",
                "Write one row per model: model,family,size_b.",
            )
        if name in models:
            raise InputError(f"{label} lists {name!r} twice.", "Keep one row per model.")
        source = _text(row.get("source")) or "table"
        models[name] = Model(
            name=name,
            family=_text(row.get("family")) or None,
            size_b=_size(row.get("size_b"), f"{label}, row {place}"),
            order=len(models),
            source=cast("Any", source if source in _SOURCES else "table"),
        )
    return tuple(models.values())


def arrange(names: Sequence[str], described: Sequence[Model]) -> tuple[Model, ...]:
    """Return the models called ``names``, those described first and in that order.

    The order decides ties between best responses. A name without description is unknown.
    """
    known = [m for m in described if m.name in set(names)]
    rest = [Model(name=n, source="unknown") for n in names if n not in {m.name for m in known}]
    return tuple(replace(m, order=k) for k, m in enumerate([*known, *rest]))


def _text(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return str(value).strip()


def _size(value: Any, where: str) -> float | None:
    text = _text(value)
    if text.lower() in ("", "nan", "none", "<na>"):
        return None
    unit = text[-1].lower()
    digits = text[:-1] if unit in _UNITS else text
    found = number(digits, decimal_mark([digits]))
    size = None if found is None else found * _UNITS.get(unit, 1)
    if size is None or not 0 < size < math.inf:
        raise InputError(
            f"{where}, column 'size_b' should hold billions of parameters; found {text!r}.",
            "Write a number such as 7 or 0.5, or leave it empty where it is unknown.",
        )
    return size
