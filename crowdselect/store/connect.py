"""DuckDB connections, quoting, and queries that report progress and can be stopped."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import duckdb

from crowdselect.errors import CancelledError, CrowdSelectError, InputError

SCHEMA_VERSION = 1
"""Version of the tables in crowd.duckdb; a crowd of another version is ingested again."""

_OFFLINE = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
_ROW_GROUP = 30_720
"""A quarter of DuckDB's default: long texts of a whole group are in memory before compression."""
_OURS = (
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.InternalException,
    duckdb.ParserException,
)
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(kb|mb|gb|tb|kib|mib|gib|tib)?", re.IGNORECASE)
_UNITS = {"k": 1, "m": 2, "g": 3, "t": 4}


def quote(identifier: str) -> str:
    """Return a column's name as an SQL identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a string as an SQL literal, for the few places that take no parameter."""
    return "'" + text.replace("'", "''") + "'"


def exact_path(path: Path) -> str:
    """Return a path as DuckDB's readers take it: glob characters in a file's name stay letters."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in str(path))


def file_list(paths: Sequence[Path]) -> str:
    """Return paths as an SQL list of literals."""
    return "[" + ", ".join(literal(exact_path(p)) for p in paths) + "]"


def bytes_of(size: str | int) -> int:
    """Return ``2GB``, ``1500 MiB`` or a number of bytes as bytes; raises InputError."""
    if isinstance(size, int):
        return size
    match = _SIZE.fullmatch(size.strip())
    if match is None:
        raise InputError(f"{size!r} is not a size of memory.", "Write it like 2GB or 1500MB.")
    unit = (match[2] or "b").lower()
    base = 1024 if "i" in unit else 1000
    return int(float(match[1]) * base ** _UNITS.get(unit[0], 0))


def open_read_only(path: Path) -> duckdb.DuckDBPyConnection:
    """Open a finished crowd under the schema name ``crowd``; nothing can be written through it.

    The file is attached to a database in memory: ``duckdb.connect`` keeps one instance per path
    and would go on showing the old file after a re-ingest.
    """
    con = duckdb.connect(":memory:", config=dict(_OFFLINE))
    con.execute(f"ATTACH {literal(str(path))} AS crowd (READ_ONLY)")
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")
    return con


def open_building(
    folder: Path, memory: str | int, threads: int | None
) -> duckdb.DuckDBPyConnection:
    """Open a new ``crowd.duckdb`` (schema ``crowd``) and a scratch file in ``folder``.

    ``memory`` is meant for the whole process; DuckDB may have 70 % of it, since buffers of the
    readers and of Python come on top.
    """
    scratch = folder / "scratch"
    scratch.mkdir()
    con = duckdb.connect(":memory:", config=dict(_OFFLINE))
    con.execute(f"SET memory_limit = '{bytes_of(memory) * 7 // 10}B'")
    if threads is not None:
        con.execute(f"SET threads = {max(1, int(threads))}")
    con.execute(f"SET temp_directory = {literal(str(scratch / 'spill'))}")
    con.execute("SET preserve_insertion_order = false")
    con.execute("SET arrow_large_buffer_size = false")
    for name, path in (("crowd", folder / "crowd.duckdb"), ("scratch", scratch / "scratch.duckdb")):
        con.execute(
            f"ATTACH {literal(str(path))} AS {name} "
            f"(STORAGE_VERSION 'latest', ROW_GROUP_SIZE {_ROW_GROUP})"
        )
    return con


def run_polled(
    con: duckdb.DuckDBPyConnection, sql: str, poll: Callable[[], None], interval_s: float = 0.1
) -> None:
    """Run one statement in a thread of its own, calling ``poll`` meanwhile from this one.

    Whatever ``poll`` raises (a cancellation, Ctrl-C) interrupts the statement and is passed on.
    """
    failure: list[BaseException] = []
    ended = threading.Event()  # not Thread.join: Ctrl-C in it makes a running thread look ended

    def work() -> None:
        try:
            con.execute(sql)
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread
            failure.append(error)
        finally:
            ended.set()

    threading.Thread(target=work, name="crowdselect-query", daemon=True).start()
    try:
        while not ended.wait(interval_s):
            poll()
    except BaseException:
        con.interrupt()
        ended.wait()
        raise
    if failure:
        raise failure[0]


def check_version(crowd: str, meta: Mapping[str, str]) -> None:
    """Raise InputError where the crowd's tables are of another version, and say whose."""
    said = meta.get("schema_version", "")
    maker = f"crowdselect {meta.get('crowdselect', 'of an unknown version')}"
    if said.isdigit() and int(said) > SCHEMA_VERSION:
        raise InputError(
            f"The crowd {crowd!r} was made by {maker}, which is newer: its tables have the version "
            f"{said}, this one reads {SCHEMA_VERSION}.",
            "Update crowdselect, or ingest it again with --replace; notes and scores are kept.",
        )
    if said != str(SCHEMA_VERSION):
        raise InputError(
            f"The crowd {crowd!r} was made by {maker}, whose tables have the version "
            f"{said or 'none'}; this one reads {SCHEMA_VERSION}.",
            "Ingest it again with --replace; notes and scores are kept.",
        )


def was_interrupted(error: BaseException) -> bool:
    """Tell whether Ctrl-C ended the work, also as DuckDB says it when it hears it first.

    Also where it came while something was read, and what tidies up then failed of that.
    """
    told: BaseException | None = error
    while told is not None:
        said = str(told)
        if (
            isinstance(told, KeyboardInterrupt)
            or said == "Query interrupted"
            or "KeyboardInterrupt" in said  # raised inside a function of ours that the query calls
        ):
            return True
        told = told.__cause__ or told.__context__
    return False


def readable(error: duckdb.Error, what: str, *, ours: bool = True) -> CrowdSelectError:
    """Return DuckDB's complaint about somebody's file as one sentence with a remedy.

    ``ours``: the statement was composed here, so that an error of binding or parsing is a bug;
    False where a file's own layout is bound.
    """
    if was_interrupted(error):
        return CancelledError("The work was stopped.", "Nothing of it is left; run it again.")
    if ours and isinstance(error, _OURS):
        raise error  # our own SQL is wrong: a bug keeps its traceback
    lines = [line.strip() for line in str(error).strip().split("\n")]
    text = "; ".join(itertools.takewhile(bool, lines[:3]))  # what follows is advice on options
    text = re.sub(r"^[A-Z][A-Za-z ]* Error: ", "", text)
    if "No space left on device" in text or "Disk quota exceeded" in text:
        return InputError(
            f"{what}: the disk of the workspace is full.",
            "Free some space, then do it again; nothing is half-written.",
        )
    if isinstance(error, duckdb.OutOfMemoryException):
        return InputError(
            f"{what}: memory or disk ran out ({text[:200]}).",
            "Give more memory (--memory 4GB), or free some space on the workspace's disk.",
        )
    return InputError(
        f"{what} cannot be read: {text[:300]}",
        "Check that the file is whole and in the format that its name says.",
    )
