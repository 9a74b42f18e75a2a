"""What a run's options name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def named_in(value: Any) -> Iterator[str]:
    """Every text in a run's options, and the parts of those that are paths."""
    if isinstance(value, str):
        yield value
        yield from value.split("/")
    elif isinstance(value, dict):
        for inner in value.values():
            yield from named_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from named_in(inner)
