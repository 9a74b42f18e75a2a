"""A study as a person writes it: arms, what is varied, seeds, and two sets of questions."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import Field, field_validator, model_validator

from crowdselect.benchmark import (
    BENCHMARKS,
    BenchmarkConfig,
    Suite,
    build_suite,
    check,
    file_hash,
)
from crowdselect.errors import InputError, NotFoundError
from crowdselect.finetune import FinetuneConfig
from crowdselect.hub import HUB
from crowdselect.options import opening
from crowdselect.pipeline.study.scores import Scored
from crowdselect.pipeline.study.tuning import BESIDE, Tune, check_tune, with_arms_beside
from crowdselect.pipeline.targets import with_files
from crowdselect.reading import read_text
from crowdselect.registry import content_key, did_you_mean
from crowdselect.settings import check_name, demo_data
from crowdselect.values import Frozen, Recipe

DEMO = "{demo}"
"""Stands for the folder of the demo's data."""
SPLITS = ("development", "test")
_HOW: dict[str, Any] = {"burst_steps": 0, "save_steps": 200, "log_steps": 50}
"""A run of seconds is not measured beforehand, and keeps no checkpoints."""


class Arm(Frozen):
    """One way to choose and train, as it differs from the study's common settings."""

    name: str
    recipe: dict[str, Any] = Field(default_factory=dict)
    """Fields of a recipe; for nothing but ``crowd`` and ``seed``, which the study gives."""
    train: dict[str, Any] = Field(default_factory=dict)
    """Options of a fine-tune."""
    benchmark: dict[str, bool | int | float | str] = Field(default_factory=dict)
    """Options of the benchmark, such as another form of asking."""
    tune: Tune | None = None
    """Fit what the recipe leaves open, on the development questions; None: nothing is fitted."""
    untrained: bool = False
    """The base model as it is: shown beside the others, compared with none."""
    note: str = ""
    """What a reader should know of it."""


class Expected(Frozen):
    """What the power line goes by before anything was measured."""

    rate: float = Field(default=0.33, gt=0, lt=1)
    """Share of answers that will be right."""


class Split(Frozen):
    """Instructions of the crowd that are questions, and that no arm may train on.

    Which they are follows from their texts (``equal_texts.set_apart``): those of development come
    first. ``{development}`` and ``{test}`` stand for them in a benchmark, ``{development}`` also in
    a recipe's ``targets``.
    """

    development: int = Field(default=0, ge=0)
    test: int = Field(default=0, ge=0)
    answer: str = "best"
    """Answer policy that says what a right answer is, by the judge of the common recipe."""

    @property
    def kept_apart(self) -> int:
        """How many."""
        return self.development + self.test


class StudyPlan(Frozen):
    """A study, validated. :func:`read_plan` makes one of a TOML file."""

    name: str
    title: str = ""
    note: str = ""
    """What the study asks, and what is known beforehand."""
    crowd: str
    baselines: tuple[str, ...] = Field(min_length=1)
    """Arms that every other is compared with."""
    seeds: tuple[int, ...] = Field(default=(0, 1, 2, 3, 4), min_length=1)
    """Each draws the subset anew and trains in another order; a number means 0 to number - 1."""
    development: str = ""
    """Benchmark that recipes are tuned on, as ``NAME:OPTION=VALUE,...``."""
    test: str = ""
    """Benchmark that is reported, once."""
    split: Split | None = None
    """Questions out of the crowd itself; None: they come from elsewhere."""
    scores: tuple[Scored, ...] = ()
    """Columns that a model makes before anything is chosen, for recipes to weigh."""
    recipe: dict[str, Any] = Field(default_factory=dict)
    train: dict[str, Any] = Field(default_factory=dict)
    grid: dict[str, tuple[Any, ...]] = Field(default_factory=dict)
    """``recipe.FIELD`` or ``train.OPTION`` -> its values: every arm with every combination."""
    arms: tuple[Arm, ...] = Field(min_length=1)
    expected: Expected = Expected()

    @field_validator("seeds", mode="before")
    @classmethod
    def _count(cls, given: Any) -> Any:
        return tuple(range(given)) if isinstance(given, int) else given

    @model_validator(mode="before")
    @classmethod
    def _beside(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or not isinstance(given.get("arms"), list | tuple):
            return given
        return {**given, "arms": with_arms_beside(given["arms"], given.get("recipe", {}))}

    @model_validator(mode="after")
    def _fits_together(self) -> StudyPlan:
        check_name("study", self.name)
        for problem, remedy in self._problems():
            raise InputError(f"The study {self.name}: {problem}", remedy)
        return self

    def _problems(self) -> Iterator[tuple[str, str]]:
        names = [arm.name for arm in self.arms]
        for name in {n for n in names if names.count(n) > 1}:
            yield f"two arms are called {name!r}.", "Give each a name of its own."
        for name in self.baselines:
            if name not in names or self.arm(name).untrained:
                yield f"the baseline {name!r} is no trained arm.", did_you_mean(name, names)
        if self.baselines[0] in names and self.arm(self.baselines[0]).tune is not None:
            yield "its first baseline is fitted.", "Name an arm first that is as it is, as random."
        for key in self.grid:
            if key.split(".")[0] not in ("recipe", "train") or key in ("recipe.seed", "train.seed"):
                yield (
                    f"the grid cannot vary {key!r}.",
                    "Vary recipe.FIELD or train.OPTION; seeds have a line of their own.",
                )
        if len(set(self.seeds)) < len(self.seeds) or min(self.seeds) < 0:
            yield "the seeds are not different numbers from 0 on.", "Write seeds = 10."
        if not self.development and not self.test:
            yield "it names no benchmark.", "Write development = 'NAME:OPTION=VALUE', and test."
        for name in (n for n in SPLITS if f"{{{n}}}" in self.development + self.test):
            if not getattr(self.split, name, 0):
                yield f"{{{name}}} stands for no questions.", f"Say how many: [split] {name} = 100."

    def arm(self, name: str) -> Arm:
        """The arm called ``name``."""
        return next(arm for arm in self.arms if arm.name == name)

    def suite(self, split: str, arm: Arm | None = None) -> Suite:
        """The benchmark of a split, as ``arm`` is asked.

        Raises InputError where the study has no such split.
        """
        text = {"development": self.development, "test": self.test}.get(split, "")
        if not text:
            raise InputError(
                f"The study {self.name} has no {split} questions.",
                f"Write {split} = 'NAME:OPTION=VALUE' into its file.",
            )
        suite = Suite.from_text(text)
        more = {} if arm is None else arm.benchmark
        return suite.model_copy(update={"options": {**suite.options, **more}})

    def to_toml(self) -> str:
        """The plan as TOML."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))

    @classmethod
    def from_toml(cls, text: str, source: str) -> StudyPlan:
        """Read what :meth:`to_toml` wrote; raises InputError naming ``source`` and the field."""
        return cls.parse(_toml(text, source), source)


@dataclass(frozen=True)
class Row:
    """One line of a study's table: an arm at one point of the grid, with all of its seeds."""

    arm: Arm
    point: tuple[tuple[str, Any], ...]
    """What the grid gives it, by key."""
    label: str
    recipe: Mapping[str, Any]
    train: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Hash of what is chosen and trained; two rows that differ in words only share it."""
        made = [self.recipe, self.train, self.arm.benchmark, self.arm.untrained]
        tune = self.arm.tune
        return content_key(made if tune is None else [*made, tune.model_dump(mode="json")])

    def meets(self, other: Row) -> bool:
        """Whether the grid gives both the same, in what it gives to both."""
        mine, theirs = dict(self.point), dict(other.point)
        return all(theirs.get(key, value) == value for key, value in mine.items())

    def recipe_of(self, crowd: str, seed: int) -> Recipe:
        """The recipe of one seed; raises InputError for a field that no recipe has."""
        given = {**with_files(self.recipe)[0], "crowd": crowd, "seed": seed}
        return Recipe.parse(given, f"recipe of {self.label}")

    def config_of(self, data: str, seed: int) -> FinetuneConfig:
        """The fine-tune of one seed on the file ``data``."""
        given = {**_HOW, **self.train, "data": data, "seed": seed}
        return FinetuneConfig.parse(given, f"fine-tune of {self.label}")


def rows_of(plan: StudyPlan) -> tuple[Row, ...]:
    """Every arm at every point of the grid, in the order of the file.

    A key that an arm sets itself does not vary there; an untrained arm varies with the model only.
    """
    rows = []
    for arm in plan.arms:
        keys = [key for key in plan.grid if _varies(arm, key)]
        for values in itertools.product(*(plan.grid[key] for key in keys)):
            point = tuple(zip(keys, values, strict=True))
            given: dict[str, Any] = {"recipe": plan.recipe, "train": plan.train}
            for key, value in point:
                given = _with(given, key.split("."), value)
            told = ", ".join(_told(key, value) for key, value in point)
            label = f"{arm.name}, {told}" if told else arm.name
            recipe = _kept_apart(plan.split, {**given["recipe"], **arm.recipe})
            rows.append(Row(arm, point, label, recipe, {**given["train"], **arm.train}))
    return tuple(rows)


def _kept_apart(split: Split | None, recipe: dict[str, Any]) -> dict[str, Any]:
    if split is None:
        return recipe
    return {**recipe, "filters": {**recipe.get("filters", {}), "held_out": split.kept_apart}}


def check_plan(plan: StudyPlan, split: str) -> tuple[Row, ...]:
    """The rows, each with a recipe, a fine-tune and a benchmark that can be built.

    Raises InputError or NotFoundError naming the arm and what is wrong, before anything is made.
    """
    rows = rows_of(plan)
    for row in rows:
        if not row.train.get("model"):
            raise InputError(
                f"The study {plan.name} names no model for {row.label}.",
                "Write model = 'FOLDER' under [train], or give --model.",
            )
        row.config_of("data.jsonl", plan.seeds[0])
        if not row.arm.untrained:
            row.recipe_of(plan.crowd, plan.seeds[0])
        if row.arm.tune is not None:
            check_tune(row.arm.tune, row.label, row.recipe, questions=bool(plan.development))
            replace(row, train={**row.train, **row.arm.tune.proxy}).config_of("data.jsonl", 0)
        suite = plan.suite(split, row.arm)
        subject: Any = {"name": row.label, "model": str(row.train["model"])}
        check(BenchmarkConfig.parse({"subject": subject, "suites": [suite]}, row.label))
    for scored in plan.scores:
        scored.check(plan.crowd, plan.recipe.get("judge"), str(plan.train.get("model", "")))
    if plan.development and plan.test and split_key(plan, SPLITS[0]) == split_key(plan, SPLITS[1]):
        raise InputError(
            f"The study {plan.name} tunes and reports on the same questions.",
            "Give other questions as test: what was tuned on them looks better on them.",
        )
    return rows


def split_key(plan: StudyPlan, split: str) -> str:
    """What tells two sets of questions apart: the files' contents, else the benchmark's options."""
    suite = plan.suite(split)
    built = build_suite(suite)
    named = [getattr(built, name) for name in opening(type(built), "file")]
    contents = [file_hash(path) for path in named if path and not path.startswith(HUB)]
    return content_key([suite.name, contents or suite.options])


def read_plan(path: Path, **changes: Any) -> StudyPlan:
    """Read a study's TOML file; what is given in ``changes`` (None: nothing) replaces its fields.

    ``{demo}`` stands for the demo's data; other paths are relative to the file. ``model`` changes
    what is trained, ``judge`` the common recipe's, ``report_to`` which trackers follow.

    Raises NotFoundError where there is no such file, InputError naming file and field.
    """
    if not path.is_file():
        raise NotFoundError(f"There is no study file {path}.", "Give the path of a TOML file.")
    found = _placed(_toml(read_text(path).text, str(path)), path.parent)
    for part, key in (("train", "model"), ("recipe", "judge"), ("train", "report_to")):
        value = changes.pop(key, None)
        if value is not None:
            found[part] = {**found.get(part, {}), key: value}
    found |= {name: value for name, value in changes.items() if value is not None}
    plan = StudyPlan.parse({"name": path.stem, **found}, str(path))
    for split in (s for s in SPLITS if getattr(plan, s)):
        suite = plan.suite(split)
        BENCHMARKS[suite.name]  # raises for a name that there is not
    return plan


def _toml(text: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        what = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise InputError(f"{source} is not TOML: {what}.", "Correct that line.") from error


def only_arms(plan: StudyPlan, names: Sequence[str]) -> StudyPlan:
    """The plan with these arms and the baselines alone; all where no name is given."""
    known = [arm.name for arm in plan.arms]
    for name in names:
        if name not in known:
            raise NotFoundError(
                f"The study {plan.name} has no arm {name!r}.", did_you_mean(name, known)
            )
    wanted = {*names, *plan.baselines}
    if any(arm.tune is not None and arm.name in wanted for arm in plan.arms):
        wanted |= set(BESIDE)
    kept = [arm for arm in plan.arms if not names or arm.name in wanted]
    return plan.model_copy(update={"arms": tuple(kept)})


def _varies(arm: Arm, key: str) -> bool:
    if arm.untrained:
        return key == "train.model"
    part, _, field = key.partition(".")
    own = arm.recipe if part == "recipe" else arm.train
    return not field or field.split(".")[0] not in own


def _with(tree: Any, path: Sequence[str], value: Any) -> Any:
    """A copy of ``tree`` with ``value`` at ``path``; a table is laid over one that is there."""
    if path:
        return {**tree, path[0]: _with(tree.get(path[0], {}), path[1:], value)}
    both = isinstance(tree, Mapping) and isinstance(value, Mapping)
    return {**tree, **value} if both else value


def _told(key: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(_told(k, v) for k, v in value.items())
    return f"{key.rsplit('.', 1)[-1]} {Path(value).name if isinstance(value, str) else value}"


def _placed(value: Any, folder: Path) -> Any:
    """``{demo}`` and paths relative to the file, wherever they stand in a text."""
    if isinstance(value, Mapping):
        return {k: _placed(v, folder) for k, v in value.items()}
    if isinstance(value, list):
        return [_placed(v, folder) for v in value]
    if not isinstance(value, str):
        return value
    if DEMO in value:
        return value.replace(DEMO, str(demo_data()))
    if value.startswith(("./", "../")) and (folder / value).exists():
        return str((folder / value).resolve())
    head, sign, tail = value.partition("path=")
    if sign and tail.startswith(("./", "../")):
        return f"{head}path={(folder / tail).resolve()}"
    return value
