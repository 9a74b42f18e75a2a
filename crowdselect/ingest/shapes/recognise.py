"""Tell by columns and first rows whether, and how, a table's rows unfold into answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from crowdselect.ingest.columns import Found
from crowdselect.ingest.names import (
    CONVERSATIONS,
    JUDGES,
    MODELS,
    RESPONSES,
    is_identifier,
)
from crowdselect.ingest.shapes.answers import (
    Shape,
    first_key,
    is_conversation,
    is_transcript,
    looks_like_number,
)
from crowdselect.ingest.shapes.lists import Lists
from crowdselect.ingest.shapes.logs import refuse_logs
from crowdselect.ingest.shapes.objects import Objects, items_by_model, judge_name, keys_of
from crowdselect.ingest.shapes.sides import (
    PREFERRED,
    WINNERS,
    Sides,
    find_sides,
    find_ticks,
    no_models,
)
from crowdselect.plans import Builder, Column, ColumnUse, Table

_SAMPLE = 50
_LISTS = ("completions", "responses", "answers", "generations", "outputs", "candidates", "samples",
          "generated_responses", "model_responses", "model_outputs", "replies")  # fmt: skip
_WHO = ("models", "generation_models", "generation_model", "model_names", "generators",
        "response_models", *MODELS)  # fmt: skip
_NESTED = ("struct", "list", "other")


def recognise(table: Table, found: Found, builder: Builder) -> Shape | None:
    """Return how to unfold the rows of a table; None: they are tidy or wide as they are.

    Raises InputError for pairs without models, and for logs that are known and not read.
    """
    names = [c.name for c in table.columns]
    sides, lacking = find_sides(names)
    nested = [c for c in table.columns if c.kind in _NESTED or c.nested]
    if not nested and not sides and not lacking and not _may_hold_turns(table, found):
        return None
    sample = [row for _, row in islice(builder.rows(table), _SAMPLE)]
    refuse_logs(names, table.label)
    if lacking:
        raise no_models(table.label, lacking)
    if sides:
        return _sides(table, found, Sides(found, sides=sides))
    values = {c.name: [r[c.name] for r in sample if r[c.name] is not None] for c in table.columns}
    return (
        _objects(table, found, values, nested)
        or _conversation(table, found, values, nested)
        or _lists(table, found, values, nested)
    )


def _may_hold_turns(table: Table, found: Found) -> bool:
    """A question written as a dialogue is looked for where the text is no list."""
    return found.history is not None or (found.text is not None and _human(table, found.text))


def _human(table: Table, text: str) -> bool:
    return table.column(text).kind == "text" and table.column(text).dialogue


def _sides(table: Table, found: Found, shape: Sides) -> Shape:
    names = [c.name for c in table.columns]
    winner = None
    used = {c for s in shape.sides for c in (s.answer, s.model, s.score) if c}
    if all(s.score is None for s in shape.sides):
        winner = first_key([n for n in names if n not in used], WINNERS)
        if shape.sides[0].word == "chosen":
            winner = None
    ticks = {} if winner else find_ticks(names, shape.sides)
    uses: list[ColumnUse] = []
    for side in shape.sides:
        uses += [ColumnUse(side.answer, "response", of=side.word),
                 ColumnUse(side.model, "model", of=side.word)]  # fmt: skip
        uses += [ColumnUse(side.score, "judge", of=side.word)] if side.score else []
    if winner is not None:
        uses.append(
            ColumnUse(winner, "judge", why=f"judge {PREFERRED!r}: 1 won, 0 lost, 0.5 a tie")
        )
    elif ticks:
        told = f"judge {PREFERRED!r}: 1 in the winner's column"
        uses += [ColumnUse(column, "judge", why=told) for column in ticks]
    elif shape.sides[0].score is None and shape.sides[0].word == "chosen":
        answer = shape.sides[0].answer
        uses = [replace(u, why=f"judge {PREFERRED!r}: 1 chosen, 0 rejected") if u.column == answer
                else u for u in uses]  # fmt: skip
    taken = {*used, *([winner] if winner else []), *ticks}
    rest = _rest(table, found, taken)
    score = shape.sides[0].score or ""
    judge = next((j for j in (*JUDGES,) if j in score.lower()), "score")
    return replace(
        shape, found=rest, uses=_uses(rest, uses), winner=winner, ticks=ticks, judge=judge
    )


def _objects(
    table: Table, found: Found, values: Mapping[str, list[Any]], nested: Sequence[Column]
) -> Shape | None:
    for column in sorted((c.name for c in nested), key=lambda n: n.lower() not in _LISTS):
        items = [i for v in values[column] if isinstance(v, list) for i in v]
        by_model = column.lower() in _LISTS and _answers_by_model(values[column])
        if by_model:
            items = [i for v in values[column] for i in items_by_model(v)]
        if not items or not all(isinstance(i, Mapping) for i in items) or is_conversation(items):
            continue
        who, what, judges = keys_of(items)
        if what is None or (who is None and found.model is None):
            continue
        ranked = not judges and any("rank" in i for i in items)
        told = ", ".join(judge_name(p) for p in judges)
        where = "an object of answers by model" if by_model else (
            f"a list of answers: model in {who or found.model}"
        )  # fmt: skip
        words = f"{where}, answer in {what}"
        words += f", judges {told}" if told else ""
        words += ", judge rank: minus the rank, so that 1 is best" if ranked else ""
        left = sorted({k for i in items for k in i} - {who, what, *(p[0] for p in judges)}
                      - ({"rank"} if ranked else set()))  # fmt: skip
        words += f"; left out of it: {', '.join(left)}" if left else ""
        rest = _rest(table, found, {column})
        uses = _uses(rest, [ColumnUse(column, "response", why=words)])
        return Objects(rest, uses, column, who, what, tuple(judges), by_model, ranked)
    return None


def _answers_by_model(values: Sequence[Any]) -> bool:
    """``{MODEL: {"text", "score"}}``: objects of objects, each with an answer."""
    if not values or not all(isinstance(v, Mapping) and v for v in values):
        return False
    inner = [i for v in values for i in v.values() if i is not None]
    return bool(inner) and all(isinstance(i, Mapping) for i in inner) and (
        keys_of([dict(i) for i in inner])[1] is not None
    )  # fmt: skip


def _conversation(
    table: Table, found: Found, values: Mapping[str, list[Any]], nested: Sequence[Column]
) -> Shape | None:
    """``messages`` per row and model: the last turn answers what precedes it."""
    if found.model is None:
        return None
    there = [c.name for c in table.columns if any(map(is_conversation, values[c.name]))]
    column = first_key(there, CONVERSATIONS)
    if column is None and found.text is None and found.response in there:
        column = found.response
    if column is None or (found.text is not None and found.response is not None):
        return None
    rest = _rest(table, found, {column, found.model})
    uses = [
        ColumnUse(column, "response", why="its last turn; what precedes it is the question"),
        ColumnUse(found.model, "model"),
    ]
    rest, rewards, more = _rewards(table, rest, values)
    return Lists(rest, _uses(rest, [*uses, *more]), column, found.model, rewards, True)


def _lists(
    table: Table, found: Found, values: Mapping[str, list[Any]], nested: Sequence[Column]
) -> Shape | None:
    """Parallel lists; an object of answers by model; a tidy row with lists of messages."""
    several = [c.name for c in nested if any(_many(v) for v in values[c.name])]
    responses = first_key(several, (*_LISTS, *RESPONSES)) or found.response
    by_model = responses is not None and all(isinstance(v, Mapping) for v in values[responses])
    by_model = by_model and not any("content" in v for v in values[responses or ""])
    lists = [c.name for c in nested if any(isinstance(v, list) for v in values[c.name])]
    who = first_key(lists, _WHO) if responses in several else None
    models = who or found.model
    if found.text is None or (models is None and not by_model):
        return None
    turns = is_conversation((values[found.text] or [None])[0]) or any(
        map(is_transcript, values[found.text])
    )
    plain = responses not in [c.name for c in nested] or not values[responses or ""]
    if plain and not turns and found.history is None and found.text not in [c.name for c in nested]:
        return None
    if by_model:
        models = None
    rest = _rest(table, found, {c for c in (responses, models) if c})
    rest, rewards, more = _rewards(table, rest, values, by_model=by_model)
    how = "by model" if by_model else ("a list of answers" if responses in several else "")
    uses = [ColumnUse(responses, "response", why=how)] if responses else []
    uses += [ColumnUse(models, "model")] if models else []
    return Lists(rest, _uses(rest, [*uses, *more]), responses or "", models or "", rewards)


def _many(value: Any) -> bool:
    """Tell whether a value is several answers, and not the turns or parts of one."""
    if isinstance(value, Mapping):
        return "content" not in value and "role" not in value
    return isinstance(value, list) and not is_conversation(value) and not any(
        isinstance(v, Mapping) and "type" in v for v in value
    )  # fmt: skip


def _rewards(
    table: Table, found: Found, values: Mapping[str, list[Any]], *, by_model: bool = False
) -> tuple[Found, tuple[tuple[str, tuple[str, ...]], ...], list[ColumnUse]]:
    """Add lists and objects of numbers to a row's judges; name the object's fields as judges."""
    rewards: list[tuple[str, tuple[str, ...]]] = [(j, (j,)) for j in found.judges]
    uses: list[ColumnUse] = []
    out = []
    for use in found.left_out:
        there = values.get(use.column) or []
        if use.column and there and _numbers(there) and not is_identifier(use.column):
            fields = _fields(there) if not by_model else []
            rewards += [(f, (use.column, f)) for f in fields] or [(use.column, (use.column,))]
            uses.append(ColumnUse(use.column, "judge", why=", ".join(fields)))
        else:
            out.append(use)
    names = [name for name, _ in rewards]
    first = [n for n in names if n.lower() in (*JUDGES, *(f"{j}s" for j in JUDGES))]
    rewards.sort(key=lambda pair: pair[0] not in first)
    judges = [ColumnUse(j, "judge") for j in found.judges]
    return replace(found, judges=(), left_out=tuple(out)), tuple(rewards), [*judges, *uses]


def _numbers(values: Sequence[Any]) -> bool:
    inner: list[Any] = []
    for value in values:
        if isinstance(value, Mapping):
            inner += value.values()
        elif isinstance(value, list):
            inner += value
        else:
            return False
    there = [v for v in inner if v is not None and str(v).strip().upper() not in ("", "N/A")]
    return bool(there) and all(map(looks_like_number, there))


def _fields(values: Sequence[Any]) -> list[str]:
    if not all(isinstance(v, Mapping) for v in values):
        return []
    return list(dict.fromkeys(k for v in values for k in v))


def _rest(table: Table, found: Found, taken: set[str]) -> Found:
    """The columns that remain a row's own once ``taken`` are an answer's."""
    gone = {n: None for n in ("id", "text", "input", "system", "history", "model", "response")
            if getattr(found, n) in taken or n == "response"}  # fmt: skip
    back = [c for c in (found.response,) if c is not None and c not in taken]
    return replace(
        found,
        **gone,
        judges=tuple(j for j in found.judges if j not in taken),
        extra=(*(e for e in found.extra if e not in taken), *back),
        left_out=tuple(u for u in found.left_out if u.column not in taken),
    )


def _uses(rest: Found, more: Sequence[ColumnUse]) -> tuple[ColumnUse, ...]:
    told = {u.column for u in more}
    return (*more, *(u for u in rest.uses() if u.column not in told))
