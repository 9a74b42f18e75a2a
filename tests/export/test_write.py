"""The export folder: whole or not at all, the same bytes, a card that a hub would accept."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from crowdselect import files
from crowdselect.errors import InputError
from crowdselect.export import (
    FORMATS,
    Example,
    Export,
    Turn,
    dataset_card,
    held_back,
    write_export,
)
from crowdselect.values import Recipe

FACTS: dict[str, Any] = {
    "recipe": Recipe(crowd="c").model_dump(mode="json"),
    "recipe_id": Recipe(crowd="c").id,
    "crowd": {"name": "c", "n": 10, "fingerprint": "ab12", "judges": ["j"]},
    "counts": {"selected": 3, "exported": 2},
    "decontamination": {
        "words": 13,
        "kept": False,
        "against": [{"file": "b.jsonl", "sha256": "0" * 64, "texts": 5}],
        "flagged": [{"id": "u9", "file": "b.jsonl", "reference": "1", "shared": "a b"}],
    },
}


def examples() -> list[Example]:
    turns = (Turn("user", "Wie heißt du?"), Turn("assistant", "Ich weiß nicht."))
    return [Example(f"u{i}", turns, model=f"m{i}", rank=i) for i in (1, 2)]


def write(folder: Path, name: str = "messages", **options: Any) -> Export:
    return write_export(examples(), FORMATS[name](**options), folder, FACTS, name="mine")


@pytest.mark.parametrize("name", FORMATS.names())
def test_manifest_names_every_file(name: str, tmp_path: Path) -> None:
    export = write(tmp_path / "out", name)
    manifest = files.read_json(export.path / "manifest.json")
    assert set(manifest["outputs"]) == {p.name for p in export.path.iterdir()} - {"manifest.json"}
    for file, digest in manifest["outputs"].items():
        assert files.sha256_file(export.path / file) == digest
    assert manifest == export.manifest
    assert manifest["responders"] == {"m1": 1, "m2": 1}
    assert manifest["versions"]["numpy"]
    assert manifest["format"] == {"name": name, "options": {**manifest["format"]["options"]}}


@pytest.mark.parametrize("name", FORMATS.names())
def test_same_bytes_wherever_and_whenever(name: str, tmp_path: Path) -> None:
    contents = []
    for place in ("a", "b/c"):
        folder = write(tmp_path / place, name).path
        os.utime(folder, (0, 0))
        contents.append({p.name: p.read_bytes() for p in folder.iterdir()})
    assert contents[0] == contents[1]
    assert all(str(tmp_path).encode() not in content for content in contents[0].values())


def test_older_export_is_replaced_and_a_strangers_folder_is_not(tmp_path: Path) -> None:
    write(tmp_path / "out", "alpaca")
    assert write(tmp_path / "out").data.name == "data.jsonl"
    assert not (tmp_path / "out" / "data.json").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match=r"thesis\.tex"):
        write(tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "years of work"
    with pytest.raises(InputError, match="is a file"):
        write(tmp_path / "mine" / "thesis.tex")


def test_a_failure_leaves_the_older_export(tmp_path: Path) -> None:
    write(tmp_path / "out", "prompt-completion", text=True)
    before = (tmp_path / "out" / "data.jsonl").read_bytes()
    both = [Example("u1", (*examples()[0].turns, *examples()[0].turns))]
    form = FORMATS["prompt-completion"](text=True)
    with pytest.raises(InputError):
        write_export(both, form, tmp_path / "out", FACTS, name="x")
    assert (tmp_path / "out" / "data.jsonl").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_dataset_info_is_merged(tmp_path: Path) -> None:
    """LLaMA-Factory's own entries and files stay; exporting again changes only ours."""
    theirs = {"identity": {"file_name": "identity.json"}}
    (tmp_path / "dataset_info.json").write_text(json.dumps(theirs))
    (tmp_path / "identity.json").write_text("[]")
    write(tmp_path, "llamafactory")
    write(tmp_path, "llamafactory")
    info = files.read_json(tmp_path / "dataset_info.json")
    assert info["identity"] == theirs["identity"]
    assert (tmp_path / info["mine"]["file_name"]).exists()
    assert (tmp_path / "identity.json").exists()


@pytest.mark.parametrize("content", ["{oops", "[]"])
def test_a_broken_dataset_info_is_left_alone(tmp_path: Path, content: str) -> None:
    (tmp_path / "dataset_info.json").write_text(content)
    with pytest.raises(InputError, match=r"dataset_info\.json"):
        write(tmp_path, "llamafactory")
    assert (tmp_path / "dataset_info.json").read_text() == content
    assert [p.name for p in tmp_path.iterdir()] == ["dataset_info.json"]


def test_a_dataset_name_cannot_leave_the_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be the name"):
        write_export(examples(), FORMATS["llamafactory"](), tmp_path, FACTS, name="../up")


@pytest.mark.parametrize("n", [0, 999, 1000, 99_999, 5_000_000])
def test_card_header_is_what_a_hub_reads(n: int) -> None:
    hub = pytest.importorskip("huggingface_hub")
    manifest = {**FACTS, "name": 'a "b": c', "responders": {"m": n}}
    manifest["counts"] = {"exported": n}
    card = hub.DatasetCard(dataset_card(manifest, FORMATS["parquet"](), "cc-by-4.0"))
    data = card.data.to_dict()
    assert data["license"] == "cc-by-4.0"
    assert data["pretty_name"] == 'a "b": c'
    assert data["task_categories"] == ["text-generation"]
    (config,) = data["configs"]
    assert config["data_files"] == [{"split": "train", "path": "data.parquet"}]
    sizes = {0: "n<1K", 999: "n<1K", 1000: "1K<n<10K", 99_999: "10K<n<100K", 5_000_000: "1M<n<10M"}
    assert data["size_categories"] == [sizes[n]]


def test_card_says_what_was_found(tmp_path: Path) -> None:
    text = (write(tmp_path / "out").path / "README.md").read_text()
    yaml.safe_load(text.split("---")[1])
    assert "2 of 10 instructions of the crowd `c`" in text
    assert "`b.jsonl`: 1 instructions share 13 or more consecutive words" in text
    assert "- m1: 1" in text


def test_card_loads_as_a_dataset(tmp_path: Path) -> None:
    """The folder, as it is, is a data set for the datasets library."""
    datasets = pytest.importorskip("datasets")
    for name in ("messages", "parquet", "alpaca", "sharegpt"):
        folder = write(tmp_path / name, name).path
        data = datasets.load_dataset(str(folder), split="train", cache_dir=str(tmp_path / "cache"))
        assert len(data) == 2


def asked(*questions: str) -> list[Example]:
    return [
        Example(f"u{k}", (Turn("user", q), Turn("assistant", f"a{k}")))
        for k, q in enumerate(questions)
    ]


def test_what_is_held_back_depends_on_the_questions_alone() -> None:
    some = asked(*(f"question {k}" for k in range(40)))
    train, test = held_back(some, 0.25, seed=1)
    assert (len(train), len(test)) == (30, 10)
    again = held_back(some[::-1], 0.25, seed=1)
    assert {e.id for e in again[1]} == {e.id for e in test}
    assert {e.id for e in held_back(some, 0.25, seed=2)[1]} != {e.id for e in test}
    assert [e.id for e in train] == [e.id for e in some if e not in test]


def test_equal_questions_stay_on_one_side() -> None:
    some = asked("Same?", "same? ", "SAME?", "other")
    train, test = held_back(some, 0.5, seed=3)
    assert sorted([len(train), len(test)]) == [1, 3]


@pytest.mark.parametrize(("share", "n"), [(0.0, 4), (1.0, 4), (-1.0, 4), (0.5, 1)])
def test_a_share_that_leaves_nothing_is_refused(share: float, n: int) -> None:
    with pytest.raises(InputError, match=r"test examples|left to train"):
        held_back(asked(*(f"q{k}" for k in range(n))), share, seed=0)


@pytest.mark.parametrize("name", FORMATS.names())
def test_a_test_file_is_a_split_of_its_own(name: str, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    facts = {**FACTS, "counts": {**FACTS["counts"], "train": 2, "test": 1}}
    some = [replace(e, rejected="no") for e in asked("a", "b", "c")]
    made = write_export(
        some[:2], FORMATS[name](), tmp_path / "out", facts, name="mine", test=some[2:]
    )
    found = datasets.load_dataset(str(made.path), cache_dir=str(tmp_path / "cache"))
    assert {split: rows.num_rows for split, rows in found.items()} == {"train": 2, "test": 1}
    if name == "llamafactory":
        info = files.read_json(tmp_path / "out" / "dataset_info.json")
        assert (tmp_path / "out" / info["mine_test"]["file_name"]).exists()
