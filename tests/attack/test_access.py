"""A page's text boxes decide neither which file is read nor where texts and keys are sent."""

import ast
from pathlib import Path

import pytest

from crowdselect.access import (
    NO_KEY,
    known_servers,
    opened_data,
    opened_model,
    opened_path,
    opened_value,
)
from crowdselect.benchmark import BENCHMARKS
from crowdselect.errors import InputError
from crowdselect.export import FORMATS
from crowdselect.ingest import SOURCES
from crowdselect.landscape import ENCODERS
from crowdselect.metrics import METRICS
from crowdselect.options import options_of
from crowdselect.scoring import SCORERS
from crowdselect.selection import STRATEGIES
from crowdselect.settings import Workspace

REGISTRIES = (BENCHMARKS, SCORERS, SOURCES, FORMATS, STRATEGIES, METRICS)
"""What forms draw; an encoder is chosen by its name alone."""

PLAIN_TEXT = {
    "benchmark": {"task", "metric", "source_language", "target_language", "translation.prompt",
        "judged_by", "verifiable.plain",
    },
    "scorer": {
        "dimension", "reward", "length", "knn6", "understandability", "naturalness", "coherence",
        "less.rates",
    },
    "source": {
        "content", "judges", "split", "annotators", "id_column", "instruction_column",
        "model_column", "response_column", "judge_columns", "judge", "encoding", "columns",
        "input_column", "system_column", "leave_out", "sft.author", "subset",
    },
    "format": {"system", "preference.judge", "prompts.truth", "prompts.called", "prompts.passing"},
    "strategy": {"metric", "complexity", "quality", "targeted.targets"},
    "metric": set(),
}  # fmt: skip
"""Options that were looked at and open nothing. A new one is either declared with ``opens`` or
put here by somebody who has read what it does."""


def test_every_text_option_of_every_form_opens_nothing_or_says_so() -> None:
    unsure = []
    for registry in REGISTRIES:
        for plugin in registry:
            for option in options_of(plugin):
                words = option.choices or not (str in option.kinds or option.item is str)
                known = PLAIN_TEXT[registry.kind]
                if words or option.opens or {option.name, f"{plugin.name}.{option.name}"} & known:
                    continue
                unsure.append(f"{registry.kind} {plugin.name}: {option.name}")
    assert unsure == []


def test_every_option_that_opens_something_is_checked(workspace: Workspace, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the key")
    seen = 0
    for registry in (*REGISTRIES, ENCODERS):
        for plugin in registry:
            for option in options_of(plugin):
                if option.opens:
                    seen += 1
                    for text in (str(secret), "/etc/passwd", "../../etc/passwd", "~/.ssh/id_rsa"):
                        with pytest.raises(InputError, match="may read"):
                            opened_value(workspace, option.opens, text)
                    assert registry not in (STRATEGIES, METRICS), "recipes open nothing"
    assert seen > 10


def test_what_is_outside_is_told_as_what_is_not_there(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    told = []
    for name in ("there", "not-there"):
        with pytest.raises(InputError) as raised:
            opened_path(workspace, tmp_path / name)
        told.append(raised.value.problem.replace(name, ""))
    assert told[0] == told[1]


def test_no_link_leads_out(workspace: Workspace, tmp_path: Path) -> None:
    secret = tmp_path / "secret.jsonl"
    secret.write_text("{}")
    folder = workspace.root / "data"
    folder.mkdir(parents=True)
    (folder / "good.jsonl").write_text("{}")
    assert opened_path(workspace, folder) == folder.resolve()
    (folder / "inside.jsonl").symlink_to(folder / "good.jsonl")
    assert opened_path(workspace, folder / "inside.jsonl") == (folder / "good.jsonl").resolve()
    (folder / "deep").mkdir()
    (folder / "deep" / "out.jsonl").symlink_to(secret)
    with pytest.raises(InputError, match="may read"):
        opened_path(workspace, folder / "deep" / "out.jsonl")
    with pytest.raises(InputError, match="leads out"):
        opened_path(workspace, folder)
    (folder / "deep" / "out.jsonl").unlink()
    (folder / "deep" / "folder").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(InputError, match="leads out"):
        opened_path(workspace, folder)


def test_a_model_is_a_hub_id_or_an_opened_folder(workspace: Workspace, tmp_path: Path) -> None:
    (workspace.root / "models" / "mine").mkdir(parents=True)
    mine = workspace.root / "models" / "mine"
    assert opened_model(workspace, str(mine)) == str(mine.resolve())
    assert opened_model(workspace, "HuggingFaceTB/SmolLM2-135M") == "HuggingFaceTB/SmolLM2-135M"
    for text in (str(tmp_path), "/", "../mine", "~", "etc"):
        with pytest.raises(InputError, match="may read"):
            opened_model(workspace, text)


def test_a_folder_of_the_server_is_no_hub_id(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "owner" / "name").mkdir(parents=True)
    with pytest.raises(InputError, match="may read"):
        opened_model(workspace, "owner/name")


def test_servers_and_their_keys_stand_in_a_file(workspace: Workspace) -> None:
    assert known_servers(workspace) == {}
    workspace.root.mkdir(parents=True, exist_ok=True)
    path = workspace.root / "servers.toml"
    path.write_text(
        '[local]\nbase_url = "http://127.0.0.1:8000/v1"\n'
        '[vendor]\nbase_url = "https://api.example.org/v1"\napi_key_variable = "VENDOR_KEY"\n'
    )
    found = known_servers(workspace)
    assert found["local"].api_key_variable == NO_KEY, "no other server's key goes there"
    assert found["vendor"].api_key_variable == "VENDOR_KEY"
    for wrong in ('[a]\nbase_url = "ftp://x"', "[a]\nurl = 1", "a = 1", "a ="):
        path.write_text(wrong)
        with pytest.raises(InputError, match=r"servers\.toml"):
            known_servers(workspace)


def test_no_page_has_a_box_for_an_address() -> None:
    """Whatever a form hands to a job as ``base_url`` comes from ``servers.toml``."""
    folder = Path(__file__).parents[2] / "crowdselect" / "dashboard"
    for path in folder.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in (
                "text_input", "text_area", "chat_input",
            ):  # fmt: skip
                shown = ast.unparse(node).lower()
                assert "http" not in shown, f"{path.name}: {shown}"
                assert "address" not in shown, f"{path.name}: {shown}"


def test_names_on_the_hub_are_taken_where_the_owner_allows_it(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = (
        lambda: opened_model(workspace, "owner/name"),
        lambda: opened_data(workspace, "owner/name"),
        lambda: opened_value(workspace, "file", "hf://datasets/owner/name/x.jsonl"),
    )
    monkeypatch.setenv("CROWDSELECT_HUB", "read")
    assert [take() for take in named][:2] == ["owner/name", "owner/name"]
    for level in ("none", "", "all of it"):
        monkeypatch.setenv("CROWDSELECT_HUB", level)
        for take in named:
            with pytest.raises(InputError, match="takes no names on the hub"):
                take()
    with pytest.raises(InputError, match="may read"):
        opened_data(workspace, str(tmp_path / "secret.txt"))
