"""Everything the user decides about a benchmark run, as one validated, frozen value."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import Field, field_validator

from crowdselect.benchmark.judge import JudgeConfig
from crowdselect.benchmark.subject import SubjectConfig
from crowdselect.errors import InputError
from crowdselect.options import Frozen, Option
from crowdselect.tracking import TRACKERS, Tracker

OptionValue = bool | int | float | str
_OPTION = re.compile(r",(?=[A-Za-z_-]+=)")


class Suite(Frozen):
    """A benchmark by name, with its options (see ``crowdselect plugins benchmarks``)."""

    name: str
    options: dict[str, OptionValue] = Field(default_factory=dict)

    @classmethod
    def from_text(cls, text: str) -> Suite:
        """``name`` or ``name:option=value,option=value``, as the command line writes it.

        Values are typed by the benchmark that takes them, when it is built.
        """
        name, _, tail = text.partition(":")
        options: dict[str, OptionValue] = {}
        for pair in _OPTION.split(tail) if tail else []:
            key, sign, value = pair.partition("=")
            if not sign:
                raise InputError(
                    f"--suite {text!r}: {pair!r} is not OPTION=VALUE.",
                    "Write NAME:OPTION=VALUE,OPTION=VALUE.",
                )
            options[key.strip().replace("-", "_")] = value.strip()
        return cls(name=name.strip(), options=options)


SUITES = Option(
    help="Repeatable",
    flag="--suite",
    short="-s",
    metavar="NAME[:OPTION=VALUE,...]",
    parse=Suite.from_text,
)


class BenchmarkConfig(Frozen):
    """One model under test and the benchmarks that it takes."""

    subject: Annotated[SubjectConfig, Option(flag=None)]
    suites: Annotated[tuple[Suite, ...], SUITES, Field(min_length=1)]
    judge: Annotated[JudgeConfig | None, Option(flag=None)] = None
    """Who grades answers; needed by judged benchmarks only."""
    seed: Annotated[int, Option(help="Seed of sampled answers"), Field(ge=0)] = 42
    """Seed of sampled answers and of the intervals' resampling."""
    limit: Annotated[
        int | None,
        Option(
            help="Only so many questions: a quick look", label="Questions per benchmark, at most"
        ),
        Field(ge=1),
    ] = None
    """Only so many questions of each benchmark (a quick look, marked as such); None: all."""
    allow_code_execution: Annotated[bool, Option(help="Let HumanEval run code the model wrote")] = (
        False
    )
    """Let a benchmark run code that the model wrote (HumanEval)."""

    report_to: Annotated[
        tuple[Tracker, ...],
        Option(help=f"{', '.join(TRACKERS)}; repeatable", result=False),
    ] = ()

    @field_validator("suites", mode="before")
    @classmethod
    def _names(cls, given: Any) -> Any:
        if isinstance(given, list | tuple):
            return tuple(Suite.from_text(s) if isinstance(s, str) else s for s in given)
        return given
