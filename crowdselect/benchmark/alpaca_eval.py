"""AlpacaEval: which of two answers a judge prefers, with and without the effect of length."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from crowdselect.benchmark.alpaca_scores import (
    alpaca_scores,
    outcome,
    preference_of_letter,
    preference_of_logprobs,
)
from crowdselect.benchmark.anchor import anchor_name
from crowdselect.benchmark.base import Benchmark, Context, Item, Score
from crowdselect.benchmark.judges.prompts import OWN_CHOICE, Prompt, read_single
from crowdselect.benchmark.judges.texts import needed_judge, verdicts
from crowdselect.benchmark.judgments import (
    Row,
    first_questions,
    given_protocol,
    judgments_of,
)
from crowdselect.benchmark.paired import PairedAnswers, paired_answers, paired_rewards
from crowdselect.benchmark.questions import (
    Question,
    judge_cost,
    question_file,
    questions_hash,
    read_questions,
)
from crowdselect.registry import content_key, option
from crowdselect.servers import ChatReply, ChatRequest, Cost

TWO = 2.0
"""The preference of a model that is preferred for certain; 1 is its anchor, 0 a tie."""


@dataclass(frozen=True)
class AlpacaEval(Benchmark):
    """Win rate against an anchor's answers (Li et al. 2023; Dubois et al. 2024, arXiv 2404.04475).

    One call per question; which answer comes first is drawn from the seed and the question.
    """

    name: ClassVar[str] = "alpaca-eval"
    title: ClassVar[str] = "AlpacaEval"
    unit: ClassVar[str] = "win rate %"
    bounds: ClassVar[tuple[float, float]] = (0.0, 100.0)
    source: ClassVar[str] = "tatsu-lab/alpaca_eval, weighted win rate"
    kind: ClassVar[Literal["judged"]] = "judged"
    judged: ClassVar[bool] = True

    questions: str = option(
        "", "AlpacaEval's alpaca_eval.json; empty: our own questions", opens="file"
    )
    prompt: str = option(
        "", "The official judge prompt as text or YAML; empty: our own", opens="file"
    )
    anchor: str = option(
        "",
        "File of the anchor's answers, or the anchor model (folder or hub id)",
        opens="file or model",
    )
    weighted: bool = option(
        True, "Take the preference from the log-probabilities of m and M; else from the letter"
    )
    max_new_tokens: int = option(2048, "Longest answer in tokens", low=1, high=32768)
    judgments: str = option(
        "", "File of judgments made elsewhere: nothing is answered or judged", opens="file"
    )
    judged_by: str = option("", "Whose judgments of that file count; empty: all")

    @property
    def needs_judge(self) -> bool:
        """Not where judgments are given."""
        return not self.judgments

    def protocol(self, context: Context) -> dict[str, Any]:
        """As every benchmark's; with the anchor."""
        if self.judgments:
            return given_protocol(
                type(self), context.limit, anchor=self.anchor, judge=self.judged_by
            )
        found = super().protocol(context)
        found["inputs"]["questions"] = questions_hash(self.questions, "everyday.jsonl")
        found["inputs"].setdefault("prompt", "own prompt, not comparable")
        found["options"]["anchor"] = anchor_name(self.anchor, self.name)
        return found

    def judging(self, limit: int | None) -> Cost:
        """One preference per question, between two answers."""
        questions = read_questions(question_file(self.questions, "everyday.jsonl"))[:limit]
        return judge_cost(
            [(q.turns, 2 * self.max_new_tokens, self._verdict_tokens) for q in questions]
        )

    @property
    def _verdict_tokens(self) -> int:
        return 1 if self.weighted else 16

    def run(self, context: Context) -> Sequence[Item]:
        """Answer, then ask for one preference per question."""
        if self.judgments:
            rows = judgments_of(
                self.name, self.judgments, context.subject.config.model, self.judged_by
            )
            return first_questions([_given(row) for row in rows], context.limit)
        questions = read_questions(question_file(self.questions, "everyday.jsonl"))
        questions = questions[: context.limit]
        if not (self.questions and self.prompt):
            context.note("alpaca-eval: own questions or own prompt, not comparable with published.")
        pairs = paired_answers(context, questions, self.anchor, self.max_new_tokens)
        if needed_judge(context).kind == "reward":
            chosen = _by_reward(context, pairs)
        else:
            chosen = self._by_verdict(context, pairs)
        return [
            _item(
                q,
                pairs.model[q.id],
                pairs.anchor.get(q.id),
                chosen.get(q.id, (None, pairs.problems[q.id])),
            )
            for q in questions
        ]

    def _by_verdict(
        self, context: Context, pairs: PairedAnswers
    ) -> dict[str, tuple[float | None, str]]:
        prompt = read_single(self.prompt) if self.prompt else OWN_CHOICE
        swap = {q.id: _model_first(q, context.seed) for q in pairs.fair}
        requests = [self._ask(prompt, q, pairs, swap[q.id]) for q in pairs.fair]
        replies = verdicts(context, requests)
        return {q.id: self._preference(replies[q.id], swap[q.id]) for q in pairs.fair}

    def _ask(
        self, prompt: Prompt, question: Question, pairs: PairedAnswers, model_first: bool
    ) -> ChatRequest:
        first, second = pairs.anchor[question.id], pairs.model[question.id]
        if model_first:
            first, second = second, first
        values = {"instruction": question.turns[0], "output_1": first, "output_2": second}
        logprobs = 5 if self.weighted else 0
        return ChatRequest(
            question.id, prompt.fill(values), self._verdict_tokens, top_logprobs=logprobs
        )

    def _preference(self, reply: ChatReply, model_first: bool) -> tuple[float | None, str]:
        """The preference for the model in [1, 2]; None with the reason."""
        if self.weighted and reply.logprobs:
            value = preference_of_logprobs(reply.logprobs)
        elif self.weighted and reply.text:
            return None, "the judge's server gives no log-probabilities; set weighted=false"
        elif reply.problem:
            return None, f"the judge: {reply.problem}"
        else:
            value = preference_of_letter(reply.text)
        if value is None:
            return None, f"the judge chose neither m nor M: {reply.text[:100]!r}"
        return (3 - value if model_first else value), reply.text

    def scores(self, items: Sequence[Item], seed: int) -> list[Score]:
        """Win rate, discrete win rate and, by our own fit, the length-controlled one."""
        return alpaca_scores(super().scores(items, seed), items)


def _model_first(question: Question, seed: int) -> bool:
    return int(content_key([seed, question.turns[0]]), 16) % 2 == 0


def _by_reward(context: Context, pairs: PairedAnswers) -> dict[str, tuple[float | None, str]]:
    """The model's Bradley-Terry probability: the logistic function of the reward difference."""
    chosen: dict[str, tuple[float | None, str]] = {}
    for key, (both, sentence) in paired_rewards(context, pairs).items():
        if both is None:
            chosen[key] = (None, sentence)
        else:
            odds = math.exp(-max(-700.0, min(700.0, both[0] - both[1])))
            chosen[key] = (1 + 1 / (1 + odds), sentence)
    return chosen


def _given(row: Row) -> Item:
    """The item of one row of ``annotations.json``; no preference is a failure, as there."""
    question = Question(
        content_key([row["instruction"]]), str(row.get("dataset") or ""), (str(row["instruction"]),)
    )
    preference = row["preference"]
    known = isinstance(preference, int | float) and 0 <= preference <= TWO
    chosen = (float(preference), "") if known else (None, f"no preference: {preference!r}")
    answer, anchor = (str(row.get(f"output_{k}") or "") for k in (2, 1))
    return _item(question, answer, anchor, chosen)


def _item(
    question: Question, answer: str, anchor: str | None, chosen: tuple[float | None, str]
) -> Item:
    preference, reason = chosen
    details = {"preference": preference, "delta_length": len(anchor or "") - len(answer)}
    item = Item(question.id, question.category, None, question.turns[0], answer, reason,
                details=details)  # fmt: skip
    if preference is None:
        retry = {"retry": True} if reason.startswith("the judge: ") else {}
        return replace(item, details={**details, **retry})
    return replace(item, value=100 * outcome(preference))
