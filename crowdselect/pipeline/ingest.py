"""A source -> a crowd in the workspace; open it, remove it."""

from __future__ import annotations

import dataclasses
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from crowdselect.buckets import fetch_from_bucket, in_bucket
from crowdselect.deeds import Action, deed
from crowdselect.errors import CrowdSelectError, InputError, NotAllowedError
from crowdselect.files import TEMPORARY, temporary_beside
from crowdselect.hub import FetchedFile, fetch_dataset, is_hub, read_address
from crowdselect.ingest import SOURCES, Source, safe_name
from crowdselect.people import acting, acting_as
from crowdselect.progress import Progress, silent
from crowdselect.reading import sha256_of
from crowdselect.registry import build
from crowdselect.settings import Workspace, demo_data, open_workspace
from crowdselect.store import Crowd as StoredCrowd
from crowdselect.store import CrowdBuilder, IngestReport, changing, open_as, read_models


class Crowd(StoredCrowd):
    """A crowd of the workspace, opened read-only; a data frame can become one."""

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        name: str,
        *,
        workspace: Workspace | str | Path | None = None,
        models: Any = None,
        options: Mapping[str, Any] | None = None,
        replace: bool = False,
        progress: Progress = silent,
    ) -> Crowd:
        """Make the crowd ``name`` of a table in memory and open it.

        ``frame`` is a pandas DataFrame, or anything that hands out Arrow data (a polars frame, a
        pyarrow table, a DuckDB result), laid out as the files of ``ingest table`` are: a row per
        instruction and model, or a row per instruction and a column of rewards per model. An index
        that has a name is a column too. ``models`` is such a table with the columns ``model``,
        ``family`` and ``size_b``, for models that are not known by name. ``options`` are those of
        the source ``table``, such as ``{"id_column": "key"}``. ``workspace`` is one, its folder,
        or None: where the command line has it.

        Raises InputError where a column cannot be written to Parquet, and whatever :func:`ingest`
        raises; its messages call the table ``frame.parquet``.

        >>> crowd = cs.Crowd.from_frame(frame, "mine", workspace=workspace)
        >>> crowd.n, [model.name for model in crowd.models]
        (8, ['small-1b', 'large-7b', 'other-3b'])
        """
        home = workspace if isinstance(workspace, Workspace) else open_workspace(workspace)
        with tempfile.TemporaryDirectory(prefix="crowdselect-") as folder:
            data = Path(folder) / "frame.parquet"
            pq.write_table(_arrow(frame), data)
            given = dict(options or {})
            if models is not None:
                given["models"] = str(Path(folder) / "models.csv")
                _arrow(models).to_pandas().to_csv(given["models"], index=False)
            return ingest(
                home, "table", [data], name=name, options=given, replace=replace, progress=progress
            )


def _arrow(frame: Any) -> pa.Table:
    """``frame`` as an Arrow table; an index that says something becomes columns."""
    if isinstance(frame, pd.DataFrame) and any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    try:
        if isinstance(frame, pd.DataFrame):
            return pa.Table.from_pandas(frame, preserve_index=False)
        return pa.table(frame)
    except (pa.ArrowException, TypeError, ValueError) as error:
        why = str(error.args[-1] if error.args else error).splitlines()[0]
        raise InputError(
            f"This {type(frame).__name__} cannot be read as a table: {why}",
            "Give a pandas or polars data frame or a pyarrow table whose columns each hold one "
            "kind of value.",
        ) from error


def ingest(
    workspace: Workspace,
    source: str,
    paths: Sequence[str | Path],
    *,
    name: str | None = None,
    options: Mapping[str, Any] | None = None,
    replace: bool = False,
    memory: str = "2GB",
    progress: Progress = silent,
) -> Crowd:
    """Read ``paths`` by a source of ``SOURCES`` into the crowd ``name`` and open it.

    ``name`` None: made from the first path. A path may be a data set of the hub (OWNER/NAME, or
    ``hf://datasets/OWNER/NAME@REVISION/PATH``) or an address in an object store
    (``s3://BUCKET/PATH``, ``gs://``): its files are fetched once, and the report says of
    which commit they are, and their sha256. Nothing is left of a crowd that failed. Raises
    InputError naming file, row and column of what cannot be read, and where a crowd of this name
    exists and ``replace`` was not given.

    >>> frame.to_csv("rewards.csv", index=False)
    >>> again = cs.ingest(workspace, "table", ["rewards.csv"], name="again")
    >>> again.n, again.judges
    (8, ('reward',))
    """
    reader = build(SOURCES[source], options or {})
    texts = [str(path) for path in paths]
    crowd = name or _name_of(reader, texts)
    if not acting().may_see(crowd):
        raise NotAllowedError(
            f"You would not see a crowd called {crowd!r} here.",
            "Choose another name, or ask an admin to let you see it.",
        )
    there = workspace.crowd(crowd).exists()
    action: Action = "replace" if replace and there else "ingest"
    told = f"{source}: {', '.join(Path(text).name for text in texts)}"[:200]
    with (
        deed(workspace, action, f"crowd {crowd}", details=told),
        CrowdBuilder(workspace, crowd, replace=replace, memory=memory) as builder,
    ):
        reader(list(_local(texts, reader, builder, progress)), builder, progress)
    return open_crowd(workspace, crowd)


def _name_of(reader: Source, texts: Sequence[str]) -> str:
    if texts and is_hub(texts[0]):
        return safe_name(read_address(texts[0]).name)
    return reader.crowd_name(texts)


def _local(
    texts: Sequence[str], reader: Source, builder: CrowdBuilder, progress: Progress
) -> Iterator[str]:
    """The paths on this machine; what lies elsewhere is fetched, and the report says of it."""
    for number, text in enumerate(texts):
        if in_bucket(text):
            copied = fetch_from_bucket(text, builder.scratch / "fetched" / str(number), progress)
            builder.came_from(
                [FetchedFile(address=a, sha256=sha256_of(path)) for a, path in copied.files]
            )
            builder.note(f"Read from {text}: {len(copied.files):,} files.")
            yield str(copied.path)
            continue
        if not is_hub(text):
            yield text
            continue
        found = fetch_dataset(text, split=reader.split, subset=reader.subset, progress=progress)
        builder.came_from(found.files)
        builder.note(f"Read from {found.address}: {len(found.files):,} files.")
        for remark in found.remarks:
            builder.note(remark)
        yield from map(str, found.paths)


def preview(
    workspace: Workspace,
    source: str,
    paths: Sequence[str | Path],
    *,
    options: Mapping[str, Any] | None = None,
    progress: Progress = silent,
) -> IngestReport:
    """What :func:`ingest` would report of ``paths``: counts, remarks, what columns are taken for.

    It reads everything, into a folder of its own that goes again. Raises what ``ingest`` raises.
    """
    aside = temporary_beside(workspace.cache / "preview")
    try:
        with acting_as(dataclasses.replace(acting(), sees={})):  # it is nobody else's crowd
            crowd = ingest(
                Workspace(aside), source, paths, name="preview", options=options, progress=progress
            )
        crowd.close()
        return crowd.report
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def open_crowd(workspace: Workspace, name: str) -> Crowd:
    """Open the crowd ``name`` read-only; NotFoundError with the known names if there is none.

    >>> cs.open_crowd(workspace, "again").ids[:3].tolist()
    ['q0', 'q1', 'q2']
    """
    return open_as(workspace, name, Crowd)


def crowd_names(workspace: Workspace) -> list[str]:
    """Names of the ingested crowds, sorted."""
    return workspace.crowd_names()


def is_demo(crowd: StoredCrowd) -> bool:
    """Tell whether it is the demo crowd of small models, also where an older version read it."""
    if crowd.report.source == "demo":
        return True
    try:
        table = read_models(demo_data() / "crowd" / "models.csv")
    except CrowdSelectError:
        return False
    return {m.name for m in table} == {m.name for m in crowd.models}


def remove_crowd(workspace: Workspace, name: str) -> None:
    """Delete the crowd ``name`` with its scores, caches and notes; saved selections stay."""
    folder = workspace.existing_crowd(name)
    gone = folder.with_name(f"{TEMPORARY}{os.getpid()}-removed-{name}")
    with deed(workspace, "delete", f"crowd {name}"), changing(folder):
        folder.rename(gone)  # out of sight at once; a crash in between leaves a leftover, not half
    shutil.rmtree(gone)
