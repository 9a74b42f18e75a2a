"""What a study found: rows with intervals, differences to the baselines, everything tried."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from crowdselect.benchmark import (
    Difference,
    Interval,
    Outcome,
    Side,
    assumed,
    build_suite,
    detectable,
    holm,
    measured,
    paired_difference,
    side_interval,
)
from crowdselect.benchmark.statistics import Bounds
from crowdselect.pipeline.study.cells import Cell, Study
from crowdselect.pipeline.study.looks import Look, look_id, looks_at
from crowdselect.pipeline.study.plan import Row, StudyPlan, rows_of
from crowdselect.pipeline.study.tuned import Fitted, fitted_rows
from crowdselect.registry import content_key


@dataclass(frozen=True)
class RowResult:
    """One line of the table."""

    label: str
    point: Mapping[str, Any]
    """What the grid gives it."""
    arm: str
    interval: Interval
    """NaN where nothing is finished, or where nothing is shown yet."""
    done: int
    planned: int
    """Seeds; an untrained model counts as one."""
    rows: int | None
    """Rows trained on; None: not chosen yet, or untrained."""
    steps: int | None
    """Optimiser steps of its training; None: not trained."""
    trained: bool
    note: str = ""


@dataclass(frozen=True)
class StudyResult:
    """A study on one of its splits, as it stands."""

    plan: StudyPlan
    split: str
    unit: str
    questions: int
    """Questions that every finished model answered."""
    rows: tuple[RowResult, ...]
    differences: tuple[Difference, ...]
    """Every row minus a baseline; the adjusted p-values count everything ever tried on them."""
    corrected_over: int
    """Comparisons that the correction counts."""
    looks: tuple[Look, ...]
    """Other looks at these questions."""
    power: str
    hidden: bool
    """The test split is not finished: its numbers are not shown, so that nobody stops early."""
    alike: Mapping[str, Mapping[str, float]]
    """Row -> row -> correlation over the questions of the mean values of their models."""
    warnings: tuple[str, ...] = ()
    fitted: tuple[Fitted, ...] = ()
    """Rows whose recipe was fitted, with what they gain where they were and were not."""
    done: int = 0
    planned: int = 0

    def against(self, baseline: str) -> list[Difference]:
        """The differences to the arm ``baseline``, at whatever point of the grid."""
        arms = {row.label: row.arm for row in self.rows}
        return [d for d in self.differences if arms[d.second] == baseline]

    @property
    def complete(self) -> bool:
        """Whether every cell is finished."""
        return self.done == self.planned

    def sentences(self) -> list[str]:
        """The outcome in plain words, then what limits it."""
        lines = [d.sentence() for d in self.differences]
        if self.differences:
            lines.append(self.correction())
        lines += [fitted.sentence() for fitted in self.fitted]
        if self.hidden:
            lines.append(
                f"{self.done} of {self.planned} cells are finished. What they reached on the test "
                "is shown when all are: who looks earlier may stop where it suits."
            )
        return [*lines, *self.looked(), *self.warnings]

    def correction(self) -> str:
        """What the p-values are corrected over."""
        more = self.corrected_over - len(self.differences)
        others = f", {more} of them of earlier looks" if more else ""
        return (
            f"P-values are corrected (Holm) over {_many(self.corrected_over)}{others}: "
            "everything that was tried on these questions."
        )

    def looked(self) -> list[str]:
        """Other looks at the same questions, in sentences."""
        lines = []
        for look in self.looks:
            why = f": {look.reason}" if look.reason else ""
            lines.append(
                f"The study {look.study} looked at these questions on {look.when[:10]}{why} "
                f"({'; '.join(look.tried)})."
            )
        return lines


def read_study(study: Study, split: str) -> StudyResult:
    """The study's results on a split, from what is finished.

    Raises what an unusable plan raises.
    """
    found: dict[str, list[Outcome]] = {}
    cells = study.cells()
    for cell in cells:
        outcome = study.outcome(cell, split)
        found.setdefault(cell.row.label, []).extend([outcome] if outcome else [])
    done = sum(map(len, found.values()))
    hidden = split == "test" and done < len(cells)
    rows = rows_of(study.plan)
    sides = {r.label: _side(r, found[r.label]) for r in rows if found[r.label] and not hidden}
    shared = sorted(set.intersection(*(set(run) for s in sides.values() for run in s.runs))
                    if sides else set())  # fmt: skip
    first = next((o for outcomes in found.values() for o in outcomes), None)
    bounds = first.bounds if first else None
    differences = _differences(study.plan, rows, sides, shared, first)
    looks = [look for look in looks_at(study, split) if look.look != look_id(study, split)]
    corrected, over = _corrected(study.plan, rows, differences, looks)
    return StudyResult(
        plan=study.plan,
        split=split,
        unit=first.unit if first else "",
        questions=len(shared),
        rows=tuple(
            _row(study, row, sides.get(row.label), shared, bounds, len(found[row.label]))
            for row in rows
        ),
        differences=corrected,
        corrected_over=over,
        looks=tuple(looks),
        power=power_line(study, split, sides, shared),
        hidden=hidden,
        alike=_alike(sides, shared),
        fitted=tuple(fitted_rows(study, _gains(corrected, split), len(shared))),
        warnings=tuple(_warnings(study, cells, sides, shared)),
        done=done,
        planned=len(cells),
    )


def comparisons(study: Study, result: StudyResult) -> dict[str, float]:
    """Every comparison of a result by what it compares, with its p-value: for the journal."""
    rows = {row.label: row for row in rows_of(study.plan)}
    return {
        _identity(study.plan, rows[d.first], rows[d.second]): d.p_value for d in result.differences
    }


def power_line(
    study: Study, split: str, sides: Mapping[str, Side] | None = None, shared: Sequence[str] = ()
) -> str:
    """What the study can show, in a sentence: by the spread that its finished models (``sides``,
    on the ``shared`` questions) have, else by what small models are known to have.
    """
    plan = study.plan
    rows = rows_of(plan)
    tuned = [side for side in (sides or {}).values() if not side.fixed]
    known = measured(tuned, shared, "measured on these models")
    suite = build_suite(plan.suite(split))
    if known is None and suite.bounds is None:
        return (
            f"What {suite.title[0].lower()}{suite.title[1:]} will show is told once two arms have "
            "two seeds each: how far it varies is not known beforehand."
        )
    spread = known or assumed(plan.expected.rate)
    count = len(shared) or suite.count()
    seeds, many = len(plan.seeds), max(1, len(_pairs(plan, rows)))
    most = math.inf if suite.bounds is None else suite.bounds[1] - suite.bounds[0]
    told = []
    for n in [count] if count else [300, 1000]:
        size = detectable(spread, seeds, n, many)
        seen = f"differences above {size:.3f}" if size < most else "no difference"
        told.append(f"{n:,} questions you will see {seen}")
    return (
        f"With {seeds} seed{'s' if seeds > 1 else ''} and {' and with '.join(told)}, four times "
        f"in five, after Holm's correction over {_many(many)} ({spread.source})."
    )


def _gains(differences: Sequence[Difference], split: str) -> dict[tuple[str, str], float]:
    """(row, baseline) -> what the row gains on the test, higher is better."""
    return {
        (d.first, d.second): d.interval.value * (1 if d.higher_is_better else -1)
        for d in differences
        if split == "test"
    }


def _many(comparisons: int) -> str:
    return f"{comparisons} comparison{'' if comparisons == 1 else 's'}"


def _side(row: Row, outcomes: Sequence[Outcome]) -> Side:
    return Side([outcome.sums() for outcome in outcomes], fixed=row.arm.untrained)


def _row(
    study: Study, row: Row, side: Side | None, shared: Sequence[str], bounds: Bounds | None,
    done: int,
) -> RowResult:  # fmt: skip
    nothing = Interval(math.nan, math.nan, math.nan)
    first = Cell(row, None if row.arm.untrained else study.plan.seeds[0])
    chosen = study.chosen(first)
    return RowResult(
        label=row.label,
        point=dict(row.point),
        arm=row.arm.name,
        interval=side_interval(side, shared, bounds) if side and shared else nothing,
        done=done,
        planned=1 if row.arm.untrained else len(study.plan.seeds),
        rows=chosen["rows"] if chosen else None,
        steps=study.steps(first),
        trained=not row.arm.untrained,
        note=row.arm.note,
    )


def _alike(sides: Mapping[str, Side], shared: Sequence[str]) -> dict[str, dict[str, float]]:
    """Which rows' models do well on the same questions."""
    if len(sides) < 2 or len(shared) < 2:
        return {}
    means = [
        np.mean([[run[q][0] / run[q][1] for q in shared] for run in side.runs], axis=0)
        for side in sides.values()
    ]
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.corrcoef(means)
    return {
        one: dict(zip(sides, map(float, row), strict=True))
        for one, row in zip(sides, found, strict=True)
    }


def _pairs(plan: StudyPlan, rows: Sequence[Row]) -> list[tuple[Row, Row]]:
    """Every trained row with every baseline at its point of the grid, no pair twice."""
    trained = [row for row in rows if not row.arm.untrained]
    seen: set[frozenset[str]] = set()
    pairs = []
    for name in plan.baselines:
        for row in trained:
            for baseline in (r for r in trained if r.arm.name == name and r.meets(row)):
                both = frozenset((row.label, baseline.label))
                if len(both) == 2 and both not in seen and row.arm.name != name:
                    seen.add(both)
                    pairs.append((row, baseline))
    return pairs


def _differences(
    plan: StudyPlan,
    rows: Sequence[Row],
    sides: Mapping[str, Side],
    shared: Sequence[str],
    first: Outcome | None,
) -> list[Difference]:
    if first is None or not shared:
        return []
    found = []
    for row, baseline in _pairs(plan, rows):
        if row.label in sides and baseline.label in sides:
            pair = sides[row.label], sides[baseline.label]
            interval, p, n, scope = paired_difference(*pair, bounds=first.bounds)
            seeds = (len(pair[0].runs), len(pair[1].runs))
            found.append(
                Difference(row.label, baseline.label, interval, p, p, n, seeds,
                           first.higher_is_better, scope)
            )  # fmt: skip
    return found


def _corrected(
    plan: StudyPlan, rows: Sequence[Row], differences: Sequence[Difference], looks: Sequence[Look]
) -> tuple[tuple[Difference, ...], int]:
    """Holm over these comparisons and over all others that were made on the same questions.

    An earlier look that did not come to its end counts with what it would have compared, as if
    nothing had come out.
    """
    by_label = {row.label: row for row in rows}
    mine = {_identity(plan, by_label[d.first], by_label[d.second]): d.p_value for d in differences}
    earlier: dict[str, float] = {}
    for look in looks:
        unfinished = {f"{look.look} {label}": 1.0 for label in look.tried[1:]}
        earlier |= {k: p for k, p in (look.comparisons or unfinished).items() if k not in mine}
    adjusted = holm([*mine.values(), *earlier.values()])
    by_key = dict(zip(mine, adjusted, strict=False))
    return (
        tuple(
            replace(d, adjusted_p=by_key[_identity(plan, by_label[d.first], by_label[d.second])])
            for d in differences
        ),
        len(mine) + len(earlier),
    )


def _identity(plan: StudyPlan, row: Row, baseline: Row) -> str:
    """What is compared: with more seeds it is another comparison, made after a look."""
    return content_key([row.id, baseline.id, plan.seeds])


def _warnings(
    study: Study, cells: Sequence[Cell], sides: Mapping[str, Side], shared: Sequence[str]
) -> list[str]:
    lines = []
    if sides and not shared:
        lines.append(
            "There is no question that every model answered: see the skipped ones of a run under "
            f"{study.workspace.runs} (a max_length that ends before the answer, say)."
        )
    if len(study.plan.seeds) == 1:
        lines.append("One seed says something of these models, nothing of the arms.")
    partial = [f"{label} ({len(s.runs)})" for label, s in sides.items()
               if not s.fixed and len(s.runs) < len(study.plan.seeds)]  # fmt: skip
    if partial:
        lines.append(f"Not all seeds are finished: {', '.join(partial)}.")
    texts = {
        f"{cell.row.label}: {text}"
        for cell in cells
        for text in (study.chosen(cell) or {}).get("warnings", ())
    }
    return [*lines, *sorted(texts)]
