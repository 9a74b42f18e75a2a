"""Rows with parallel lists: generations, their models and their ratings; or objects by model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crowdselect.ingest.shapes.answers import Answer, Row, Shape, number, response_of, split_answer


@dataclass(frozen=True)
class Lists(Shape):
    """``responses``: a text, several texts, or an object model -> text; the others go along.

    Also the shape of a plain tidy row, whose prompt or response is a list of messages.
    """

    responses: str = ""
    models: str = ""
    """A list as long as the responses, or one model; empty: the keys of the objects say it."""
    rewards: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Judge -> path of a column of numbers, or lists or objects of them."""
    conversation: bool = False
    """Each response is a whole conversation: what it asks is the question."""

    def answers(self, row: Row) -> list[Answer]:
        """Return one answer per response."""
        given = row.get(self.responses) if self.responses else None
        keys = list(given) if isinstance(given, Mapping) and not self.models else None
        several = isinstance(given, list) and not _one(given)
        values: list[Any] = given if several else [given]  # type: ignore[assignment]
        if keys is not None:
            values = [given[k] for k in keys]  # type: ignore[index]
        models = keys or self._models(row, len(values), several)
        found = []
        for k, (model, value) in enumerate(zip(models, values, strict=True)):
            rewards = {
                judge: number(_part(_at(row, path), k, model, several, path[-1]), path[-1])
                for judge, path in self.rewards
            }
            if self.conversation and value is not None:
                prompt, text = split_answer(value, self.responses)
                found.append(Answer(model, text, rewards, prompt))
            else:
                found.append(Answer(model, response_of(value, self.responses), rewards))
        return found

    def _models(self, row: Row, n: int, several: bool) -> list[str]:
        given = row.get(self.models)
        if isinstance(given, list):
            if not several or len(given) != n:
                raise ValueError(
                    f"{self.models!r} names {len(given)} models, {self.responses!r} holds "
                    f"{n if several else 1} answers"
                )
            models = given
        else:
            models = [given] * n
        for model in models:
            if model is None or not str(model).strip():
                raise ValueError(f"column {self.models!r} is empty")
        return [str(m).strip() for m in models]


def _one(value: list[Any]) -> bool:
    """Tell whether a list is one answer: a conversation, or parts of one content."""
    return bool(value) and all(
        isinstance(v, Mapping) and ("role" in v or "from" in v or "type" in v) for v in value
    )


def _at(row: Row, path: tuple[str, ...]) -> Any:
    value: Any = row
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _part(value: Any, k: int, model: str, several: bool, what: str) -> Any:
    if isinstance(value, Mapping) and model in value:
        return value[model]
    if several and isinstance(value, list):
        if k >= len(value):
            raise ValueError(f"{what!r} holds {len(value)} numbers, for more answers than that")
        return value[k]
    if isinstance(value, list) and len(value) > 1:
        raise ValueError(f"{what!r} should hold one number, found {len(value)}")
    return value
