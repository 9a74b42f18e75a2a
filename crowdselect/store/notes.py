"""A person's pins, bans, tags, comments and answers: appended line by line, undone by appending."""

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
from crowdselect.values import GivenAnswer

NoteKind = Literal[
    "pin", "unpin", "ban", "unban", "tag", "untag", "comment",
    "answer", "answer_of", "unanswer", "review", "unreview",
]  # fmt: skip
_TEXTS = ("tag", "untag", "comment", "answer", "answer_of")
"""Kinds that say nothing without a value."""
_KINDS: tuple[str, ...] = get_args(NoteKind)


@dataclass(frozen=True)
class Author:
    """Who writes a note."""

    name: str = ""
    """As people know them; empty: nobody said."""
    browser: str = ""
    """Tells one visitor of the dashboard from another where nobody says a name."""

    def wrote(self, note: Mapping[str, Any]) -> bool:
        """Tell whether a note of the history is of this author's hand."""
        named = bool(self.name) and note.get("author") == self.name
        return named or (bool(self.browser) and note.get("browser") == self.browser)

    def said(self) -> dict[str, str]:
        """What a note says of its author."""
        known = {"author": self.name.strip(), "browser": self.browser}
        return {key: value for key, value in known.items() if value}


NOBODY = Author()


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
    answers: Mapping[str, GivenAnswer] = field(default_factory=dict)
    """Id -> what is trained on whatever the policy says."""
    authors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Id -> who wrote its notes, first come first; notes without an author name nobody."""
    reviewed: tuple[str, ...] = ()
    """Ids that somebody looked at and marked so."""


class Notes:
    """The file ``notes.jsonl`` of one crowd. Several processes may append at once."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def stamp(self) -> tuple[int, int]:
        """Changes with every note: when the file was last written, and its size."""
        if not self.path.exists():
            return 0, 0
        stat = self.path.stat()
        return stat.st_mtime_ns, stat.st_size

    def append(
        self,
        kind: NoteKind,
        id: str,  # noqa: A002
        value: str = "",
        author: Author = NOBODY,
    ) -> None:
        """Add one note and fsync it; pinning lifts a ban, and the other way round.

        Raises InputError for an unknown kind, and for a tag or comment without text.
        """
        if kind not in _KINDS:
            raise InputError(f"There is no kind of note {kind!r}.", did_you_mean(kind, _KINDS))
        if kind in _TEXTS and not value.strip():
            raise InputError(f"A note of the kind {kind} needs some text.", "Write the text.")
        with self._changing():
            text = value if kind == "answer" else value.strip()
            self._write({"kind": kind, "id": str(id), "value": text, **author.said()})

    def undo(self, author: Author | None = None) -> dict[str, Any] | None:
        """Take back the last note that still holds, of ``author`` alone if given; return it.

        None: there is none.
        """
        with self._changing():
            found = self.last(author)
            if found is not None:
                self._write({"kind": "undo", "note": found["number"]})
        return found

    def last(self, author: Author | None = None) -> dict[str, Any] | None:
        """The note that :meth:`undo` would take back, as in :meth:`history`."""
        own = (n for n in reversed(self._standing()) if author is None or author.wrote(n))
        return next(own, None)

    def history(self) -> list[dict[str, Any]]:
        """Return the notes that hold, oldest first.

        Each has kind, id, value, at (UTC, ISO 8601), number; author and browser where known.
        """
        return self._standing()

    def state(self) -> NotesState:
        """Return what holds now."""
        pins: dict[str, None] = {}
        bans: dict[str, None] = {}
        tags: dict[str, dict[str, None]] = {}
        comments: dict[str, list[str]] = {}
        answers: dict[str, GivenAnswer] = {}
        authors: dict[str, dict[str, None]] = {}
        reviewed: dict[str, None] = {}
        for note in self._standing():
            kind, item, value = note["kind"], note["id"], note["value"]
            if author := note.get("author"):
                authors.setdefault(item, {})[author] = None
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
            elif kind == "comment":
                comments.setdefault(item, []).append(value)
            elif kind in ("answer", "answer_of"):
                said = {"text" if kind == "answer" else "model": value}
                answers[item] = GivenAnswer(**said, by=note.get("author", ""))
            elif kind == "unanswer":
                answers.pop(item, None)
            elif kind == "review":
                reviewed[item] = None
            elif kind == "unreview":
                reviewed.pop(item, None)
        return NotesState(
            tuple(pins),
            tuple(bans),
            {i: tuple(t) for i, t in tags.items() if t},
            {i: tuple(c) for i, c in comments.items()},
            answers,
            {i: tuple(a) for i, a in authors.items()},
            tuple(reviewed),
        )

    def damaged(self) -> int:
        """Return how many lines of the file are not whole (a crash while writing): lost notes."""
        return read_journal(self.path).damaged

    def damage(self) -> str:
        """What :meth:`damaged` found, in a sentence; empty: nothing."""
        lost = self.damaged()
        lines = "1 line" if lost == 1 else f"{lost:,} lines"
        return (
            f"Notes: {lines} of {self.path.name} cannot be read (a crash, or a full disk, while "
            "writing) and count as nothing; the others hold."
            if lost
            else ""
        )

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
        """The notes that hold. A note's number is its place among all that were ever written."""
        standing: dict[int, dict[str, Any]] = {}
        written = 0
        for note in read_lines(self.path):
            if note.get("kind") != "undo":
                standing[written] = {**note, "number": written}
                written += 1
            elif standing:
                # An undo of an older version names no note: it meant the last one.
                standing.pop(note.get("note", next(reversed(standing))), None)
        return list(standing.values())
