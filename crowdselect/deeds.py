"""What people do to a workspace: who may, and the log of who did what when.

Everything that adds, changes or removes something stands inside :func:`deed`, which refuses first
and logs last. ``audit.jsonl`` of the workspace gets one line a deed and is only ever appended to.
Notes have their own journal with their authors (``crowds/NAME/notes.jsonl``).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from crowdselect import files
from crowdselect.errors import NotAllowedError, of_the_disk
from crowdselect.people import Person, Role, acting
from crowdselect.readonly import refuse_writing
from crowdselect.settings import Workspace

Action = Literal[
    "ingest", "replace", "save", "rename", "export", "delete", "start", "cancel", "settings",
    "scores", "import", "repair", "free", "push",
]  # fmt: skip
ACTIONS: tuple[Action, ...] = get_args(Action)
LOG = "audit.jsonl"
_ADMINS: frozenset[Action] = frozenset({"replace", "delete", "import", "repair", "free", "push"})
_OWN: frozenset[Action] = frozenset({"delete", "cancel"})
"""What curators may do to what is theirs, and admins to all."""
_WARN = logging.getLogger(__name__)


@dataclass(frozen=True)
class Deed:
    """A line of the log."""

    at: str
    """UTC, ISO 8601."""
    who: str
    """Name or account; empty: a visitor whom nobody knows."""
    role: str
    action: str
    what: str
    """Kind and name of what it was done to, such as ``crowd zoo``."""
    account: str = ""
    details: str = ""


@contextmanager
def deed(
    workspace: Workspace, action: Action, what: str, *, of: str | None = None, details: str = ""
) -> Iterator[None]:
    """Do ``action`` to ``what`` in the block: refused before it, logged after it.

    ``of`` is the identity of whose it is, where it is somebody's: what a curator may do only to
    their own. Raises ReadOnlyError for a viewer, NotAllowedError where the role is too small. An
    error in the block is no deed, and is not logged.
    """
    refuse_writing(workspace.root)
    person = acting()
    needed = needed_for(action, person, of)
    if not person.at_least(needed):
        others = " of others" if action in _OWN and of is not None else ""
        raise NotAllowedError(
            f"Your role here is {person.role}: {action} ({what}){others} is for an {needed}.",
            "Ask an admin of this dashboard.",
        )
    yield
    _note(workspace, person, action, what, details)


def needed_for(action: Action, person: Person, of: str | None = None) -> Role:
    """The least role that may do it; ``of``: see :func:`deed`."""
    if action in _OWN and of is not None:
        return "curator" if of and of == person.identity else "admin"
    return "admin" if action in _ADMINS else "curator"


def may(action: Action, of: str | None = None) -> bool:
    """Whether whoever acts may do it, for pages that offer only what is allowed."""
    person = acting()
    return person.at_least(needed_for(action, person, of))


def _note(workspace: Workspace, person: Person, action: Action, what: str, details: str) -> None:
    line: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "who": person.called,
        "role": person.role,
        "action": action,
        "what": what,
    }
    _WARN.info("%s: %s %s %s", person.called or "a visitor", action, what, details)
    more = {"account": person.account, "details": details}
    try:
        files.append_line(path_of(workspace), line | {k: v for k, v in more.items() if v},
                          private=True)  # fmt: skip
    except OSError as error:  # it is done: a full disk must not keep anybody from making room
        if of_the_disk(error) is None:
            raise
        _WARN.warning("the audit log could not be written: %s %s %s", person.called, action, what)


def path_of(workspace: Workspace) -> Path:
    """Where the log is."""
    return workspace.root / LOG


def read_deeds(workspace: Workspace) -> list[Deed]:
    """The log, oldest first; lines that are not whole are passed over.

    Raises NotAllowedError for who is no admin.
    """
    person = acting()
    if not person.at_least("admin"):
        raise NotAllowedError(
            f"Your role here is {person.role}: the log is for admins.",
            "Ask an admin of this dashboard.",
        )
    known = Deed.__dataclass_fields__
    lines = [line for line in files.read_lines(path_of(workspace)) if isinstance(line, dict)]
    return [
        Deed(**{key: str(line.get(key, "")) for key in known}) for line in lines if "action" in line
    ]
