"""Config + data + machine -> a plan that every process of the run reads from ``plan.json``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from crowdselect import files
from crowdselect.errors import InputError, MissingDependencyError, require
from crowdselect.finetune import machine
from crowdselect.finetune.budget import Budget, Memory, plan, trained_parameters
from crowdselect.finetune.config import PACKAGES, FinetuneConfig
from crowdselect.finetune.flops import ModelShape, flops_per_token, peak_flops, shape_of
from crowdselect.finetune.machine import Setup, choose
from crowdselect.finetune.models import checkpoint_of
from crowdselect.finetune.prepare import Prepared, prepare
from crowdselect.lm.models import load_config, load_tokenizer
from crowdselect.progress import Progress, silent
from crowdselect.tracking import check_trackers


@dataclass(frozen=True)
class Plan:
    """How a run will go."""

    config: FinetuneConfig
    setup: Setup
    budget: Budget
    flops_per_token: float | None
    """Training FLOPs per token; None for mixtures of experts, where the formula does not hold."""
    peak: float | None
    """Peak FLOP/s of one device; None: not a known one."""
    parameters: int
    trained: int
    memory_free: int
    """Bytes that were free on one device when the plan was made."""

    def save(self, path: Path) -> None:
        """Write the plan as JSON."""
        files.write_json(path, {**asdict(self), "config": self.config.model_dump(mode="json")})

    @classmethod
    def load(cls, path: Path) -> Plan:
        """Read what :meth:`save` wrote."""
        record = files.read_json(path)
        setup, budget = record.pop("setup"), record.pop("budget")
        return cls(
            config=FinetuneConfig.parse(record.pop("config"), str(path)),
            setup=Setup(**{**setup, "notes": tuple(setup["notes"])}),
            budget=Budget(**{**budget, "memory": Memory(**budget["memory"])}),
            **record,
        )


def check_packages(config: FinetuneConfig) -> None:
    """Raise MissingDependencyError for what the run needs and is not installed."""
    for package in PACKAGES:
        require(package, feature="Fine-tuning", extra="finetune")
    check_trackers(config.report_to)
    extra = {}
    if config.launcher == "accelerate" and config.accelerate_config in ("zero2", "zero3"):
        extra["deepspeed"] = f"--accelerate-config {config.accelerate_config}"
    for package, feature in extra.items():
        if find_spec(package) is None:
            raise MissingDependencyError(feature, package, f"pip install {package}")


def make_plan(
    config: FinetuneConfig,
    *,
    progress: Progress = silent,
    outside: bool = False,
    prepared: Prepared | None = None,
) -> tuple[Plan, Prepared]:
    """Tokenise the data, look at the machine and plan the steps.

    ``outside`` looks at the GPU in a process of its own. Raises what reading the data and the
    model raises; whether the plan fits is for the estimate to say.
    """
    check_packages(config)
    if prepared is None:
        prepared = prepare(config, load_tokenizer(checkpoint_of(config)), progress=progress)
    shape = shape_of(load_config(checkpoint_of(config)))
    _check_targets(config, shape)
    here = machine.look_from_outside() if outside else machine.look()
    setup = choose(config, here)
    rows, tokens, longest = _trained_rows(prepared, config)
    budget = plan(config, shape, setup, here, rows=rows, tokens=tokens, longest=longest)
    lora = None if config.mode == "full" else trained_parameters(shape, config)
    mean = prepared.report.mean_length / (1 if config.method == "sft" else 2)
    return (
        Plan(
            config=config,
            setup=setup,
            budget=budget,
            flops_per_token=(
                None if shape.experts else flops_per_token(shape, mean, lora_parameters=lora)
            ),
            peak=peak_flops(here.name) if setup.bf16 else None,
            parameters=shape.parameters,
            trained=trained_parameters(shape, config),
            memory_free=here.memory,
        ),
        prepared,
    )


def _trained_rows(prepared: Prepared, config: FinetuneConfig) -> tuple[int, int, int]:
    """Rows and tokens that are trained on (not held out), and the longest row (one side)."""
    lengths = prepared.lengths[training_rows(len(prepared.lengths), config)]
    return len(lengths), int(lengths.sum()), min(prepared.report.longest, config.max_length)


def training_rows(count: int, config: FinetuneConfig) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Row numbers to train on, ascending; the rest of ``range(count)`` is held out, by seed."""
    held = round(count * config.eval_share)
    if config.eval_share and not 0 < held < count:
        raise InputError(
            f"Of {count} rows a share of {config.eval_share} leaves no rows to train or to test.",
            "Choose another eval_share.",
        )
    order = np.random.default_rng(config.seed).permutation(count)
    return np.sort(order[held:])


def _check_targets(config: FinetuneConfig, shape: ModelShape) -> None:
    if config.mode == "lora" and not shape.targeted(config.lora_targets):
        known = sorted({name.rsplit(".", 1)[-1] for name, _, _ in shape.linear})
        raise InputError(
            f"The model has no layers called {', '.join(config.lora_targets)}.",
            f"Its linear layers are {', '.join(known)}; or use all-linear.",
        )
