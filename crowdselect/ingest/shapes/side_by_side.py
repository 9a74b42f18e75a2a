"""Rows that hold every model's answer in columns of its own, and a question of several turns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crowdselect.ingest.shapes.answers import (
    Answer,
    Row,
    Shape,
    is_conversation,
    is_transcript,
    number,
    response_of,
)
from crowdselect.plans import Builder, Cell, Instructions, ModelCells, SideBySide


@dataclass(frozen=True)
class ByColumn(Shape):
    """Wide or nested: where each model's answer and rewards lie is known."""

    models: tuple[ModelCells, ...] = ()

    def answers(self, row: Row) -> list[Answer]:
        """Return the answers that are there."""
        found = []
        for model in self.models:
            response = response_of(_at(row, model.response), ".".join(model.response or ()))
            rewards = {
                judge: number(_at(row, cell), ".".join(cell))
                for judge, cell in model.rewards.items()
            }
            if response is not None or any(value is not None for value in rewards.values()):
                found.append(Answer(model.name, response, rewards))
        return found


def _at(row: Row, cell: Cell | None) -> Any:
    value: Any = row
    for key in cell or ():
        value = value.get(key) if isinstance(value, Mapping) else None
    return None if cell is None else value


def holds_lists(plan: SideBySide) -> bool:
    """Tell whether a wide table's answer or reward is a list or an object: messages, [0.7]."""
    table = plan.instructions.table
    cells = [c for m in plan.models for c in (m.response, *m.rewards.values()) if c is not None]
    columns = [table.column(cell[0]) for cell in cells]
    return any(c.kind in ("struct", "list", "other") or c.nested for c in columns)


def asks_in_turns(asked: Instructions, history: str | None, builder: Builder) -> bool:
    """Tell whether a table's questions are conversations, which SQL alone cannot read."""
    column = asked.table.column(asked.text)
    if history is not None or column.kind in ("struct", "list", "other") or column.nested:
        return True
    if not column.dialogue:
        return False
    first = next((row[asked.text] for _, row in builder.rows(asked.table)), None)
    return is_transcript(first) or is_conversation(first)
