"""Why there are no values: reasons that differ in their details only are one kind."""

from __future__ import annotations

import re
from collections.abc import Iterable


def by_kind(reasons: Iterable[str]) -> dict[str, int]:
    """An example of every kind of reason and how often the kind occurs, the most frequent first.

    What follows a colon and every number is a detail, not the kind.
    """
    alike: dict[str, list[str]] = {}
    for reason in reasons:
        alike.setdefault(re.sub(r"[-+]?\d[\d.,]*", "", reason.split(": ")[0]), []).append(reason)
    return {each[0]: len(each) for each in sorted(alike.values(), key=len, reverse=True)}
