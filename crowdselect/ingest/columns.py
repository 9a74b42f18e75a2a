"""Which columns of a table mean what: the names people use, and what the values look like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crowdselect.errors import InputError
from crowdselect.ingest.source import choose
from crowdselect.plans import Column

IDS = (
    "id", "uuid", "instruction_id", "prompt_id", "question_id", "conversation_id", "example_id",
    "custom_id", "key",
)  # fmt: skip
TEXTS = ("instruction", "prompt", "question", "query", "input", "user_prompt", "problem")
MODELS = ("model", "generator", "model_name", "model_id", "llm")
RESPONSES = ("response", "output", "answer", "completion", "content", "generation", "text", "reply")
JUDGES = ("reward", "score", "rating", "judge_score", "preference", "win_rate", "win_probability")

NOT_JUDGES = frozenset(
    """
    level turn turns index rank row position seed temperature top_p length chars words tokens
    n_tokens num_tokens token_count input_tokens output_tokens prompt_tokens completion_tokens
    latency cost time timestamp created year size size_b params difficulty category kind cluster
    label split fold reference target expected gold solution ground_truth n_choices
    """.split()  # noqa: SIM905 - far easier to read and to add to
)
"""Numbers under these names describe the instruction or the call, and are no reward."""


@dataclass(frozen=True)
class Named:
    """The columns that a person named; empty: to be found."""

    id: str = ""
    instruction: str = ""
    model: str = ""
    response: str = ""
    judges: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """The columns of one table by meaning; None: there is none."""

    id: str | None
    text: str | None
    model: str | None
    response: str | None
    judges: tuple[str, ...]
    extra: tuple[str, ...]


def find_columns(columns: Sequence[Column], named: Named, label: str) -> Found:
    """Tell the columns of a tidy table, or of a table of instructions, by meaning.

    Raises InputError for a named column that is not there.
    """
    names = [c.name for c in columns if c.kind != "struct"]
    told = {n for n in (named.id, named.instruction, named.model, named.response) if n}
    free = [n for n in names if n not in told]

    def pick(synonyms: Sequence[str], name: str, what: str) -> str | None:
        return choose(names if name else free, synonyms, name, f"{what} in {label}")

    identity = pick(IDS, named.id, "ids")
    text = pick(TEXTS, named.instruction, "instructions")
    model = pick(MODELS, named.model, "models")
    response = pick(RESPONSES, named.response, "responses") if model else None
    taken = {identity, text, model, response}
    judges = _judges([c for c in columns if c.name not in taken], named.judges, label)
    extra = tuple(
        c.name for c in columns if c.name not in {*taken, *judges} and c.kind in ("text", "number")
    )
    return Found(identity, text, model, response, judges, extra)


def _judges(columns: Sequence[Column], told: tuple[str, ...], label: str) -> tuple[str, ...]:
    names = [c.name for c in columns]
    if told:
        for name in told:
            if name not in names:
                raise InputError(
                    f"There is no column {name!r} for a judge in {label}; "
                    f"found {', '.join(names)}.",
                    "Check the name; capital letters count.",
                )
        return told
    return tuple(c.name for c in columns if is_judge(c))


def is_judge(column: Column) -> bool:
    """Tell whether a column looks like rewards: numbers not known to mean something else."""
    name = column.name.lower()
    if name in JUDGES:
        return column.kind in ("number", "text", "empty")
    numeric = column.kind == "number" or (column.kind == "text" and column.looks_numeric)
    return numeric and name not in NOT_JUDGES
