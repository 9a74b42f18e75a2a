"""What a trainer does -> events of the job; a request to stop -> a checkpoint and an end."""

from __future__ import annotations

import math
import resource
import statistics
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from crowdselect import files
from crowdselect.errors import CancelledError, CrowdSelectError
from crowdselect.finetune.checkpoints import MARKER
from crowdselect.finetune.flops import mfu
from crowdselect.finetune.plan import Plan
from crowdselect.jobs import Job
from crowdselect.tracking import link


class Reporter(TrainerCallback):
    """Writes loss, speed and memory as events from the first process, and watches for CANCEL.

    ``tokens`` is what earlier parts of a resumed run have trained on: TRL counts from zero
    again. ``owner`` is the process id of the job; a worker whose job is gone stops as if it had
    been cancelled.
    """

    def __init__(
        self, job: Job, plan: Plan, *, tokens: int, mean_tokens: float, owner: int | None = None
    ) -> None:
        self.job, self.plan, self.owner = job, plan, owner
        self._tokens_before, self._step_before = tokens, 0
        self._mean_tokens = mean_tokens
        self._tokens = self._logged_tokens = tokens
        self._seconds = 0.0
        self._step_began = 0.0
        self._durations: list[float] = []
        self.cancelled = False

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Note where this part of the run starts, and tell trackers what it is made from."""
        self._step_before = state.global_step
        if state.is_world_process_zero:
            link(self.plan.config.report_to, {"run": self.job.id, **self.plan.config.made_from()})

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Tell the sampler its epoch, for the order of the rows follows from it.

        Where a resumed run skips batches on one of several devices, accelerate wraps the sampler
        once more than it looks for, and would leave it in its first epoch.
        """
        epoch = int((state.epoch or 0) + 1e-6)
        holder: Any = kwargs.get("train_dataloader")
        while holder is not None:
            sampler: Any = getattr(holder, "sampler", None)
            if hasattr(sampler, "set_epoch"):
                sampler.set_epoch(epoch)
            holder = getattr(holder, "batch_sampler", None)

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Start the clock of a step; saving and testing do not count as training time."""
        self._step_began = time.perf_counter()

    def on_substep_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Show life within long steps, so that nobody takes them for a standstill."""
        if state.is_world_process_zero and not self.job.cancelled():
            with suppress(CancelledError):
                self.job.progress(state.global_step, state.max_steps, "training")

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        """Report progress, or stop with a checkpoint if somebody asked for that."""
        self._seconds += time.perf_counter() - self._step_began
        self._durations.append(time.perf_counter() - self._step_began)
        stop = self.job.cancelled() or self._orphaned()
        if state.is_world_process_zero and not stop:
            try:
                self.job.progress(state.global_step, state.max_steps, "training")
            except CancelledError:
                stop = True
        if _anywhere(stop):
            self.cancelled = state.global_step < state.max_steps
            control.should_training_stop = control.should_save = True
        if control.should_save:  # a log beforehand makes the checkpoint's token count exact
            control.should_log = True
        return control

    def _orphaned(self) -> bool:
        return self.owner is not None and not psutil.pid_exists(self.owner)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Write a ``log`` event (training) or an ``eval`` event (held-out rows)."""
        logs = logs or {}
        loss = logs.get("loss", logs.get("eval_loss"))
        if loss is None:
            return
        if not math.isfinite(loss):
            raise CrowdSelectError(
                f"The loss is {loss} at step {state.global_step}: the training has diverged.",
                "Lower learning_rate, or raise warmup.",
            )
        if not state.is_world_process_zero:
            return
        if "eval_loss" in logs:
            self.job.event("eval", step=state.global_step, loss=loss, epoch=state.epoch)
            return
        self._count_tokens(state, logs)
        self.job.event("log", **self._measured(state, logs))
        self._seconds, self._logged_tokens = 0.0, self._tokens

    def _count_tokens(self, state: TrainerState, logs: dict[str, Any]) -> None:
        """TRL's own count where it has one, else steps times the mean row (ORPO, SimPO)."""
        counted = logs.get("num_tokens")
        if counted is None:
            steps = state.global_step - self._step_before
            counted = steps * self.plan.config.batch_size * self._mean_tokens
        self._tokens = self._tokens_before + int(counted)

    def _measured(self, state: TrainerState, logs: dict[str, Any]) -> dict[str, Any]:
        seconds, per_token = self._seconds, self.plan.flops_per_token
        speed = (self._tokens - self._logged_tokens) / seconds if seconds > 0 else None
        share = None
        if speed and per_token:
            share = mfu(speed, per_token, self.plan.peak, self.plan.config.processes)
        pace = statistics.median(self._durations[-50:]) if self._durations else None
        values = {
            "step": state.global_step,
            "max_steps": state.max_steps,
            "epoch": state.epoch,
            "loss": logs["loss"],
            "learning_rate": logs.get("learning_rate"),
            "grad_norm": logs.get("grad_norm"),
            "tokens": self._tokens,
            "tokens_per_s": speed,
            "mfu": share,
            "memory": peak_memory(),
            "eta_s": None if pace is None else pace * (state.max_steps - state.global_step),
        }
        extra = {k.replace("/", "_"): v for k, v in logs.items() if k.startswith("rewards/")}
        return {**values, **extra}

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Mark the checkpoint as complete; only marked ones are resumed from."""
        if torch.distributed.is_initialized():
            torch.distributed.barrier()
        if state.is_world_process_zero:
            folder = Path(str(args.output_dir)) / f"checkpoint-{state.global_step}"
            files.write_json(folder / MARKER, {"step": state.global_step, "tokens": self._tokens})
            self.job.event("save", step=state.global_step)


class BurstClock(TrainerCallback):
    """Times the steps of a burst."""

    def __init__(self) -> None:
        self.durations: list[float] = []
        self._began = 0.0

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Start the clock."""
        self._began = time.perf_counter()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Stop it, after everything that the device still has to do."""
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.durations.append(time.perf_counter() - self._began)


def held_memory() -> int:
    """Bytes that this process holds and that are no free memory any more; on a GPU none count.

    What a run takes is the peak beyond them: the free memory is read when they are held already.
    """
    return 0 if torch.cuda.is_available() else int(psutil.Process().memory_info().rss)


def peak_memory() -> int:
    """Peak bytes of this process: on the GPU where there is one, else resident."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _anywhere(flag: bool) -> bool:
    """Whether any process of the run says so; all get the same answer at the same step."""
    if not torch.distributed.is_initialized():
        return flag
    on_gpu = torch.distributed.get_backend() == "nccl"
    value = torch.tensor(float(flag), device="cuda" if on_gpu else "cpu")
    torch.distributed.all_reduce(value, op=torch.distributed.ReduceOp.MAX)
    return bool(value.item())
