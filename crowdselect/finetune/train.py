"""The training itself, in one process or as one of several: build, resume, train, save."""

from __future__ import annotations

import gc
import io
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import set_seed
from transformers.utils import logging

from crowdselect import files
from crowdselect.errors import CancelledError
from crowdselect.finetune.callback import BurstClock, Reporter, held_memory, peak_memory
from crowdselect.finetune.card import model_card
from crowdselect.finetune.checkpoints import last_checkpoint, step_of, tokens_at
from crowdselect.finetune.models import load_model
from crowdselect.finetune.plan import Plan, training_rows
from crowdselect.finetune.prepare import Prepared
from crowdselect.finetune.trainer import CHECKPOINTS, build_burst, build_trainer
from crowdselect.jobs import Job
from crowdselect.lm.models import Checkpoint, load_tokenizer, with_adapter
from crowdselect.tracking import kept_here

MODEL = "model"
MERGED = "merged"


def train(
    job: Job, plan: Plan, prepared: Prepared, *, data_sha256: str, owner: int | None = None
) -> None:
    """Train (on from the last complete checkpoint) and save ``model/`` in the run directory.

    Raises CancelledError, after a checkpoint was written, if the run was asked to stop.
    """
    checkpoint = last_checkpoint(job.path / CHECKPOINTS)
    reporter = Reporter(
        job,
        plan,
        tokens=tokens_at(checkpoint),
        mean_tokens=float(prepared.lengths.mean()),
        owner=owner,
    )
    with kept_here(plan.config.report_to, job.workspace.root):  # read when they are made
        trainer = build_trainer(plan, prepared, job.path, reporter)
    if trainer.is_world_process_zero():
        job.event("resume", step=step_of(checkpoint))
    with kept_here(plan.config.report_to, job.workspace.root):
        out = trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if reporter.cancelled:
        raise CancelledError
    first = trainer.is_world_process_zero()
    aside = job.path / f"{files.TEMPORARY}{MODEL}"
    trainer.save_model(str(aside))  # gathers sharded weights, so every process takes part
    if not first:
        return
    steps, loss = int(out.global_step), mean_loss(trainer.state.log_history)
    job.event("summary", step=steps, loss=loss, seconds=out.metrics.get("train_runtime"))
    card = model_card(
        plan, prepared.report, run_id=job.id, data_sha256=data_sha256, steps=steps, loss=loss
    )
    _finish(trainer, job.path, aside, card)


def mean_loss(log: Sequence[Mapping[str, Any]]) -> float:
    """Mean training loss per step over all parts of a run, from the trainer's log.

    The trainer's own figure leaves out what came before a resume. A line holds the mean of the
    steps since the line before it.
    """
    steps = [0, *(int(line["step"]) for line in log if "loss" in line)]
    losses = [float(line["loss"]) for line in log if "loss" in line]
    return float(np.average(losses, weights=np.diff(steps)))


def _finish(trainer: Any, run: Path, aside: Path, card: str) -> None:
    """Put the card beside the weights and the folder into its place."""
    trainer.processing_class.save_pretrained(str(aside))
    (aside / "training_args.bin").unlink(missing_ok=True)  # a pickle; the plan says it in JSON
    files.write_text(aside / "README.md", card)
    shutil.rmtree(run / MODEL, ignore_errors=True)
    aside.rename(run / MODEL)


def merge(plan: Plan, run: Path) -> None:
    """Write base and adapter as one model beside the adapter, from what is on the disk.

    The weights of the training itself may be spread over processes, or held in 4 bits.
    """
    whole = plan.config.model_copy(update={"four_bit": False})
    base = load_model(whole, replace(plan.setup, attention="sdpa", kernels="none"))
    merged = with_adapter(base, str(run / MODEL)).merge_and_unload()
    with files.build_folder_aside(run / MERGED) as aside:
        merged.save_pretrained(str(aside))
        load_tokenizer(Checkpoint(str(run / MODEL))).save_pretrained(str(aside))
        shutil.copy(run / MODEL / "README.md", aside)


def measure(plan: Plan, prepared: Prepared) -> tuple[float, int]:
    """Take a few throw-away steps; return tokens per second and peak bytes beyond those held.

    The first step holds the longest rows, so that memory that will not do is found now; the
    others hold rows spread evenly over the lengths and give the speed. Nothing is kept.
    """
    micro, steps = plan.budget.micro_batch, plan.config.burst_steps
    candidates = training_rows(len(prepared.lengths), plan.config)
    by_length = candidates[np.argsort(prepared.lengths[candidates], kind="stable")]
    if plan.setup.batching == "packing":
        micro *= max(1, round(plan.config.max_length / prepared.report.mean_length))
    spread = by_length[np.linspace(0, len(by_length) - 1, steps * micro).astype(int)]
    order = np.random.default_rng(plan.config.seed).permutation(len(spread))
    rows = [*by_length[-micro:], *spread[order]]
    rows = [*([by_length[-1]] * (micro - len(by_length[-micro:]))), *rows]
    clock, held = BurstClock(), held_memory()
    with tempfile.TemporaryDirectory() as folder, _quietly():
        trainer = build_burst(
            plan, prepared, Path(folder), [int(r) for r in rows], steps + 1, clock
        )
        trainer.train()
    memory = max(0, peak_memory() - held)
    del trainer
    _forget(plan)
    taken = clock.durations[1:] or clock.durations
    tokens = prepared.lengths[rows[-micro * len(taken) :]].sum()
    return float(tokens / sum(taken)), memory


@contextmanager
def _quietly() -> Iterator[None]:
    """Without the trainer's bars and lines: a burst is no training that anybody follows."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        with redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def _forget(plan: Plan) -> None:
    """Free what the burst took, so that the run starts as if it had not been."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    set_seed(plan.config.seed)
