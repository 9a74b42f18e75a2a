"""How something on the hub is written: ``hf://datasets/OWNER/NAME@REVISION/PATH``, OWNER/NAME."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from crowdselect.errors import InputError

HUB = "hf://"
Kind = Literal["dataset", "space", "model"]
_KINDS: dict[str, Kind] = {"datasets": "dataset", "spaces": "space", "models": "model"}
_ID = re.compile(r"[\w.-]+/[\w.-]+")
_SPECIAL = {"~parquet": "refs/convert/parquet"}
"""The hub's own short names of revisions."""
_ADDRESS = re.compile(
    r"(?P<kind>datasets|spaces|models)/(?P<repo>[\w.-]+/[\w.-]+)"
    r"(@(?P<revision>refs/(?:convert|pr)/[^/]+|[^/]+))?(/(?P<path>.*))?"
)


@dataclass(frozen=True)
class HubAddress:
    """A repository on the hub, and perhaps a file, a folder or a pattern in it."""

    kind: Kind
    repo: str
    """OWNER/NAME."""
    revision: str | None = None
    """Branch, tag or commit; None: the newest."""
    path: str = ""

    def __str__(self) -> str:
        """As it is written."""
        at = f"@{self.revision}" if self.revision else ""
        inside = f"/{self.path}" if self.path else ""
        return f"{HUB}{self.kind}s/{self.repo}{at}{inside}"

    @property
    def name(self) -> str:
        """What a crowd made from it may be called."""
        return self.repo.rsplit("/", 1)[-1]


def is_hub(text: str) -> bool:
    """Tell whether ``text`` begins with ``hf://``, or is written OWNER/NAME and no path here."""
    return text.startswith(HUB) or bool(_ID.fullmatch(text) and not Path(text).exists())


def read_address(text: str) -> HubAddress:
    """The address that ``text`` writes; raises InputError for what is none."""
    if not text.startswith(HUB) and _ID.fullmatch(text):
        return HubAddress("dataset", text)
    found = _ADDRESS.fullmatch(text.removeprefix(HUB).rstrip("/"))
    if found is None or ".." in text:
        raise InputError(
            f"{text} is no address of a file or a data set on the hub.",
            "Write hf://datasets/OWNER/NAME, hf://datasets/OWNER/NAME@REVISION or "
            "hf://datasets/OWNER/NAME/PATH.",
        )
    revision = found["revision"]
    return HubAddress(
        _KINDS[found["kind"]], found["repo"], _SPECIAL.get(revision, revision), found["path"] or ""
    )
