"""docs/cli.md names every command and every option; every command's help has an example."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from crowdselect.benchmark import BenchmarkConfig
from crowdselect.cli import STAGES, app_of
from crowdselect.export import ExportConfig
from crowdselect.finetune import PairRule
from crowdselect.making import GenerateConfig, JudgingConfig
from crowdselect.options import options_of
from crowdselect.scoring import ScoreConfig
from crowdselect.selection.presets import PRESETS
from crowdselect.values import Recipe

ROOT = Path(__file__).parents[2]
spec = importlib.util.spec_from_file_location("writer", ROOT / "scripts" / "write_cli_docs.py")
assert spec is not None
assert spec.loader is not None
writer = importlib.util.module_from_spec(spec)
spec.loader.exec_module(writer)

TEXT = (ROOT / "docs" / "cli.md").read_text("utf-8")
ALL = list(writer.commands(get_command(app_of(STAGES))))
EACH = pytest.mark.parametrize(("path", "command"), ALL, ids=[" ".join(path) for path, _ in ALL])


def test_reference_is_up_to_date() -> None:
    """After a change of a command: python scripts/write_cli_docs.py."""
    assert TEXT.split(writer.MARKER)[1].strip() == writer.reference().strip()


@EACH
def test_every_command_is_documented(path: tuple[str, ...], command: Any) -> None:
    line = "crowdselect " + " ".join(path)
    assert command.help, f"{line} has no help"
    assert f"Example:\n\n{line}" in (command.epilog or ""), f"{line} has no example"
    section = TEXT.split(f"### `{line}`\n")[1].split("\n### ")[0]
    for parameter in command.params:
        assert parameter.help or parameter.name == "help", f"{line}: {parameter.name} has no help"
        for name in parameter.opts if parameter.param_type_name == "option" else ():
            assert f"`{name}`" in section, f"docs/cli.md: {line} lacks {name}"


@pytest.mark.parametrize(
    ("path", "declaring"),
    [
        (("finetune",), PairRule),
        (("score",), ScoreConfig),
        (("crowd", "generate"), GenerateConfig),
        (("crowd", "judge"), JudgingConfig),
        (("select",), Recipe),
        (("benchmark", "run"), BenchmarkConfig),
        (("export",), ExportConfig),
    ],
    ids=["finetune", "score", "generate", "judge", "select", "benchmark", "export"],
)
def test_what_a_job_declares_is_what_its_command_offers(path: Any, declaring: Any) -> None:
    """Flags, words and defaults come from the one declaration: a new field is a new option."""
    offered = {name: p for p in dict(ALL)[path].params for name in p.opts}
    for one in options_of(declaring):
        flag = one.flag or f"--{one.name.replace('_', '-')}"
        if one.flag is None:
            continue
        assert offered[flag].help.startswith(one.one or one.help)
        packaged = one.name == "model"  # where none is named it may be the packaged one
        assert packaged or offered[flag].required == one.required
        assert one.short in ("", *offered[flag].opts)


@EACH
def test_every_command_speaks_json(path: tuple[str, ...], command: Any) -> None:
    """All but those that serve: the dashboard, and an assistant in its own protocol."""
    names = {name for parameter in command.params for name in parameter.opts}
    assert path in (("serve",), ("mcp",)) or "--json" in names


def test_presets_are_documented() -> None:
    for name, preset in PRESETS.items():
        assert f"`{name}`" in TEXT
        values = [preset.weights.get(m, 0) for m in ("difficulty", "separability", "stability")]
        if 0 not in values:
            assert f"| `{name}` | {' | '.join(f'{v:g}' for v in values)} |" in TEXT
