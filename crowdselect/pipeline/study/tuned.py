"""Fitting the arms of a study: on one part of the development questions, chosen on the other.

Nothing of it sees the test. Every run of a fit is an ordinary cell of the study, so a fit that was
killed goes on where it stopped; what came out is an ordinary recipe, saved under a name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from crowdselect import files
from crowdselect.benchmark import Outcome
from crowdselect.errors import InputError
from crowdselect.jobs import Job
from crowdselect.pipeline.selection.saving import save_selection
from crowdselect.pipeline.selection.select import select
from crowdselect.pipeline.study import datamodel, looks, optimising
from crowdselect.pipeline.study.cells import Cell, Study
from crowdselect.pipeline.study.choosing import Chooser
from crowdselect.pipeline.study.plan import Row, rows_of
from crowdselect.pipeline.study.team import Team
from crowdselect.pipeline.study.tuning import Tune, feature_names, level_features
from crowdselect.registry import content_key
from crowdselect.values import FloatArray

_SEED = 1000
"""First seed of the runs that fit: none is a seed of the study's own, unless it has so many."""


@dataclass(frozen=True)
class Part:
    """The development questions in two: those that are fitted on, and those that choose."""

    check: float

    def is_check(self, question: str) -> bool:
        """Whether nothing is fitted on a question; it follows from its name alone."""
        digest = hashlib.sha256(question.encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8], "big") < self.check * 2**64

    def score(self, outcome: Outcome, *, check: bool) -> float:
        """The mean over one part's questions, higher is better; NaN: there are none."""
        values = [s / n for q, (s, n) in outcome.sums().items() if self.is_check(q) == check]
        sign = 1.0 if outcome.higher_is_better else -1.0
        return sign * float(np.mean(values)) if values else float("nan")


def fit_arms(job: Job, study: Study, chooser: Chooser, team: Team) -> None:
    """Fit every row that is to be fitted and is not yet."""
    for row in rows_of(study.plan):
        if row.arm.tune is not None and study.fit_of(row) is None:
            _Fitting(job, study, chooser, team, row, row.arm.tune).fit()


@dataclass(frozen=True)
class _Fitting:
    job: Job
    study: Study
    chooser: Chooser
    team: Team
    row: Row
    tune: Tune

    def fit(self) -> None:
        """Fit, choose among the finalists, and write down what came out."""
        part = Part(self.tune.check)
        rows = rows_of(self.study.plan)
        first = self.study.plan.baselines[0]
        baseline = next(r for r in rows if r.arm.name == first and r.meets(self.row))
        looks.note_fit(self.study, self.study.fit_path(self.row).stem, self._told(), self.tune.runs)
        way = self._by_datamodel if self.tune.by == "datamodel" else self._by_optuna
        found, about = way(part)
        finalists = [self._row(fields, f"finalist {i + 1}") for i, fields in enumerate(found)]
        seeds = self.study.plan.seeds
        outcomes = self._outcomes(
            [Cell(r, s) for r in (baseline, *finalists) for s in seeds], "finalists"
        )
        runs = np.array(
            [[part.score(o, check=check) for o in outcomes] for check in (False, True)]
        ).reshape(2, 1 + len(finalists), len(seeds)).mean(axis=2)  # fmt: skip
        if np.isnan(runs).any():
            raise InputError(
                f"{self.row.label}: of the development questions none is left to "
                f"{'choose' if np.isnan(runs[1]).any() else 'fit'} on.",
                "Change check of its tune, or give more development questions.",
            )
        gains = runs[:, 1:] - runs[:, :1]
        best = int(np.argmax(np.round(gains[1], 12)))
        questions = list(outcomes[0].sums())
        checked = sum(map(part.is_check, questions))
        recipe = dict(finalists[best].recipe)
        files.write_json(
            self.study.fit_path(self.row),
            {
                "arm": self.row.label,
                "by": self.tune.by,
                "baseline": baseline.label,
                "recipe": recipe,
                "selection": self._save(recipe, outcomes[0].benchmark),
                "runs": about,
                "fitted_on": len(questions) - checked,
                "checked_on": checked,
                "finalists": [
                    {"recipe": fields, "fitted": float(fitted), "checked": float(on_check)}
                    for fields, fitted, on_check in zip(found, *gains, strict=True)
                ],
                "chosen": best,
            },
        )

    def _by_datamodel(self, part: Part) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Train on tilted subsets, and read off what makes one of them good."""
        given = datamodel.subsets(self.tune, self.row.recipe)
        rows = [self._row(fields, f"subset {i + 1}", proxy=True) for i, (_, fields) in
                enumerate(given)]  # fmt: skip
        cells = [Cell(row, _SEED + i) for i, row in enumerate(rows)]
        outcomes = self._outcomes(cells, "tilted subsets")
        scores = np.array([part.score(o, check=False) for o in outcomes])
        names = feature_names(self.tune, self.row.recipe)
        features = np.array(
            [
                [*self._means(cell), *level_features(self.tune, self.row.recipe, levels)]
                for cell, (levels, _) in zip(cells, given, strict=True)
            ]
        )
        found = datamodel.fit(features, scores, names, self.tune.seed)
        about = {
            "datamodel": asdict(found),
            "gates": [dict(gate) for gate in self.tune.gates_of(self.row.recipe)],
            "scores": scores.tolist(),
        }
        return datamodel.candidates(self.tune, self.row.recipe, found), about

    def _means(self, cell: Cell) -> FloatArray:
        """The mean places of what a cell trained on, by the metrics that get a weight."""
        assert cell.seed is not None
        recipe = self.study.recipe_of(cell.row, cell.seed)
        assert recipe is not None
        rows = self.chooser.session.picks(recipe).rows
        every = recipe.model_copy(
            update={"strategy": "crowdselect", "options": {},
                    "weights": dict.fromkeys(self.tune.metrics, 1.0)}
        )  # fmt: skip
        table = self.chooser.session.table(every)
        return np.array([np.nanmean(table.normalised(n)[rows]) for n in self.tune.metrics])

    def _by_optuna(self, part: Part) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Try, and go on with what does well."""
        done = [0]

        def score(trials: Sequence[tuple[int, Mapping[str, Any]]], seed: int) -> list[float]:
            cells = [
                Cell(self._row(fields, f"trial {number + 1}", proxy=True), _SEED + seed)
                for number, fields in trials
            ]
            last = max(number for number, _ in trials) + 1
            done[0] += len(cells)
            label = f"trials up to {last} of {self.tune.runs}, seed {seed + 1}"
            return [part.score(o, check=False) for o in self._outcomes(cells, label)]

        trials = optimising.optimise(self.tune, self.row.recipe, score)
        about = {"trials": [asdict(trial) for trial in trials], "trainings": done[0]}
        return optimising.best(trials, self.tune.finalists), about

    def _row(self, fields: Mapping[str, Any], name: str, *, proxy: bool = False) -> Row:
        """The row with another recipe; while fitting it is trained as the proxy is."""
        label = f"{self.row.label}, {name}"
        arm = self.row.arm.model_copy(update={"tune": None, "name": label})
        recipe = {k: v for k, v in {**self.row.recipe, **fields}.items() if v is not None}
        train = {**self.row.train, **(self.tune.proxy if proxy else {})}
        return replace(self.row, arm=arm, label=label, recipe=recipe, train=train)

    def _outcomes(self, cells: Sequence[Cell], what: str) -> list[Outcome]:
        label = f"fitting {self.row.label}: {what}"
        self.chooser.choose(cells, f"{label}, selecting")
        self.team.make(cells, "development", label)
        found = [self.study.outcome(cell, "development") for cell in cells]
        return [outcome for outcome in found if outcome is not None]

    def _told(self) -> str:
        made = {"datamodel": "tilted subsets", "optuna": "trials"}[self.tune.by]
        return f"{self.tune.runs} {made} to fit {self.row.label}"

    def _save(self, recipe: Mapping[str, Any], benchmark: str) -> str:
        """The fitted recipe with the first seed, as a selection of the user's workspace."""
        row = replace(self.row, recipe=recipe)
        chosen = row.recipe_of(self.study.plan.crowd, self.study.plan.seeds[0])
        selection = select(self.chooser.session, chosen)
        note = f"Fitted by the study {self.study.plan.name}: {self._told()}."
        name = "-".join("".join(c if c.isalnum() else " " for c in
                                f"{self.study.plan.name} {self.row.label}").split())  # fmt: skip
        home = self.study.home
        try:
            return save_selection(home, selection, name[:80], note, [benchmark]).name
        except InputError:  # another recipe has the name: an earlier fit, say
            own = f"{name[:80]}-{content_key(recipe, 6)}"
            return save_selection(home, selection, own, note, [benchmark]).name


@dataclass(frozen=True)
class Fitted:
    """What a fitted row gained, on the questions that it saw and on those that it did not."""

    label: str
    by: str
    baseline: str
    selection: str
    """Name of the selection that holds its recipe, with the study's first seed."""
    recipe: Mapping[str, Any]
    fitted: float
    """Gain over the baseline on the questions that it was fitted on; higher is better."""
    checked: float
    """On the development questions that chose it among the finalists."""
    fitted_on: int
    checked_on: int
    test: float | None = None
    """On the test; None: not reported yet."""
    tested_on: int = 0
    correlation: float | None = None
    """Of held-out subsets' scores with what a datamodel predicts; None: there is none."""

    def sentence(self) -> str:
        """The gains side by side."""
        told = [
            f"{self.fitted:+.3f} on the {self.fitted_on:,} development questions it was fitted on",
            f"{self.checked:+.3f} on the {self.checked_on:,} that chose it",
        ]
        if self.test is not None:
            told.append(f"{self.test:+.3f} on the {self.tested_on:,} test questions")
        lost = _overfitted(self.fitted, self.test)
        kept = f" It is saved as {self.selection}."
        return f"{self.label} gains over {self.baseline} {', '.join(told)}.{lost}{kept}"


def in_words(recipe: Mapping[str, Any]) -> str:
    """A fitted recipe in a line: strategy, weights, gate, clusters, budget."""
    weights = ", ".join(f"{name} {weight:+g}" for name, weight in
                        recipe.get("weights", {}).items())  # fmt: skip
    gate = recipe.get("gate")
    parts = [
        str(recipe["strategy"]),
        weights if recipe["strategy"] in ("crowdselect", "tilted") else "",
        f"gate {gate['kind']} {gate['at_least']:g}" if gate else "no gate",
        f"{recipe['clusters']} clusters" if recipe["clusters"] else "no clusters",
        f"budget {recipe['budget']}",
    ]
    return "; ".join(filter(None, parts))


def _overfitted(fitted: float, test: float | None) -> str:
    if fitted <= 0:
        return " Nothing better than the baseline was found."
    if test is None or test >= fitted:
        return ""
    return f" Of what it gained in fitting, {max(0.0, test / fitted):.0%} is left on the test."


def fitted_rows(study: Study, tests: Mapping[tuple[str, str], float], asked: int) -> list[Fitted]:
    """The rows that are fitted; ``tests``: (row, baseline) -> gain on the ``asked`` questions."""
    found = []
    for row in rows_of(study.plan):
        fit = None if row.arm.tune is None else study.fit_of(row)
        if fit is None:
            continue
        best = fit["finalists"][fit["chosen"]]
        test = tests.get((row.label, fit["baseline"]))
        found.append(
            Fitted(
                label=row.label,
                by=fit["by"],
                baseline=fit["baseline"],
                selection=fit["selection"],
                recipe=fit["recipe"],
                fitted=best["fitted"],
                checked=best["checked"],
                fitted_on=fit["fitted_on"],
                checked_on=fit["checked_on"],
                test=test,
                tested_on=0 if test is None else asked,
                correlation=fit["runs"].get("datamodel", {}).get("correlation"),
            )
        )
    return found
