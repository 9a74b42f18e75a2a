"""Rewards of conversations, each kept in the journal as soon as its batch is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crowdselect.benchmark.base import Context
from crowdselect.lm.messages import Message
from crowdselect.lm.rewards import load_reward_model, scored_batches

PREFIX = "reward/"


def rewards(
    context: Context,
    name: str,
    conversations: Mapping[str, Sequence[Message]],
    *,
    max_length: int,
    batch_tokens: int = 8192,
) -> dict[str, float | None]:
    """The reward of each conversation by key; None where it is longer than ``max_length`` tokens.

    A conversation's reward does not depend on what shares its batch, beyond rounding.
    """
    todo = [key for key in conversations if PREFIX + key not in context.journal]
    done = len(conversations) - len(todo)
    context.progress(done, len(conversations), "rewarding")
    if todo:
        judge = load_reward_model(name)
        ids = {key: judge.ids(conversations[key]) for key in todo}
        limit = judge.limit(max_length)
        for key in todo:
            if len(ids[key]) > limit:
                context.journal.add(PREFIX + key, {"reward": None})
        fitting = [key for key in todo if len(ids[key]) <= limit]
        for places, values in scored_batches(judge, [ids[key] for key in fitting], batch_tokens):
            for place, value in zip(places, values, strict=True):
                context.journal.add(PREFIX + fitting[place], {"reward": value})
            done += len(places)
            context.progress(done, len(conversations), "rewarding")
    return {key: (context.journal.get(PREFIX + key) or {})["reward"] for key in conversations}
