"""Where a file of questions, prompts or answers lies: on this machine, or on the hub."""

from __future__ import annotations

from pathlib import Path

from crowdselect.errors import InputError, NotFoundError, require
from crowdselect.reading import exists, sha256_of

HUB = "hf://"
_KINDS = {"datasets": "dataset", "spaces": "space", "models": "model"}


def local_file(path: str | Path) -> Path:
    """The file or folder itself; ``hf://datasets/OWNER/NAME/PATH`` is fetched (once) from the hub.

    Raises NotFoundError where there is none, InputError for an address that is none.
    """
    text = str(path)
    file = _from_hub(text) if text.startswith(HUB) else Path(path).expanduser()
    if not exists(file):
        raise NotFoundError(f"There is no file {file}.", "Give the path of an existing file.")
    return file


def absolute(name: str) -> str:
    """An existing file or folder with its whole path; anything else (a hub id, say) as it is."""
    path = Path(name).expanduser()
    return str(path.absolute()) if exists(path) else name


def _from_hub(address: str) -> Path:
    parts = address.removeprefix(HUB).split("/")
    if len(parts) < 4 or parts[0] not in _KINDS:
        raise InputError(
            f"{address} is no address of a file on the hub.",
            "Write hf://datasets/OWNER/NAME/PATH, or hf://spaces/OWNER/NAME/PATH.",
        )
    require("huggingface_hub", feature="Reading from the hub", extra="benchmark")
    from huggingface_hub import hf_hub_download

    try:
        found = hf_hub_download(
            repo_id="/".join(parts[1:3]), filename="/".join(parts[3:]), repo_type=_KINDS[parts[0]]
        )
    except (OSError, ValueError) as error:
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise NotFoundError(
            f"{address} cannot be fetched: {first}",
            "Check the address and the network, or give a file on this machine.",
        ) from error
    return Path(found)


def file_hash(path: str | Path) -> str:
    """The first 16 hex digits of a file's sha256; raises NotFoundError where there is none."""
    return sha256_of(local_file(path))[:16]
