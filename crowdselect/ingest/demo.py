"""The demo crowd that comes with the project: nineteen small models, trained for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from crowdselect.ingest.source import Source
from crowdselect.ingest.table import TableSource
from crowdselect.plans import Builder
from crowdselect.progress import Progress, silent
from crowdselect.settings import demo_data


class _DemoTables(TableSource):
    """Tables whose report says what they are."""

    name: ClassVar[str] = "demo"


@dataclass(frozen=True)
class Demo(Source):
    """Reads ``data/demo/crowd``: tidy tables of instructions and responses, and the models."""

    name: ClassVar[str] = "demo"
    title: ClassVar[str] = "The demo crowd of small models that comes with the project"

    def __call__(self, paths: Sequence[str], builder: Builder, progress: Progress = silent) -> None:
        """Read the demo crowd; ``paths`` may name another folder of the same layout."""
        folder = str(paths[0]) if paths else str(demo_data() / "crowd")
        tables = _DemoTables(dedupe_ids=self.dedupe_ids, models=self.models)
        tables([folder], builder, progress)

    def crowd_name(self, paths: Sequence[str]) -> str:
        """Return ``demo``."""
        return self.name
