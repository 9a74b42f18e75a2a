"""SQL of what a row asks: its id, its question as text, its turns where it has several."""

from __future__ import annotations

import duckdb

from crowdselect.plans import Instructions, Table
from crowdselect.store.connect import literal, quote

PROMPTS = "prompts"
"""Table of the crowd that holds the turns (JSON) of questions that are more than one text."""

_SPACES = (
    *range(9, 14),
    *range(28, 33),
    0x85,
    0xA0,
    0x1680,
    *range(0x2000, 0x200B),
    0x2028,
    0x2029,
)
_BLANK = "".join(map(chr, (*_SPACES, 0x202F, 0x205F, 0x3000)))
"""What Python's ``str.strip`` takes away."""


def trimmed(column: str) -> str:
    """Return the SQL of a name: a column's text without white space around it."""
    return f"trim({quote(column)}::VARCHAR, {literal(_BLANK)})"


def id_sql(con: duckdb.DuckDBPyConnection, table: Table, column: str | None) -> str:
    """Return the SQL of a row's id: trimmed, and whole numbers without ``.0``.

    A column of ids has become one of fractions where every one ends in ``.0``: pandas writes
    whole numbers so once one is missing.
    """
    if column is None:
        return "NULL"
    text = trimmed(column)
    whole = con.execute(
        f"SELECT bool_and(regexp_full_match({text}, '-?\\d+\\.0+')) "
        f"FROM scratch.{table.handle} WHERE {quote(column)} IS NOT NULL"
    ).fetchall()[0][0]
    return f"regexp_replace({text}, '\\.0+$', '')" if whole else text


def _text(column: str) -> str:
    return f"coalesce({quote(column)}::VARCHAR, '')"


def _asked(what: Instructions) -> str:
    """The last turn: the text, and Alpaca's ``input`` after one line break."""
    if what.input is None:
        return _text(what.text)
    text, more = _text(what.text), _text(what.input)
    both = f"CASE WHEN {text} = '' THEN {more} ELSE {text} || chr(10) || {more} END"
    return f"CASE WHEN {more} = '' THEN {text} ELSE {both} END"


def question_sql(what: Instructions) -> str:
    """Return the SQL of the whole question as text.

    As :func:`crowdselect.lm.prompts.question_text` has it; empty where nothing is asked.
    """
    asked = _asked(what)
    if what.system is None:
        return asked
    none = f"{_blank(_text(what.system))} OR {_blank(asked)}"
    return (
        f"CASE WHEN {none} THEN {asked} "
        f"ELSE {_text(what.system)} || chr(10) || chr(10) || ({asked}) END"
    )


def _blank(value: str) -> str:
    return f"trim({value}, {literal(_BLANK)}) = ''"


def prompt_sql(what: Instructions) -> str:
    """Return the SQL of the turns as JSON; NULL where the question is one text of a user."""
    if what.turns is not None:
        return f"nullif({_text(what.turns)}, '')"
    if what.system is None:
        return "NULL::VARCHAR"
    system = _text(what.system)
    turns = (
        f"to_json([{{'role': 'system', 'content': {system}}}, "
        f"{{'role': 'user', 'content': {_asked(what)}}}])::VARCHAR"
    )
    return f"CASE WHEN NOT ({_blank(system)} OR {_blank(_asked(what))}) THEN {turns} END"


def has_turns(what: Instructions) -> bool:
    """Tell whether a question may have more than one turn."""
    return what.turns is not None or what.system is not None
