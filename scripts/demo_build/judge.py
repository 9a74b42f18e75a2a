"""The demo's second judge: a small reward model learned from pairs of answers.

It never sees a reference answer when it judges; it has to tell from instruction and answer alone,
so it errs, and disagrees with the exact verifier as learned reward models do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from scripts.demo_build.tokenizer import chat_text

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerFast


@dataclass(frozen=True)
class Preference:
    """Two answers to one instruction, of which the first is the better."""

    instruction: str
    chosen: str
    rejected: str


def preferences(
    instructions: Sequence[str],
    answers: Sequence[Sequence[str]],
    scores: Sequence[Sequence[float]],
    seed: int,
    margin: float = 0.2,
) -> list[Preference]:
    """Draw up to four pairs per instruction whose scores differ by at least ``margin``.

    ``answers[i][j]`` and ``scores[i][j]`` belong to model j and instruction i.
    """
    rng = Random(f"{seed}-preferences")
    pairs = []
    for text, given, scored in zip(instructions, answers, scores, strict=True):
        best = dict(zip(given, scored, strict=True))
        distinct = sorted(best, key=lambda answer: (-best[answer], answer))
        usable = [
            Preference(text, better, worse)
            for place, better in enumerate(distinct)
            for worse in distinct[place + 1 :]
            if best[better] - best[worse] >= margin
        ]
        pairs += rng.sample(usable, min(4, len(usable)))
    return pairs


def reward_model_from(model: PreTrainedModel, seed: int) -> PreTrainedModel:
    """Put a fresh scalar head on the body of a language model (as reward models are made)."""
    import torch
    from transformers import AutoModelForSequenceClassification

    torch.manual_seed(seed)
    config = type(model.config).from_dict(model.config.to_dict())
    config.num_labels = 1
    judge: PreTrainedModel = AutoModelForSequenceClassification.from_config(  # type: ignore[no-untyped-call]
        config, dtype=torch.float32
    )
    judge.base_model.load_state_dict(model.base_model.state_dict())
    return judge


def preference_batches(
    pairs: Sequence[Preference],
    tokenizer: PreTrainedTokenizerFast,
    size: int,
    seed: int,
    epochs: int,
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield (input_ids, last): chosen answers in the even rows, rejected ones in the odd rows.

    ``input_ids`` (2 * size, length) int64 is padded on the right; ``last`` (2 * size,) int64 is
    the position of each text's last token.
    """
    import torch

    texts = [
        "".join(chat_text(pair.instruction, answer))
        for pair in pairs
        for answer in (pair.chosen, pair.rejected)
    ]
    ids = tokenizer(texts, add_special_tokens=False)["input_ids"]
    rng = Random(seed)
    for _ in range(epochs):
        order = sorted(range(len(pairs)), key=lambda i: (len(ids[2 * i]) // 6, rng.random()))
        groups = [order[i : i + size] for i in range(0, len(order), size)]
        rng.shuffle(groups)
        for group in groups:
            rows = [ids[2 * i + side] for i in group for side in (0, 1)]
            length = max(map(len, rows))
            padded = [row + [tokenizer.pad_token_id] * (length - len(row)) for row in rows]
            yield torch.tensor(padded), torch.tensor([len(row) - 1 for row in rows])


def last_rewards(judge: PreTrainedModel, ids: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
    """Reward at the last token of each row; float32 of shape (rows,)."""
    import torch

    body: Any = judge.base_model
    score: Any = judge.score
    hidden = body(input_ids=ids, use_cache=False).last_hidden_state
    rewards: torch.Tensor = score(hidden[torch.arange(len(last)), last]).float().squeeze(-1)
    return rewards


def bradley_terry(judge: PreTrainedModel, ids: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
    """Mean negative log-likelihood that the chosen answer of each pair wins (Bradley-Terry)."""
    import torch.nn.functional as F

    rewards = last_rewards(judge, ids, last)
    return -F.logsigmoid(rewards[0::2] - rewards[1::2]).mean()


def judge_rewards(
    judge: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    instructions: Sequence[str],
    answers: Sequence[str],
    batch: int = 256,
    advance: Callable[[int], None] = lambda done: None,
) -> list[float]:
    """Return the reward of each (instruction, answer) pair: a logit, higher is better."""
    import torch

    texts = ["".join(chat_text(i, a)) for i, a in zip(instructions, answers, strict=True)]
    ids = tokenizer(texts, add_special_tokens=False)["input_ids"]
    order = sorted(range(len(texts)), key=lambda row: len(ids[row]))
    rewards = [0.0] * len(texts)
    for start in range(0, len(order), batch):
        rows = order[start : start + batch]
        length = len(ids[rows[-1]])
        padded = [ids[row] + [tokenizer.pad_token_id] * (length - len(ids[row])) for row in rows]
        last = torch.tensor([len(ids[row]) - 1 for row in rows])
        with torch.inference_mode():
            inputs = torch.tensor(padded, device=judge.device)
            values = last_rewards(judge, inputs, last).tolist()
        for row, value in zip(rows, values, strict=True):
            rewards[row] = value
        advance(len(rows))
    return rewards
