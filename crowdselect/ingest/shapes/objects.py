"""Rows with a list of objects, one per answer: UltraFeedback's ``completions`` and its kin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crowdselect.ingest.names import JUDGES, MODELS, RESPONSES, is_identifier
from crowdselect.ingest.shapes.answers import (
    Answer,
    Row,
    Shape,
    first_key,
    looks_like_number,
    number,
    response_of,
)

_TEXTS = (*RESPONSES, "generated_text", "message", "messages", "conversation", "response_text")
_WHO = (*MODELS, "name", "source_model", "source")
_SCORES = (*JUDGES, "overall_score", "fine_grained_score")
_RANK = "rank"
MODEL_KEY = "__crowdselect_model"


@dataclass(frozen=True)
class Objects(Shape):
    """``column`` holds a list of objects, each with its model, its answer and its rewards."""

    column: str = ""
    who: str | None = None
    """Key of the model; None: the row's own column says it."""
    what: str = ""
    judges: tuple[tuple[str, ...], ...] = ()
    """Paths of keys to numbers."""
    by_model: bool = False
    """``column`` holds an object instead: model -> object."""
    ranked: bool = False
    """The only judgement is a rank; 1 is best, and the reward is minus the rank."""

    def answers(self, row: Row) -> list[Answer]:
        """Return one answer per object."""
        found: list[Answer] = []
        given = row.get(self.column) or ()
        for item in items_by_model(given) if self.by_model else given:
            if not isinstance(item, Mapping):
                raise ValueError(f"{self.column!r} should hold objects, found {item!r:.40}")
            model = item.get(self.who) if self.who else row.get(self.found.model or "")
            if model is None or not str(model).strip():
                raise ValueError(f"an answer in {self.column!r} does not say its model")
            rewards = {judge_name(path): _at(item, path) for path in self.judges}
            if self.ranked:
                rank = number(item.get(_RANK), _RANK)
                rewards = {_RANK: None if rank is None else -rank}
            text = response_of(item.get(self.what), self.what)
            found.append(Answer(str(model).strip(), text, rewards))
        return found


def items_by_model(value: Any) -> list[dict[str, Any]]:
    """``{MODEL: {"text", "score"}}`` as a list of objects that say their model themselves."""
    if not isinstance(value, Mapping):
        raise ValueError(f"expected an object of answers by model, found {value!r:.40}")
    return [{**v, MODEL_KEY: k} for k, v in value.items() if isinstance(v, Mapping)]


def judge_name(path: Sequence[str]) -> str:
    """``annotations.honesty`` is called ``honesty``."""
    return path[-1]


def _at(item: Mapping[str, Any], path: Sequence[str]) -> float | None:
    value: Any = item
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return number(value, ".".join(path))


def keys_of(items: Sequence[Any]) -> tuple[str | None, str | None, list[tuple[str, ...]]]:
    """Tell the keys of the model, the answer and the judges among some objects."""
    keys = list(dict.fromkeys(k for item in items for k in item))
    who, what = first_key(keys, (MODEL_KEY, *_WHO)), first_key(keys, _TEXTS)
    judges: list[tuple[str, ...]] = []
    for key in keys:
        values = [item[key] for item in items if item.get(key) is not None]
        if key in (who, what) or not values:
            continue
        named = key.strip().lower().replace("-", "_") in _SCORES
        if all(isinstance(v, Mapping) for v in values):
            inner = list(dict.fromkeys(k for v in values for k in v))
            lower = {k.lower() for k in inner}
            if lower & {"rating", "score"} and looks_like_number(values[0]):
                judges.append((key,))
            else:
                judges += [(key, k) for k in inner if _judged([v.get(k) for v in values])]
        elif any(map(looks_like_number, values)) if named else _is_judge(key, values):
            judges.append((key,))
    first = [p for p in judges if p[-1].lower().replace("-", "_") in _SCORES]
    return who, what, [*first, *(p for p in judges if p not in first)]


def _is_judge(key: str, values: Sequence[Any]) -> bool:
    return not is_identifier(key) and not _texts(values) and _judged(values)


def _judged(values: Sequence[Any]) -> bool:
    """Tell whether values are numbers, or say that there is none (``N/A``)."""
    try:
        numbers = [number(v, "") for v in values]
    except ValueError:
        return False
    return any(n is not None for n in numbers)


def _texts(values: Sequence[Any]) -> bool:
    return any(isinstance(v, str) and len(v) > 20 for v in values)
