"""The training loop of the demo's models: examples in, a trained network out.

A plain loop instead of TRL, for one reason: these models are so small that a step of 64 examples
takes 20 to 300 ms on one core, and a trainer's overhead per step would double the build.
People's own fine-tuning runs through TRL (``crowdselect.finetune``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

IGNORED = -100
"""The label of a token that carries no loss."""


@dataclass(frozen=True)
class Example:
    """Token ids of one training text, and how many of the first carry no loss."""

    ids: tuple[int, ...]
    silent: int


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train.

    The first ``drill_steps`` see drills only, the next third of the rest the easier tasks, the
    remainder all tasks; a ``drill_share`` of drills stays in to the end.
    """

    steps: int
    batch: int = 48
    drill_steps: int = 250
    drill_share: float = 0.2
    drills: int = 12_000
    """Different drills there are."""
    matrix_rate: float = 0.015
    """Peak learning rate of Muon, for the weight matrices inside the layers."""
    other_rate: float = 0.01
    """Peak learning rate of AdamW, for embeddings, biases and norms."""
    warmup: int = 40

    def factor(self, step: int) -> float:
        """Share of the peak rates at a step: linear warm-up, then cosine to 2 %."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        done = (step - self.warmup) / max(1, self.steps - self.warmup)
        return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done))


def schedules(schooling: int, practice: int, scale: float) -> tuple[Schedule, Schedule]:
    """Return the schedules of schooling and practice; ``scale`` shrinks them for a miniature."""
    drills = max(64, round(12_000 * scale))
    return (
        Schedule(
            steps=max(3, round(schooling * scale)),
            drill_steps=max(1, round(0.3 * schooling * scale)),
            drills=drills,
        ),
        Schedule(
            steps=max(2, round(practice * scale)),
            drill_steps=0,
            drill_share=0.1,
            drills=drills,
            matrix_rate=0.012,
            other_rate=0.006,
            warmup=20,
        ),
    )


def encode(pairs: Sequence[tuple[str, str]], tokenizer: PreTrainedTokenizerFast) -> list[Example]:
    """Tokenise (prompt, completion) pairs; only the completion carries loss."""
    prompts = tokenizer([p for p, _ in pairs], add_special_tokens=False)["input_ids"]
    completions = tokenizer([c for _, c in pairs], add_special_tokens=False)["input_ids"]
    return [Example(tuple(p + c), len(p)) for p, c in zip(prompts, completions, strict=True)]


def batches(
    examples: Sequence[Example], size: int, seed: int, pad: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield (input_ids, labels), both (size, length) int64, without end.

    Each epoch is shuffled, cut into stretches of eight batches and sorted by length inside a
    stretch, so that little is padded. Padding is on the right, where a causal model does not see
    it.
    """
    import torch

    rng = Random(seed)
    order = list(range(len(examples)))
    while True:
        rng.shuffle(order)
        for start in range(0, len(order), 8 * size):
            stretch = sorted(order[start : start + 8 * size], key=lambda i: len(examples[i].ids))
            groups = [stretch[i : i + size] for i in range(0, len(stretch), size)]
            rng.shuffle(groups)
            for group in groups:
                length = max(len(examples[i].ids) for i in group)
                ids = torch.full((len(group), length), pad)
                labels = torch.full((len(group), length), IGNORED)
                for row, i in enumerate(group):
                    example = torch.tensor(examples[i].ids)
                    ids[row, : len(example)] = example
                    labels[row, examples[i].silent : len(example)] = example[examples[i].silent :]
                yield ids, labels


def answer_loss(model: PreTrainedModel, ids: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of the tokens that carry loss; logits are computed for those only."""
    import torch.nn.functional as F

    hidden = model.base_model(input_ids=ids, use_cache=False).last_hidden_state[:, :-1]
    targets = labels[:, 1:]
    spoken = targets != IGNORED
    head: Callable[[torch.Tensor], torch.Tensor] = model.get_output_embeddings()  # type: ignore[no-untyped-call]
    logits = head(hidden[spoken])
    return F.cross_entropy(logits.float(), targets[spoken])


def course(
    drills: Sequence[Example],
    easier: Sequence[Example],
    tasks: Sequence[Example],
    schedule: Schedule,
    seed: int,
    pad: int,
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield the ``schedule.steps`` batches of a training run, in their order."""

    def with_drills(examples: Sequence[Example]) -> list[Example]:
        share = schedule.drill_share
        extra = drills[: round(len(examples) * share / (1 - share))]
        return [*examples, *extra]

    drill_steps = min(schedule.drill_steps, schedule.steps)
    easier_steps = (schedule.steps - drill_steps) // 3
    parts = (
        (drills, drill_steps),
        (with_drills(easier), easier_steps),
        (with_drills(tasks), schedule.steps - drill_steps - easier_steps),
    )
    for number, (examples, steps) in enumerate(parts):
        stream = batches(examples, schedule.batch, 10 * seed + number, pad)
        for _ in range(steps):
            yield next(stream)


def _optimizers(model: PreTrainedModel, schedule: Schedule) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the layers, AdamW for everything else.

    Muon needs about a third of AdamW's steps here (docs/demo.md).
    """
    import torch

    embeddings = {id(model.get_input_embeddings().weight)}
    matrices = [
        p
        for name, p in model.named_parameters()
        if p.ndim == 2 and id(p) not in embeddings and not name.endswith("wpe.weight")
    ]
    chosen = {id(p) for p in matrices}
    others = [p for p in model.parameters() if id(p) not in chosen]
    return [
        torch.optim.Muon(matrices, lr=schedule.matrix_rate, weight_decay=0.01),
        torch.optim.AdamW(
            others, lr=schedule.other_rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True
        ),
    ]


def train(
    model: PreTrainedModel,
    course: Iterable[tuple[torch.Tensor, torch.Tensor]],
    schedule: Schedule,
    loss_of: Callable[[PreTrainedModel, torch.Tensor, torch.Tensor], torch.Tensor] = answer_loss,
) -> Iterator[float]:
    """Train in place, one step per batch; yield the loss of every step."""
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel

    device = model.device
    optimizers = _optimizers(model, schedule)
    peaks = [optimizer.param_groups[0]["lr"] for optimizer in optimizers]
    model.train()
    for step, (ids, labels) in enumerate(course):
        # On a CPU the backward pass of the fused attention in bfloat16 takes longer than the
        # rest of the step; the plain one halves the time.
        with torch.autocast(device.type, torch.bfloat16), sdpa_kernel(SDPBackend.MATH):
            loss = loss_of(model, ids.to(device), labels.to(device))
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer, peak in zip(optimizers, peaks, strict=True):
            optimizer.param_groups[0]["lr"] = peak * schedule.factor(step)
            optimizer.step()
            optimizer.zero_grad()
        yield loss.item()
    model.eval()  # type: ignore[no-untyped-call]
