"""Data sets in from the hub: splits, subsets, revisions, paths, and what is recorded of them."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from crowdselect import pipeline
from crowdselect.errors import CrowdSelectError, InputError, NotFoundError
from crowdselect.hub import fetch_dataset, is_hub, read_address
from crowdselect.settings import Workspace
from tests.hub.hub import Hub, Repo


def parquet(*questions: str) -> bytes:
    out = io.BytesIO()
    pd.DataFrame({"instruction": questions, "output": [f"to {q}" for q in questions]}).to_parquet(
        out
    )
    return out.getvalue()


CARD = """---
configs:
- config_name: small
  default: true
  data_files:
  - split: train
    path: small/*.parquet
- config_name: large
  data_files: large/all.csv
---
# Mine
"""


def repo() -> Repo:
    return Repo(
        {
            "README.md": CARD.encode(),
            "small/a.parquet": parquet("one", "two"),
            "small/b.parquet": parquet("three"),
            "large/all.csv": b"instruction,output\nfour,4\nfive,5\n",
            "notes.txt": b"nothing",
        }
    )


def texts(crowd: Any) -> list[str]:
    return crowd.instruction_texts()


def read(text: str, **options: str) -> list[str]:
    """The instructions of what an address stands for."""
    found = []
    for path in fetch_dataset(text, **options).paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            reader = pd.read_csv if file.suffix == ".csv" else pd.read_parquet
            found += list(reader(file)["instruction"])
    return found


def test_a_hub_id_becomes_a_crowd_that_says_what_it_was_read_from(
    hub: Hub, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = hub.repos["datasets/org/mine"] = repo()
    crowd = pipeline.ingest(workspace, "sft", ["org/mine"])
    assert crowd.name == "mine"
    assert texts(crowd) == ["one", "two", "three"], "the default subset"
    for name, file in zip(
        ("small/a.parquet", "small/b.parquet"), crowd.report.fetched, strict=True
    ):
        assert file.address == f"hf://datasets/org/mine@{held.commit}/{name}"
        assert file.sha256 == hashlib.sha256(held.files[name]).hexdigest()
    assert f"Read from hf://datasets/org/mine@{held.commit}: 2 files." in crowd.report_lines()
    assert not any("notes.txt" in asked for asked in hub.asked), "only what is needed is fetched"

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    hub.asked.clear()
    path = "hf://datasets/org/mine/small"
    again = pipeline.ingest(workspace, "sft", [path], name="again")
    assert again.report.fetched == crowd.report.fetched
    assert (texts(again), hub.asked) == (texts(crowd), []), "offline, from the cache"


def test_the_state_of_a_tag_is_read_and_its_commit_is_recorded(hub: Hub) -> None:
    held = hub.repos["datasets/org/mine"] = repo()
    held.keep("v1")
    before = held.commit
    held.files["small/a.parquet"] = parquet("changed")
    found = fetch_dataset("hf://datasets/org/mine@v1")
    assert all(f"@{before}/" in f.address for f in found.files)
    assert read("hf://datasets/org/mine@v1") == ["one", "two", "three"]
    assert read("hf://datasets/org/mine") == ["changed", "three"]
    assert read("org/mine", subset="large") == ["four", "five"]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("small/b.parquet", ["three"]),
        ("small", ["one", "two", "three"]),
        ("small/*.parquet", ["one", "two", "three"]),
    ],
)
def test_a_path_is_a_file_a_folder_or_a_pattern(hub: Hub, path: str, found: list[str]) -> None:
    hub.repos["datasets/org/mine"] = repo()
    assert read(f"hf://datasets/org/mine/{path}") == found


def test_without_a_card_splits_are_found_by_their_names(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {f"data/{s}-00000-of-00001.parquet": parquet(s) for s in ("train", "test")}
    hub.repos["datasets/org/plain"] = Repo(files)
    assert fetch_dataset("org/plain").remarks == (
        "org/plain: the split train is read; left out: test.",
    )
    assert read("org/plain", split="test") == ["test"]
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert read("org/plain", split="test") == ["test"], "offline, from the cache"
    with pytest.raises(NotFoundError, match="HF_HUB_OFFLINE is set and it is not in the cache"):
        fetch_dataset("org/other")


REFUSED = [
    ("org/none", {}, "There is no hf://datasets/org/none on the hub"),
    ("org/shut", {}, "is gated"),
    ("hf://datasets/org/mine@v9", {}, "no such revision"),
    ("hf://datasets/org/mine/none.csv", {}, "There is no hf://datasets/org/mine@"),
    ("org/mine", {"split": "dev"}, "no split 'dev'; there are train"),
    ("org/mine", {"subset": "tiny"}, "no subset 'tiny'; there are small, large"),
    ("org/two", {}, "several splits and no train; there are .*a, b"),
    ("org/pictures", {}, "holds no table that is read here, but .jpg"),
    ("hf://models/org/mine", {}, "is no data set"),
    ("hf://org/mine", {}, "is no address"),
    ("hf://datasets/org/../x", {}, "is no address"),
]


@pytest.mark.parametrize(("text", "options", "words"), REFUSED)
def test_what_cannot_be_read_is_one_sentence(
    hub: Hub, text: str, options: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    hub.repos["datasets/org/mine"] = repo()
    hub.repos["datasets/org/shut"] = Repo({"a.csv": b"a,b\n"}, gated=True)
    hub.repos["datasets/org/two"] = Repo(
        {
            "README.md": b"---\nconfigs:\n- config_name: default\n  data_files:\n"
            b"  - split: a\n    path: a.csv\n  - split: b\n    path: b.csv\n---\n",
            "a.csv": b"q\n",
            "b.csv": b"q\n",
        }
    )
    hub.repos["datasets/org/pictures"] = Repo({"train/cat.jpg": b"x"})
    with pytest.raises(CrowdSelectError, match=words) as error:
        fetch_dataset(text, **options)
    assert isinstance(error.value, InputError | NotFoundError)
    assert "\n" not in error.value.problem


@pytest.mark.parametrize(
    ("text", "revision", "path"),
    [
        ("hf://datasets/a/b", None, ""),
        ("hf://datasets/a/b@main/x/y.csv", "main", "x/y.csv"),
        ("hf://datasets/a/b@refs/pr/3/x.csv", "refs/pr/3", "x.csv"),
        ("hf://datasets/a/b@~parquet", "refs/convert/parquet", ""),
        ("a/b", None, ""),
    ],
)
def test_addresses(text: str, revision: str | None, path: str) -> None:
    found = read_address(text)
    assert (found.kind, found.repo, found.revision, found.path) == (
        "dataset",
        "a/b",
        revision,
        path,
    )
    assert read_address(str(found)) == found


def test_a_hub_id_is_told_from_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_hub("Magpie-Align/Magpie-100K-Generator-Zoo")
    assert is_hub("hf://datasets/a/b")
    assert not is_hub("./data/zoo")
    assert not is_hub("one")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data" / "zoo").mkdir(parents=True)
    assert not is_hub("data/zoo")
