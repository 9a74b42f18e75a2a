"""What a visitor of the dashboard may name: files, models and servers that its owner has opened.

Whoever runs the command line names any of them. A page is for whoever reaches it, so its text boxes
decide neither which file the server reads nor to which address it sends texts and keys:

- files and model folders lie in the workspace, or in a folder of CROWDSELECT_INGEST; a symbolic
  link that leads out is refused, also one inside an allowed folder;
- names on the hub are taken where the owner allows it (``crowdselect serve --hub``);
- addresses in object stores lie below one of CROWDSELECT_BUCKETS;
- servers, and the key that belongs to each, stand in ``servers.toml`` of the workspace.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from crowdselect.buckets import in_bucket, opened_address
from crowdselect.errors import InputError, NotFoundError
from crowdselect.hub import HUB, is_hub
from crowdselect.options import Frozen
from crowdselect.people import acting
from crowdselect.settings import Workspace, demo_data, ingest_folders, pages_read_hub

SERVERS = "servers.toml"
NO_KEY = "CROWDSELECT_NO_KEY"
"""Names no variable that anybody sets: a server without a key of its own gets none."""
DEEPEST = 3
"""Folders below an opened one in which models are looked for."""
_GRADES = ("Classification", "RewardModel")
"""Ends the name of an architecture that gives numbers and writes no text."""


class Price(Frozen):
    """What a model costs at a server, in the server's currency per million tokens."""

    input: float = Field(ge=0)
    """Of what is asked."""
    output: float = Field(ge=0)
    """Of what is answered."""


class KnownServer(Frozen):
    """An OpenAI-compatible server that pages may use."""

    base_url: str = Field(pattern=r"^https?://")
    """Such as ``http://127.0.0.1:8000/v1``."""
    api_key_variable: str = NO_KEY
    """Environment variable with its key; no other server's key is ever sent to it."""
    models: tuple[str, ...] = ()
    """What it serves, to choose from; empty: names are typed."""
    prices: dict[str, Price] = Field(default_factory=dict)
    """Model -> its price; what stands here is all that is known, none is made up."""
    currency: str = ""
    """Such as USD; said behind amounts."""
    batch: float | None = Field(default=None, gt=0, le=1)
    """Share of the price at which its Batch API answers, such as 0.5; None: it is not used."""


def known_servers(workspace: Workspace) -> dict[str, KnownServer]:
    """Name -> server, from ``servers.toml`` of the workspace; empty where there is none.

    Raises InputError naming the file and the entry that cannot be used.
    """
    path = workspace.root / SERVERS
    if not path.exists():
        return {}
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not TOML: {error}.", "Correct that line.") from error
    return {
        name: KnownServer.parse(value if isinstance(value, dict) else {}, f"{path}, [{name}]")
        for name, value in found.items()
    }


def server_at(workspace: Workspace, base_url: str | None) -> KnownServer | None:
    """What ``servers.toml`` says of the server at an address; None: nothing."""
    wanted = (base_url or "").rstrip("/")
    known = known_servers(workspace).values() if wanted else ()
    return next((s for s in known if s.base_url.rstrip("/") == wanted), None)


def in_batches(workspace: Workspace, base_url: str | None) -> bool:
    """Whether the server at an address is asked by its Batch API."""
    server = server_at(workspace, base_url)
    return server is not None and server.batch is not None


def opened_folders(workspace: Workspace) -> list[Path]:
    """Folders whose files pages may read, resolved: workspace, CROWDSELECT_INGEST, the demo."""
    try:
        demo = [demo_data().resolve()]
    except NotFoundError:
        demo = []
    return [*ingest_folders(workspace), *demo]


def opened_path(workspace: Workspace, text: str | Path) -> Path:
    """The file or folder that a visitor names, resolved.

    Raises InputError where it lies, or a link in it leads, outside the opened folders, and where
    it is not there; both in the same words, so that nobody learns what is there outside.
    """
    folders = opened_folders(workspace)
    wanted = Path(text).expanduser().resolve()
    if not _inside(wanted, folders) or not _is_seen(workspace, wanted) or not wanted.exists():
        raise InputError(
            f"{text} is no file or folder that the dashboard may read.",
            "Put it into " + " or ".join(map(str, ingest_folders(workspace))) + ", or use the "
            "command line.",
        )
    if wanted.is_dir():
        for found, names, files in os.walk(wanted):
            for name in (*names, *files):
                inner = Path(found) / name
                if inner.is_symlink() and not _inside(inner.resolve(), folders):
                    raise InputError(
                        f"{inner} is a link that leads out of the folders that may be read.",
                        "Put the file itself there.",
                    )
    return wanted


def opened_model(workspace: Workspace, text: str) -> str:
    """The model that a visitor names: an opened folder, or a hub id (OWNER/NAME) as it is.

    Raises InputError for another folder, and where this dashboard takes no names on the hub.
    """
    name = text.strip()
    looks_like_path = name.startswith((".", "~", "/", "\\")) or name.count("/") != 1
    if looks_like_path or Path(name).exists():
        return str(opened_path(workspace, name))
    return on_hub(name)


def on_hub(text: str) -> str:
    """``text``, a name on the hub; raises InputError where this dashboard takes none."""
    if not pages_read_hub():
        raise InputError(
            f"This dashboard takes no names on the hub, such as {text!r}.",
            "Whoever runs it allows them: crowdselect serve --hub read.",
        )
    return text


def opened_data(workspace: Workspace, text: str) -> str | Path:
    """The data that a visitor names: an opened file or folder, an opened address, a hub id."""
    if in_bucket(text):
        return opened_address(text)
    return on_hub(text) if is_hub(text) else opened_path(workspace, text)


def found_models(workspace: Workspace) -> list[Path]:
    """Folders with a model that pages may name: a config beside weights, not deeper than DEEPEST.

    Those of runs are not among them: they are named by their run.
    """
    found: set[Path] = set()
    for folder in opened_folders(workspace):
        for depth in range(DEEPEST + 1):
            for config in folder.glob("*/" * depth + "config.json"):
                place = config.parent
                if (
                    not place.is_relative_to(workspace.runs)
                    and _is_seen(workspace, place)
                    and any(place.glob("*.safetensors"))
                ):
                    found.add(place)
    return sorted(found)


def may_answer(folder: Path) -> bool:
    """Whether a model's folder may hold one that writes text: no reward model by its config."""
    try:
        heads = json.loads((folder / "config.json").read_text(encoding="utf-8"))["architectures"]
        return not heads or not all(head.endswith(_GRADES) for head in heads)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return True  # not known


def opened_value(workspace: Workspace, opens: str, text: str) -> str:
    """The value of an option that names a thing to open (see ``Option.opens``), checked."""
    if not text or not opens:
        return text
    if text.startswith(HUB):
        return on_hub(text)
    return opened_model(workspace, text) if "model" in opens else str(opened_path(workspace, text))


def _is_seen(workspace: Workspace, path: Path) -> bool:
    """Whether a path names nothing of a crowd that whoever acts may not see.

    Who may not see every crowd names files among the uploads and outside of the workspace: what
    was made of a crowd lies everywhere else in it.
    """
    root = workspace.root.resolve()
    inside = path.is_relative_to(root) or root.is_relative_to(path)
    return not (acting().restricted and inside) or path.is_relative_to(workspace.uploads.resolve())


def _inside(path: Path, folders: Sequence[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)
