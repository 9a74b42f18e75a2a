"""What the machine has, and what a run makes of it: one line for every fallback."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import psutil

from crowdselect.errors import MissingDependencyError
from crowdselect.finetune.config import FinetuneConfig

_FLASH_ON_HUB = "kernels-community/flash-attn2"


@dataclass(frozen=True)
class Machine:
    """One kind of device and the libraries that speed it up."""

    device: Literal["cuda", "mps", "cpu"]
    name: str
    count: int
    """Devices (for a CPU: 1)."""
    memory: int
    """Bytes of one device (for a CPU: what is available now)."""
    bf16: bool
    flash_attention: str | None
    """Name for ``attn_implementation`` of a varlen flash attention; None: there is none."""
    liger: bool = False
    hub_kernels: bool = False
    bitsandbytes: bool = False


@dataclass(frozen=True)
class Setup:
    """How a run uses the machine. ``notes`` has one line per fallback."""

    device: Literal["cuda", "mps", "cpu"]
    device_name: str
    bf16: bool
    """Autocast to bfloat16."""
    weights: Literal["float32", "bfloat16"]
    """Number format in which the trained (or frozen) weights are held."""
    attention: str
    kernels: Literal["liger", "hub", "none"]
    batching: Literal["padding-free", "packing", "padded"]
    optimizer: str
    compile: bool
    notes: tuple[str, ...] = field(default=())


def look() -> Machine:
    """Look at this machine. Loads torch and, where there is a GPU, opens it."""
    import torch

    four_bit = find_spec("bitsandbytes") is not None
    if torch.cuda.is_available():
        return Machine(
            "cuda",
            torch.cuda.get_device_name(0),
            torch.cuda.device_count(),
            int(torch.cuda.mem_get_info(0)[0]),
            torch.cuda.is_bf16_supported(),
            _flash_attention(),
            liger=find_spec("liger_kernel") is not None,
            hub_kernels=find_spec("kernels") is not None,
            bitsandbytes=four_bit,
        )
    if torch.backends.mps.is_available():
        return Machine("mps", "Apple GPU", 1, available_memory(), False, None)
    return Machine("cpu", "CPU", 1, available_memory(), True, None, bitsandbytes=four_bit)


def look_from_outside() -> Machine:
    """Look in a process of its own, so that this one keeps no memory on the GPU."""
    import torch

    if not torch.cuda.device_count():  # counting opens no GPU
        return look()
    out = subprocess.run(
        [sys.executable, "-c", "from crowdselect.finetune import machine; machine.print_look()"],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return Machine(**json.loads(out.stdout.splitlines()[-1]))


def _flash_attention() -> str | None:
    if find_spec("flash_attn") is not None:
        return "flash_attention_2"
    if find_spec("kernels") is None:
        return None
    try:
        import_module("kernels").get_kernel(_FLASH_ON_HUB)
    except Exception:  # noqa: BLE001 - offline, or no build for this GPU: there is SDPA
        return None
    return _FLASH_ON_HUB


def available_memory() -> int:
    """Bytes that this process may still take: the machine's or the container's, the smaller."""
    free = int(psutil.virtual_memory().available)
    limit, used = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")
    try:
        return min(free, int(limit.read_text()) - int(used.read_text()))
    except (OSError, ValueError):  # no container limit
        return free


def choose(config: FinetuneConfig, machine: Machine) -> Setup:
    """Decide how to run ``config`` on ``machine``; a wish that cannot be met becomes a note.

    Raises MissingDependencyError for a 4-bit base without bitsandbytes: quietly holding the base
    in 16 bits would need four times the memory that was asked for.
    """
    notes: list[str] = []
    if config.four_bit and not machine.bitsandbytes:
        raise MissingDependencyError("A 4-bit base", "bitsandbytes", "pip install bitsandbytes")
    bf16, weights = _precision(config, machine, notes)
    attention = _attention(config, machine, notes)
    return Setup(
        device=machine.device,
        device_name=machine.name,
        bf16=bf16,
        weights=weights,
        attention=attention,
        kernels=_kernels(config, machine, notes),
        batching=_batching(config, machine, attention, notes),
        optimizer=_optimizer(config, machine, notes),
        compile=config.compile,
        notes=tuple(notes),
    )


def _precision(
    config: FinetuneConfig, machine: Machine, notes: list[str]
) -> tuple[bool, Literal["float32", "bfloat16"]]:
    wish = config.precision
    if wish == "auto":
        wish = "bf16" if machine.device == "cuda" and machine.bf16 else "fp32"
        if machine.device == "cuda" and not machine.bf16:
            notes.append(f"{machine.name} has no bfloat16: training in 32 bits.")
    elif wish != "fp32" and not machine.bf16:
        notes.append(f"{machine.name} has no bfloat16: training in 32 bits.")
        wish = "fp32"
    frozen_base = config.mode == "lora" and wish == "bf16"
    half = wish == "bf16-weights" or frozen_base
    return wish != "fp32", "bfloat16" if half else "float32"


def _attention(config: FinetuneConfig, machine: Machine, notes: list[str]) -> str:
    if config.attention in ("sdpa", "eager"):
        return config.attention
    if machine.device == "cuda" and machine.flash_attention:
        return machine.flash_attention
    if config.attention == "flash" or machine.device == "cuda":
        notes.append(
            "No flash attention here (pip install flash-attn, or kernels): using PyTorch's SDPA."
        )
    return "sdpa"


def _kernels(
    config: FinetuneConfig, machine: Machine, notes: list[str]
) -> Literal["liger", "hub", "none"]:
    usable = machine.device == "cuda"
    if config.kernels == "auto":
        return "liger" if usable and machine.liger else "none"
    if config.kernels == "liger" and usable and machine.liger:
        return "liger"
    if config.kernels == "hub" and usable and machine.hub_kernels:
        return "hub"
    if config.kernels != "none":
        notes.append(f"No {config.kernels} kernels here: using PyTorch's own layers.")
    return "none"


def _batching(
    config: FinetuneConfig, machine: Machine, attention: str, notes: list[str]
) -> Literal["padding-free", "packing", "padded"]:
    if config.method != "sft":
        return "padded"
    if config.batching != "auto":
        if config.batching != "padded" and "flash" not in attention:
            notes.append(
                f"{config.batching} without flash attention builds a dense attention mask: "
                "correct, but slower than padded batches."
            )
        return config.batching
    return "padding-free" if "flash" in attention else "padded"


def _optimizer(config: FinetuneConfig, machine: Machine, notes: list[str]) -> str:
    if config.optimizer != "auto":
        return config.optimizer
    if machine.device == "mps":
        notes.append("No fused AdamW on this device: using PyTorch's own.")
        return "adamw_torch"
    return "adamw_torch_fused"


def print_look() -> None:
    """Print what :func:`look` sees as one line of JSON (for :func:`look_from_outside`)."""
    sys.stdout.write(json.dumps(asdict(look())) + "\n")
