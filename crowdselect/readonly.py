"""The one guard of who may write: below every page and command, at the writing itself.

``crowdselect serve --read-only`` sets CROWDSELECT_READ_ONLY for its server: nobody writes there. A
visitor whose role is viewer writes nowhere. What is written goes through :mod:`crowdselect.files`
or holds a lock of :mod:`crowdselect.locks`, or asks here; all of it is refused, whichever page,
link or request asks. What is only kept for next time (caches) is left out without a word, as on a
disk that cannot be written to.
"""

from __future__ import annotations

import os
from pathlib import Path

from crowdselect.errors import ReadOnlyError
from crowdselect.people import acting

READ_ONLY_VARIABLE = "CROWDSELECT_READ_ONLY"


def server_read_only() -> bool:
    """Tell whether this process may write nothing, whoever asks."""
    return os.environ.get(READ_ONLY_VARIABLE, "") == "1"


def read_only() -> bool:
    """Tell whether nothing may be written by whoever acts now."""
    return server_read_only() or not acting().at_least("curator")


def refuse_writing(path: Path) -> None:
    """Raise ReadOnlyError if whoever acts may write nothing, ``path`` included."""
    if read_only():
        raise ReadOnlyError(path, viewer=not server_read_only())
