"""Rewards of whole conversations by a sequence-classification reward model, in padded batches."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from crowdselect.errors import InputError, require
from crowdselect.lm.batches import length_batches
from crowdselect.lm.messages import Message
from crowdselect.lm.models import Checkpoint, load_network, load_tokenizer, usual_device
from crowdselect.lm.template import render, token_ids


@dataclass(frozen=True)
class RewardModel:
    """A reward model in memory."""

    model: Any
    tokenizer: Any
    device: str
    pads: bool = True
    """Whether rows may share a batch; False: the model cannot tell where a padded row ends."""

    def limit(self, max_length: int) -> int:
        """Longest conversation in tokens, at most ``max_length``."""
        own = getattr(self.model.config, "max_position_embeddings", None)
        return min(max_length, own or max_length)

    def ids(self, messages: Sequence[Message]) -> list[int]:
        """A conversation as the model reads it."""
        return token_ids(self.tokenizer, render(self.tokenizer, messages, complete=True))


@functools.lru_cache(maxsize=1)
def load_reward_model(name: str) -> RewardModel:
    """Load a folder or hub id.

    Raises MissingDependencyError, NotFoundError, or InputError for a model with several outputs
    or without a trained head.
    """
    for package in ("torch", "transformers"):
        require(package, feature="A reward model", extra="benchmark")
    checkpoint = Checkpoint(name).resolved()
    device = usual_device()
    tokenizer = load_tokenizer(checkpoint, padding_side="right")
    model = load_network(checkpoint, kind="reward")
    if model.config.num_labels != 1:
        raise InputError(
            f"{name} has {model.config.num_labels} outputs; a reward model has one.",
            "Give a sequence-classification reward model such as Skywork-Reward-V2.",
        )
    pads = _head(model) is not None or model.config.pad_token_id is not None
    return RewardModel(model.to(device).eval(), tokenizer, device, pads)


def scored_batches(
    judge: RewardModel, ids: Sequence[Sequence[int]], batch_tokens: int
) -> Iterator[tuple[list[int], list[float]]]:
    """Rows of token ids in batches of similar length: the places of a batch, and its rewards."""
    for group in length_batches([len(row) for row in ids], batch_tokens):
        for places in [group] if judge.pads else [[place] for place in group]:
            yield places, score(judge, [ids[place] for place in places])


def score(judge: RewardModel, ids: Sequence[Sequence[int]]) -> list[float]:
    """Rewards of token sequences, padded on the right to one length.

    A decoder's reward is that of the last token of each row, found by the row's length. The
    forward of transformers looks for the last token that is no padding, and so reads a row whose
    own last token is the padding token (a model without one is padded with its end token) too
    early.
    """
    import torch

    width = max(map(len, ids))
    pad = judge.model.config.pad_token_id or 0
    padded = torch.tensor([[*row, *[pad] * (width - len(row))] for row in ids])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in ids])
    inputs = {
        "input_ids": padded.to(judge.device),
        "attention_mask": mask.to(judge.device),
    }
    head = _head(judge.model)
    with torch.inference_mode():
        if head is None:
            logits = judge.model(**inputs).logits
        else:
            hidden = judge.model.base_model(**inputs, use_cache=False).last_hidden_state
            ends = torch.tensor([len(row) - 1 for row in ids], device=hidden.device)
            logits = head(hidden[torch.arange(len(ids), device=hidden.device), ends])
    values: list[float] = logits[:, 0].float().tolist()
    return values


def _head(model: Any) -> Any:
    """The layer on top of the last token, which decoders call ``score``; encoders have another."""
    return getattr(model, "score", None)
