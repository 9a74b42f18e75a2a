"""Which process works on something, and whether it lives: by id and start, not by the clock."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil


def birth(pid: int) -> float | None:
    """When the process started; None: there is none.

    In ticks since boot where the system tells (Linux), else in seconds since the epoch. Only the
    first stays the same when somebody sets the clock.
    """
    try:
        # The name, in parentheses, may hold blanks and parentheses; the 20th field after it.
        return float(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return None
    except (OSError, IndexError, ValueError):
        pass
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return None


def is_alive(status: Mapping[str, Any]) -> bool:
    """Tell whether the process that ``status`` names (``pid``, ``born``) runs."""
    pid, born = status.get("pid"), status.get("born")
    if not pid or born is None:
        return False
    now = birth(pid)
    if now is None or abs(now - born) >= 1.0:
        return False
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
