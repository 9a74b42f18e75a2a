"""Errors that a person caused or can mend: one problem, one remedy, never a traceback."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from crowdselect.keys import scrub

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What a system says when there is no room: disk, quota, or the largest file it allows."""


class CrowdSelectError(Exception):
    """What went wrong and what to do about it.

    The command line prints two lines and exits with code 2; a page shows ``st.error``.
    Anything else that is raised is a bug and keeps its traceback. Known secrets are scrubbed.

    Parameters
    ----------
    problem
        One sentence that names the file, row or column, what was expected and what was found.
    remedy
        One sentence, or the command to run.
    """

    def __init__(self, problem: str, remedy: str) -> None:
        self.problem = scrub(problem)
        self.remedy = scrub(remedy)
        super().__init__(self.problem, self.remedy)  # so that it can be pickled

    def __str__(self) -> str:
        return f"{self.problem}\n{self.remedy}"

    def __reduce__(self) -> tuple[type[CrowdSelectError], tuple[str, str]]:
        """Keep both halves when the error crosses a process boundary."""
        return (type(self), (self.problem, self.remedy))


@dataclass(frozen=True)
class Damaged:
    """Something in a workspace that cannot be read; listings pass over it and say so."""

    kind: Literal["crowd", "selection", "run"]
    name: str
    path: Path
    problem: str
    remedy: str

    def __str__(self) -> str:
        """Both sentences."""
        return f"{self.problem} {self.remedy}"


class InputError(CrowdSelectError):
    """A file, a value or an option that cannot be used as it is."""


class ReadOnlyError(OSError):
    """Something was to be written where crowdselect was told to write nothing.

    ``viewer``: by somebody whose role is to look.
    """

    def __init__(self, path: Path | str, *, viewer: bool = False) -> None:
        super().__init__(errno.EROFS, "crowdselect is read-only here", str(path))
        self.viewer = viewer


class NotAllowedError(CrowdSelectError):
    """Somebody's role does not allow it."""


class NotFoundError(CrowdSelectError):
    """A named thing (crowd, selection, run, metric ...) that does not exist."""


class CancelledError(CrowdSelectError):
    """A person stopped the work; everything finished so far is kept."""

    def __init__(
        self,
        problem: str = "Cancelled.",
        remedy: str = "What was finished is kept; run the same command again to go on.",
    ) -> None:
        super().__init__(problem, remedy)


class MissingDependencyError(CrowdSelectError):
    """An optional package that a feature needs is not installed."""

    def __init__(self, feature: str, package: str, install: str) -> None:
        super().__init__(f"{feature} needs the package {package}, which is not installed.", install)
        self.feature = feature
        self.package = package
        self.install = install

    def __reduce__(self) -> tuple[type[MissingDependencyError], tuple[str, str, str]]:  # type: ignore[override]
        """Keep the three parts when the error crosses a process boundary."""
        return (type(self), (self.feature, self.package, self.install))


def of_the_disk(error: OSError) -> CrowdSelectError | None:
    """Say in words what a disk refuses (full, quota, read-only, not ours); None: something else."""
    if isinstance(error, ReadOnlyError) and error.viewer:
        return NotAllowedError(
            "Your role here is viewer: crowdselect is read-only for you.",
            "Ask an admin of this dashboard to make you a curator.",
        )
    if isinstance(error, ReadOnlyError):
        return InputError(
            "crowdselect was started read-only: nothing can be changed here.",
            "Ask whoever runs it, or start it without --read-only.",
        )
    where = f" that holds {error.filename}" if error.filename else ""
    if error.errno in FULL:
        return InputError(
            f"The disk{where} is full.",
            "Free some space, then do it again; nothing is half-written.",
        )
    if error.errno == errno.EROFS:
        return InputError(
            f"The file system{where} is read-only.",
            "Choose a workspace that you can write to: --workspace DIR.",
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return InputError(
            f"The file or folder {error.filename or ''} may not be written or read.",
            "Ask its owner for the right to, or choose another.",
        )
    return None


def require(package: str, *, feature: str, extra: str) -> None:
    """Raise :class:`MissingDependencyError` unless ``package`` can be imported."""
    from importlib.util import find_spec

    if find_spec(package) is None:
        raise MissingDependencyError(feature, package, f"pip install 'crowdselect[{extra}]'")
