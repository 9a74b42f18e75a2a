"""The anchor of a pairwise benchmark: another model's answers, from a file or made here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from crowdselect.benchmark.base import Context
from crowdselect.benchmark.questions import Question, read_answers
from crowdselect.benchmark.sources import file_hash
from crowdselect.errors import InputError
from crowdselect.hub import HUB
from crowdselect.lm.answering import answer_all, answered_here
from crowdselect.lm.generation import Request
from crowdselect.lm.models import Checkpoint, LocalModel

PREFIX = "anchor/"


def anchor_name(anchor: str, benchmark: str) -> str:
    """What a protocol says of the anchor: the hash of its answers, or the model's name.

    Raises InputError where none is given.
    """
    if not anchor:
        raise InputError(
            f"{benchmark} compares with an anchor, and none is given.",
            f"Write --suite {benchmark}:anchor=FILE (its answers) or anchor=MODEL.",
        )
    return file_hash(anchor) if _is_file(anchor) else anchor


def anchor_answers(
    context: Context, anchor: str, questions: Sequence[Question], max_new_tokens: int
) -> dict[str, str]:
    """The anchor's answers by question id; questions that it did not answer are missing."""
    if _is_file(anchor):
        given = read_answers(anchor)
        found = {q.id: given.get(q.id, given.get(q.turns[0])) for q in questions}
        return {key: text for key, text in found.items() if text is not None}
    model = LocalModel(Checkpoint(anchor))
    found_here = answer_all(
        context.journal,
        [Request(PREFIX + q.id, q.opening) for q in questions],
        answered_here(model, max_new_tokens=max_new_tokens, seed=context.seed, vllm=False),
        context.progress,
        label="answering as the anchor",
    )
    kept = {key.removeprefix(PREFIX): record for key, record in found_here.items()}
    return {key: record["text"] for key, record in kept.items() if not record["problem"]}


def _is_file(anchor: str) -> bool:
    named = anchor.startswith(HUB) or Path(anchor).suffix in (".jsonl", ".json")
    return named or Path(anchor).expanduser().is_file()
