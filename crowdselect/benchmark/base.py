"""What a benchmark is: questions in, items out, scores with intervals from items."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from crowdselect.benchmark.judge import JudgeConfig
from crowdselect.benchmark.sources import file_hash
from crowdselect.benchmark.statistics import Bounds, Interval, mean_interval
from crowdselect.benchmark.subject import Subject
from crowdselect.errors import CrowdSelectError
from crowdselect.lm.journal import Journal
from crowdselect.options import opening
from crowdselect.progress import Progress
from crowdselect.servers import Cost

if TYPE_CHECKING:
    from crowdselect.benchmark.config import BenchmarkConfig


@dataclass(frozen=True)
class Item:
    """One judged question of one model; what intervals and paired differences are made of."""

    question: str
    """Question id, the same for every model: pairs are matched by it."""
    category: str
    value: float | None
    """The score in the benchmark's unit; None: it failed, and counts as a failure, never as 0."""
    prompt: str
    answer: str
    reason: str = ""
    """Why ``value`` is None, or what the judge said."""
    weight: float = 1.0
    """Weight in the mean (tokens of a held-out text, say)."""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Score:
    """A number of a benchmark with its interval."""

    metric: str
    interval: Interval
    n: int
    """Questions that count."""
    failed: int
    category: str = ""
    """Empty: all categories."""


def _untold(_cost: Cost) -> None:
    """Nobody asks."""


@dataclass(frozen=True)
class Context:
    """What a benchmark works with."""

    subject: Subject
    journal: Journal
    """Finished work of an earlier start; append to it as soon as something is done."""
    folder: Path
    """The run's folder of this benchmark, for files of its own."""
    progress: Progress
    seed: int
    limit: int | None
    """Only so many questions (a quick look, marked as such); None: all."""
    note: Callable[[str], None]
    """Tell a person something in one line."""
    cache: Path
    """Answers of servers, kept for every run of the workspace."""
    judge: JudgeConfig | None = None
    allow_code_execution: bool = False
    spent: Callable[[Cost], None] = _untold
    """Tell what a served judge took so far, over all starts of the run."""

    def with_journal(self, journal: Journal) -> Context:
        """The same with another journal."""
        return dataclasses.replace(self, journal=journal)


@dataclass(frozen=True)
class Benchmark(ABC):
    """A frozen dataclass: fields = options, class variables = facts, ``run`` = the work."""

    name: ClassVar[str]
    title: ClassVar[str]
    unit: ClassVar[str]
    higher_is_better: ClassVar[bool] = True
    bounds: ClassVar[Bounds | None] = None
    """Least and greatest possible value of an item; None: unbounded. See :meth:`bounds_of`."""
    source: ClassVar[str]
    """Where the protocol is defined."""
    version: ClassVar[int] = 1
    """Raised whenever a change makes scores incomparable with older ones."""
    kind: ClassVar[Literal["own", "judged", "harness", "translation"]]
    judged: ClassVar[bool] = False
    """Whether it needs a judge."""

    @property
    def label(self) -> str:
        """What results call it; says which file or task where one benchmark takes many."""
        return self.name

    @property
    def needs_judge(self) -> bool:
        """Whether a judge has to be asked; not for judgments that were made elsewhere."""
        return self.judged

    @abstractmethod
    def run(self, context: Context) -> Sequence[Item]:
        """Answer and judge every question; resumes from ``context.journal``."""

    def protocol(self, context: Context) -> dict[str, Any]:
        """Everything that must be equal for two scores to be comparable.

        Raises NotFoundError for a file that is not there.
        """
        options = dataclasses.asdict(self)
        named = opening(type(self), "file")  # the content's hash stands for the path
        found: dict[str, Any] = {
            "benchmark": self.name,
            "version": self.version,
            "options": {k: v for k, v in options.items() if k not in named},
            "inputs": {k: file_hash(options[k]) for k in named if options[k]},
            "limit": context.limit,
        }
        if (computed := context.subject.computed) is not None:
            found["computed"] = computed
        if self.judged and context.judge:
            found["judge"] = {"kind": context.judge.kind, "model": context.judge.model}
        return found

    def judging(self, limit: int | None) -> Cost:
        """The most that a judge would have to read and write, for an estimate before the start.

        Answers are taken to be as long as allowed, four characters a token.
        """
        return Cost(0, 0, 0, None)

    def count(self, limit: int | None = None) -> int | None:
        """How many questions it will ask; None: that is known once it has asked."""
        return None

    def conflicts(self, config: BenchmarkConfig) -> Iterator[CrowdSelectError]:
        """What keeps the benchmark from running with this config, told before anything starts."""
        yield from ()

    def bounds_of(self, items: Sequence[Item]) -> Bounds | None:
        """Least and greatest possible value of these items, which one judge graded."""
        return self.bounds

    def scores(self, items: Sequence[Item], seed: int) -> list[Score]:
        """The weighted mean over all questions and per category, with 95 % intervals.

        ``seed`` is for what a published method draws at random.
        """
        bounds = self.bounds_of(items)
        found = [summarise(self.unit, items, bounds=bounds)]
        categories = sorted({i.category for i in items if i.category})
        if len(categories) > 1:
            found += [
                summarise(self.unit, [i for i in items if i.category == c], c, bounds=bounds)
                for c in categories
            ]
        return found


def summarise(
    metric: str,
    items: Sequence[Item],
    category: str = "",
    *,
    bounds: Bounds | None = None,
) -> Score:
    """Weighted mean of the items that did not fail, its interval over whole questions."""
    valid = [i for i in items if i.value is not None]
    interval = mean_interval(
        [i.value for i in valid if i.value is not None],
        [i.question for i in valid],
        weights=[i.weight for i in valid],
        bounds=bounds,
    )
    questions = len({i.question for i in valid})
    return Score(metric, interval, questions, len(items) - len(valid), category)
