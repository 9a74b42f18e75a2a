"""Options: declared once, as a field of a plug-in, a recipe or a job, and read from there.

A plug-in (a dataclass) declares with :func:`option`, a validated value (pydantic) with an
:class:`Option` in its ``Annotated`` type. From that one declaration come command line option,
form widget, link, chip and documentation, and the check of what a person typed.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, Self, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError

from crowdselect.errors import InputError

TRUE = ("true", "yes", "1")
FALSE = ("false", "no", "0")


@dataclasses.dataclass(frozen=True)
class Option:
    """One option, as a widget or a command line sees it."""

    name: str = ""
    type: Any = str
    default: Any = None
    help: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    label: str = ""
    """What a form calls it; empty: its name in words."""
    flag: str | None = ""
    """On the command line; empty: ``--`` and its name; None: not offered there."""
    short: str = ""
    """The one-letter flag."""
    metavar: str = ""
    """What ``--help`` calls its value; empty: by its type."""
    switch: Any = None
    """Where a flag without a value, or a tick, means this value."""
    each: tuple[tuple[str, str], ...] = ()
    """Where every choice has a flag of its own: the choice, and help on its flag."""
    percent: bool = False
    """A share that a form asks for in per cent."""
    chip: str = ""
    """What a chip says where it is set, ``{}`` for the value in words; empty: it has none."""
    one: str = ""
    """Help on the command line, where it says one of several; empty: ``help``."""
    card: str = ""
    """What the card of a model calls it; empty: it is not told there."""
    required: bool = False
    """Whether it has no default."""
    result: bool = True
    """False: it is how the work is done; what comes out is the same."""
    opens: str = ""
    """``file``, ``model`` (a folder or hub id) or ``file or model``, where its text names one."""
    parse: Callable[[str], Any] | None = dataclasses.field(default=None, compare=False)
    """Reads a text that has a form of its own; the value, or one of several."""

    @property
    def words(self) -> str:
        """What a form calls it: ``max_length`` as ``max length`` where it has no label."""
        return self.label or self.name.replace("_", " ")

    @property
    def kinds(self) -> tuple[Any, ...]:
        """The types that its value may have."""
        origin = get_origin(self.type)
        union = origin not in (None, Literal, tuple, list, dict)
        return get_args(self.type) if union else (self.type,)

    @property
    def optional(self) -> bool:
        """Tell whether None is a value: not set."""
        return type(None) in self.kinds

    @property
    def item(self) -> Any:
        """The type of one of several values; None where it takes one value only."""
        many = next((k for k in self.kinds if get_origin(k) in (tuple, list)), None)
        return None if many is None else get_args(many)[0]


def option(
    default: Any,
    help: str,  # noqa: A002 - the word every command line uses
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    opens: str = "",
) -> Any:
    """Declare a plug-in's option: a dataclass field with help text, bounds and what it opens."""
    meta = {"help": help, "low": low, "high": high, "choices": choices, "opens": opens}
    return dataclasses.field(default=default, metadata=meta)


def options_of(declaring: type[Any]) -> tuple[Option, ...]:
    """Return the options that a dataclass or a pydantic model declares, in order."""
    if issubclass(declaring, BaseModel):
        return tuple(_of_field(name, field) for name, field in declaring.model_fields.items())
    hints = get_type_hints(declaring)
    return tuple(
        Option(
            name=f.name,
            type=hints[f.name],
            default=None if f.default is dataclasses.MISSING else f.default,
            **f.metadata,
        )
        for f in dataclasses.fields(declaring)
    )


def options_named(declaring: type[Any], *names: str) -> tuple[Option, ...]:
    """Return those of the declared options that a form or a command offers, in its order."""
    declared = {o.name: o for o in options_of(declaring)}
    return tuple(declared[name] for name in names)


def opening(declaring: type[Any], what: str = "") -> tuple[str, ...]:
    """Names of the options whose text names a thing to open: exactly ``what``; empty: any."""
    return tuple(o.name for o in options_of(declaring) if o.opens and what in ("", o.opens))


def _of_field(name: str, field: Any) -> Option:
    declared = next((m for m in field.metadata if isinstance(m, Option)), Option())
    named = dataclasses.replace(declared, name=name, type=field.annotation)
    return dataclasses.replace(
        named,
        default=None if field.is_required() else field.get_default(call_default_factory=True),
        required=field.is_required(),
        help=declared.help or field.description or "",
        low=_bound(field, "ge", "gt") if named.low is None else named.low,
        high=_bound(field, "le", "lt") if named.high is None else named.high,
        choices=named.choices or _choices(named.kinds),
    )


def _bound(field: Any, *names: str) -> float | None:
    bounds = (getattr(m, name, None) for m in field.metadata for name in names)
    return next((bound for bound in bounds if bound is not None), None)


def _choices(kinds: Iterable[Any]) -> tuple[str, ...]:
    return tuple(c for kind in kinds if get_origin(kind) is Literal for c in get_args(kind))


def read_option(declared: Option, text: str) -> Any:
    """The value that ``text`` says, of the type that the option declares.

    ``none`` unsets what may be unset, several values are parted by commas (or a JSON list).
    Raises InputError where the text is not of that type.
    """
    if declared.item is not None:
        parts = _json_list(declared, text) if text.lstrip().startswith("[") else text.split(",")
        one = dataclasses.replace(declared, type=declared.item)
        return tuple(read_option(one, p.strip()) if isinstance(p, str) else p for p in parts)
    if declared.parse is not None:
        return declared.parse(text)
    kinds, word = declared.kinds, text.strip().lower()
    if declared.optional and word in ("", "none", "null"):
        return None
    if bool in kinds and word in TRUE + FALSE:
        return word in TRUE
    for kind in (k for k in (int, float) if k in kinds):
        try:
            return kind(word)
        except ValueError:
            continue
    if not set(kinds) & {bool, int, float} or str in kinds:
        return text
    names = " or ".join(k.__name__ for k in kinds if k is not type(None))
    raise InputError(f"{declared.name} is {text!r}.", f"Give a value of type {names}.")


def _json_list(declared: Option, text: str) -> list[Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list):
        raise InputError(
            f"{declared.name} is {text!r:.80}, which is no JSON list.",
            "Write the values with commas between them.",
        )
    return found


def read_pairs(declared: Sequence[Option], pairs: Iterable[str], owner: str) -> dict[str, Any]:
    """``NAME=VALUE`` texts as the values of the options that ``owner`` declares.

    Raises InputError for a pair without ``=``, an unknown name or a value of the wrong type.
    """
    known = {o.name: o for o in declared}
    found: dict[str, Any] = {}
    for pair in pairs:
        name, sign, text = pair.partition("=")
        name = name.strip().replace("-", "_")
        if not sign or name not in known:
            raise InputError(
                f"{pair!r} is not an option of {owner}.",
                f"Give NAME=VALUE; its options are: {', '.join(known) or 'none'}.",
            )
        found[name] = read_option(known[name], text.strip())
    return found


def check_option(owner: str, declared: Option, value: Any) -> None:
    """Raise InputError for a value of another type, or outside the option's choices or bounds."""
    if not _has_type(declared, value):
        kinds = " or ".join(getattr(k, "__name__", str(k)) for k in declared.kinds)
        raise InputError(
            f"{owner}: {declared.name} is {value!r:.80}, expected {kinds}.",
            f"Give a value such as {declared.default!r}.",
        )
    unset = value is None and declared.optional
    if declared.choices and value not in declared.choices and not unset:
        raise InputError(
            f"{owner}: {declared.name} is {value!r}, which is not a choice.",
            f"Choose one of: {', '.join(map(str, declared.choices))}.",
        )
    if isinstance(value, int | float) and not isinstance(value, bool):
        low = -float("inf") if declared.low is None else declared.low
        high = float("inf") if declared.high is None else declared.high
        if not low <= value <= high or math.isinf(value):
            raise InputError(
                f"{owner}: {declared.name} is {value}, outside [{low:g}, {high:g}].",
                "Give a value inside the bounds.",
            )


def _has_type(declared: Option, value: Any) -> bool:
    """Whether a value is of a type that the option declares; types made of others pass."""
    plain = [k for k in declared.kinds if isinstance(k, type)]
    if len(plain) < len(declared.kinds) or object in plain:
        return True
    if isinstance(value, bool):
        return bool in plain
    return isinstance(value, tuple(plain)) or (isinstance(value, int) and float in plain)


class Frozen(BaseModel):
    """A validated, hashable value with JSON and TOML round trips; its fields are options."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def parse(cls, data: Mapping[str, Any], source: str) -> Self:
        """Validate ``data``; an error names ``source``, the field, and what was found."""
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the whole"
            raise InputError(
                f"{source}: {where}: {first['msg']} (found {first.get('input')!r:.80}).",
                f"Correct {where}; known fields: {', '.join(cls.model_fields)}.",
            ) from error
