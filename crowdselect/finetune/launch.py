"""Several processes: the command that starts them, and how their end becomes the job's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from crowdselect import files
from crowdselect.errors import CancelledError, CrowdSelectError, InputError
from crowdselect.finetune.plan import Plan
from crowdselect.jobs import Job

SHIPPED = ("ddp", "fsdp2", "zero2", "zero3")
"""Configurations of ``accelerate`` that come with crowdselect."""

WORKER_ERROR = "worker-error.json"


def accelerate_file(name: str) -> Path:
    """Path of a shipped configuration or of the user's own; raises InputError otherwise."""
    path = Path(__file__).parent / "accelerate" / f"{name}.yaml" if name in SHIPPED else Path(name)
    if not path.is_file():
        raise InputError(
            f"There is no accelerate configuration {name!r}.",
            f"Choose one of {', '.join(SHIPPED)}, or give a YAML file.",
        )
    return path


def command(plan: Plan, run: Path, *, owner: int, machine_rank: int = 0) -> list[str]:
    """The command that starts the workers of one machine.

    ``owner`` is the process id of the job that waits for them (0: none).
    """
    config = plan.config
    worker = ["-m", "crowdselect.finetune.worker", str(run), str(owner)]
    alone = config.machines == 1
    if config.launcher == "torchrun":
        where = (
            ["--standalone"]
            if alone
            else [
                f"--nnodes={config.machines}",
                f"--node_rank={machine_rank}",
                f"--master_addr={config.main_address}",
                f"--master_port={config.main_port}",
            ]
        )
        here = f"--nproc_per_node={config.processes // config.machines}"
        return [sys.executable, "-m", "torch.distributed.run", here, *where, *worker]
    recompute = plan.budget.activation_checkpointing
    return [
        *(sys.executable, "-m", "accelerate.commands.launch"),
        f"--config_file={accelerate_file(config.accelerate_config)}",
        f"--num_processes={config.processes}",
        f"--num_machines={config.machines}",
        f"--machine_rank={machine_rank}",
        f"--main_process_ip={config.main_address}",
        f"--main_process_port={0 if alone else config.main_port}",
        f"--mixed_precision={'bf16' if plan.setup.bf16 else 'no'}",
        *(
            [f"--fsdp_activation_checkpointing={str(recompute).lower()}"]
            if config.accelerate_config == "fsdp2"
            else []
        ),
        *worker,
    ]


def launch(job: Job, plan: Plan) -> None:
    """Start the workers, wait for them, and raise what went wrong in them."""
    config = plan.config
    for rank in range(1, config.machines):
        line = " ".join(command(plan, job.path, owner=0, machine_rank=rank))
        job.event("note", text=f"Start on machine {rank}: {line}")
    error_file = job.path / WORKER_ERROR
    error_file.unlink(missing_ok=True)
    start = command(plan, job.path, owner=os.getpid())
    job.progress(0, plan.budget.steps, f"starting {config.processes} processes")
    code = subprocess.run(start, check=False).returncode
    if error_file.exists():
        error = files.read_json(error_file)
        raise CrowdSelectError(error["problem"], error["remedy"])
    if job.cancelled():
        raise CancelledError
    if code:
        raise CrowdSelectError(
            f"A training process of {job.id} ended with code {code}.",
            f"See {job.path / 'log.txt'}; if it was killed, memory was short: lower micro_batch. "
            "Then resume the run.",
        )
