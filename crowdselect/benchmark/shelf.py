"""Every benchmark by name; a new one is a file and a line here."""

from __future__ import annotations

from collections.abc import Mapping

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
from crowdselect.errors import NotFoundError
from crowdselect.options import options_of, read_option
from crowdselect.registry import Registry, build, did_you_mean

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
    declared = {o.name: o for o in options_of(plugin)}
    # A text from the command line becomes what the option declares.
    typed = {
        name: read_option(declared[name], value)
        if isinstance(value, str) and name in declared
        else value
        for name, value in suite.options.items()
    }
    return build(plugin, typed)
