"""A task of the user's from a file, as lm-evaluation-harness wants it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crowdselect import files
from crowdselect.benchmark.sources import local_file
from crowdselect.errors import InputError
from crowdselect.lm.conversations import QUESTIONS, Row, naming_row, question_of
from crowdselect.lm.messages import json_list, text_of
from crowdselect.reading import name_list, parse_cell, read_table, small_letters

_ANSWERS = ("answer", "answerkey", "answers", "target", "correct_answer", "gold", "label", "output")
_PLACES = ("answer_index", "answer_idx", "answer_id", "correct_index")
"""Columns that hold the right choice's index or letter, and nothing else."""
_BEFORE = ("passage", "article", "story")
"""Columns with a text that the question is about."""
_LIKE_CHOICES = re.compile(
    r"option|choice|distractor|ending|incorrect|op[a-d]$|sol\d|(answer|ans)[_ ]?([a-e]|\d)$"
)
_LETTERS = "abcdefghij"
VERSION = 2.0
"""Of how such tasks are scored: raised where scores are no longer comparable with older ones."""


@dataclass(frozen=True)
class TaskRow:
    """One question."""

    number: int
    question: str
    answers: tuple[Any, ...]
    """What is right, as the file writes it: any of them."""
    choices: tuple[str, ...] = ()
    """Empty: the model writes its answer."""
    labels: tuple[str, ...] = ()
    """What the file calls its choices; empty: A, B, C ..."""
    by_place: bool = False
    """The answer is an index or a letter, whatever the choices' texts."""


def local_task(path: Path, folder: Path) -> dict[str, Any]:
    """The harness's description of the task; its rows are written to ``folder`` in one shape.

    Rows have ``question`` (or ``prompt`` ...) and ``answer``. With choices (``choices`` or
    ``options``: a list, ARC's ``text`` and ``label``, texts by letter, or columns A, B, C ...) the
    answer is the right one's text, letter, label or index from 0, and the model chooses by
    likelihood. Without, it writes, and its answer must equal ``answer``, or one of a list, up to
    case, punctuation and blanks around it.

    Raises InputError naming file and row.
    """
    table = read_table(local_file(path))
    if not len(table):
        raise InputError(f"{path} holds no questions.", "Give a file with at least one row.")
    rows = []
    for number, given in table:
        with naming_row(table, number):
            rows.append(_row(number, given))
    if len({bool(row.choices) for row in rows}) > 1:
        raise InputError(
            f"{path}: some rows have choices and others do not.", "Make two files of them."
        )
    indexed = _are_indexed(rows)
    written = []
    for row in rows:
        with naming_row(table, row.number):
            written.append(_chosen(row, indexed) if row.choices else _free(row))
    data = folder / "rows.jsonl"
    files.write_text(
        data, "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in _alike(written))
    )
    return _described(path, data, choosing=bool(rows[0].choices))


def _described(path: Path, data: Path, *, choosing: bool) -> dict[str, Any]:
    shared = {
        "task": Path(path.name.removesuffix(".gz")).stem,
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(data)}},
        "test_split": "test",
        "doc_to_text": "{{question}}",
        "doc_to_target": "answer",
        "metadata": {"version": VERSION},
    }
    if choosing:
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
        "filter_list": [{"name": "none", "filter": [{"function": "remove_whitespace"},
                                                    {"function": "take_first"}]}],
        "metric_list": [exact],
    }  # fmt: skip


def _row(number: int, given: Mapping[str, Any]) -> TaskRow:
    row = small_letters(given)
    for column in ("system", "history", "messages"):
        if row.get(column):
            raise ValueError(f"its column {column} would not be asked; give the question as text")
    asked = row if any(row.get(c) for c in (*QUESTIONS, "input")) else {}
    if not asked:
        raise ValueError(f"it lacks a question; its columns are {name_list(given)}")
    turns = question_of(row)
    if len(turns) != 1:
        raise ValueError("its question is a conversation; give it as text")
    before = [text_of(row[c], c) for c in _BEFORE if row.get(c)]
    question = "\n".join([*before, turns[0]["content"]])
    choices, labels = _choices(row, given)
    place = next((row[c] for c in _PLACES if row.get(c) not in (None, "")), None)
    if place is not None and choices:
        return TaskRow(number, question, (place,), choices, labels, by_place=True)
    answers = _answers(row)
    if not answers:
        raise ValueError(f"it lacks an answer; its columns are {name_list(given)}")
    return TaskRow(number, question, answers, choices, labels)


def _answers(row: Row) -> tuple[Any, ...]:
    """The right answers of a row: one, or every one that is accepted."""
    value = next((row[c] for c in _ANSWERS if row.get(c) not in (None, "", [])), None)
    if isinstance(value, Mapping):  # SQuAD: {"text": [...], "answer_start": [...]}
        value = value.get("text")
    listed = json_list(value)
    found = [value] if listed is None else listed
    if any(isinstance(v, list | Mapping) for v in found):
        raise ValueError("its answer is neither text nor number, nor a list of them")
    return tuple(v for v in found if v is not None)


def _choices(row: Row, given: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Texts and labels of the choices; both empty where the row has none."""
    value = next((row[c] for c in ("choices", "options") if row.get(c)), None)
    if value is None:
        letters = [c for c in _LETTERS if c.upper() in given or c in given]
        if len(letters) > 1 and letters == list(_LETTERS[: len(letters)]):
            return tuple(_word(row[c]) for c in letters), tuple(c.upper() for c in letters)
        odd = [c for c in row if _LIKE_CHOICES.match(c) and row[c] not in (None, "")]
        if odd:
            raise ValueError(
                f"its columns {name_list(odd)} look like choices; give them as a list, choices"
            )
        return (), ()
    if isinstance(value, str) and value.lstrip().startswith("{"):
        value = parse_cell(value)
    if isinstance(value, Mapping):
        texts, labels = json_list(value.get("text")), json_list(value.get("label"))
        if texts is not None and labels is not None and len(texts) == len(labels):
            return tuple(map(_word, texts)), tuple(map(_word, labels))
        return tuple(map(_word, value.values())), tuple(map(_word, value))
    listed = json_list(value)
    if not listed:
        raise ValueError(f"its choices are no list: {value!r:.60}")
    if all(isinstance(c, Mapping) and "text" in c for c in listed):
        labels = [c.get("label", c.get("key", _LETTERS[k % 10])) for k, c in enumerate(listed)]
        return tuple(_word(c["text"]) for c in listed), tuple(map(_word, labels))
    return tuple(map(_word, listed)), ()


def _word(value: Any) -> str:
    """A text, or a number as people write it: 42 and not 42.0; raises ValueError."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r:.60} is neither text nor number")
    return str(int(value)) if float(value).is_integer() else str(value)


def _are_indexed(rows: Sequence[TaskRow]) -> bool:
    """Whether the whole numbers of a file are places among the choices, and not their texts.

    A number that can be both is told by the rows in which it can only be one of the two; where
    there is no such row it is the text.
    """
    numbers = [
        (int(str(a)), row.choices)
        for row in rows
        for a in row.answers
        if not isinstance(a, bool) and str(a).isascii() and str(a).isdecimal() and len(str(a)) < 9
    ]
    only_place = any(str(n) not in c and n < len(c) for n, c in numbers)
    only_text = any(str(n) in c and n >= len(c) for n, c in numbers)
    return only_place and not only_text


def _chosen(row: TaskRow, indexed: bool) -> dict[str, Any]:
    places = {_place(answer, row, indexed) for answer in row.answers}
    if None in places or len(places) > 1:
        said = ", ".join(repr(a) for a in row.answers)
        what = "is none" if len(row.answers) == 1 else "are not one"
        raise ValueError(
            f"the answer {said:.80} {what} of its {len(row.choices)} choices; give its text, its "
            "letter, or its index from 0"
        )
    return {"question": row.question, "choices": list(row.choices), "answer": places.pop()}


def _place(answer: Any, row: TaskRow, indexed: bool) -> int | None:
    """Index of the choice that an answer names."""
    if isinstance(answer, bool):
        answer = int(answer)
        indexed = True
    text = _word(answer).strip()
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else None
    if row.labels and text in row.labels:
        return row.labels.index(text)
    as_index = number if number is not None and number < len(row.choices) else None
    if as_index is not None and (indexed or row.by_place):
        return as_index
    if not row.by_place:
        exact = [k for k, c in enumerate(row.choices) if c.strip() == text]
        if exact:
            return exact[0]
    letter = text.strip("().: ").lower()
    if len(letter) == 1 and letter in _LETTERS[: len(row.choices)]:
        return _LETTERS.index(letter)
    return as_index


def _free(row: TaskRow) -> dict[str, Any]:
    words = [str(a) if isinstance(a, bool) else _word(a) for a in row.answers]
    return {"question": row.question, "answer": words if len(words) > 1 else words[0]}


def _alike(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One kind of answer in all rows: where one row accepts several, each has a list."""
    if not any(isinstance(row["answer"], list) for row in rows):
        return rows
    return [
        {**r, "answer": r["answer"] if isinstance(r["answer"], list) else [r["answer"]]}
        for r in rows
    ]
