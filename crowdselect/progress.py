"""How long work reports itself: one callable, implemented by the terminal, a job and tests."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called often with the work done so far; may raise ``CancelledError`` to stop the work."""

    def __call__(self, done: int, total: int | None, label: str = "") -> None:
        """Report ``done`` of ``total`` units (``None``: unknown) of the step called ``label``."""


def silent(done: int, total: int | None, label: str = "") -> None:
    """Report nothing."""
