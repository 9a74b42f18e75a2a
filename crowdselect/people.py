"""Who acts: the owner of the machine, or a visitor of the dashboard with a role.

Whoever runs the command line, Python or a job is the owner. A server says by :func:`let_ask` who
stands behind each request, so that what is asked below the pages (may this be written, is this
crowd seen, who did it) has one answer whichever page, link or request asks.
"""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal

Role = Literal["viewer", "curator", "admin"]
ROLES: tuple[Role, ...] = ("viewer", "curator", "admin")
"""Each may do what those before it may: look; add and change; remove, and see who did what."""
EVERY = "*"


@dataclass(frozen=True)
class Person:
    """Who acts, and what they may do and see."""

    role: Role = "admin"
    account: str = ""
    """The address that the login knows; empty: nobody logged in."""
    name: str = ""
    """As people know them; empty: nobody said."""
    browser: str = ""
    """Tells visitors apart where nobody logs in."""
    sees: Mapping[str, bool] = field(default_factory=dict)
    """Crowd (in small letters) -> whether they see it; ``*``: the others (without it they do)."""

    @property
    def identity(self) -> str:
        """What tells them from others, for limits and ownership; empty: the machine's owner."""
        return self.account or self.browser

    @property
    def called(self) -> str:
        """How a log or a page names them; empty: not known."""
        return self.name or self.account

    @property
    def restricted(self) -> bool:
        """Whether there may be crowds that they do not see."""
        return not all(self.sees.values())

    def may_see(self, crowd: str) -> bool:
        """Whether they see the crowd of this name."""
        return self.sees.get(crowd.casefold(), self.sees.get(EVERY, True))

    def at_least(self, role: Role) -> bool:
        """Whether they may do what ``role`` may."""
        return ROLES.index(self.role) >= ROLES.index(role)


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container without a name for its user
        return ""


OWNER = Person(name=_login())
"""Whoever runs the command line, Python or a job: all rights, signed with the system's name."""

_acting: ContextVar[Person | None] = ContextVar("acting", default=None)
_asking: list[Callable[[], Person]] = []


def let_ask(asking: Callable[[], Person]) -> None:
    """Let ``asking`` say who is behind what this process does from now on, asked every time."""
    _asking[:] = [asking]


@contextmanager
def acting_as(person: Person) -> Iterator[None]:
    """Do what is in the block as ``person`` (in this thread)."""
    token = _acting.set(person)
    try:
        yield
    finally:
        _acting.reset(token)


def acting() -> Person:
    """Who acts now."""
    return _acting.get() or (_asking[0]() if _asking else OWNER)
