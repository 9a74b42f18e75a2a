"""What a run is: ``config.json`` with its kind and options, made once and moved with its workspace.

A path inside the workspace is written as it is, together with the workspace that it belongs to.
Whoever reads it gets it inside the workspace that holds the run now, so that the runs of a copied
or moved workspace never touch the original.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from crowdselect import files
from crowdselect.errors import InputError, NotFoundError
from crowdselect.keys import scrub_all
from crowdselect.people import acting
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
    """The identity of who asked for it at a shared server; empty: whoever ran the command."""
    author: str = ""
    """Who that is, as people know them; empty: not known."""


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
    value |= {k: v for k, v in (("by", record.by), ("author", record.author)) if v}
    if record.provenance:
        value["provenance"] = dict(record.provenance)
    files.write_json(folder / CONFIG, scrub_all(value), private=True)


def read_record(run: Path) -> RunRecord:
    """Read a run's record, its paths inside the workspace that holds it now.

    Raises
    ------
    NotFoundError
        If there is no such run; names the ones there are. One about a crowd that whoever acts
        may not see is none.
    InputError
        If the file is damaged.
    """
    if not run.is_dir() or run.name.startswith("."):
        raise _no_run(run)
    record = _read(run)
    if acting().restricted and not _is_seen(run.parent, record, {run.name}):
        raise _no_run(run)
    return record


def _no_run(run: Path) -> NotFoundError:
    """The same words for a run that is not there and one that is not seen."""
    known = [] if acting().restricted else [path.name for path in run.parent.glob("[!.]*/")]
    return NotFoundError(f"There is no run {run.name!r}.", did_you_mean(run.name, known))


def check_seen(runs: Path, config: Mapping[str, Any]) -> None:
    """Raise NotFoundError where a run's options name a crowd that whoever acts may not see."""
    if acting().restricted and not _may_see(runs, config, set()):
        raise NotFoundError("There is no such crowd, selection or run.", "Choose one of the lists.")


def _is_seen(runs: Path, record: RunRecord, passed: set[str]) -> bool:
    return _may_see(runs, [dict(record.config), dict(record.provenance)], passed)


def _may_see(runs: Path, value: Any, passed: set[str]) -> bool:
    """Whether all crowds may be seen that are named in ``value``, or in the runs it names."""
    for key, text in _named(value):
        if key == "crowd" and not acting().may_see(text):
            return False
        for part in {text, *text.split("/")} - passed:
            if part and not part.startswith(".") and (runs / part / CONFIG).is_file():
                passed.add(part)
                if not _is_seen(runs, _read(runs / part), passed):
                    return False
    return True


def _named(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a run's options, with the name of the option it stands in."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _named(inner, str(name))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _named(inner, key)


def _read(run: Path) -> RunRecord:
    try:
        value = files.read_json(run / CONFIG)
        made_in, holder = value["workspace"], str(workspace_of(run))
        return RunRecord(
            kind=str(value["kind"]),
            config=_moved(dict(value["config"]), made_in, holder),
            created=str(value["created"]),
            provenance=dict(value.get("provenance", {})),
            by=str(value.get("by", "")),
            author=str(value.get("author", "")),
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
