"""The catalogue of open models: data that must agree with itself and with the names."""

import csv
import re
from importlib.resources import files

import pytest

from crowdselect.ingest.catalogue import catalogue, look_up

ROWS = list(
    csv.DictReader(
        (files("crowdselect.ingest") / "open_models.csv").read_text("utf-8").splitlines()
    )
)
SIZE = re.compile(r"(?<![a-z0-9.])(\d+(?:\.\d+)?)([bm])(?![a-z0-9])")


def test_it_holds_many_models_each_once():
    names = [name for row in ROWS for name in row["pattern"].split("|")]
    assert len(ROWS) >= 300
    assert len(names) == len(set(names)) == len(catalogue())
    assert len({row["family"] for row in ROWS}) > 100


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["pattern"])
def test_every_row_is_sound(row: dict[str, str]):
    total = float(row["total_b"])
    assert 0.03 < total <= 1000
    if row["active_b"]:
        assert 0 < float(row["active_b"]) < total
    assert re.fullmatch(r"model card|arXiv \d{4}\.\d{5}", row["source"])
    assert re.fullmatch(r"[a-z0-9.+-]+", row["family"])
    for name in row["pattern"].split("|"):
        found = look_up(name)
        assert found is not None
        assert (found.family, found.total_b) == (row["family"], total)
        said = SIZE.search(name)
        if said and not row["active_b"]:
            size = float(said[1]) / (1000 if said[2] == "m" else 1)
            assert total == pytest.approx(size, rel=0.21), "the name says another size"


def test_a_family_holds_a_size_once_unless_its_models_differ():
    """Two of one size would tie, and stability would see fewer steps than there are."""
    seen: dict[tuple[str, str], list[str]] = {}
    for row in ROWS:
        seen.setdefault((row["family"], row["total_b"]), []).append(row["pattern"])
    doubled = {key for key, names in seen.items() if len(names) > 1}
    assert {family for family, _ in doubled} <= {
        "zephyr", "starling-lm", "neural-chat", "stablelm-alpha",
    }  # fmt: skip
