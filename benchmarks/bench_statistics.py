"""Whether the statistics of benchmarks hold: simulated type-I errors and coverage.

    python benchmarks/bench_statistics.py [--rounds 1000] [--quick]

Everything is drawn at random, so the truth is known. Wanted: a type-I error of at most 0.05 and a
coverage of at least 0.95; a share of R rounds is known to within about 2 sqrt(0.05 * 0.95 / R).

Questions have a difficulty (sd 1) that all models share and an effect of their own on each
strategy (sd 0.5); runs answer with noise (sd 0.7) and, where seeds have an effect, are shifted as
a whole (sd 0.2). ``binary`` is right or wrong by the sign; ``weighted`` counts questions by
lognormal tokens (sigma 1) and is lower for longer ones, as losses are.
"""

from __future__ import annotations

import argparse
import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np

from crowdselect.benchmark.differences import Side, paired_difference, side_interval
from crowdselect.benchmark.statistics import Bounds, Interval, Sums, holm, mean_interval
from crowdselect.values import FloatArray

QUESTIONS = (1, 2, 5, 20, 80, 500)
SEEDS = ((1, 1), (2, 2), (3, 3), (5, 5), (10, 10), (5, 1), (2, 1))
KINDS = ("continuous", "binary", "weighted")
SEED_SD = 0.2
UNIT: Bounds = (0.0, 1.0)
Rng = np.random.Generator


class World:
    """Questions of one benchmark, and strategies of equal worth that are tested on them."""

    def __init__(self, rng: Rng, kind: str, questions: int, seed_sd: float) -> None:
        self.rng, self.kind, self.seed_sd = rng, kind, seed_sd
        self.names = [f"q{i:03d}" for i in range(questions)]
        weighted = kind == "weighted"
        self.weights = rng.lognormal(sigma=1.0, size=questions) if weighted else np.ones(questions)
        self.difficulty = rng.normal(size=questions) - 0.2 * np.log(self.weights)

    def side(self, runs: int) -> Side:
        """A strategy, trained ``runs`` times."""
        own = self.difficulty + self.rng.normal(scale=0.5, size=len(self.names))
        return Side([self._run(own) for _ in range(runs)])

    def _run(self, own: FloatArray) -> Sums:
        shift = self.rng.normal(scale=self.seed_sd) if self.seed_sd else 0.0
        values = own + shift + self.rng.normal(scale=0.7, size=len(own))
        if self.kind == "binary":
            values = (values > 0).astype(np.float64)
        rows = zip((values * self.weights).tolist(), self.weights.tolist(), strict=True)
        return dict(zip(self.names, rows, strict=True))

    @property
    def bounds(self) -> Bounds | None:
        return UNIT if self.kind == "binary" else None

    @property
    def truth(self) -> float:
        """Expected score of any strategy; weighted: E[w y] / E[w] of the lognormal weights."""
        return {"continuous": 0.0, "binary": 0.5, "weighted": -0.2}[self.kind]


def holds(interval: Interval, truth: float) -> bool:
    """No interval is no false promise."""
    return math.isnan(interval.low) or interval.low <= truth <= interval.high


def differences(kind: str, questions: int, seeds: tuple[int, int], seed_sd: float,
                rounds: int, rng: Rng) -> float:  # fmt: skip
    """Share of rounds in which equals are called different."""
    alarms = 0
    for _ in range(rounds):
        world = World(rng, kind, questions, seed_sd)
        _, p, _, _ = paired_difference(
            world.side(seeds[0]), world.side(seeds[1]), bounds=world.bounds
        )
        alarms += p < 0.05
    return alarms / rounds


def scores(kind: str, questions: int, runs: int, seed_sd: float, rounds: int, rng: Rng) -> float:
    """Share of rounds in which a group's interval holds the truth."""
    hits = 0
    for _ in range(rounds):
        world = World(rng, kind, questions, seed_sd)
        hits += holds(side_interval(world.side(runs), world.names, world.bounds), world.truth)
    return hits / rounds


def families(models: int, questions: int, rounds: int, rng: Rng) -> float:
    """Share of rounds with any difference after Holm's correction, among equals of one seed."""
    alarms = 0
    for _ in range(rounds):
        world = World(rng, "continuous", questions, 0.0)
        sides = [world.side(1) for _ in range(models)]
        found = [paired_difference(a, b)[1] for a, b in itertools.combinations(sides, 2)]
        alarms += min(holm(found)) < 0.05
    return alarms / rounds


SINGLE: dict[str, tuple[Callable[[Rng, int], FloatArray], float, Bounds | None]] = {
    "normal": (lambda rng, n: rng.normal(size=n), 0.0, None),
    "rate of 0.5": (lambda rng, n: (rng.random(n) < 0.5) * 1.0, 0.5, UNIT),
    "rate of 0.9": (lambda rng, n: (rng.random(n) < 0.9) * 1.0, 0.9, UNIT),
    "rate of 0.98": (lambda rng, n: (rng.random(n) < 0.98) * 1.0, 0.98, UNIT),
    "two games, 0 to 1": (lambda rng, n: rng.binomial(2, 0.8, size=n) / 2, 0.8, UNIT),
    "grades, 1 to 10": (lambda rng, n: np.clip(np.round(rng.normal(7, 2, n)), 1, 10), 6.961,
                        (1.0, 10.0)),
    "preferences, skewed": (lambda rng, n: rng.beta(0.3, 1.2, size=n), 0.2, UNIT),
    "exponential": (lambda rng, n: rng.exponential(size=n), 1.0, None),
}  # fmt: skip


def singles(name: str, questions: int, rounds: int, rng: Rng) -> float:
    """Share of rounds in which the interval of one run holds the truth."""
    draw, truth, bounds = SINGLE[name]
    names = [f"q{i}" for i in range(questions)]
    hits = sum(
        holds(mean_interval(draw(rng, questions).tolist(), names, bounds=bounds), truth)
        for _ in range(rounds)
    )
    return hits / rounds


def percentile(questions: int, rounds: int, rng: Rng) -> float:
    """Type-I error of the percentile bootstrap that this replaced, one seed a side."""
    alarms = 0
    for _ in range(rounds):
        d = rng.normal(size=questions)
        means = d[rng.integers(questions, size=(2000, questions))].mean(axis=1)
        tail = min((means <= 0).sum(), (means >= 0).sum())
        alarms += 2 * (tail + 1) / 2001 < 0.05
    return alarms / rounds


def table(title: str, rows: Sequence[tuple[str, Sequence[float]]], columns: Sequence[str]) -> None:
    """One Markdown table."""
    print(f"\n{title}\n")
    print("| | " + " | ".join(columns) + " |\n|---" + "|---" * len(columns) + "|")
    for name, values in rows:
        print(f"| {name} | " + " | ".join(f"{v:.3f}" for v in values) + " |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--quick", action="store_true", help="no 500 questions, no ten seeds")
    given = parser.parse_args()
    rng = np.random.default_rng(1)
    sizes = [n for n in QUESTIONS if n < 500 or not given.quick]
    pairs = [s for s in SEEDS if max(s) < 10 or not given.quick]
    columns = [f"{n} questions" for n in sizes]
    for sd in (0.0, SEED_SD):
        effect = f"seed effect of sd {sd}" if sd else "no seed effect"
        table(
            f"Type-I error of a difference, {effect}",
            [(f"{kind}, {a} and {b} seeds",
              [differences(kind, n, (a, b), sd, given.rounds, rng) for n in sizes])
             for kind in KINDS for a, b in pairs],
            columns,
        )  # fmt: skip
    for sd in (0.0, SEED_SD):
        effect = f"seed effect of sd {sd}" if sd else "no seed effect"
        table(
            f"Coverage of a group's score, {effect}",
            [(f"{kind}, {k} seeds", [scores(kind, n, k, sd, given.rounds, rng) for n in sizes])
             for kind in KINDS for k in sorted({a for a, _ in pairs})],
            columns,
        )  # fmt: skip
    table(
        "Coverage of one run's score",
        [(name, [singles(name, n, given.rounds, rng) for n in sizes]) for name in SINGLE],
        columns,
    )
    table(
        "Any difference among equals after Holm, one seed a side",
        [(f"{m} models, {m * (m - 1) // 2} differences",
          [families(m, n, given.rounds // 2, rng) for n in sizes if n < 500]) for m in (5, 12)],
        columns[: len([n for n in sizes if n < 500])],
    )  # fmt: skip
    table(
        "For comparison: type-I error of a paired percentile bootstrap, one seed a side",
        [("continuous", [percentile(n, given.rounds, rng) for n in sizes if n < 500])],
        columns[: len([n for n in sizes if n < 500])],
    )


if __name__ == "__main__":
    main()
