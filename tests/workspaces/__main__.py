"""Write the present version's tiny workspace."""

import gzip
import sys
import tempfile
from pathlib import Path

from crowdselect import pipeline
from crowdselect.pipeline import upkeep
from crowdselect.settings import open_workspace
from crowdselect.store.connect import SCHEMA_VERSION
from crowdselect.values import Recipe
from tests.pipeline import tiny


def main(out: Path) -> Path:
    """Write it to the folder ``out`` and return the file."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        workspace = open_workspace(root / "w")
        table = tiny.write_tidy(root, tiny.frame(6))
        crowd = pipeline.ingest(workspace, "table", [table], name="tiny")
        crowd.notes.append("pin", "u01")
        recipe = Recipe(crowd="tiny", strategy="random", clusters=0, budget=3)
        saved = pipeline.save_selection(workspace, pipeline.select(crowd, recipe), "mine")
        pipeline.export(workspace, saved, "messages")
        upkeep.export_crowd(workspace, "tiny", root / "tiny.tar")
        path = out / f"tables-{SCHEMA_VERSION}.tar.gz"
        path.write_bytes(gzip.compress((root / "tiny.tar").read_bytes(), mtime=0))
    return path


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))
