"""Steps, memory and disk of a run, from the data's lengths and the model's shape. Pure functions.

The memory of activations is what autograd keeps (``crowdselect.finetune.kept``), that of the
vocabulary head the copies of its logits, counted in TRL's code; everything else is parameters times
bytes. Measured peaks stand beside the formula in docs/finetune.md. A run's measured burst replaces
these numbers before it starts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from crowdselect.finetune.config import FinetuneConfig
from crowdselect.finetune.flops import ModelShape
from crowdselect.finetune.machine import Machine, Setup

_OVERHEAD = {"cuda": 1.0e9, "mps": 0.5e9, "cpu": 0.3e9}
"""Bytes for workspaces and what is still to be imported when the free memory is read."""

_MOST_TOKENS = {"cuda": 16384, "mps": 8192, "cpu": 8192}
"""Tokens per device at a time beyond which a larger micro batch gains nothing."""

_HEADROOM = 0.9
"""Share of the free memory that a run may plan for."""

_HEAD_TOKENS, _HEAD_VOCABULARY = 4096, 32768
"""Positions and tokens of the vocabulary that TRL's fused head takes at a time."""

_HEAD_COPIES = {"cuda": 1.0, "mps": 8.25, "cpu": 8.25}
"""Copies of such a tile in the head's backward pass: on a GPU one kernel works in place; elsewhere
PyTorch's own operations follow one another, and hold eight and a mask."""

_WHOLE_LOGITS = 4
"""32-bit copies of all logits where the head is not fused (ORPO, SimPO)."""

_LOOSE = 6
"""Bytes per input of an adapted layer that a CPU's allocator does not use again: an adapter makes
and drops its outputs between those that are kept (measured by resident memory, without dropout)."""

_AUTOCAST = 0.7
"""Share of the 32-bit activations that is kept under bfloat16 autocast: norms stay in 32 bits
(0.6 to 0.76 over five architectures)."""


@dataclass(frozen=True)
class Memory:
    """Bytes on one device."""

    weights: int
    gradients: int
    optimizer: int
    activations: int
    overhead: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.weights + self.gradients + self.optimizer + self.activations + self.overhead


@dataclass(frozen=True)
class Budget:
    """How the data is cut into steps, and what that takes."""

    steps: int
    steps_per_epoch: int
    micro_batch: int
    accumulate: int
    activation_checkpointing: bool
    memory: Memory
    disk: int
    """Bytes of the kept checkpoints and the final model."""


def trained_parameters(shape: ModelShape, config: FinetuneConfig) -> int:
    """Parameters that receive gradients."""
    if config.mode == "full":
        return shape.parameters
    return shape.lora_parameters(config.lora_rank, config.lora_targets)


def activation_bytes(
    shape: ModelShape,
    config: FinetuneConfig,
    setup: Setup,
    *,
    checkpointing: bool,
    length: int = 0,
) -> float:
    """Bytes that the layers keep of one token for the backward pass, in rows of ``length``."""
    size = 2 if setup.bf16 else 4
    layer = _kept_of_a_layer(shape, setup, length)
    if config.mode == "lora" and config.lora_dropout:
        inputs = sum(i for _, i, _ in shape.targeted(config.lora_targets))
        layer += 5 * inputs / shape.layers  # the adapter's dropped-out 32-bit copy and its mask
    kept = shape.layers * size * shape.hidden + layer if checkpointing else shape.layers * layer
    return float(kept + 4 * shape.hidden)


def _kept_of_a_layer(shape: ModelShape, setup: Setup, length: int) -> float:
    if shape.kept is not None:
        square = setup.attention == "eager" or (setup.device == "cpu" and shape.attention_dropout)
        kept = shape.kept.per_token + (shape.kept.per_pair * length if square else 0)
        return kept / shape.layers * (_AUTOCAST if setup.bf16 else 1.0)
    size = 2 if setup.bf16 else 4  # a SwiGLU layer's
    attention = 2 * shape.hidden + 2 * shape.d_attention + 2 * shape.d_kv
    mlp = shape.hidden + 4 * shape.intermediate
    norms = 2 * (4 + size) * shape.hidden  # computed, and kept, in 32 bits
    return float(size * (attention + mlp) + norms)


def head_bytes(shape: ModelShape, config: FinetuneConfig, setup: Setup, tokens: int) -> float:
    """Bytes at the peak of the vocabulary head's backward pass over ``tokens`` positions."""
    if config.method in ("orpo", "simpo"):
        return float(_WHOLE_LOGITS * 4 * shape.vocabulary * tokens)
    size = 2 if setup.bf16 and setup.device == "cuda" else 4
    wide = min(shape.vocabulary, _HEAD_VOCABULARY)
    tile = _HEAD_COPIES[setup.device] * size * wide * min(tokens, _HEAD_TOKENS)
    gradient = 4 * shape.vocabulary * shape.hidden if config.mode == "full" else 0
    return float(tile + gradient + 4 * shape.hidden * tokens)


def memory(
    shape: ModelShape,
    config: FinetuneConfig,
    setup: Setup,
    *,
    tokens: int,
    checkpointing: bool,
    length: int = 0,
) -> Memory:
    """Peak bytes on one device that holds ``tokens`` tokens at a time, in rows of ``length``.

    Beyond what the process holds when the free memory is read.
    """
    size = 4 if setup.weights == "float32" else 2
    trained = trained_parameters(shape, config)
    shared = _sharding(config)
    if config.mode == "full":
        weights = shape.parameters * (size + (2 if setup.bf16 and size == 4 else 0))
        gradients, adam = trained * size, trained * 2 * size
    else:
        base = 0.55 if config.four_bit else size
        weights = int(shape.parameters * base) + trained * 4
        gradients, adam = trained * 4, trained * 8
    if "8bit" in setup.optimizer:
        adam = trained * 2
    if config.method == "dpo" and config.mode == "full":
        weights += shape.parameters * size  # the frozen reference
    per_token = activation_bytes(shape, config, setup, checkpointing=checkpointing, length=length)
    adapted = config.mode == "lora" and setup.device == "cpu" and not checkpointing
    inputs = sum(i for _, i, _ in shape.targeted(config.lora_targets)) if adapted else 0
    loose = _LOOSE * inputs
    return Memory(
        weights=weights // shared["weights"],
        gradients=gradients // shared["gradients"],
        optimizer=adam // shared["optimizer"],
        activations=int((per_token + loose) * tokens + head_bytes(shape, config, setup, tokens)),
        overhead=int(_OVERHEAD[setup.device]),
    )


def _sharding(config: FinetuneConfig) -> dict[str, int]:
    """Over how many devices each kind of memory is spread."""
    n = config.processes if config.launcher == "accelerate" else 1
    kind = config.accelerate_config
    return {
        "weights": n if kind in ("fsdp2", "zero3") else 1,
        "gradients": n if kind in ("fsdp2", "zero3", "zero2") else 1,
        "optimizer": n if kind in ("fsdp2", "zero3", "zero2") else 1,
    }


def plan(
    config: FinetuneConfig,
    shape: ModelShape,
    setup: Setup,
    machine: Machine,
    *,
    rows: int,
    tokens: int,
    longest: int,
) -> Budget:
    """Cut ``rows`` rows of together ``tokens`` tokens into steps that fit the memory.

    The largest micro batch that fits is taken, first without, then with recomputed activations
    (unless the user decided); where nothing fits, the smallest is returned and
    :func:`refusal` says so.
    """
    if setup.batching == "packing":
        rows = math.ceil(tokens / (0.98 * config.max_length))
        longest = config.max_length
    per_epoch = math.ceil(rows / config.batch_size)
    steps = config.max_steps or max(1, math.ceil(config.epochs * per_epoch))
    mean = max(1, tokens // max(rows, 1))
    sides = 1 if config.method == "sft" else 2
    wish = config.activation_checkpointing
    micro, checkpointing, need = 1, bool(wish), None
    for checkpointing in (False, True) if wish is None else (wish,):
        for micro in _micro_batches(config, mean, setup):
            need = memory(
                shape,
                config,
                setup,
                tokens=micro * longest * sides,
                checkpointing=checkpointing,
                length=longest,
            )
            if need.total <= _HEADROOM * machine.memory:
                break
        else:
            continue
        break
    assert need is not None
    return Budget(
        steps=steps,
        steps_per_epoch=per_epoch,
        micro_batch=micro,
        accumulate=config.rows_per_device // micro,
        activation_checkpointing=checkpointing,
        memory=need,
        disk=_disk(shape, config, setup),
    )


def _micro_batches(config: FinetuneConfig, mean: int, setup: Setup) -> list[int]:
    """Candidates from large to small: divisors of the rows per device, no larger than useful."""
    if config.micro_batch:
        return [config.micro_batch]
    rows = config.rows_per_device
    most = max(1, _MOST_TOKENS[setup.device] // mean)
    return [m for m in range(rows, 0, -1) if rows % m == 0 and m <= most] or [1]


def _disk(shape: ModelShape, config: FinetuneConfig, setup: Setup) -> int:
    trained = trained_parameters(shape, config)
    size = 4 if setup.weights == "float32" or config.mode == "lora" else 2
    checkpoint = trained * size * 3
    merged = shape.parameters * 2 if config.merge else 0
    return checkpoint * (config.keep_checkpoints + 1) + trained * size + merged


def refusal(
    budget: Budget, config: FinetuneConfig, *, free_memory: int, free_disk: int
) -> tuple[str, str] | None:
    """Problem and remedy, if the run cannot fit; None if it can."""
    need = budget.memory
    if need.total > free_memory:
        problem = (
            f"The run needs about {gib(need.total)} of memory and {gib(free_memory)} are free "
            f"(weights {gib(need.weights)}, gradients {gib(need.gradients)}, optimiser "
            f"{gib(need.optimizer)}, activations {gib(need.activations)})."
        )
        lower = what_to_lower(config, budget.micro_batch, budget.activation_checkpointing)
        return problem, lower
    if budget.disk > free_disk:
        return (
            f"Checkpoints and model take about {gib(budget.disk)} and {gib(free_disk)} are free.",
            "Free some disk space, keep fewer checkpoints (keep_checkpoints), or use LoRA.",
        )
    return None


def what_to_lower(config: FinetuneConfig, micro_batch: int, checkpointing: bool) -> str:
    """The remedies for too little memory that are left, the cheapest first."""
    steps = []
    if micro_batch > 1:
        smaller = max(m for m in range(1, micro_batch) if config.rows_per_device % m == 0)
        steps.append(
            f"set micro_batch to {smaller} (it is {micro_batch}; the result stays the same)"
        )
    if not checkpointing:
        steps.append("turn on activation_checkpointing")
    if config.max_length > 512:
        steps.append(f"lower max_length (it is {config.max_length})")
    if config.mode == "full":
        steps.append("use LoRA, or several GPUs with launcher='accelerate'")
    elif not config.four_bit:
        steps.append("hold the base in 4 bits (four_bit)")
    text = "; ".join(steps) or "take a smaller model"
    return text[0].upper() + text[1:] + "."


def gib(count: float) -> str:
    """Bytes as GiB (or MiB) in words."""
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
