"""Rewards of whole conversations by a sequence-classification reward model, in padded batches."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crowdselect.benchmark.base import Context
from crowdselect.benchmark.chat import Message, render, token_ids
from crowdselect.benchmark.generate import batches
from crowdselect.benchmark.subject import check_folder, unloadable
from crowdselect.errors import InputError, require

PREFIX = "reward/"


@dataclass(frozen=True)
class RewardModel:
    """A reward model in memory."""

    model: Any
    tokenizer: Any
    device: str


@functools.lru_cache(maxsize=1)
def load_reward_model(name: str) -> RewardModel:
    """Load a folder or hub id; the pad token is settled, so that batches can be padded.

    Raises MissingDependencyError, NotFoundError, or InputError for a model with several outputs.
    """
    for package in ("torch", "transformers"):
        require(package, feature="A reward model", extra="benchmark")
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    check_folder(name)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, padding_side="right")
        model: Any = AutoModelForSequenceClassification.from_pretrained(
            name, dtype=dtype, use_safetensors=True
        )
    except (OSError, ValueError) as error:
        raise unloadable(name, error) from error
    if model.config.num_labels != 1:
        raise InputError(
            f"{name} has {model.config.num_labels} outputs; a reward model has one.",
            "Give a sequence-classification reward model such as Skywork-Reward-V2.",
        )
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    model.config.pad_token_id = tokenizer.pad_token_id
    return RewardModel(model.to(device).eval(), tokenizer, device)


def rewards(
    context: Context,
    name: str,
    conversations: Mapping[str, Sequence[Message]],
    *,
    max_length: int,
    batch_tokens: int = 8192,
) -> dict[str, float | None]:
    """The reward of each conversation by key; None where it is longer than ``max_length`` tokens.

    Kept in the journal as soon as a batch is done. A conversation's reward does not depend on
    what shares its batch, beyond rounding.
    """
    todo = [key for key in conversations if PREFIX + key not in context.journal]
    done = len(conversations) - len(todo)
    context.progress(done, len(conversations), "rewarding")
    if todo:
        judge = load_reward_model(name)
        limit = min(max_length, getattr(judge.model.config, "max_position_embeddings", max_length))
        texts = [render(judge.tokenizer, conversations[key], complete=True) for key in todo]
        ids = [token_ids(judge.tokenizer, text) for text in texts]
        for row, key in enumerate(todo):
            if len(ids[row]) > limit:
                context.journal.add(PREFIX + key, {"reward": None})
        fitting = [row for row in range(len(todo)) if len(ids[row]) <= limit]
        for group in batches([len(ids[row]) for row in fitting], batch_tokens, 0):
            rows = [fitting[i] for i in group]
            for row, value in zip(rows, score(judge, [ids[r] for r in rows]), strict=True):
                context.journal.add(PREFIX + todo[row], {"reward": value})
            done += len(rows)
            context.progress(done, len(conversations), "rewarding")
    return {key: (context.journal.get(PREFIX + key) or {})["reward"] for key in conversations}


def score(judge: RewardModel, ids: Sequence[Sequence[int]]) -> list[float]:
    """Rewards of token sequences, padded on the right to one length."""
    import torch

    width = max(map(len, ids))
    pad = judge.tokenizer.pad_token_id
    padded = torch.tensor([[*row, *[pad] * (width - len(row))] for row in ids])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in ids])
    with torch.inference_mode():
        logits = judge.model(
            input_ids=padded.to(judge.device), attention_mask=mask.to(judge.device)
        ).logits
    values: list[float] = logits[:, 0].float().tolist()
    return values
