"""Reward-model score: the mean reward of the model's answers to a set of prompts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from crowdselect.benchmark.answering import subject_answers
from crowdselect.benchmark.base import Benchmark, Context, Item
from crowdselect.benchmark.judges.rewards import rewards
from crowdselect.benchmark.questions import question_file, questions_hash, read_questions
from crowdselect.lm.generation import Request
from crowdselect.lm.messages import assistant
from crowdselect.registry import option
from crowdselect.settings import demo_data


@dataclass(frozen=True)
class RewardScore(Benchmark):
    """Mean reward in the reward model's own unit, without an anchor.

    A model that was selected for by this very reward model scores high on it by construction:
    take another one.
    """

    name: ClassVar[str] = "reward-score"
    title: ClassVar[str] = "Reward of answers"
    unit: ClassVar[str] = "reward"
    source: ClassVar[str] = "this project; sequence-classification reward model"
    kind: ClassVar[Literal["own"]] = "own"

    path: str = option(
        "", "File of prompts or conversations; empty: our everyday questions", opens="file"
    )
    model: str = option(
        "",
        "Reward model (folder or hub id); empty: the run's judge, else the demo's",
        opens="model",
    )
    max_new_tokens: int = option(512, "Longest answer in tokens", low=1, high=32768)
    max_length: int = option(4096, "Longest conversation in tokens; longer ones fail", low=8)

    @property
    def label(self) -> str:
        """The name, and the file where one is given."""
        return f"{self.name}:{Path(self.path).stem}" if self.path else self.name

    def protocol(self, context: Context) -> dict[str, Any]:
        """As every benchmark's; with the reward model that is really used."""
        found = super().protocol(context)
        found["inputs"]["path"] = questions_hash(self.path, "everyday.jsonl")
        found["options"]["model"] = self._judge(context)
        return found

    def _judge(self, context: Context) -> str:
        if self.model:
            return self.model
        if context.judge is not None and context.judge.kind == "reward":
            return context.judge.model
        return str(demo_data() / "reward_model")

    def run(self, context: Context) -> Sequence[Item]:
        """Answer every prompt, then reward the conversations."""
        questions = read_questions(question_file(self.path, "everyday.jsonl"))[: context.limit]
        requests = [Request(q.id, q.opening) for q in questions]
        answers = subject_answers(context, requests, self.max_new_tokens)
        talks = {
            q.id: (*q.opening, assistant(answers[q.id]["text"]))
            for q in questions
            if not answers[q.id]["problem"]
        }
        found = rewards(context, self._judge(context), talks, max_length=self.max_length)
        items = []
        for q in questions:
            value, problem = found.get(q.id), answers[q.id]["problem"]
            if value is None and not problem:
                problem = f"longer than {self.max_length} tokens"
            items.append(Item(q.id, q.category, value, q.turns[0], answers[q.id]["text"], problem))
        return items
