"""The one guard of read-only mode: below every page and command, at the writing itself.

``crowdselect serve --read-only`` sets CROWDSELECT_READ_ONLY for its server. What is written goes
through :mod:`crowdselect.files` or holds a lock of :mod:`crowdselect.locks`, or asks here; in that
process all of it is refused, whichever page, link or request asks. What is only kept for next time
(caches) is left out without a word, as on a disk that cannot be written to.
"""

from __future__ import annotations

import os
from pathlib import Path

from crowdselect.errors import ReadOnlyError

READ_ONLY_VARIABLE = "CROWDSELECT_READ_ONLY"


def read_only() -> bool:
    """Tell whether this process may write nothing."""
    return os.environ.get(READ_ONLY_VARIABLE, "") == "1"


def refuse_writing(path: Path) -> None:
    """Raise ReadOnlyError if this process may write nothing, ``path`` included."""
    if read_only():
        raise ReadOnlyError(path)
