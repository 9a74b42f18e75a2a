"""A task of the user's from a JSONL file, as lm-evaluation-harness wants it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crowdselect import files
from crowdselect.benchmark.conversations import read_rows
from crowdselect.errors import InputError


def local_task(path: Path, folder: Path) -> dict[str, Any]:
    """The harness's description of the task; its rows are written to ``folder`` in one shape.

    Rows have ``question`` (or ``prompt``) and ``answer``. With ``choices`` (a list) the answer is
    the right one's text, letter or index from 0, and the model chooses by likelihood; without, it
    writes, and its answer must equal ``answer`` up to case and punctuation.

    Raises InputError naming file and row.
    """
    rows = [_row(path, number, row) for number, row in read_rows(path)]
    if not rows:
        raise InputError(f"{path} holds no questions.", "Give a file with at least one row.")
    choosing = {"choices" in row for row in rows}
    if len(choosing) > 1:
        raise InputError(
            f"{path}: some rows have choices and others do not.", "Make two files of them."
        )
    data = folder / "rows.jsonl"
    files.write_text(data, "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows))
    shared = {
        "task": path.stem,
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(data)}},
        "test_split": "test",
        "doc_to_text": "{{question}}",
        "doc_to_target": "answer",
        "metadata": {"version": 1.0},
    }
    if choosing == {True}:
        return {
            **shared,
            "output_type": "multiple_choice",
            "doc_to_choice": "choices",
            "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
        }
    exact = {"metric": "exact_match", "aggregation": "mean", "higher_is_better": True,
             "ignore_case": True, "ignore_punctuation": True}  # fmt: skip
    limits = {"until": ["\n\n"], "max_gen_toks": 256, "do_sample": False}
    return {
        **shared,
        "output_type": "generate_until",
        "generation_kwargs": limits,
        "metric_list": [exact],
    }


def _row(path: Path, number: int, row: Mapping[str, Any]) -> dict[str, Any]:
    question = row.get("question") or row.get("prompt")
    answer = row.get("answer")
    if not isinstance(question, str) or answer is None:
        raise InputError(
            f"{path}, row {number} lacks question or answer; its columns are {', '.join(row)}.",
            "Rows have question, answer and, for a choice, choices.",
        )
    choices = row.get("choices")
    if choices is None:
        return {"question": question, "answer": str(answer)}
    listed = [str(c) for c in choices] if isinstance(choices, list) else []
    place = _place(answer, listed)
    if place is None:
        raise InputError(
            f"{path}, row {number}: the answer {answer!r} is none of its {len(listed)} choices.",
            "Give the choice's text, its letter, or its index from 0.",
        )
    return {"question": question, "choices": listed, "answer": place}


def _place(answer: Any, choices: list[str]) -> int | None:
    if isinstance(answer, int):
        return answer if 0 <= answer < len(choices) else None
    text = str(answer)
    if text in choices:
        return choices.index(text)
    letter = ord(text.upper()) - ord("A") if len(text) == 1 else -1
    return letter if 0 <= letter < len(choices) else None
