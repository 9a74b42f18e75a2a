"""Checkpoints of a run: which one is whole, and what to clear away."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from crowdselect import files

MARKER = "complete.json"
"""Written last into a checkpoint: step and tokens. Without it the checkpoint is half-written."""

_NAME = re.compile(r"checkpoint-(\d+)")


def last_checkpoint(folder: Path) -> Path | None:
    """The latest complete checkpoint in ``folder``; None: there is none."""
    complete = [(step, path) for step, path in _all(folder) if (path / MARKER).exists()]
    return max(complete)[1] if complete else None


def remove_incomplete(folder: Path) -> int:
    """Delete what a crash left half-written; return how many."""
    partial = [path for _, path in _all(folder) if not (path / MARKER).exists()]
    for path in partial:
        shutil.rmtree(path, ignore_errors=True)
    return len(partial)


def step_of(checkpoint: Path | None) -> int:
    """Optimiser steps up to ``checkpoint``."""
    return 0 if checkpoint is None else int(files.read_json(checkpoint / MARKER)["step"])


def tokens_at(checkpoint: Path | None) -> int:
    """Tokens trained on up to ``checkpoint``."""
    return 0 if checkpoint is None else int(files.read_json(checkpoint / MARKER)["tokens"])


def _all(folder: Path) -> list[tuple[int, Path]]:
    matches = [(_NAME.fullmatch(p.name), p) for p in folder.glob("checkpoint-*")]
    return [(int(match[1]), path) for match, path in matches if match]
