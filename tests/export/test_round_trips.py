"""What is exported is read by the libraries it is for: datasets, TRL, and published rules."""

import json
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from crowdselect.export import FORMATS, Example, Turn, write_export
from crowdselect.finetune.data import read_data
from crowdselect.lm.conversations import read_conversations
from tests.export.test_write import FACTS
from tests.finetune.conftest import tokenizer

__all__ = ["tokenizer"]

TALKS = (
    (("user", "Name a river: Ä\u2028\n"), ("assistant", "Po")),
    (("system", "Be brief."), ("user", "Add 1 and 1."), ("assistant", "2")),
    (("user", "Hi"), ("assistant", "Hello"), ("user", "Bye"), ("assistant", "Good-bye")),
)


def examples() -> list[Example]:
    return [
        Example(f"u{k}", tuple(Turn(*t) for t in talk), "m", k + 1, 1.0, rejected="no", margin=0.5)
        for k, talk in enumerate(TALKS)
    ]


def exported(name: str, tmp_path: Path) -> Any:
    return write_export(examples(), FORMATS[name](), tmp_path / "out", FACTS, name="mine")


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").split("\n")[:-1]]


@pytest.mark.parametrize("name", FORMATS.names())
def test_datasets_loads_the_folder_of_an_export(name, tmp_path, monkeypatch) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    made = exported(name, tmp_path)
    found = datasets.load_dataset(str(made.path), split="train")
    assert found.num_rows == 3
    plain = json.dumps(found.to_list(), ensure_ascii=False)
    for talk in TALKS:
        kept = talk if FORMATS[name].answers else talk[:-1]
        assert all(json.dumps(text, ensure_ascii=False)[1:-1] in plain for _, text in kept)


@pytest.mark.parametrize("name", ["messages", "prompt-completion", "preference", "openai"])
def test_trl_takes_the_rows_for_conversations(name, tmp_path, tokenizer) -> None:
    tools = pytest.importorskip("trl.data_utils")
    for row, talk in zip(rows_of(exported(name, tmp_path).data), TALKS, strict=True):
        keys = ("messages", "prompt", "completion", "chosen", "rejected")
        given = {k: v for k, v in row.items() if k in keys}
        assert tools.is_conversational(given)
        out = tools.apply_chat_template(given, tokenizer)
        whole = out.get("text") or out["prompt"] + out.get("completion", out.get("chosen", ""))
        assert whole == tokenizer.apply_chat_template(
            [{"role": r, "content": t} for r, t in talk], tokenize=False
        )
        if name == "preference":
            assert out["rejected"] != out["chosen"]
            assert "no" in out["rejected"]


def test_trl_takes_prompts_and_hands_the_right_answers_on(tmp_path, tokenizer) -> None:
    """GRPO's rows: a conversational prompt; every other column goes to the reward functions."""
    tools = pytest.importorskip("trl.data_utils")
    made = [replace(e, truth=f"t{k}", pass_rate=0.5) for k, e in enumerate(examples())]
    form = FORMATS["prompts"](called="solution")
    rows = rows_of(write_export(made, form, tmp_path / "out", FACTS, name="mine").data)
    for k, (row, talk) in enumerate(zip(rows, TALKS, strict=True)):
        assert tools.is_conversational({"prompt": row["prompt"]})
        asked = tools.apply_chat_template({"prompt": row["prompt"]}, tokenizer)["prompt"]
        assert asked == tokenizer.apply_chat_template(
            [{"role": r, "content": t} for r, t in talk[:-1]],
            tokenize=False,
            add_generation_prompt=True,
        )
        assert row.keys() == {"id", "prompt", "solution", "pass_rate"}
        assert (row["solution"], row["pass_rate"]) == (f"t{k}", 0.5)


def test_openai_takes_the_rows_by_its_published_rules(tmp_path) -> None:
    """Keys, roles, text and a last answer, as the checks of its fine-tuning guide have it."""
    for row in rows_of(exported("openai", tmp_path).data):
        assert set(row) == {"messages"}
        messages = row["messages"]
        assert all(set(m) == {"role", "content"} for m in messages)
        assert all(m["role"] in ("system", "user", "assistant") for m in messages)
        assert all(isinstance(m["content"], str) and m["content"] for m in messages)
        assert messages[-1]["role"] == "assistant"


def test_llama_factory_takes_the_entry_by_its_documented_schema(tmp_path) -> None:
    """Its README of data: file, formatting, columns that exist, tags; turns alternate."""
    made = exported("llamafactory", tmp_path)
    info = json.loads((tmp_path / "out" / "dataset_info.json").read_text())["mine"]
    assert set(info) <= {"file_name", "formatting", "columns", "tags"}
    assert tmp_path / "out" / info["file_name"] == made.data
    rows = json.loads(made.data.read_text())
    tags = info["tags"]
    assert {"role_tag", "content_tag", "user_tag", "assistant_tag"} <= set(tags)
    for row, talk in zip(rows, TALKS, strict=True):
        turns = row[info["columns"]["messages"]]
        speakers = [tags["user_tag"], tags["assistant_tag"]] * (len(turns) // 2)
        assert [t[tags["role_tag"]] for t in turns] == speakers
        assert [t[tags["content_tag"]] for t in turns] == [x for r, x in talk if r != "system"]
        system = next((x for r, x in talk if r == "system"), "")
        assert (row.get(info["columns"]["system"]) or "") == system


def test_llama_factory_takes_the_entry_by_its_own_parser(tmp_path) -> None:
    """Where it is installed: it asks for gigabytes of CUDA libraries."""
    parser = pytest.importorskip("llamafactory.data.parser", exc_type=ImportError)
    made = exported("llamafactory", tmp_path)
    (found,) = parser.get_dataset_list(["mine"], str(tmp_path / "out"))
    assert (found.load_from, found.formatting) == ("file", "sharegpt")
    assert tmp_path / "out" / found.dataset_name == made.data
    row = json.loads(made.data.read_text())[1]
    assert [t[found.role_tag] for t in row[found.messages]] == [
        found.user_tag, found.assistant_tag,
    ]  # fmt: skip
    assert row[found.system] == "Be brief."


def test_axolotl_takes_the_yaml_by_its_schema(tmp_path) -> None:
    """Its own where it is installed, else the keys that its documentation names."""
    made = exported("axolotl", tmp_path)
    (entry,) = yaml.safe_load((made.path / "axolotl.yaml").read_text())["datasets"]
    assert (made.path / entry["path"]) == made.data
    assert (entry["ds_type"], entry["type"]) == ("json", "chat_template")
    names = entry["message_property_mappings"]
    for row, talk in zip(rows_of(made.data), TALKS, strict=True):
        told = [(m[names["role"]], m[names["content"]]) for m in row[entry["field_messages"]]]
        assert told == list(talk)
    if find_spec("axolotl"):
        from axolotl.utils.schemas.datasets import SFTDataset

        found = SFTDataset.model_validate(entry)
        assert (found.field_messages, found.roles_to_train) == ("messages", ["assistant"])


@pytest.mark.parametrize("name", [form.name for form in FORMATS if form.answers])
def test_our_own_fine_tune_reads_every_export(name, tmp_path) -> None:
    made = exported(name, tmp_path)
    pairs = name == "preference"
    assert len(read_data(made.data, preference=pairs).conversations) == 3
    found = read_conversations(made.data).rows
    for row, talk in zip(found, TALKS, strict=True):
        assert [(m["role"], m["content"]) for m in row.messages] == list(talk)


@pytest.mark.parametrize("name", FORMATS.names())
def test_croissant_metadata_is_read_by_its_own_library(name, tmp_path) -> None:
    """What it says of files and fields is so; the library streams the rows by it.

    Of a JSON array it reads no lists, so that of those it is asked for the structure only.
    """
    library = pytest.importorskip("mlcroissant")
    made = exported(name, tmp_path)
    told = json.loads((made.path / "croissant.json").read_text())
    (file,) = told["distribution"]
    assert file["sha256"] == made.manifest["outputs"][made.data.name]
    found = library.Dataset(made.path / "croissant.json")
    assert not found.metadata.issues.errors
    if name not in ("sharegpt", "llamafactory"):
        rows = list(found.records("train"))
        assert len(rows) == 3
        assert TALKS[1][-1 if FORMATS[name].answers else -2][1] in str(rows[1])
