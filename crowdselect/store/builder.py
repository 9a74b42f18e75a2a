"""Build a crowd's folder aside and rename it into place: a reader sees all of it or nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import pyarrow as pa

from crowdselect.errors import CancelledError, InputError
from crowdselect.files import build_folder_aside, write_json
from crowdselect.hub import FetchedFile
from crowdselect.plans import Column, ColumnUse, Plan, Table
from crowdselect.progress import Progress, silent
from crowdselect.settings import Workspace
from crowdselect.store import carry
from crowdselect.store.changing import changing, ingesting
from crowdselect.store.checks import count_judge, count_report, dense, fingerprint
from crowdselect.store.connect import (
    SCHEMA_VERSION,
    open_building,
    quote,
    readable,
    was_interrupted,
)
from crowdselect.store.crowd import Crowd
from crowdselect.store.inputs import Inputs
from crowdselect.store.load import Loaded, Loader
from crowdselect.store.models_table import arrange, read_models, write_models
from crowdselect.store.report import IngestReport, JudgeCount
from crowdselect.store.rewards import write_rewards
from crowdselect.values import Model


class CrowdBuilder:
    """Builds the crowd ``name``; a context manager that renames it into place at its end.

    ::

        with CrowdBuilder(workspace, "zoo") as builder:
            source(paths, builder, progress)
        crowd = open_crowd(workspace, "zoo")

    Parameters
    ----------
    replace
        Needed where the crowd exists. A person's notes, scores, added judges and confirmed
        families and sizes are carried over by id and by name; the report says so.
    memory
        For the whole process, in bytes or like ``2GB``; DuckDB spills to the workspace beyond it.
    threads
        None: as many as there are cores.
    """

    def __init__(
        self,
        workspace: Workspace,
        name: str,
        *,
        replace: bool = False,
        memory: str | int = "2GB",
        threads: int | None = None,
    ) -> None:
        self.path = workspace.crowd(name)
        self.name = name
        self._replace = replace
        self._memory = memory
        self._threads = threads
        self._stack = ExitStack()
        self._locks = ExitStack()
        self._models: tuple[Model, ...] = ()
        self._notes: list[str] = []
        self._fetched: tuple[FetchedFile, ...] = ()
        self._files: list[str] = []
        self._uses: tuple[ColumnUse, ...] = ()
        self._loaded: Loaded | None = None
        self._source = ""
        self._progress: Progress = silent
        self.report: IngestReport | None = None
        """What went in; there once the ``with`` block has ended."""

    def __enter__(self) -> Self:
        self._locks.enter_context(ingesting(self.path))
        try:
            self._begin()
        except BaseException:
            self._locks.close()
            raise
        return self

    def _begin(self) -> None:
        self.refuse_overwrite()
        self._folder = self._stack.enter_context(build_folder_aside(self.path))
        self._con = open_building(self._folder, self._memory, self._threads)
        self._stack.callback(self._con.close)
        self._inputs = Inputs(self._con, self._folder / "scratch")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._locks:  # until the new folder is in its place
            try:
                if error is None:
                    self._finish()
            except BaseException as failure:
                self._stack.__exit__(type(failure), failure, failure.__traceback__)
                _say_if_stopped(failure)
                raise
            self._stack.__exit__(kind, error, trace)
        _say_if_stopped(error)

    def refuse_overwrite(self) -> None:
        """Raise InputError if the crowd exists and ``replace`` was not asked for."""
        if self.path.exists() and not self._replace:
            raise InputError(
                f"There is a crowd called {self.name!r} already.",
                "Choose another --name, or give --replace: notes and scores are kept.",
            )

    # ------------------------------------------------------------------ what a source calls

    def peek(self, path: Path, *, encoding: str = "utf-8") -> tuple[Column, ...]:
        """Return the columns of a file as it declares them, without looking at the values."""
        return self._inputs.peek(path, encoding=encoding)

    def open_files(
        self,
        paths: Sequence[Path],
        *,
        encoding: str = "utf-8",
        same: Mapping[str, str] | None = None,
        progress: Progress = silent,
    ) -> Table:
        """Open files of one layout as one table; see :class:`crowdselect.store.inputs.Inputs`."""
        self._files += [p.name for p in paths]
        return self._inputs.open_files(paths, encoding=encoding, same=same, progress=progress)

    def rows(self, table: Table) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield (position, row) of an opened table: lists and objects as such."""
        return self._inputs.rows(table)

    def varying(self, table: Table, by: str, columns: Sequence[str]) -> frozenset[str]:
        """Return the columns that differ between rows with the same value of ``by``."""
        return self._inputs.varying(table, by, columns)

    def open_records(
        self,
        label: str,
        batches: Iterator[pa.Table],
        *,
        origin: Table | None = None,
        progress: Progress = silent,
    ) -> Table:
        """Take pyarrow tables as one table; ``label`` or the table ``origin`` names them."""
        if origin is None:
            self._files.append(label)
        return self._inputs.open_records(label, batches, origin=origin, progress=progress)

    def load(
        self,
        plan: Plan,
        *,
        uses: Sequence[ColumnUse] = (),
        dedupe_ids: str = "no",
        samples: str = "no",
        progress: Progress = silent,
        source: str = "table",
    ) -> tuple[str, ...]:
        """Read everything as ``plan`` says; return the names of the models in column order.

        See :class:`crowdselect.plans.Builder`. ``samples``: what several answers of one model to
        one instruction count as (``no``: they are refused; ``mean``, ``best``, ``each``).
        """
        table = plan.instructions.table
        if table.rows == 0:
            raise InputError(f"{table.label} holds no rows.", "Give a file that holds data.")
        self._source, self._progress, self._uses = source, progress, tuple(uses)
        names = ", ".join(dict.fromkeys(self._files))
        loader = Loader(self._con, dedupe_ids, samples, progress, names)
        try:
            self._loaded = loader.load(plan)
        except duckdb.Error as error:
            raise readable(error, table.label) from error
        return self._loaded.models

    def read_models(self, path: Path) -> tuple[Model, ...]:
        """Read a table of models (CSV: model, family, size_b); raises InputError."""
        return read_models(path)

    def set_models(self, models: Sequence[Model]) -> None:
        """Say family, size and order of the models; those not named stay unknown."""
        self._models = tuple(models)

    def note(self, line: str) -> None:
        """Add a line to the ingest report."""
        self._notes.append(line)

    def came_from(self, files: Sequence[FetchedFile]) -> None:
        """Say of the files that are read where they were fetched from."""
        self._fetched = (*self._fetched, *files)

    @property
    def scratch(self) -> Path:
        """A folder for what is needed until the crowd is built."""
        return self._folder / "scratch"

    # ------------------------------------------------------------------ the end

    def _finish(self) -> None:
        if self._loaded is None:
            raise InputError("The source held nothing to load.", "Give files that hold data.")
        loaded, con = self._loaded, self._con
        (n,) = con.execute("SELECT count(*) FROM crowd.instructions").fetchall()[0]
        shape = (int(n), len(loaded.models))
        judges = self._write_judges(loaded, shape)
        report = self._report(loaded, judges)
        models = arrange(loaded.models, self._models)
        ids = []
        if self.path.exists():
            ids = con.execute("SELECT id FROM crowd.instructions ORDER BY row").fetchall()
        self._write_tables(loaded, fingerprint(con, loaded, shape))
        con.close()
        shutil.rmtree(self._folder / "scratch")
        self._locks.enter_context(changing(self.path))  # a note that comes now waits for the swap
        if self.path.exists():
            carried, models = carry.over(self.path, self._folder, [i for (i,) in ids], models)
            report = report.model_copy(update={"carried": tuple(carried)})
        write_models(self._folder / "models.csv", models)
        write_json(self._folder / "report.json", report.model_dump(mode="json"))
        Crowd(self._folder).close()  # what cannot be opened never takes its place
        self.report = report

    def _report(self, loaded: Loaded, judges: list[JudgeCount]) -> IngestReport:
        notes = [*self._inputs.remarks, *self._notes, *loaded.remarks]
        files = tuple(dict.fromkeys(self._files))
        found = count_report(self._con, loaded, judges, self._source, files, notes)
        return found.model_copy(update={"columns": self._uses, "fetched": self._fetched})

    def _write_judges(self, loaded: Loaded, shape: tuple[int, int]) -> list[JudgeCount]:
        counts = []
        for k, judge in enumerate(loaded.judges):
            self._progress(k, len(loaded.judges), "writing rewards")
            values = dense(self._con, f"r{k}", shape)
            count, values = count_judge(judge, values, loaded.models)
            counts.append(count)
            write_rewards(
                self._folder / "rewards",
                judge,
                loaded.models,
                values,
                position=k,
                origin="ingest",
            )
        return counts

    def _write_tables(self, loaded: Loaded, key: str) -> None:
        con = self._con
        for column in ("digest", *(f"r{k}" for k in range(len(loaded.judges)))):
            con.execute(f"ALTER TABLE crowd.answers DROP COLUMN {quote(column)}")
        con.execute("CREATE TABLE crowd.models (model SMALLINT, name VARCHAR)")
        con.execute(
            "INSERT INTO crowd.models SELECT unnest(range(?))::SMALLINT, unnest(?)",
            [len(loaded.models), list(loaded.models)],
        )
        con.execute("CREATE TABLE crowd.meta (key VARCHAR, value VARCHAR)")
        facts = {
            "schema_version": str(SCHEMA_VERSION),
            "fingerprint": key,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "crowdselect": version("crowdselect"),
            "duckdb": duckdb.__version__,
        }
        con.executemany("INSERT INTO crowd.meta VALUES (?, ?)", list(facts.items()))
        con.execute("CHECKPOINT crowd")
        for schema in ("scratch", "crowd"):
            con.execute(f"DETACH {schema}")


def _say_if_stopped(error: BaseException | None) -> None:
    if error is not None and was_interrupted(error):
        raise CancelledError(
            "The ingest was stopped.", "Nothing of it is left; run it again."
        ) from error
