"""Response length and repetition: what a score of quality often hides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

from crowdselect.benchmark.answering import subject_answers
from crowdselect.benchmark.base import Benchmark, Context, Item, Score, summarise
from crowdselect.benchmark.questions import question_file, questions_hash, read_questions
from crowdselect.lm.generation import Request
from crowdselect.registry import option

LENGTHS = ("tokens", "words", "characters", "unfinished")


def repeated_ngrams(words: Sequence[str], n: int = 4) -> float:
    """Share of n-grams that occurred before: 1 - distinct / all, in [0, 1]; 0 below n words.

    seq-rep-n of Welleck et al. 2020 (arXiv 1908.04319).
    """
    grams = [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
    return 1 - len(set(grams)) / len(grams) if grams else 0.0


@dataclass(frozen=True)
class ResponseStyle(Benchmark):
    """Repetition within answers, their length, and how many never came to an end."""

    name: ClassVar[str] = "response-style"
    title: ClassVar[str] = "Response length and repetition"
    unit: ClassVar[str] = "share of repeated 4-grams"
    higher_is_better: ClassVar[bool] = False
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    source: ClassVar[str] = "seq-rep-4, Welleck et al. 2020"
    kind: ClassVar[Literal["own"]] = "own"

    path: str = option(
        "", "File of prompts or conversations; empty: our everyday questions", opens="file"
    )
    max_new_tokens: int = option(512, "Longest answer in tokens", low=1, high=32768)

    @property
    def label(self) -> str:
        """The name, and the file where one is given."""
        return f"{self.name}:{Path(self.path).stem}" if self.path else self.name

    def protocol(self, context: Context) -> dict[str, Any]:
        """As every benchmark's; own questions are called own."""
        found = super().protocol(context)
        found["inputs"]["path"] = questions_hash(self.path, "everyday.jsonl")
        return found

    def run(self, context: Context) -> Sequence[Item]:
        """Answer every prompt greedily and measure the answers."""
        questions = read_questions(question_file(self.path, "everyday.jsonl"))[: context.limit]
        requests = [Request(q.id, q.opening) for q in questions]
        answers = subject_answers(context, requests, self.max_new_tokens)
        items = []
        for q in questions:
            record = answers[q.id]
            text: str = record["text"]
            words = text.split()
            details = {
                "tokens": record["tokens"],
                "words": len(words),
                "characters": len(text),
                "unfinished": float(not record["finished"]),
            }
            value = None if record["problem"] else repeated_ngrams(words)
            items.append(
                Item(q.id, q.category, value, q.turns[0], text, record["problem"], details=details)
            )
        return items

    def scores(self, items: Sequence[Item], seed: int) -> list[Score]:
        """Repetition first, then mean lengths and the share of unfinished answers."""
        found = super().scores(items, seed)
        measured = []
        for key in LENGTHS:
            as_values = [i if i.value is None else replace(i, value=i.details[key]) for i in items]
            share = key == "unfinished"
            name = "share unfinished" if share else f"{key} per answer"
            measured.append(summarise(name, as_values, bounds=self.bounds if share else None))
        return [found[0], *measured, *found[1:]]
