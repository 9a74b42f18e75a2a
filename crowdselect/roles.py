"""``people.toml`` of a workspace: who comes in as what, and who sees which crowd.

.. code-block:: toml

    admin = ["ann@example.org"]
    curator = ["@my-team.org"]
    viewer = ["*"]                       # any account of the login's provider

    [crowds]
    secret = ["ann@example.org", "curator"]    # people, domains, roles; admins see all
    "*" = ["viewer"]                           # those not named; without it everybody sees them
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from pydantic import Field

from crowdselect.errors import InputError
from crowdselect.options import Frozen
from crowdselect.people import EVERY, ROLES, Person, Role
from crowdselect.settings import Workspace

PEOPLE = "people.toml"
NOBODY = Person(role="viewer", sees={EVERY: False})
"""Somebody who is not invited: sees and changes nothing."""


class People(Frozen):
    """What ``people.toml`` says."""

    admin: tuple[str, ...] = ()
    """Addresses (``ann@example.org``), domains (``@example.org``), or ``*`` for any account."""
    curator: tuple[str, ...] = ()
    viewer: tuple[str, ...] = ()
    crowds: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """Crowd -> who sees it: addresses, domains or roles; ``*``: every crowd without a line."""

    def role_of(self, account: str) -> Role | None:
        """The highest role that lists the account; None: not invited."""
        held = [role for role in ROLES if is_invited(account, getattr(self, role))]
        return held[-1] if held else None

    def sight_of(self, account: str, role: Role) -> dict[str, bool]:
        """See ``Person.sees``; who may curate or administrate sees what a smaller role sees."""
        if role == "admin":
            return {}
        roles = ROLES[: ROLES.index(role) + 1]
        return {
            name.casefold(): is_invited(account, who) or any(each in who for each in roles)
            for name, who in self.crowds.items()
        }


def people_of(workspace: Workspace) -> People | None:
    """What the workspace's ``people.toml`` says; None: there is none.

    Raises InputError naming the file and the entry that cannot be used.
    """
    path = workspace.root / PEOPLE
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return _read(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=8)
def _read(path: Path, _changed: int, _size: int) -> People:
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not TOML: {error}.", "Correct that line.") from error
    return People.parse(found, str(path))


def person_of(
    people: People | None, account: str, *, name: str = "", browser: str = ""
) -> Person | None:
    """Who logged in as ``account``, with the role and sight that ``people`` give; None: nobody.

    Without ``people`` everybody who came in is an admin, as on a machine of one's own.
    """
    if people is None:
        return Person("admin", account, name, browser)
    role = people.role_of(account)
    if role is None:
        return None
    return Person(role, account, name, browser, people.sight_of(account, role))


def is_invited(email: object, allow: Sequence[str]) -> bool:
    """Tell whether the account's ``email`` is on the list ``allow``.

    An entry is an address (``ann@example.org``), a domain (``@example.org``), or ``*`` for any
    account of the provider. An empty list lets nobody in: a provider such as Google logs in the
    whole world.
    """
    if EVERY in allow:
        return True
    if not isinstance(email, str) or email.count("@") != 1:
        return False
    address = email.strip().casefold()
    known = {entry.strip().casefold() for entry in allow}
    return address in known or "@" + address.partition("@")[2] in known
