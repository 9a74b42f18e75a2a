"""What a run is: ``config.json`` with its kind and options, made once and moved with its workspace.

A path inside the workspace is written as it is, together with the workspace that it belongs to.
Whoever reads it gets it inside the workspace that holds the run now, so that the runs of a copied
or moved workspace never touch the original.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from crowdselect import files
from crowdselect.errors import InputError, NotFoundError
from crowdselect.keys import scrub_all
from crowdselect.registry import did_you_mean
from crowdselect.settings import Workspace

CONFIG = "config.json"


@dataclass(frozen=True)
class RunRecord:
    """A run as it was asked for."""

    kind: str
    config: Mapping[str, Any]
    """The job's options."""
    created: str
    """UTC, ISO 8601."""
    provenance: Mapping[str, Any]
    """What its data came from, where the kind notes it."""
    by: str = ""
    """Who asked for it at a shared server; empty: whoever ran the command."""


def workspace_of(run: Path) -> Path:
    """The root of the workspace that holds the run folder ``run``."""
    return Workspace.holding(run).root


def write_record(folder: Path, run: Path, record: RunRecord) -> None:
    """Write the record of ``run`` into ``folder`` (the run's own, or the one it is built in)."""
    value = {
        "kind": record.kind,
        "config": dict(record.config),
        "workspace": str(workspace_of(run)),
        "created": record.created,
        "version": version("crowdselect"),
    }
    if record.by:
        value["by"] = record.by
    if record.provenance:
        value["provenance"] = dict(record.provenance)
    files.write_json(folder / CONFIG, scrub_all(value), private=True)


def read_record(run: Path) -> RunRecord:
    """Read a run's record, its paths inside the workspace that holds it now.

    Raises
    ------
    NotFoundError
        If there is no such run; names the ones there are.
    InputError
        If the file is damaged.
    """
    if not run.is_dir() or run.name.startswith("."):
        known = [path.name for path in run.parent.glob("[!.]*/")]
        raise NotFoundError(f"There is no run {run.name!r}.", did_you_mean(run.name, known))
    try:
        value = files.read_json(run / CONFIG)
        made_in, holder = value["workspace"], str(workspace_of(run))
        return RunRecord(
            kind=str(value["kind"]),
            config=_moved(dict(value["config"]), made_in, holder),
            created=str(value["created"]),
            provenance=dict(value.get("provenance", {})),
            by=str(value.get("by", "")),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise damaged(run, error) from error


def note_provenance(run: Path, provenance: Mapping[str, Any]) -> None:
    """Add to the record what the run's data came from."""
    found = read_record(run)
    write_record(run, run, replace(found, provenance=provenance))


def damaged(run: Path, error: Exception) -> InputError:
    """The error for a run folder that cannot be read."""
    what = f"{CONFIG} is missing" if isinstance(error, FileNotFoundError) else f"{error!r:.120}"
    return InputError(
        f"The run {run.name} is damaged: {what}.",
        f"Nothing else needs it: delete the folder {run}.",
    )


def _moved(value: Any, made_in: str, holder: str) -> Any:
    """``value`` with every path inside the workspace ``made_in`` put inside ``holder``."""
    if made_in == holder:
        return value
    if isinstance(value, str):
        inside = value == made_in or value.startswith(made_in + "/")
        return holder + value[len(made_in) :] if inside else value
    if isinstance(value, Mapping):
        return {k: _moved(v, made_in, holder) for k, v in value.items()}
    if isinstance(value, list):
        return [_moved(v, made_in, holder) for v in value]
    return value
