"""Write the answers of a table's rows as one row per answer, for a tidy plan."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import pyarrow as pa

from crowdselect.errors import InputError
from crowdselect.ingest.columns import Found
from crowdselect.ingest.shapes.answers import Answer, Row, Shape
from crowdselect.ingest.shapes.one_answer import OneAnswer
from crowdselect.lm.calls import is_about_tools, knows_calls, with_tools
from crowdselect.lm.conversations import tools_in
from crowdselect.lm.messages import Message
from crowdselect.lm.prompts import question_text
from crowdselect.plans import ORIGIN, Builder, Instructions, ModelCells, SideBySide, Table, Tidy
from crowdselect.progress import Progress
from crowdselect.reading import small_letters

_BATCH = 5_000
_ID, _TEXT, _TURNS, _MODEL, _RESPONSE = (
    f"__crowdselect_{name}" for name in ("id", "text", "turns", "model", "response")
)
_REWARD = "__crowdselect_reward "
_PLAIN = ("role", "content")
_WITH_TOOLS = (*_PLAIN, "tool_calls", "name", "tool_call_id")


def questions(table: Table, shape: Found, builder: Builder, progress: Progress) -> Instructions:
    """Open the conversations that ``table`` asks, one per row, as a table of instructions.

    Raises InputError naming the row of what cannot be read.
    """
    asks = _Asks(shape)
    made = builder.open_records(
        table.label, _batches(table, asks, builder, {}), origin=table, progress=progress
    )
    return _asked(made, shape)


class _Asks(Shape):
    """Rows that only ask."""

    def answers(self, row: Row) -> list[Answer]:
        """Return one place for what is asked."""
        return [Answer("", None)]


def _asked(made: Table, found: Found) -> Instructions:
    extra = tuple(c.name for c in made.columns if c.name in found.extra)
    return Instructions(made, _TEXT, None if found.id is None else _ID, extra, turns=_TURNS)


def unfold(table: Table, shape: Shape, builder: Builder, progress: Progress) -> Tidy:
    """Open the answers of ``table``'s rows as a table of their own, and plan it.

    Raises InputError naming the row of what cannot be read.
    """
    judges: dict[str, None] = {}
    batches = _batches(table, shape, builder, judges)
    made = builder.open_records(table.label, batches, origin=table, progress=progress)
    asked = _asked(made, shape.found)
    rewards = {judge: f"{_REWARD}{judge}" for judge in judges}
    return Tidy(asked, made, _MODEL, asked.id, _TEXT, _RESPONSE, rewards)


def unfold_one(table: Table, shape: OneAnswer, builder: Builder, progress: Progress) -> SideBySide:
    """Open rows with one answer each as a table of instructions with that answer beside them.

    Raises InputError naming the row of what cannot be read.
    """
    judges: dict[str, None] = {}
    batches = _batches(table, shape, builder, judges)
    made = builder.open_records(table.label, batches, origin=table, progress=progress)
    rewards = {judge: (f"{_REWARD}{judge}",) for judge in judges}
    cells = ModelCells(shape.author, (_RESPONSE,), rewards)
    return SideBySide(_asked(made, shape.found), (cells,))


def _batches(
    table: Table, shape: Shape, builder: Builder, judges: dict[str, None]
) -> Iterator[pa.Table]:
    rows: list[dict[str, Any]] = []
    for position, row in builder.rows(table):
        try:
            rows += _answers(shape, position, row)
        except ValueError as error:
            raise InputError(
                f"{table.where(position)}: {error}.", "Correct the row, or leave it out."
            ) from error
        if len(rows) >= _BATCH:
            yield _table(rows, table, shape, judges)
            rows = []
    if rows:
        yield _table(rows, table, shape, judges)


def _answers(shape: Shape, position: int, row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    asked = None
    for answer in shape.answers(row):
        messages = answer.prompt
        if not messages:
            asked = shape.asked(row) if asked is None else asked
            messages = asked
        if messages and messages[-1]["role"] not in ("user", "tool"):
            raise ValueError("what is asked does not end with a user's turn")
        messages = _kept_of(messages, row)
        alone = len(messages) == 1 and not knows_calls(messages)
        plain = alone or not messages[-1]["content"].strip()
        yield {
            ORIGIN: position,
            _ID: None if shape.found.id is None else row.get(shape.found.id),
            _TEXT: messages[-1]["content"] if plain else question_text(messages),
            _TURNS: None if plain else json.dumps(messages, ensure_ascii=False),
            _MODEL: answer.model,
            _RESPONSE: answer.response,
            "rewards": answer.rewards,
            "row": row,
        }


def _kept_of(messages: Sequence[Message], row: Row) -> tuple[Message, ...]:
    """The messages with what a crowd keeps of them: what tools need only where there are some."""
    tools = _described(row)
    about = knows_calls(messages) or is_about_tools(messages) or bool(tools)
    keys = _WITH_TOOLS if about else _PLAIN
    kept = [cast("Message", {k: v for k, v in m.items() if k in keys}) for m in messages]
    return with_tools(kept, tools) if about and kept else tuple(kept)


def _described(row: Row) -> tuple[dict[str, Any], ...]:
    """The row's descriptions of tools; a column of that name may also be about something else."""
    try:
        found = tools_in(small_letters(row))
    except ValueError:
        return ()
    inner = [tool.get("function") for tool in found]
    return found if all(isinstance(f, Mapping) and f.get("name") for f in inner) else ()


def _table(
    rows: list[dict[str, Any]], table: Table, shape: Shape, judges: dict[str, None]
) -> pa.Table:
    for row in rows:
        judges.update(dict.fromkeys(row["rewards"]))
    columns: dict[str, Any] = {ORIGIN: pa.array([r[ORIGIN] for r in rows], pa.int64())}
    for name in (_ID, _TEXT, _TURNS, _MODEL, _RESPONSE):
        columns[name] = pa.array([_word(r[name]) for r in rows], pa.string())
    for name in shape.found.extra:
        columns[name] = _kept([r["row"].get(name) for r in rows], table.column(name).kind)
    for judge in judges:
        values = [r["rewards"].get(judge) for r in rows]
        columns[f"{_REWARD}{judge}"] = pa.array(values, pa.float64())
    return pa.table(columns)


def _word(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _kept(values: list[Any], kind: str) -> pa.Array:
    if kind == "number":
        return pa.array([None if v is None else float(v) for v in values], pa.float64())
    return pa.array([None if v is None else str(v) for v in values], pa.string())
