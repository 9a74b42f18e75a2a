"""Bytes -> text: marks at the beginning, UTF-16, and halves of surrogate pairs."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from crowdselect.errors import InputError
from crowdselect.reading.opening import MOST_BYTES, open_bytes

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NOT_FOR_FILES = {"punycode", "idna", "undefined", "unicode_escape", "raw_unicode_escape", "mbcs"}
"""Codecs of Python that are no encoding of a text file."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_HIGH, _LOW = r"u[dD][89abAB][0-9a-fA-F]{2}", r"u[dD][c-fC-F][0-9a-fA-F]{2}"
_ESCAPE = re.compile(rf"\\(?:({_HIGH}\\{_LOW})|({_HIGH}|{_LOW})|.)", re.DOTALL)


@dataclass(frozen=True)
class Text:
    """A file's text."""

    text: str
    """Without a byte order mark, line ends as they are."""
    encoding: str
    """What it was decoded as: a Python codec's name."""
    replaced: int
    """How many halves of surrogate pairs became U+FFFD."""


class Lines:
    """A file's lines as text, one after the other, each with its line end.

    ``encoding`` is known from the start; ``replaced`` counts halves of surrogate pairs that became
    U+FFFD in the lines read so far.
    """

    def __init__(self, handle: IO[bytes], path: Path, encoding: str | None, newline: str) -> None:
        head = handle.peek(4096)[:4096]  # type: ignore[attr-defined]
        self.path, self.given, self.replaced = path, encoding, 0
        self.encoding = encoding_of(head, encoding, path.name)
        errors = "surrogatepass" if self.encoding.startswith("utf-") else "strict"
        self._text = io.TextIOWrapper(
            handle, encoding=self.encoding, errors=errors, newline=newline
        )

    def __iter__(self) -> Iterator[str]:
        """Yield each line; raises InputError for bytes that are not of the encoding."""
        try:
            for line in self._text:
                yield line if line.isascii() else self._mended(line)
        except UnicodeError as error:
            raise _not_decodable(self.path, self.encoding, self.given, error) from error

    def _mended(self, line: str) -> str:
        mended, count = without_surrogates(line)
        self.replaced += count
        return mended


def read_text(path: str | Path, encoding: str | None = None, limit: int = MOST_BYTES) -> Text:
    """Read a text file that a person gave.

    Parameters
    ----------
    encoding
        A codec's name, where the caller has an option for it; None: UTF-8. A byte order mark
        counts more than either, and UTF-16 without one is recognised.
    limit
        The most bytes, unpacked.

    Raises
    ------
    NotFoundError
        Where there is no such file.
    InputError
        See :func:`open_bytes`; and for bytes that are not of the encoding, with the line.
    """
    path = Path(path)
    with open_bytes(path, limit) as handle:
        lines = Lines(handle, path, encoding, newline="\n")
        text = "".join(lines)
    return Text(text, lines.encoding, lines.replaced)


def encoding_of(head: bytes, given: str | None, name: str) -> str:
    """Return the codec for a file that begins with ``head``.

    Raises InputError where ``given`` is no encoding of text files.
    """
    for mark, codec in _MARKS:
        if head.startswith(mark):
            return codec
    codec = _known(given, name) if given else "utf-8"
    return _unmarked_utf16(head) or codec if codec == "utf-8" else codec


def _known(given: str, name: str) -> str:
    try:
        codec = codecs.lookup(given)
    except (LookupError, ValueError):
        codec = None
    plain = codec is not None and codec._is_text_encoding
    if codec is None or not plain or codec.name.replace("-", "_") in _NOT_FOR_FILES:
        raise InputError(
            f"{given!r} is no encoding of text files, so {name} cannot be read by it.",
            "Try utf-8, utf-16, latin-1 or cp1252.",
        )
    return codec.name


def _unmarked_utf16(head: bytes) -> str | None:
    """UTF-16 without a mark: nearly every second byte is zero, and of the others none."""
    odd, even = head[1::2], head[::2]
    if len(head) < 8 or 0 not in head:
        return None
    if odd.count(0) > 0.7 * len(odd) and 0 not in even:
        return "utf-16-le"
    return "utf-16-be" if even.count(0) > 0.7 * len(even) and 0 not in odd else None


def without_surrogates(text: str) -> tuple[str, int]:
    """Join halves of surrogate pairs that belong together; replace and count the others."""
    if not _SURROGATE.search(text):
        return text, 0
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return _SURROGATE.subn("\ufffd", joined)


def without_lone_escapes(json_text: str) -> tuple[str, int]:
    r"""Replace lone ``\ud83d`` escapes of a JSON text by ``\ufffd``; return how many there were."""
    if "\\ud" not in json_text and "\\uD" not in json_text:
        return json_text, 0
    count = 0

    def mend(match: re.Match[str]) -> str:
        nonlocal count
        if match[2] is None:
            return match[0]
        count += 1
        return "\\ufffd"

    return _ESCAPE.sub(mend, json_text), count


def replaced_remark(name: str, count: int) -> list[str]:
    """The remark on characters that were replaced; none where none were."""
    if not count:
        return []
    what = "half a character (a lone surrogate) was" if count == 1 else (
        f"{count:,} halves of characters (lone surrogates) were"
    )  # fmt: skip
    return [f"{name}: {what} replaced by U+FFFD."]


def utf8_copy(path: Path, target: Path, encoding: str | None = None, *, json: bool) -> Text:
    """Write ``path`` to ``target`` as plain UTF-8, unpacked and without a mark.

    ``json``: lone escapes are replaced too. The result's ``text`` is empty. Memory: one line.
    """
    escaped = 0
    with (
        open_bytes(path, 1 << 60) as handle,
        target.open("w", encoding="utf-8", newline="") as out,
    ):
        lines = Lines(handle, path, encoding, newline="\n")
        for line in lines:
            mended, count = without_lone_escapes(line) if json else (line, 0)
            escaped += count
            out.write(mended)
    return Text("", lines.encoding, lines.replaced + escaped)


def _not_decodable(path: Path, codec: str, given: str | None, error: UnicodeError) -> InputError:
    place, found = _first_bad_line(path, codec)
    said = "UTF-8" if codec in ("utf-8", "utf-8-sig") else codec
    remedy = (
        "Say how the file was written, for example --encoding latin-1."
        if given is not None
        else "Save it as UTF-8, for example: iconv -f latin1 -t utf-8 FILE > NEW"
    )
    return InputError(f"{path.name}{place} is not {said}: {found or error}.", remedy)


def _first_bad_line(path: Path, codec: str) -> tuple[str, str]:
    if codec.startswith(("utf-16", "utf-32")):
        return "", ""
    with open_bytes(path, 1 << 60) as handle:
        for number, raw in enumerate(handle, start=1):
            try:
                raw.decode(codec, "surrogatepass" if codec.startswith("utf-") else "strict")
            except UnicodeDecodeError as error:
                byte, column = raw[error.start], error.start + 1
                return f", line {number:,}", f"byte 0x{byte:02x} at column {column}"
            except UnicodeError:
                return f", line {number:,}", ""
    return "", ""
