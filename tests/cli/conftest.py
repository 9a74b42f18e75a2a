"""The command line in this process: arguments in; exit code, stdout and stderr out."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from crowdselect import cli
from tests.pipeline.conftest import _ingested, ready, recipe

__all__ = ["_ingested", "ready", "recipe"]


@dataclass(frozen=True)
class Said:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Run ``crowdselect ARGUMENTS`` through the real entry point, error handler included."""

    def call(*arguments: object) -> Said:
        capsys.readouterr()
        code = cli.main([str(a) for a in arguments])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return call


@pytest.fixture
def here(ready: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a workspace that holds the crowd ``tiny``, named by the environment."""
    monkeypatch.setenv("CROWDSELECT_WORKSPACE", str(ready.root))
    return ready.root
