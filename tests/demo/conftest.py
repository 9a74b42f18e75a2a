"""A miniature of the demo crowd, built from scratch once for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.progress import Progress as Bars

from scripts.demo_build.build import Plan, Workshop, build
from scripts.demo_build.cache import Cache

MINIATURE = Plan(seed=3, pool=60, heldout=40, development=20, test=20, judged=30, scale=0.004)


@pytest.fixture(scope="session")
def miniature(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder laid out like data/demo, made by the real build at a tiny scale.

    Its cache stays beside it, in ``cache``.
    """
    root = tmp_path_factory.mktemp("demo")
    with Bars(disable=True) as bars:
        build(MINIATURE, root / "out", Cache(root / "cache"), Workshop(bars, workers=1))
    return root / "out"
