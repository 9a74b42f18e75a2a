"""The ingest report: everything unusual that was found, counted, and in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from crowdselect.errors import InputError
from crowdselect.files import read_json
from crowdselect.hub import FetchedFile
from crowdselect.plans import ColumnUse, Meaning
from crowdselect.values import Frozen

_MISSING_WARNING = 0.01
_SCALE_FACTOR = 3.0


class ModelCount(Frozen):
    """One model's answers."""

    name: str
    responses: int
    empty: int
    """Answers that are there but hold nothing but white space."""


class JudgeCount(Frozen):
    """One judge's rewards."""

    name: str
    rewards: int
    missing: int
    """Of the models that have any reward of this judge: cells without one."""
    nan: int = 0
    infinite: int = 0
    low: float | None = None
    mean: float | None = None
    high: float | None = None
    models: int = 0
    """Models with at least one reward."""
    models_without: tuple[str, ...] = ()
    identical: tuple[tuple[str, ...], ...] = ()
    """Groups of models whose reward columns are the same number by number."""

    @property
    def missing_share(self) -> float:
        """Share of cells without a reward, among the models that have any."""
        total = self.rewards + self.missing
        return self.missing / total if total else 0.0


class IngestReport(Frozen):
    """What went in, and everything unusual about it; saved as ``report.json``."""

    source: str
    files: tuple[str, ...]
    instructions: int
    responses: int
    models: tuple[ModelCount, ...]
    judges: tuple[JudgeCount, ...]
    empty_instructions: int = 0
    empty_responses: int = 0
    missing_responses: int = 0
    """Cells (instruction x model) without an answer, among the models that have any."""
    duplicate_instructions: int = 0
    """Rows whose text equals an earlier one after normalising case and white space."""
    unanswered_instructions: int = 0
    dropped_ids: int = 0
    dropped_answers: int = 0
    unknown_ids: int = 0
    """Answer rows whose id is no instruction's; they were left out."""
    notes: tuple[str, ...] = ()
    """Lines of the source: ignored columns, judges chosen by guess ..."""
    columns: tuple[ColumnUse, ...] = ()
    """What every column of the input was taken for; empty: read by an older version."""
    fetched: tuple[FetchedFile, ...] = ()
    """Files that came from somewhere else, such as the hub: where from, and their sha256."""
    carried: tuple[str, ...] = ()
    """What was taken over from the crowd that this one replaced."""

    def lines(self) -> list[str]:
        """Return the report as sentences, the size first, then every oddity."""
        return [
            *self._size(),
            *column_lines(self.columns),
            *self._texts(),
            *self._rewards(),
            *self.notes,
            *self.carried,
        ]

    def warnings(self) -> list[str]:
        """Return the sentences about oddities only."""
        return [*self._texts(), *self._rewards()]

    def _size(self) -> list[str]:
        first = (
            f"{self.instructions:,} instructions, {len(self.models):,} models, "
            f"{self.responses:,} responses from {', '.join(self.files[:3])}"
            f"{f' and {len(self.files) - 3} more files' if len(self.files) > 3 else ''}."
        )
        return [first, *(_judge_line(j) for j in self.judges)]

    def _texts(self) -> list[str]:
        several = "Keep-first was asked for."
        counted = [
            (self.dropped_ids, f"rows with an id that came before were dropped. {several}"),
            (self.dropped_answers, f"repeated answers of one model were dropped. {several}"),
            (self.unknown_ids, "answers name an id that no instruction has; they were left out."),
            (self.missing_responses, "responses are missing."),
            (self.empty_responses, "responses are empty."),
            (self.empty_instructions, "instructions are empty; they cannot be selected."),
            (
                self.duplicate_instructions,
                "instructions repeat an earlier one (but for case and white space).",
            ),
            (self.unanswered_instructions, "instructions have no response at all."),
        ]
        return [f"{n:,} {words}" for n, words in counted if n]

    def _rewards(self) -> list[str]:
        if not self.judges:
            return ["There are no rewards yet: add a judge before measuring anything by reward."]
        found: list[str] = []
        if len(self.models) < 2:
            found.append("There is one model only: separability and stability need several.")
        for judge in self.judges:
            found += _judge_oddities(judge)
        return [*found, *_scale_lines(self.judges)]


_ORDER: tuple[Meaning, ...] = (
    "id", "instruction", "input", "system prompt", "earlier turns", "model", "response", "judge",
    "kept",
)  # fmt: skip


def column_lines(columns: Sequence[ColumnUse]) -> list[str]:
    """Say of every column what it was taken for: one sentence, and one per column left out."""
    if not columns:
        return []
    found = []
    for meaning in _ORDER:
        names = [c.column if not c.of else f"{c.column} ({c.of})" for c in columns
                 if c.meaning == meaning]  # fmt: skip
        if names:
            found.append(f"{meaning}: {some(names, 12)}")
    lines = [f"Columns taken for {'; '.join(found)}."]
    by_reason: dict[str, list[str]] = {}
    for column in columns:
        if column.meaning == "left out":
            by_reason.setdefault(column.why or "nothing is known about it", []).append(
                column.column or "(no name)"
            )
    lines += [f"Left out: {some(names, 12)} ({why})." for why, names in by_reason.items()]
    told = [c for c in columns if c.why and c.meaning != "left out"]
    return lines + [f"{c.column}: {c.why}." for c in told]


def _judge_line(judge: JudgeCount) -> str:
    if judge.low is None or judge.high is None or judge.mean is None:
        return f"Judge {judge.name}: no rewards."
    return (
        f"Judge {judge.name}: {judge.rewards:,} rewards of {judge.models:,} models, "
        f"from {judge.low:.4g} to {judge.high:.4g}, mean {judge.mean:.4g}."
    )


def _judge_oddities(judge: JudgeCount) -> list[str]:
    found = []
    if judge.nan:
        found.append(f"Judge {judge.name}: {judge.nan:,} rewards are NaN; they count as missing.")
    if judge.infinite:
        found.append(
            f"Judge {judge.name}: {judge.infinite:,} rewards are infinite; they count as missing."
        )
    if judge.missing:
        share = judge.missing_share
        words = f"Judge {judge.name}: {judge.missing:,} rewards are missing ({share:.2%})"
        if share > _MISSING_WARNING:
            words += "; a row that lacks its weak models looks easier than it is"
        found.append(words + ".")
    if judge.models_without:
        found.append(f"Judge {judge.name}: no reward at all for {some(judge.models_without)}.")
    for group in judge.identical:
        found.append(
            f"Judge {judge.name}: the rewards of {' and '.join(group)} are identical; "
            "one of them is probably a copy."
        )
    return found


def _scale_lines(judges: tuple[JudgeCount, ...]) -> list[str]:
    spans = [
        (j.name, j.low, j.high)
        for j in judges
        if j.low is not None and j.high is not None and j.high > j.low
    ]
    widths = [high - low for _, low, high in spans]
    apart = len(spans) > 1 and (
        max(widths) > _SCALE_FACTOR * min(widths)
        or max(low for _, low, _ in spans) > min(high for *_, high in spans)
    )
    if not apart:
        return []
    shown = "; ".join(f"{name} {low:.4g} to {high:.4g}" for name, low, high in spans)
    return [f"The judges are on different scales ({shown}); their rewards are never averaged."]


def some(names: Sequence[str], shown: int = 6) -> str:
    """Return the first names and how many more there are."""
    rest = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {rest:,} more" if rest > 0 else "")


def read_report(path: Path, made_by: str) -> IngestReport:
    """Read ``report.json`` of a crowd that crowdselect ``made_by`` wrote.

    Raises InputError: one with fields that this version does not know was written by another, and
    is refused by that version.
    """
    found = read_json(path)
    unknown = sorted(set(found) - set(IngestReport.model_fields))
    ours = version("crowdselect")
    if unknown and made_by != ours:
        raise InputError(
            f"The crowd {path.parent.name!r} was ingested by crowdselect {made_by}; this is "
            f"{ours}, which does not know {', '.join(unknown)} in its report.",
            "Use that version or a newer one, or ingest it again with --replace: notes and "
            "scores are kept.",
        )
    return IngestReport.parse(found, path.name)
