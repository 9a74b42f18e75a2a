"""A person's pins, bans, tags and comments: appended line by line, undone by appending."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from crowdselect.errors import InputError
from crowdselect.files import append_line, read_journal, read_lines
from crowdselect.registry import did_you_mean
from crowdselect.store.changing import changing

NoteKind = Literal["pin", "unpin", "ban", "unban", "tag", "untag", "comment"]
_KINDS: tuple[str, ...] = get_args(NoteKind)


@dataclass(frozen=True)
class NotesState:
    """What holds after all notes up to now."""

    pins: tuple[str, ...] = ()
    """Ids that must be selected, in the order in which they were pinned."""
    bans: tuple[str, ...] = ()
    """Ids that must not be selected."""
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Id -> its tags."""
    comments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Id -> its comments, oldest first."""


class Notes:
    """The file ``notes.jsonl`` of one crowd. Several processes may append at once."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, kind: NoteKind, id: str, value: str = "") -> None:  # noqa: A002
        """Add one note and fsync it; pinning lifts a ban, and the other way round.

        Raises InputError for an unknown kind, and for a tag or comment without text.
        """
        if kind not in _KINDS:
            raise InputError(f"There is no kind of note {kind!r}.", did_you_mean(kind, _KINDS))
        if kind in ("tag", "untag", "comment") and not value.strip():
            raise InputError(f"A {kind} needs some text.", "Write the text.")
        with self._changing():
            self._write({"kind": kind, "id": str(id), "value": value.strip()})

    def undo(self) -> bool:
        """Take back the last note that still holds; tell whether there was one."""
        with self._changing():
            if not self._standing():
                return False
            self._write({"kind": "undo"})
        return True

    def history(self) -> list[dict[str, Any]]:
        """Return the notes that hold, oldest first: kind, id, value, at (UTC, ISO 8601)."""
        return self._standing()

    def state(self) -> NotesState:
        """Return what holds now."""
        pins: dict[str, None] = {}
        bans: dict[str, None] = {}
        tags: dict[str, dict[str, None]] = {}
        comments: dict[str, list[str]] = {}
        for note in self._standing():
            kind, item, value = note["kind"], note["id"], note["value"]
            if kind in ("pin", "unpin", "ban", "unban"):
                pins.pop(item, None) if kind != "unban" else None
                bans.pop(item, None) if kind != "unpin" else None
                if kind == "pin":
                    pins[item] = None
                elif kind == "ban":
                    bans[item] = None
            elif kind == "tag":
                tags.setdefault(item, {})[value] = None
            elif kind == "untag":
                tags.get(item, {}).pop(value, None)
            else:
                comments.setdefault(item, []).append(value)
        return NotesState(
            tuple(pins),
            tuple(bans),
            {i: tuple(t) for i, t in tags.items() if t},
            {i: tuple(c) for i, c in comments.items()},
        )

    def damaged(self) -> int:
        """Return how many lines of the file are not whole (a crash while writing): lost notes."""
        return read_journal(self.path).damaged

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with changing(self.path.parent):
            if not self.path.parent.is_dir():
                raise InputError(
                    f"The crowd {self.path.parent.name!r} was removed; the note was not saved.",
                    "Ingest it again.",
                )
            yield

    def _write(self, note: Mapping[str, Any]) -> None:
        append_line(self.path, {**note, "at": datetime.now(UTC).isoformat(timespec="seconds")})

    def _standing(self) -> list[dict[str, Any]]:
        standing: list[dict[str, Any]] = []
        for note in read_lines(self.path):
            if note.get("kind") != "undo":
                standing.append(note)
            elif standing:
                standing.pop()
        return standing
