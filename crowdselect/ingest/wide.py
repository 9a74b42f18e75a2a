"""Wide tables: one row per instruction, and columns of numbers and texts per model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crowdselect.errors import InputError
from crowdselect.ingest.columns import is_index
from crowdselect.ingest.names import NOT_MODELS, RESPONSES, is_identifier, is_model_like
from crowdselect.plans import Column, ColumnUse, Table

_WHAT = "reward|score|rating|response|output|answer|completion"
_AFTER = re.compile(rf"(?P<model>.+?)[_./:| ]+(?P<what>{_WHAT})", re.IGNORECASE)
_BEFORE = re.compile(rf"(?P<what>{_WHAT})[_./:| ]+(?P<model>.+)", re.IGNORECASE)
_REWARDS = ("reward", "score", "rating")
_WORDS = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class WideModels:
    """Model -> its column of rewards, and model -> its column of responses."""

    rewards: dict[str, str]
    responses: dict[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        """The models in the order of their columns."""
        return tuple(dict.fromkeys([*self.rewards, *self.responses]))

    @property
    def columns(self) -> frozenset[str]:
        """The columns that are a model's."""
        return frozenset((*self.rewards.values(), *self.responses.values()))

    def uses(self) -> list[ColumnUse]:
        """Say of every model's column what it was taken for."""
        found = [ColumnUse(c, "judge", of=m) for m, c in self.rewards.items()]
        found += [ColumnUse(c, "response", of=m) for m, c in self.responses.items()]
        return found


def wide_models(columns: Sequence[Column], told: Sequence[str] = ()) -> WideModels:
    """Find the models of a wide table.

    A column of numbers is a model's reward, named ``MODEL``, ``MODEL_reward`` or
    ``reward_MODEL`` (or score, rating); a column of text named ``MODEL_response`` (output,
    answer, completion), or like a model that has rewards, holds its responses.
    """
    rewards: dict[str, str] = {}
    responses: dict[str, str] = {}
    for column in columns:
        match = _AFTER.fullmatch(column.name) or _BEFORE.fullmatch(column.name)
        what = match["what"].lower() if match else ""
        model = (match["model"] if match else column.name).strip()
        if is_index(column) and column.name not in told:
            continue
        if match and _is_no_model(model):
            what, model = "", column.name.strip()
            if column.name not in told:
                continue  # mean_reward, reference_answer
        if what and what not in _REWARDS:
            responses[model] = column.name
        elif column.name in told or (not told and (what or (_numeric(column) and _may_be(column)))):
            rewards[model] = column.name
    taken = {*rewards.values(), *responses.values()}
    for column in columns:
        name = column.name
        if column.kind == "text" and name in rewards and name not in taken:
            responses.setdefault(name, name)
    return WideModels(rewards, responses)


def _numeric(column: Column) -> bool:
    return (
        column.kind in ("number", "truth")
        and (column.kind == "number" or is_model_like(column.name))
    ) or (column.kind == "text" and column.looks_numeric)


def _may_be(column: Column) -> bool:
    if is_model_like(column.name):
        return True
    return not is_identifier(column.name) and not column.counting and not _is_no_model(column.name)


def _is_no_model(name: str) -> bool:
    words = [w for w in _WORDS.split(name.lower()) if w]
    return bool(words) and all(w in NOT_MODELS for w in words)


def refuse_answers_without_model(table: Table, found: WideModels) -> None:
    """Raise InputError where each row is one answer, and nothing says who wrote it.

    ``prompt, response, helpfulness, correctness``: the numbers are judges, not models.
    """
    names = {c.name.lower(): c.name for c in table.columns}
    answer = next((names[n] for n in RESPONSES if n in names), None)
    if answer is None or found.responses or any(map(is_model_like, found.names)):
        return
    raise InputError(
        f"{table.label} has one answer per row (column {answer!r}) and numbers "
        f"({_some(found.rewards.values())}), but no column says which model wrote the answer.",
        "Name that column: --model-column NAME. If the numbers are rewards of models, one column "
        "per model, say --layout wide. If it is training data, use: crowdselect ingest sft FILE",
    )


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:6]) + (f" and {len(listed) - 6:,} more" if len(listed) > 6 else "")
