"""MT-Bench: two-turn questions, each answer graded by a judge from 1 to 10."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from crowdselect.benchmark.answering import subject_answers
from crowdselect.benchmark.base import Benchmark, Context, Item, Score, summarise
from crowdselect.benchmark.judges.prompts import OWN_SINGLE, Prompt, read_named
from crowdselect.benchmark.judges.rewards import rewards
from crowdselect.benchmark.judges.texts import needed_judge, verdicts
from crowdselect.benchmark.judgments import (
    NO_ANSWER,
    Row,
    first_questions,
    given_protocol,
    judgments_of,
)
from crowdselect.benchmark.questions import (
    Question,
    judge_cost,
    question_file,
    questions_hash,
    read_questions,
    read_references,
)
from crowdselect.benchmark.sources import local_file
from crowdselect.benchmark.statistics import Bounds
from crowdselect.lm.generation import Request
from crowdselect.lm.messages import Message, assistant
from crowdselect.registry import option
from crowdselect.servers import ChatReply, ChatRequest, Cost, Grade, read_grade

TEMPERATURES: Mapping[str, float] = {
    "writing": 0.7, "roleplay": 0.7, "extraction": 0.0, "math": 0.0, "coding": 0.0,
    "reasoning": 0.0, "stem": 0.1, "humanities": 0.1,
}  # fmt: skip
OTHER_TEMPERATURE = 0.7
VERDICT_TOKENS = 2048
WITH_REFERENCE = ("math", "reasoning", "coding")
_GRADE = re.compile(r"\[\[(\d+\.?\d*)\]\]")
_GRADE_BACKUP = re.compile(r"\[(\d+\.?\d*)\]")


BEST_GRADE = 10.0


def parse_grade(text: str) -> float | None:
    """The first ``[[number]]``, else the first ``[number]``; None where there is neither.

    As FastChat's single-answer grading reads verdicts (which writes -1 for None, and stops with
    an error at numbers such as ``08``).
    """
    found = _GRADE.search(text) or _GRADE_BACKUP.search(text)
    return float(found[1]) if found else None


def _fastchat_grade(text: str) -> Grade:
    value = parse_grade(text)
    if value is None or not 1 <= value <= BEST_GRADE:
        return Grade(None, f"no grade from 1 to 10: {text[-200:]!r}")
    return Grade(value)


@dataclass(frozen=True)
class MtBench(Benchmark):
    """Mean grade over questions and turns (Zheng et al. 2023, arXiv 2306.05685).

    A verdict without a grade, or with one outside 1 to 10, fails and does not count; so does an
    answer that the model could not give.
    """

    name: ClassVar[str] = "mt-bench"
    title: ClassVar[str] = "MT-Bench"
    unit: ClassVar[str] = "grade (1 to 10)"
    bounds: ClassVar[tuple[float, float]] = (1.0, 10.0)
    source: ClassVar[str] = "lm-sys/FastChat, llm_judge, single-answer grading"
    kind: ClassVar[Literal["judged"]] = "judged"
    judged: ClassVar[bool] = True

    questions: str = option("", "FastChat's question.jsonl; empty: our own questions", opens="file")
    prompts: str = option(
        "", "FastChat's judge_prompts.jsonl; empty: our own prompts", opens="file"
    )
    references: str = option(
        "", "FastChat's reference answers, whichever model wrote them", opens="file"
    )
    max_new_tokens: int = option(1024, "Longest answer in tokens", low=1, high=32768)
    reading: str = option(
        "verdict",
        "Which grade of a verdict counts; fastchat: the first in brackets, as published",
        choices=("verdict", "fastchat"),
    )
    judgments: str = option(
        "", "File of judgments made elsewhere: nothing is answered or judged", opens="file"
    )
    judged_by: str = option("", "Whose judgments of that file count; empty: all")

    @property
    def needs_judge(self) -> bool:
        """Not where judgments are given."""
        return not self.judgments

    def protocol(self, context: Context) -> dict[str, Any]:
        """As every benchmark's; own questions and prompts are called own."""
        if self.judgments:
            return given_protocol(type(self), context.limit, anchor="", judge=self.judged_by)
        found = super().protocol(context)
        found["inputs"]["questions"] = questions_hash(self.questions, "two_turns.jsonl")
        found["inputs"].setdefault("prompts", "own prompt, not comparable")
        return found

    def judging(self, limit: int | None) -> Cost:
        """Two verdicts per question; the second reads both turns."""
        questions = read_questions(question_file(self.questions, "two_turns.jsonl"), turns=2)
        return judge_cost(
            [(t, self.max_new_tokens, VERDICT_TOKENS) for q in questions[:limit]
             for t in (q.turns[:1], q.turns)]
        )  # fmt: skip

    def run(self, context: Context) -> Sequence[Item]:
        """Answer both turns, then have each graded."""
        if self.judgments:
            rows = judgments_of(
                self.name, self.judgments, context.subject.config.model, self.judged_by
            )
            listed = read_questions(local_file(self.questions)) if self.questions else []
            asked = {q.id: q for q in listed}
            return first_questions([_given(row, asked) for row in rows], context.limit)
        questions = read_questions(question_file(self.questions, "two_turns.jsonl"), turns=2)
        questions = questions[: context.limit]
        if self.references:
            known = read_references(self.references)
            questions = [replace(q, references=known.get(q.id, ())) for q in questions]
        prompts = read_named(self.prompts) if self.prompts else OWN_SINGLE
        if not (self.questions and self.prompts):
            context.note("mt-bench: own questions or own prompt, not comparable with published.")
        answers = self._answers(context, questions)
        if needed_judge(context).kind == "reward":
            return _by_reward(context, questions, answers)
        return _by_verdict(context, questions, answers, prompts, self._grade)

    def _grade(self, text: str) -> Grade:
        """The grade of a verdict, as ``reading`` has it."""
        if self.reading == "fastchat":
            return _fastchat_grade(text)
        return read_grade(text, 1.0, BEST_GRADE)

    def _answers(
        self, context: Context, questions: Sequence[Question]
    ) -> dict[str, dict[str, Any]]:
        """Answers by ``id/turn``; the second turn sees the model's own first answer."""
        first = [_request(q, 1, ()) for q in questions]
        answers = subject_answers(context, first, self.max_new_tokens)
        second = [
            _request(q, 2, (answers[f"{q.id}/1"]["text"],))
            for q in questions
            if not answers[f"{q.id}/1"]["problem"]
        ]
        return answers | subject_answers(context, second, self.max_new_tokens)

    def bounds_of(self, items: Sequence[Item]) -> Bounds | None:
        """Grades end at 10; the rewards of a reward model end nowhere."""
        return None if any("unit" in i.details for i in items) else self.bounds

    def scores(self, items: Sequence[Item], seed: int) -> list[Score]:
        """Mean over all grades, by turn and by category, in the unit of the judge."""
        unit = items[0].details.get("unit", self.unit)
        bounds = self.bounds_of(items)
        found = [replace(s, metric=unit) for s in super().scores(items, seed)]
        turns = [
            summarise(
                f"{unit}, turn {t}", [i for i in items if i.details["turn"] == t], bounds=bounds
            )
            for t in (1, 2)
        ]
        return [found[0], *turns, *found[1:]]


def _talk(question: Question, turn: int, answers: Sequence[str]) -> tuple[Message, ...]:
    """The conversation up to (and without) the answer to ``turn``."""
    messages: list[Message] = list(question.before)
    for place in range(turn):
        messages.append({"role": "user", "content": question.turns[place]})
        if place < turn - 1:
            messages.append({"role": "assistant", "content": answers[place]})
    return tuple(messages)


def _request(question: Question, turn: int, answers: Sequence[str]) -> Request:
    temperature = TEMPERATURES.get(question.category, OTHER_TEMPERATURE)
    return Request(f"{question.id}/{turn}", _talk(question, turn, answers), temperature)


Answers = Mapping[str, Mapping[str, Any]]


def _rows(questions: Sequence[Question], answers: Answers) -> list[tuple[Question, int, str]]:
    """Question, turn and why there is no answer (empty: there is one)."""
    rows = []
    for question in questions:
        for turn in (1, 2):
            record = answers.get(f"{question.id}/{turn}", {"problem": "the first turn failed"})
            rows.append((question, turn, str(record["problem"])))
    return rows


def _by_verdict(
    context: Context,
    questions: Sequence[Question],
    answers: Answers,
    prompts: Mapping[str, Prompt],
    read: Callable[[str], Grade],
) -> list[Item]:
    rows = _rows(questions, answers)
    bare = [q.id for q in questions if q.category in WITH_REFERENCE and len(q.references) < 2]
    if bare:
        context.note(f"{len(bare)} questions that need a reference answer are graded without one.")
    requests = [
        ChatRequest(f"{q.id}/{turn}", _prompt(q, turn, answers, prompts), max_tokens=VERDICT_TOKENS)
        for q, turn, problem in rows
        if not problem
    ]
    replies = verdicts(context, requests)
    return [
        _item(q, turn, answers, problem, replies.get(f"{q.id}/{turn}"), read)
        for q, turn, problem in rows
    ]


def _prompt(
    question: Question, turn: int, answers: Answers, prompts: Mapping[str, Prompt]
) -> tuple[Message, ...]:
    checked = question.category in WITH_REFERENCE and len(question.references) >= 2
    name = ("single-math-v1" if checked else "single-v1") + ("-multi-turn" if turn == 2 else "")
    said = [answers[f"{question.id}/{t}"]["text"] for t in range(1, turn + 1)]
    values = {
        "question": question.turns[0],
        "answer": said[0],
        **{f"question_{t}": text for t, text in enumerate(question.turns, start=1)},
        **{f"answer_{t}": text for t, text in enumerate(said, start=1)},
        **{f"ref_answer_{t}": text for t, text in enumerate(question.references, start=1)},
    }
    return prompts[name].fill(values)


def _item(
    question: Question,
    turn: int,
    answers: Answers,
    problem: str,
    reply: ChatReply | None,
    read: Callable[[str], Grade],
) -> Item:
    shown = Item(
        question.id,
        question.category,
        None,
        question.turns[turn - 1],
        "" if problem else answers[f"{question.id}/{turn}"]["text"],
        details={"turn": turn},
    )
    if problem or reply is None:
        return replace(shown, reason=problem)
    if reply.problem:
        details = {"turn": turn, "retry": True}
        return replace(shown, reason=f"the judge: {reply.problem}", details=details)
    grade = read(reply.text)
    if grade.value is None:
        return replace(shown, reason=f"the judge: {grade.problem}")
    return replace(shown, value=grade.value, reason=reply.text)


def _given(row: Row, asked: Mapping[str, Question]) -> Item:
    """The item of one row of FastChat; ``score`` is the grade that was read there, -1 for none."""
    turn, question = int(row["turn"]), asked.get(str(row["question_id"]))
    prompt = question.turns[turn - 1] if question else str(row.get("user_prompt") or "")
    category = question.category if question else ""
    item = Item(str(row["question_id"]), category, None, prompt, NO_ANSWER, details={"turn": turn})
    grade = row["score"]
    if isinstance(grade, int | float) and 1 <= grade <= BEST_GRADE:
        return replace(item, value=float(grade), reason=str(row.get("judgment") or ""))
    return replace(item, reason=f"no grade from 1 to 10: {grade!r}")


def _by_reward(context: Context, questions: Sequence[Question], answers: Answers) -> list[Item]:
    """Each turn's reward, with the conversation so far as its context."""
    judge = needed_judge(context)
    rows = _rows(questions, answers)
    talks: dict[str, tuple[Message, ...]] = {}
    for question, turn, problem in rows:
        if not problem:
            said = [answers[f"{question.id}/{t}"]["text"] for t in range(1, turn + 1)]
            talks[f"{question.id}/{turn}"] = (*_talk(question, turn, said), assistant(said[-1]))
    found = rewards(context, judge.model, talks, max_length=judge.max_length)
    items = []
    for question, turn, problem in rows:
        key = f"{question.id}/{turn}"
        value = found.get(key)
        reason = problem or ("" if value is not None else f"longer than {judge.max_length} tokens")
        text = "" if problem else answers[key]["text"]
        details = {"turn": turn, "unit": "reward"}
        items.append(
            Item(question.id, question.category, value, question.turns[turn - 1], text, reason,
                 details=details)
        )  # fmt: skip
    return items
