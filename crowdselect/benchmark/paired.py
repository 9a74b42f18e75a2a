"""What pairwise benchmarks share: both sides' answers, and a reward model's view of each pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crowdselect.benchmark.anchor import anchor_answers
from crowdselect.benchmark.answering import subject_answers
from crowdselect.benchmark.base import Context
from crowdselect.benchmark.judges.rewards import rewards
from crowdselect.benchmark.judges.texts import needed_judge
from crowdselect.benchmark.questions import Question
from crowdselect.lm.generation import Request
from crowdselect.lm.messages import assistant


@dataclass(frozen=True)
class PairedAnswers:
    """Answers by question id."""

    model: Mapping[str, str]
    anchor: Mapping[str, str]
    """Questions that the anchor did not answer are missing."""
    problems: Mapping[str, str]
    """Why a question cannot be judged; empty: it can."""
    fair: Sequence[Question]
    """The questions that both sides answered."""


def paired_answers(
    context: Context, questions: Sequence[Question], anchor: str, max_new_tokens: int
) -> PairedAnswers:
    """Have the model under test answer, then the anchor (see :func:`anchor_answers`)."""
    requests = [Request(q.id, q.opening) for q in questions]
    answers = subject_answers(context, requests, max_new_tokens)
    anchors = anchor_answers(context, anchor, questions, max_new_tokens)
    problems = {
        q.id: answers[q.id]["problem"] or ("" if q.id in anchors else "the anchor has no answer")
        for q in questions
    }
    texts = {q.id: str(answers[q.id]["text"]) for q in questions}
    return PairedAnswers(texts, anchors, problems, [q for q in questions if not problems[q.id]])


def paired_rewards(
    context: Context, pairs: PairedAnswers
) -> dict[str, tuple[tuple[float, float] | None, str]]:
    """The judging reward model's (model, anchor) rewards of each fair question, and a sentence.

    None where one of the two does not fit; the sentence then says so.
    """
    judge = needed_judge(context)
    talks = {
        f"{q.id}/{who}": (*q.opening, assistant(said[q.id]))
        for q in pairs.fair
        for who, said in (("model", pairs.model), ("anchor", pairs.anchor))
    }
    found = rewards(context, judge.model, talks, max_length=judge.max_length)
    compared: dict[str, tuple[tuple[float, float] | None, str]] = {}
    for q in pairs.fair:
        ours, theirs = found[f"{q.id}/model"], found[f"{q.id}/anchor"]
        if ours is None or theirs is None:
            compared[q.id] = (None, f"longer than {judge.max_length} tokens")
        else:
            compared[q.id] = ((ours, theirs), f"reward {ours:.4g} against {theirs:.4g}")
    return compared
