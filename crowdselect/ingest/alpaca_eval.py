"""AlpacaEval's results: ``MODEL/model_outputs.json``, ``MODEL/ANNOTATOR/annotations.json``.

Instructions are recognised by their text (their id is a hash of it), since outputs and annotations
come in any order and rows may lack. A judge's reward is the probability that the model beats the
judge's baseline: ``preference - 1``, for preferences in [1, 2].
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from crowdselect.errors import CrowdSelectError, InputError
from crowdselect.ingest.source import Source
from crowdselect.plans import Builder, ColumnUse, Instructions, Tidy
from crowdselect.progress import Progress, silent
from crowdselect.reading import read_json
from crowdselect.registry import option

OUTPUTS = "model_outputs.json"
ANNOTATIONS = "annotations.json"
_BY_FOLDER = "the folders name model and judge"
_OTHERS = "of the baseline, or of a model that has its outputs in a file of its own"
_USES = {
    use.column: use
    for use in (
        ColumnUse("instruction", "instruction"),
        ColumnUse("dataset", "kept"),
        ColumnUse("output", "response"),
        ColumnUse("output_2", "response", why=f"where a model has no {OUTPUTS}"),
        ColumnUse("output_1", "left out", why=_OTHERS),
        ColumnUse("preference", "judge", why="minus 1: how likely the model wins"),
        *(
            ColumnUse(key, "left out", why=_BY_FOLDER)
            for key in ("generator", "generator_1", "generator_2", "annotator")
        ),
    )
}
"""What the keys of an item are taken for."""


@dataclass(frozen=True)
class AlpacaEval(Source):
    """The folder ``results/`` of a checkout of tatsu-lab/alpaca_eval, or one laid out like it."""

    name: ClassVar[str] = "alpaca-eval"
    title: ClassVar[str] = "AlpacaEval results: outputs and annotations per model"

    annotators: str = option("", "judges to take, separated by commas (all, by default)")

    def __call__(self, paths: Sequence[str], builder: Builder, progress: Progress = silent) -> None:
        """Read one results folder."""
        folders = _model_folders(paths)
        told = [a.strip() for a in self.annotators.split(",") if a.strip()]
        there = sorted({a for folder in folders for a in _annotators(folder)})
        missing = [a for a in told if a not in there]
        if missing:
            raise InputError(
                f"No model has annotations of {', '.join(missing)}.",
                f"There are: {', '.join(there) or 'none'}.",
            )
        judges = told or there
        seen = _Seen()
        table = builder.open_records(Path(paths[0]).name, _batches(folders, judges, seen, progress))
        for words, n in sorted(seen.odd.items()):
            builder.note(f"{n:,} {words}")
        columns = {f"judge {k}": judge for k, judge in enumerate(judges)}
        plan = Tidy(
            Instructions(table, "instruction", None, ("dataset",)),
            table,
            model="model",
            id=None,
            text="instruction",
            response="response",
            rewards={judge: column for column, judge in columns.items()},
        )
        self.load(plan, builder, progress, uses=seen.uses())


@dataclass
class _Seen:
    """What was met while reading: odd things by their words, and the keys of the items."""

    odd: Counter[str] = field(default_factory=Counter)
    keys: dict[str, None] = field(default_factory=dict)

    def uses(self) -> list[ColumnUse]:
        """Say of every key of an item what it was taken for."""
        return [
            _USES.get(key, ColumnUse(key, "left out", why="not part of a crowd"))
            for key in self.keys
        ]


def _model_folders(paths: Sequence[str]) -> list[Path]:
    if len(paths) != 1 or not Path(paths[0]).is_dir():
        raise InputError(
            f"{' '.join(paths) or 'Nothing'} is not one folder of results.",
            "Give the folder with a folder per model: crowdselect ingest alpaca-eval results/",
        )
    found = [
        folder
        for folder in sorted(Path(paths[0]).iterdir())
        if folder.is_dir() and ((folder / OUTPUTS).exists() or _annotators(folder))
    ]
    if not found:
        raise InputError(
            f"{paths[0]} holds no MODEL/{OUTPUTS} and no MODEL/ANNOTATOR/{ANNOTATIONS}.",
            "Give the folder results/ of a checkout of tatsu-lab/alpaca_eval.",
        )
    return found


def _annotators(folder: Path) -> list[str]:
    return sorted(p.parent.name for p in folder.glob(f"*/{ANNOTATIONS}"))


def _batches(
    folders: Sequence[Path], judges: Sequence[str], seen: _Seen, progress: Progress
) -> Iterator[pa.Table]:
    """Yield one table per model: instruction, dataset, model, response, a column per judge."""
    for k, folder in enumerate(folders):
        progress(k, len(folders), "reading results")
        rows = _answers(folder, seen)
        for position, judge in enumerate(judges):
            path = folder / judge / ANNOTATIONS
            if path.exists():
                _annotate(rows, path, folder.name, f"judge {position}", seen)
        if rows:
            yield _table(rows, folder.name, len(judges))
    progress(len(folders), len(folders), "reading results")


def _table(rows: Mapping[str, dict[str, Any]], model: str, judges: int) -> pa.Table:
    columns: dict[str, Any] = {
        "instruction": pa.array(list(rows), pa.string()),
        "dataset": pa.array([r.get("dataset") for r in rows.values()], pa.string()),
        "model": pa.array([model] * len(rows), pa.string()),
        "response": pa.array([r.get("output") for r in rows.values()], pa.string()),
    }
    for k in range(judges):
        column = f"judge {k}"
        columns[column] = pa.array([r.get(column) for r in rows.values()], pa.float64())
    return pa.table(columns)


def _answers(folder: Path, seen: _Seen) -> dict[str, dict[str, Any]]:
    """Return instruction -> its output; an instruction that repeats keeps its first output."""
    rows: dict[str, dict[str, Any]] = {}
    path = folder / OUTPUTS
    for number, item in enumerate(_items(path, seen) if path.exists() else [], start=1):
        text = _string(item, "instruction", path, number)
        if text is None:
            raise InputError(
                f"{_label(path)}, item {number}: 'instruction' is missing.",
                "Every item needs an instruction and an output.",
            )
        rows.setdefault(
            text,
            {
                "dataset": _string(item, "dataset", path, number),
                "output": _string(item, "output", path, number),
            },
        )
    return rows


def _annotate(
    rows: dict[str, dict[str, Any]], path: Path, model: str, column: str, seen: _Seen
) -> None:
    """Add one annotator's win probabilities to ``rows``; the first annotation of a text counts."""
    for number, item in enumerate(_items(path, seen), start=1):
        text = _string(item, "instruction", path, number)
        if text is None:
            seen.odd["annotations name no instruction; they were left out."] += 1
            continue
        swapped = item.get("generator_1") == model and item.get("generator_2") != model
        if text not in rows:
            output = _string(item, "output_1" if swapped else "output_2", path, number)
            rows[text] = {"dataset": _string(item, "dataset", path, number), "output": output}
        reward = _win_probability(item.get("preference"), path, number)
        if reward is None:
            seen.odd["annotations have no preference; their rewards are missing."] += 1
        else:
            rows[text].setdefault(column, 1 - reward if swapped else reward)


def _win_probability(preference: Any, path: Path, number: int) -> float | None:
    """Turn a preference in [1, 2] into P(second wins); 0 is a draw, as in AlpacaEval."""
    if preference is None:
        return None
    valid = isinstance(preference, int | float) and not isinstance(preference, bool)
    value = float(preference) if valid else math.nan
    if valid and math.isnan(value):
        return None
    if value == 0:
        return 0.5
    if not 1 <= value <= 2:
        raise InputError(
            f"{_label(path)}, item {number}: 'preference' should be a number from 1 to 2 "
            f"(or 0 for a draw); found {preference!r:.40}.",
            "Correct the value, or write null where the judge gave none.",
        )
    return value - 1


def _items(path: Path, seen: _Seen) -> list[dict[str, Any]]:
    try:
        values, replaced = read_json(path)
    except CrowdSelectError as error:
        raise InputError(
            f"{_label(path)} cannot be read as JSON: {error.problem}", error.remedy
        ) from error
    if replaced:
        seen.odd["halves of characters (lone surrogates) were replaced by U+FFFD."] += replaced
    if not isinstance(values, list) or not all(isinstance(v, dict) for v in values):
        raise InputError(
            f"{_label(path)} is not a list of JSON objects.", "Check that it is the right file."
        )
    seen.keys.update(dict.fromkeys(key for value in values for key in value))
    return values


def _string(item: Mapping[str, Any], key: str, path: Path, number: int) -> str | None:
    value = item.get(key)
    if value is not None and not isinstance(value, str):
        raise InputError(
            f"{_label(path)}, item {number}: {key!r} should be text; found {value!r:.40}.",
            "Correct the value.",
        )
    return value


def _label(path: Path) -> str:
    """A file's name with the folders that tell it from its like."""
    return "/".join(path.parts[-3 if path.name == ANNOTATIONS else -2 :])
