"""What a fine-tune will take, before it starts: tokens, steps, memory, disk and time."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from crowdselect.errors import CrowdSelectError
from crowdselect.finetune.budget import gib, refusal
from crowdselect.finetune.config import FinetuneConfig
from crowdselect.finetune.failures import in_words
from crowdselect.finetune.plan import Plan, make_plan
from crowdselect.finetune.prepare import Prepared
from crowdselect.progress import Progress, silent

_USUAL_MFU = {"full": 0.40, "lora": 0.35}
"""Share of a known GPU's peak to expect where nothing was measured yet."""


@dataclass(frozen=True)
class Estimate:
    """What a run will take, and whether it fits."""

    rows: int
    tokens: int
    """Tokens of all steps together."""
    steps: int
    micro_batch: int
    accumulate: int
    activation_checkpointing: bool
    memory: int
    """Peak bytes on one device."""
    memory_free: int
    disk: int
    disk_free: int
    tokens_per_s: float | None
    seconds: float | None
    """None: no known GPU and nothing measured."""
    basis: Literal["measured", "formula"]
    """Whether speed and memory were measured by a burst or computed."""
    refusal: tuple[str, str] | None
    """Problem and remedy, if it cannot fit."""
    notes: tuple[str, ...]
    """One line per fallback and per thing to know about the data."""

    def lines(self) -> list[str]:
        """The estimate in sentences."""
        speed = "" if self.tokens_per_s is None else f", {self.tokens_per_s:,.0f} tokens/s"
        time = "unknown before a measured burst" if self.seconds is None else in_time(self.seconds)
        checkpointing = " and recomputed activations" if self.activation_checkpointing else ""
        memory = f"{gib(self.memory)} of {gib(self.memory_free)} free"
        return [
            f"{self.steps:,} steps, {self.tokens:,} tokens over all epochs.",
            f"Time ({self.basis}): {time}{speed}.",
            f"Memory ({self.basis}): {memory}; {self.micro_batch} rows at a time{checkpointing}.",
            f"Disk: {gib(self.disk)} of {gib(self.disk_free)} free.",
            *self.notes,
        ]


def estimate(
    config: FinetuneConfig,
    *,
    burst: bool = True,
    folder: Path | None = None,
    progress: Progress = silent,
) -> Estimate:
    """Estimate a run: its data is tokenised, the model's shape is measured, and with ``burst``
    a few real steps are timed (they leave nothing behind).

    Parameters
    ----------
    config
        The run to estimate.
    burst
        Load the model and measure; without it, speed and memory come from formulas.
    folder
        Where the run would be written (for the free disk space); None: the current folder.
    progress
        Told about the tokenising.

    Raises
    ------
    CrowdSelectError
        For unreadable data, a model that cannot be loaded, or (with ``burst``) memory that
        proves too small. A computed refusal is returned, not raised.
    """
    plan, prepared = make_plan(config, progress=progress)
    return assess(plan, prepared, folder or Path.cwd(), burst=burst)


def assess(plan: Plan, prepared: Prepared, folder: Path, *, burst: bool) -> Estimate:
    """Estimate a run that is planned already."""
    free, disk_free = plan.memory_free, shutil.disk_usage(folder).free
    no = refusal(plan.budget, plan.config, free_memory=free, free_disk=disk_free)
    speed = _speed_by_formula(plan)
    memory, measured = plan.budget.memory.total, False
    if burst and no is None and plan.config.burst_steps and plan.config.launcher == "none":
        from crowdselect.finetune.train import measure

        with in_words(folder, folder, plan):
            speed, memory = measure(plan, prepared)
        measured = True
    tokens = _tokens(plan, prepared)
    return Estimate(
        rows=prepared.report.kept,
        tokens=tokens,
        steps=plan.budget.steps,
        micro_batch=plan.budget.micro_batch,
        accumulate=plan.budget.accumulate,
        activation_checkpointing=plan.budget.activation_checkpointing,
        memory=memory,
        memory_free=free,
        disk=plan.budget.disk,
        disk_free=disk_free,
        tokens_per_s=speed,
        seconds=None if speed is None else tokens / speed,
        basis="measured" if measured else "formula",
        refusal=no,
        notes=(*prepared.report.lines(), *plan.setup.notes),
    )


def refuse(found: Estimate) -> None:
    """Raise CrowdSelectError if the estimate says that the run cannot fit."""
    if found.refusal is not None:
        raise CrowdSelectError(*found.refusal)


def _tokens(plan: Plan, prepared: Prepared) -> int:
    trained = float(prepared.lengths.sum()) * (1 - plan.config.eval_share)
    return round(trained * plan.budget.steps / plan.budget.steps_per_epoch)


def _speed_by_formula(plan: Plan) -> float | None:
    if plan.peak is None or plan.flops_per_token is None:
        return None
    usual = _USUAL_MFU[plan.config.mode] * (0.8 if plan.budget.activation_checkpointing else 1.0)
    return usual * plan.peak * plan.config.processes / plan.flops_per_token


def in_time(seconds: float) -> str:
    """Seconds in words."""
    if seconds < 90:
        return f"about {seconds:.0f} seconds"
    if seconds < 90 * 60:
        return f"about {seconds / 60:.0f} minutes"
    return f"about {seconds / 3600:.1f} hours"
