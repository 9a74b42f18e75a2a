"""A selection -> training examples: the texts of its rows, for exports and for data sets."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from crowdselect.chosen import Selection, TrainingRows
from crowdselect.errors import InputError, NotFoundError
from crowdselect.export import FORMATS, Example, Format, Preference, Prompts, Turn
from crowdselect.export.base import Role, check_tools
from crowdselect.finetune import PairRule
from crowdselect.lm.calls import knows_calls, read_written, tools_of
from crowdselect.lm.messages import Message
from crowdselect.pipeline.metrics import metrics
from crowdselect.pipeline.selection.answers import answer_texts, columns_of
from crowdselect.pipeline.selection.pairs import selected_pairs
from crowdselect.registry import build, did_you_mean
from crowdselect.rules import REFERENCES
from crowdselect.store import Crowd
from crowdselect.values import IntArray


@dataclass(frozen=True)
class Examples:
    """What of a selection can be trained on, in rank order."""

    examples: list[Example]
    unanswered: int
    """Selected rows without a response."""
    unpaired: int = 0
    """Rows with a response and without a worse one, for a format of pairs."""
    rule: str = ""
    """How pairs were made; empty: the format has none."""


def examples_of(crowd: Crowd, selection: Selection, form: Format) -> Examples:
    """The examples of ``selection`` as the format needs them.

    Raises NotFoundError where the crowd no longer holds an id, InputError where there is no
    response to train on, or no pair.
    """
    rows = _rows(crowd, selection)
    examples, unanswered = _examples(crowd, selection, rows, answers=form.answers)
    check_tools(form, examples)
    if isinstance(form, Prompts):
        return Examples(_prompts(crowd, selection, rows, form, examples), unanswered)
    if not isinstance(form, Preference):
        return Examples(examples, unanswered)
    paired, rule = _paired(crowd, selection, form, examples)
    return Examples(paired, unanswered, len(examples) - len(paired), rule)


def training_rows(open_crowd: Callable[[], Crowd]) -> TrainingRows:
    """What gives a selection's rows in any format; ``open_crowd`` is called when they are asked."""

    def rows(selection: Selection, form: str, options: Mapping[str, Any]) -> pa.Table:
        made = build(FORMATS[form], options)
        examples = examples_of(open_crowd(), selection, made).examples
        with tempfile.TemporaryDirectory() as folder:  # the format's own writer decides
            path = Path(folder) / made.file
            made(examples, path)
            return _read(path)

    return rows


def _read(path: Path) -> pa.Table:
    if path.suffix == ".parquet":
        return pq.read_table(path, memory_map=False)
    text = path.read_text(encoding="utf-8")
    lines = path.suffix == ".jsonl"
    # Only line feeds end a line: str.splitlines would cut at others inside a text.
    rows = [json.loads(line) for line in text.split("\n") if line] if lines else json.loads(text)
    return pa.Table.from_pylist(rows)


def _rows(crowd: Crowd, selection: Selection) -> IntArray:
    lost = [i for i in selection.ids if i not in crowd.row_of]
    if lost:
        raise NotFoundError(
            f"{len(lost)} of {len(selection.ids)} selected ids are no longer in the crowd "
            f"{crowd.name}, such as {lost[0]!r}.",
            "The crowd was ingested anew: select again.",
        )
    return crowd.rows(selection.ids)


def _prompts(
    crowd: Crowd, selection: Selection, rows: IntArray, form: Prompts, examples: Sequence[Example]
) -> list[Example]:
    """The examples with right answers and pass rates; every row has one, in order."""
    if form.called in ("id", "prompt", "tools", "pass_rate", ""):
        raise InputError(
            f"The right answers cannot be called {form.called!r}: that column is another's.",
            "Choose another name, such as --option called=solution.",
        )
    truths: list[str | None] = [None] * len(rows)
    own = crowd.extra_columns()
    column = form.truth or next((name for name in own if name.casefold() in REFERENCES), "")
    if column:
        if column not in own:
            raise NotFoundError(
                f"The crowd {crowd.name} has no column {column!r} of its own.",
                did_you_mean(column, own),
            )
        truths = [None if _empty(v) else str(v) for v in own[column][rows].tolist()]
    passed = np.full(len(rows), np.nan)
    if crowd.judges and form.passing:
        judge, profile = selection.recipe.judge, selection.recipe.profile
        passed = metrics(crowd, [form.passing], judge, profile).columns[form.passing][rows]
    return [
        replace(e, truth=truth, pass_rate=float(rate))
        for e, truth, rate in zip(examples, truths, passed.tolist(), strict=True)
    ]


def _empty(value: Any) -> bool:
    return value is None or value == "" or value != value


def _examples(
    crowd: Crowd, selection: Selection, rows: IntArray, *, answers: bool = True
) -> tuple[list[Example], int]:
    """The examples in rank order, and how many selected rows have no response.

    ``answers``: rows without one are left out, and there has to be one.
    """
    responses = answer_texts(crowd, selection.recipe, rows, columns_of(crowd, selection.models))
    prompts = crowd.prompts(rows)
    examples, unanswered = [], 0
    for i, response in enumerate(responses):
        identity = str(selection.ids[i])
        unanswered += not response
        if response or not answers:
            turns = (*map(_turn, prompts[i]), _answer(prompts[i], response or ""))
            parts = {k: float(v[i]) for k, v in selection.contributions.items()}
            examples.append(
                Example(
                    id=identity,
                    turns=turns,
                    tools=tools_of(prompts[i]),
                    model=selection.models[i],
                    rank=i + 1,
                    score=float(selection.scores[i]),
                    cluster=int(selection.clusters[i]),
                    contributions=parts,
                    reason=selection.reasons[i],
                )
            )
    if not examples:
        raise _nothing(crowd, len(rows))
    return examples, unanswered


def _turn(message: Message) -> Turn:
    return Turn(
        cast("Role", message["role"]),
        message["content"],
        tuple(message.get("tool_calls", ())),
        message.get("name", ""),
        message.get("tool_call_id", ""),
    )


def _answer(asked: Sequence[Message], text: str) -> Turn:
    return _turn(read_written(text)) if knows_calls(asked) else Turn("assistant", text)


def _paired(
    crowd: Crowd, selection: Selection, form: Preference, examples: Sequence[Example]
) -> tuple[list[Example], str]:
    """The examples that have a better and a worse answer, by the rule of a fine-tune; the rule."""
    given = {"judge": form.judge or None, "margin": form.margin, "worse": form.worse}
    rule = PairRule.parse(given, "the format preference")
    pairs, lines = selected_pairs(crowd, selection, rule, "the selection")
    found = {line["id"]: line for line in lines}
    best = {str(i): crowd.models[j].name for i, j in zip(pairs.ids, pairs.chosen, strict=True)}
    return [
        replace(
            e,
            turns=(*e.prompt, _turn(found[e.id]["chosen"][0])),
            model=e.model if e.id in selection.recipe.answers else best[e.id],
            rejected=found[e.id]["rejected"][0]["content"],
            rejected_calls=_turn(found[e.id]["rejected"][0]).tool_calls,
            margin=found[e.id]["margin"],
        )
        for e in examples
        if e.id in found
    ], pairs.rule


def _nothing(crowd: Crowd, selected: int) -> InputError:
    """Why there is no example to write, and what helps."""
    if not selected:
        return InputError(
            "The selection holds no instruction.", "Select again, with other filters."
        )
    return InputError(
        f"None of the {selected} selected instructions has a response in the crowd {crowd.name}.",
        "Ingest the models' responses with it, or generate them: crowdselect crowd generate.",
    )
