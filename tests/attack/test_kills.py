"""Twenty kills of writers at seeded moments; ``make kill`` does hundreds."""

import subprocess
import sys
from pathlib import Path

from tests.attack.killing import WRITERS


def test_what_was_told_as_saved_is_there_and_whole(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.attack.killing", str(tmp_path), "4", "7"],
        check=False, capture_output=True, text=True, timeout=280, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for name in WRITERS:
        assert f"{name}: killed 4 times" in done.stdout
    assert "all removed at the next start" in done.stdout
