"""Held-out loss: how well the model predicts the answers of conversations it has not seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

from crowdselect.benchmark.base import Benchmark, Context, Item, Score
from crowdselect.benchmark.conversations import read_conversations
from crowdselect.benchmark.statistics import Interval
from crowdselect.errors import InputError
from crowdselect.lm.batches import length_batches
from crowdselect.lm.conversations import Conversation
from crowdselect.lm.encoding import IGNORED, Encoded, encode, settled_format
from crowdselect.lm.language_model import LanguageModel, ModelSpec
from crowdselect.registry import option


@dataclass(frozen=True)
class HeldoutLoss(Benchmark):
    """Mean negative log-likelihood per answer token, in nats, and its exponential (perplexity).

    Only the tokens of the assistant's turns count, end token included, under the model's own chat
    template: the tokens that a fine-tune learns from (``lm.encoding``). Losses of models with
    different tokenizers count different tokens: ``bits_per_byte`` is what such models can be
    compared by.
    """

    name: ClassVar[str] = "heldout-loss"
    title: ClassVar[str] = "Loss on held-out answers"
    unit: ClassVar[str] = "loss (nats per token)"
    higher_is_better: ClassVar[bool] = False
    source: ClassVar[str] = "this project; negative log-likelihood of the answer's tokens"
    version: ClassVar[int] = 2
    """2: Alpaca's ``input`` is joined as in training; what a template writes after the end token
    does not count, nor do earlier answers that it writes differently once later ones follow."""
    kind: ClassVar[Literal["own"]] = "own"

    path: str = option("", "JSONL, JSON, CSV or Parquet file of conversations", opens="file")
    max_length: int = option(2048, "Longest conversation in tokens; cut at its end", low=8)
    batch_tokens: int = option(4096, "Tokens of a batch, padding counted", low=8)

    @property
    def label(self) -> str:
        """The name and the file."""
        return f"{self.name}:{Path(self.path).stem}"

    def protocol(self, context: Context) -> dict[str, Any]:
        """As every benchmark's; how many tokens share a batch does not matter."""
        if not self.path:
            raise InputError(
                "heldout-loss needs a file of conversations.",
                "Write --suite heldout-loss:path=FILE.",
            )
        found = super().protocol(context)
        return {**found, "options": {"max_length": self.max_length}}

    def run(self, context: Context) -> Sequence[Item]:
        """Score every conversation that the journal does not hold."""
        rows = read_conversations(self.path)[: context.limit]
        todo = [row for row in rows if row.id not in context.journal]
        loaded = context.subject.loaded
        encoded = encode(loaded.tokenizer, settled_format(loaded.tokenizer), todo)
        limit = min(self.max_length, loaded.context)
        spec = ModelSpec(model=context.subject.config.model, batch_tokens=self.batch_tokens)
        model = LanguageModel(spec, loaded)
        done = len(rows) - len(todo)
        lengths = [min(len(e.input_ids), limit) for e in encoded]
        for group in length_batches(lengths, self.batch_tokens):
            losses = token_losses(model, [encoded[i] for i in group], limit)
            for place, (total, count) in zip(group, losses, strict=True):
                size = answer_bytes(encoded[place], limit)
                record = {"loss": total, "tokens": count, "bytes": size}
                context.journal.add(todo[place].id, record)
            done += len(group)
            context.progress(done, len(rows), "scoring")
        return [self._item(row, context.journal.get(row.id) or {}) for row in rows]

    def _item(self, row: Conversation, record: dict[str, Any]) -> Item:
        asked = row.messages[-2]["content"] if len(row.messages) > 1 else ""
        shown = (asked, row.messages[-1]["content"])
        tokens = record["tokens"]
        if not tokens:
            reason = f"no answer token within the first {self.max_length} tokens"
            return Item(row.id, row.category, None, *shown, reason)
        details = {"tokens": tokens, "nats": record["loss"], "bytes": record["bytes"]}
        value = record["loss"] / tokens
        return Item(row.id, row.category, value, *shown, weight=tokens, details=details)

    def scores(self, items: Sequence[Item], seed: int) -> list[Score]:
        """Loss (all and per category), perplexity, and bits per byte of answer text."""
        found = super().scores(items, seed)
        whole = [i for i in items if i.value is not None and i.details["bytes"]]
        per_byte = [
            replace(
                i,
                value=i.details["nats"] / math.log(2) / i.details["bytes"],
                weight=i.details["bytes"],
            )
            for i in whole
        ]
        overall = found[0]
        bits = replace(
            super().scores(per_byte, seed)[0], metric="bits per byte", failed=overall.failed
        )
        return [overall, _exponential(overall), bits, *found[1:]]


def _exponential(loss: Score) -> Score:
    interval = loss.interval
    ends = (math.exp(min(x, 700.0)) for x in (interval.value, interval.low, interval.high))
    return replace(loss, metric="perplexity", interval=Interval(*ends))


def token_losses(
    model: LanguageModel, rows: Sequence[Encoded], limit: int
) -> list[tuple[float, int]]:
    """Summed loss in nats (float64) and number of answer tokens of each row's first ``limit``."""
    scored = [[label != IGNORED for label in row.labels[:limit]] for row in rows]
    sums, counts = model.summed_losses([row.input_ids[:limit] for row in rows], scored)
    return [(float(s), int(n)) for s, n in zip(sums, counts, strict=True)]


def answer_bytes(row: Encoded, limit: int) -> int:
    """UTF-8 bytes of the answers that count; 0 where the conversation is cut at ``limit``."""
    whole = len(row.input_ids) <= limit
    return sum(len(m["content"].encode()) for m in row.answers) if whole else 0
