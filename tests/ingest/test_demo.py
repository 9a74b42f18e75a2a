"""The demo source: tidy files in the layout of ``data/demo/crowd``."""

from pathlib import Path

import pytest

from crowdselect.errors import NotFoundError
from crowdselect.ingest import SOURCES
from crowdselect.settings import DATA_VARIABLE, Workspace
from tests.crowds import (  # fmt: skip
    INSTRUCTIONS,
    MODELS,
    by_id,
    ingest,
    tidy_rows,
    write_csv,
    write_parquet,
)


def write_demo(folder: Path) -> Path:
    """Write a crowd in the layout of the demo's files."""
    folder.mkdir(parents=True)
    texts = [
        {"id": f"q{i}", "instruction": INSTRUCTIONS[i], "kind": "k", "level": i, "reference": "5"}
        for i in range(4)
    ]
    rows = [
        {"id": r["id"], "model": r["model"], "response": r["response"], "verifier": r["reward"],
         "style": r["reward"] / 7} for r in tidy_rows()
    ]  # fmt: skip
    write_parquet(folder / "instructions.parquet", texts)
    write_parquet(folder / "responses.parquet", rows)
    write_csv(folder / "models.csv", [{"model": m, "family": "demo", "size_b": 0.001 * k}
                                      for k, m in enumerate(MODELS, 1)])  # fmt: skip
    return folder


def test_the_demo_is_found_where_the_data_folder_is(workspace: Workspace, tmp_path, monkeypatch):
    write_demo(tmp_path / "demo" / "crowd")
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    crowd = ingest(workspace, [], "demo", "demo")
    assert SOURCES["demo"]().crowd_name([]) == "demo"
    assert crowd.judges == ("verifier", "style")
    assert by_id(crowd, "verifier")["q3", MODELS[1]] == 31.0
    extra = crowd.extra_columns()
    assert extra["level"].tolist() == [0, 1, 2, 3]
    assert extra["reference"].tolist() == ["5"] * 4
    assert [(m.family, m.size_b) for m in crowd.models] == [("demo", k / 1000) for k in (1, 2, 3)]


def test_without_the_data_the_error_says_where_it_should_be(workspace, tmp_path, monkeypatch):
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    with pytest.raises(NotFoundError, match="demo crowd is not in"):
        ingest(workspace, [], "demo", "demo")
