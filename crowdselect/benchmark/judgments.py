"""Judgments that were made elsewhere, in the published formats: found, and told apart by model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crowdselect.benchmark.base import Benchmark, Item
from crowdselect.benchmark.conversations import read_rows
from crowdselect.errors import CrowdSelectError, InputError, NotFoundError

Row = Mapping[str, Any]
NO_ANSWER = "(these judgments do not hold the answer)"


@dataclass(frozen=True)
class Format:
    """How a project writes its judgments."""

    files: str
    """What a person calls such files."""
    columns: tuple[str, ...]
    """Columns that every row has."""
    model: Callable[[Row], str]
    """Name of the model under test."""
    judge: Callable[[Row], str]
    anchor: Callable[[Row], str]
    """The model that it is compared with; empty: none, or not written down."""


def _first(value: Any) -> str:
    """FastChat writes a judge as its name and its prompt's."""
    return str(value[0] if isinstance(value, list) and value else value or "")


FORMATS: Mapping[str, Format] = {
    "arena-hard": Format(
        "arena-hard-auto's model_judgment/JUDGE/MODEL.jsonl",
        ("model", "games"),
        lambda row: str(row["model"]),
        lambda row: _first(row.get("judge")),
        lambda row: str(row.get("baseline") or ""),
    ),
    "mt-bench": Format(
        "FastChat's model_judgment/JUDGE_single.jsonl",
        ("question_id", "model", "score", "turn"),
        lambda row: str(row["model"]),
        lambda row: _first(row.get("judge")),
        lambda row: "",
    ),
    "alpaca-eval": Format(
        "alpaca_eval's annotations.json",
        ("instruction", "preference", "generator_2"),
        lambda row: str(row["generator_2"]),
        lambda row: str(row.get("annotator") or ""),
        lambda row: str(row.get("generator_1") or ""),
    ),
}
"""By benchmark."""


@dataclass(frozen=True)
class Judged:
    """The judgments of one model by one judge, in one file."""

    file: Path
    model: str
    judge: str
    anchor: str


def find_judgments(benchmark: str, path: Path) -> list[Judged]:
    """Every model's judgments in a file, or in all files of a folder.

    Raises NotFoundError where there is nothing, InputError where there are no judgments of this
    benchmark.
    """
    form = FORMATS[benchmark]
    if not path.exists():
        raise NotFoundError(f"There is no file or folder {path}.", "Give what holds the judgments.")
    names = sorted(p for p in path.rglob("*") if p.suffix in (".jsonl", ".json"))
    found: dict[Judged, None] = {}
    for file in [path] if path.is_file() else [p for p in names if p.is_file()]:
        for row in _rows(file, form, every=path.is_file()):
            found[Judged(file, form.model(row), form.judge(row), form.anchor(row))] = None
    if not found:
        raise InputError(
            f"{path} holds no judgments of {benchmark}.",
            f"Give {form.files}, whose rows have {', '.join(form.columns)}, or a folder with such.",
        )
    return list(found)


def _rows(file: Path, form: Format, *, every: bool) -> Iterator[Row]:
    """The file's judgments; none where another kind of file lies in the same folder."""
    try:
        for number, row in read_rows(file):
            missing = [c for c in form.columns if c not in row]
            if missing and not every:
                return
            if missing:
                raise InputError(
                    f"{file}, row {number} lacks {', '.join(missing)}.",
                    f"Give {form.files}; pairwise MT-Bench judgments have no grades.",
                )
            yield row
    except CrowdSelectError:
        if every:
            raise


def judgments_of(benchmark: str, file: str, model: str, judge: str = "") -> list[Row]:
    """The rows of one model (and judge, where one is named).

    Raises InputError naming the models that the file has.
    """
    form = FORMATS[benchmark]
    known: dict[str, None] = {}
    found: list[Row] = []
    for number, row in read_rows(file):
        missing = [c for c in form.columns if c not in row]
        if missing:
            raise InputError(
                f"{file}, row {number} lacks {', '.join(missing)}.", f"Give {form.files}."
            )
        known[form.model(row)] = None
        if form.model(row) == model and judge in ("", form.judge(row)):
            found.append(row)
    if not found:
        raise InputError(
            f"{file} has no judgments of {model}{' by ' + judge if judge else ''}.",
            f"It has: {', '.join(known) or 'none'}.",
        )
    return found


def first_questions(items: Sequence[Item], limit: int | None) -> list[Item]:
    """The items of the first ``limit`` questions; None: all."""
    wanted = set(list(dict.fromkeys(i.question for i in items))[:limit])
    return [i for i in items if i.question in wanted]


def given_protocol(
    benchmark: type[Benchmark], limit: int | None, *, anchor: str, judge: str
) -> dict[str, Any]:
    """A protocol by which judgments of one judge and one anchor can be compared with each other,
    and with nothing that was judged here.
    """
    return {
        "benchmark": benchmark.name,
        "version": benchmark.version,
        "options": {"anchor": anchor} if anchor else {},
        "inputs": {},
        "limit": limit,
        "judge": {"kind": "made elsewhere", "model": judge},
    }
