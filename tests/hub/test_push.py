"""Exports and models out to the hub: shown, agreed to, private, nothing of a stranger's touched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from crowdselect import files, pipeline
from crowdselect.cli import main
from crowdselect.cli.push import push_plan
from crowdselect.errors import CancelledError, CrowdSelectError
from crowdselect.export import FORMATS, write_export
from crowdselect.hub import check_push, fetch_dataset, plan_push, push
from crowdselect.pipeline.push import plan_export_push
from crowdselect.settings import Workspace
from crowdselect.values import Recipe
from tests.export.test_round_trips import examples
from tests.export.test_write import FACTS
from tests.hub.hub import TOKEN, USER, Hub, Repo
from tests.pipeline import tiny


def export(folder: Path, name: str = "parquet") -> Any:
    return write_export(examples(), FORMATS[name](), folder, FACTS, name="mine")


def test_an_export_goes_out_private_and_comes_back_as_it_was(hub: Hub, tmp_path: Path) -> None:
    made = export(tmp_path / "out")
    plan = plan_export_push(made, "org/mine", licence="cc-by-4.0")
    said = "\n".join(plan.lines())
    for words in ("(private)", f"by the login of {USER}", "data.parquet", "croissant.json",
                  "Rows: 2, in the form parquet", "Columns: id, messages", "Licence: cc-by-4.0",
                  "Answers by: m 3"):  # fmt: skip
        assert words in said
    assert not any("create" in asked or "commit" in asked for asked in hub.asked), "only looked"
    address = push(plan)
    held = hub.repos["datasets/org/mine"]
    assert held.private
    assert address == f"{hub.url}/datasets/org/mine/commit/{held.commit}"
    assert set(held.files) == {p.name for p in made.path.iterdir()}
    for path in made.path.iterdir():
        assert path.name == "README.md" or held.files[path.name] == path.read_bytes()
    assert "license: cc-by-4.0" in held.files["README.md"].decode()

    (back,) = fetch_dataset("org/mine").paths
    assert pq.read_table(back).equals(pq.read_table(made.data))
    datasets = pytest.importorskip("datasets")
    again = datasets.load_dataset("org/mine", split="train", cache_dir=str(tmp_path / "cache"))
    assert again["id"][:] == ["u0", "u1", "u2"]

    other = plan_export_push(export(tmp_path / "other", "messages"), "org/mine")
    assert "exists, its files are replaced" in other.lines()[0]
    push(other)
    assert "data.parquet" not in held.files
    assert "data.jsonl" in held.files


def test_what_may_not_be_pushed_to_is_one_sentence(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.repos["datasets/org/theirs"] = Repo({"thesis.csv": b"a\n1\n", "README.md": b"# Hers"})
    hub.repos["datasets/org/open"] = Repo({"README.md": b"---\ntags: [crowdselect]\n---\n# Ours"})
    for repo, words in (
        ("org/theirs", "holds 'README.md' and its card does not say"),
        ("org/open", "exists and is public"),
        ("mine", "is no name on the hub"),
    ):
        with pytest.raises(CrowdSelectError, match=words):
            check_push(tmp_path, repo, "dataset")
    assert check_push(tmp_path, "org/open", "dataset", public=True).public
    monkeypatch.setenv("HF_TOKEN", "hf_not_this_one")
    with pytest.raises(CrowdSelectError, match=r"the hub cannot be used: .*401"):
        check_push(tmp_path, "org/new", "dataset")
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "none"))
    with pytest.raises(CrowdSelectError, match="needs your own login") as error:
        check_push(tmp_path, "org/new", "dataset")
    assert "hf auth login" in error.value.remedy
    monkeypatch.setenv("CROWDSELECT_READ_ONLY", "1")
    with pytest.raises(OSError, match="read-only"):
        check_push(tmp_path, "org/new", "dataset")
    monkeypatch.delenv("CROWDSELECT_READ_ONLY")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(CrowdSelectError, match="needs the hub, and HF_HUB_OFFLINE is set"):
        check_push(tmp_path, "org/new", "dataset")
    assert set(hub.repos) == {"datasets/org/theirs", "datasets/org/open"}
    assert set(hub.repos["datasets/org/theirs"].files) == {"thesis.csv", "README.md"}


def test_nothing_is_pushed_without_a_yes(
    hub: Hub, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    plan = plan_export_push(export(tmp_path / "out"), "org/mine", public=True)
    with pytest.raises(CrowdSelectError, match="Nobody can be asked"):
        push_plan(workspace, plan, yes=False)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", lambda *_, **__: False)
    with pytest.raises(CancelledError, match="Nothing was pushed"):
        push_plan(workspace, plan, yes=False)
    assert hub.repos == {}
    assert "PUBLIC: everybody can read it" in capsys.readouterr().err
    monkeypatch.setattr("typer.confirm", lambda *_, **__: True)
    push_plan(workspace, plan, yes=False)
    assert not hub.repos["datasets/org/mine"].private
    (line,) = [d for d in files.read_lines(workspace.root / "audit.jsonl") if d["action"] == "push"]
    assert line["what"] == "dataset org/mine"


def test_a_model_goes_out_without_the_folders_of_this_machine(hub: Hub, tmp_path: Path) -> None:
    base, folder = str(tmp_path / "home" / "ada" / "base"), tmp_path / "model"
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": base}))
    (folder / "adapter_model.safetensors").write_bytes(b"\0" * 64)
    (folder / "README.md").write_text("---\ntags: [crowdselect]\n---\n\n# Tuned\n")
    plan = plan_push(
        folder, "org/tuned", "model", licence="apache-2.0", hidden=[base],
        card="---\ntags: [crowdselect]\n---\n\n# Tuned\n\n## Benchmarks\n",
    )  # fmt: skip
    assert any("without the folder names" in line for line in plan.lines())
    push(plan)
    held = hub.repos["models/org/tuned"]
    assert held.private
    assert json.loads(held.files["adapter_config.json"]) == {"base_model_name_or_path": "base"}
    assert held.files["adapter_model.safetensors"] == b"\0" * 64
    assert "## Benchmarks" in held.files["README.md"].decode()
    assert "license: apache-2.0" in held.files["README.md"].decode()
    assert all(str(tmp_path).encode() not in data for data in held.files.values())
    assert base in (folder / "adapter_config.json").read_text(), "here it stays"


@pytest.mark.parametrize("command", [["export"], ["finetune"], ["run", "push"]])
def test_the_options_are_alike(command: list[str], capsys: Any) -> None:
    assert main([*command, "--help"]) == 0
    out = capsys.readouterr().out
    assert {w for w in ("--public", "--yes", "--license") if w in out} == {
        "--public", "--yes", "--license",
    }  # fmt: skip


def test_the_command_line_ingests_selects_and_pushes_in_a_process_of_its_own(
    hub: Hub, workspace: Workspace, tmp_path: Path
) -> None:
    """The hub library reads HF_ENDPOINT and HF_HUB_OFFLINE when it is imported."""
    crowd = pipeline.ingest(
        workspace, "table", [tiny.write_tidy(tmp_path, tiny.frame(12))], name="c"
    )
    recipe = Recipe(crowd="c", budget=4, clusters=1, encoder="lsa")
    saved = pipeline.save_selection(workspace, pipeline.select(crowd, recipe))
    command = [sys.executable, "-m", "crowdselect", "export", saved.id, "--json", "--yes"]
    command += ["--push", "org/cli", "--workspace", str(workspace.root)]
    around = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        command, env={**around, "HF_HUB_OFFLINE": "0"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    held = hub.repos["datasets/org/cli"]
    assert json.loads(done.stdout)["pushed"].endswith(held.commit)
    assert held.files["data.jsonl"].count(b"\n") == 4
    assert (held.private, TOKEN in done.stderr + done.stdout) == (True, False)
