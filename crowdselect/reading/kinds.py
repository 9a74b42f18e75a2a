"""What kind of file this is: by its name, else by its first bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from crowdselect.errors import InputError
from crowdselect.reading.opening import open_bytes

Kind = Literal["parquet", "arrow", "delimited", "lines", "document"]

_SUFFIXES: dict[str, Kind] = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".csv": "delimited",
    ".tsv": "delimited",
    ".tab": "delimited",
    ".jsonl": "lines",
    ".ndjson": "lines",
    ".json": "document",
}
_PACKABLE = ("delimited", "lines", "document")
SUFFIXES = tuple(
    f"{suffix}{gz}"
    for suffix, kind in _SUFFIXES.items()
    for gz in ("", ".gz")
    if not gz or kind in _PACKABLE
)
"""Endings of names that :func:`read_table` reads."""


def suffix_of(path: Path) -> str:
    """The ending that tells the kind: without ``.gz``, in small letters."""
    suffixes = [s.lower() for s in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def kind_of(path: Path) -> Kind:
    """Return the kind of a file; one whose name says nothing is looked into.

    Raises InputError where neither name nor first bytes tell, and see :func:`open_bytes`.
    """
    known = _SUFFIXES.get(suffix_of(path))
    if known is not None:
        return known
    with open_bytes(path) as handle:
        head = handle.peek(64)[:64]  # type: ignore[attr-defined]
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"ARROW1"):
        return "arrow"
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith((b"{", b"[")):
        return "document"
    ending = f"ends in {suffix_of(path)}" if suffix_of(path) else "has no ending"
    raise InputError(
        f"{path.name} {ending}; expected .jsonl, .json, .csv, .tsv, .parquet or .arrow "
        "(the text ones also as .gz), or a folder of such files.",
        "Rename or convert the file.",
    )
