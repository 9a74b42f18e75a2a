"""Every benchmark by name; a new one is a file and a line here."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from crowdselect.benchmark.alpaca_eval import AlpacaEval
from crowdselect.benchmark.arena_hard import ArenaHard
from crowdselect.benchmark.base import Benchmark
from crowdselect.benchmark.config import Suite
from crowdselect.benchmark.harness import Harness
from crowdselect.benchmark.heldout_loss import HeldoutLoss
from crowdselect.benchmark.mt_bench import MtBench
from crowdselect.benchmark.response_style import ResponseStyle
from crowdselect.benchmark.reward_score import RewardScore
from crowdselect.benchmark.translation import Translation
from crowdselect.benchmark.verifiable import Verifiable
from crowdselect.errors import InputError, NotFoundError
from crowdselect.registry import Registry, build, did_you_mean, options_of

BENCHMARKS: Registry[type[Benchmark]] = Registry(
    "benchmark",
    [
        Verifiable,
        HeldoutLoss,
        RewardScore,
        ResponseStyle,
        MtBench,
        ArenaHard,
        AlpacaEval,
        Harness,
        Translation,
    ],
)

SHORTHANDS: Mapping[str, Suite] = {
    "mmlu": Suite(name="harness", options={"task": "mmlu", "fewshot": 5}),
    "bbh": Suite(name="harness", options={"task": "bbh_cot_fewshot"}),
    "gsm8k": Suite(name="harness", options={"task": "gsm8k"}),
    "tydiqa": Suite(name="harness", options={"task": "tydiqa_goldp", "metric": "f1"}),
    "humaneval": Suite(name="harness", options={"task": "humaneval_instruct"}),
}
"""Names that stand for a task of the harness as SelectIT's evaluation has them."""


def build_suite(suite: Suite) -> Benchmark:
    """The benchmark that a suite names, its options typed and checked.

    Raises NotFoundError for an unknown name, InputError for an option that cannot be used.
    """
    if suite.name in SHORTHANDS:
        short = SHORTHANDS[suite.name]
        suite = Suite(name=short.name, options={**short.options, **suite.options})
    if suite.name not in BENCHMARKS:
        known = [*BENCHMARKS.names(), *SHORTHANDS]
        raise NotFoundError(
            f"There is no benchmark called {suite.name!r}.", did_you_mean(suite.name, known)
        )
    plugin = BENCHMARKS[suite.name]
    kinds = {o.name: o.type for o in options_of(plugin)}
    typed = {k: _typed(suite.name, k, v, kinds.get(k)) for k, v in suite.options.items()}
    return build(plugin, typed)


def _typed(name: str, key: str, value: Any, kind: Any) -> Any:
    """A text from the command line as the type that the option declares."""
    if not isinstance(value, str) or kind in (str, None):
        return value
    if kind is bool and value.lower() in ("true", "yes", "1", "false", "no", "0"):
        return value.lower() in ("true", "yes", "1")
    if kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(value)
    raise InputError(f"{name}: {key} is {value!r}.", f"Give a value of type {kind.__name__}.")
