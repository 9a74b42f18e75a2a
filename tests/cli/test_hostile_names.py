"""Names and texts of a hostile crowd: no terminal obeys them, no spreadsheet or page runs them."""

import csv
import json

import pytest

from crowdselect import pipeline
from crowdselect.cli import main
from crowdselect.cli.terminal import print_json, print_table, say, tell, visible
from crowdselect.export.card import _plain
from crowdselect.files import inert
from tests.pipeline import tiny

STEERING = "a\x1b[2J\x1b]0;title\x07b\x9b31m\u202egnp.exe\r\x7f"


def test_nothing_steers_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_table((STEERING, "[red]n[/red]"), [(STEERING, 1), ("b", 2)], title=STEERING)
    tell(STEERING)
    say(STEERING)
    print_json({STEERING: [STEERING]})
    out, err = capsys.readouterr()
    for sign in "\x1b\x07\x9b\u202e\r\x7f":
        assert sign not in out + err
    assert "[red]n[/red]" in out, "a header is no markup"
    assert "\\u001b" in err
    assert json.loads(out[out.index("{") :]) == {STEERING: [STEERING]}
    assert visible("tab\tline\nümlaut 漢字 🙂") == "tab\tline\nümlaut 漢字 🙂"
    say("half \ud835")


def test_an_error_about_a_hostile_name_is_text(workspace, capsys) -> None:
    assert main(["crowd", "show", STEERING, "--workspace", str(workspace.root)]) == 2
    assert "\x1b" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ('=HYPERLINK("x")', '\'=HYPERLINK("x")'),
        ("@SUM(1)", "'@SUM(1)"),
        ("+1", "'+1"),
        ("\t=1", "'\t=1"),
        ("a=1", "a=1"),
        (-1.5, -1.5),
        (None, None),
    ],
)
def test_cells_that_would_run_are_made_inert(value: object, written: object) -> None:
    assert inert(value) == written


def test_a_table_for_a_spreadsheet_runs_nothing(workspace, tmp_path, capsys) -> None:
    frame = tiny.frame(3)
    frame["id"] = frame["id"].replace({frame["id"].iloc[0]: "=1+1"})
    pipeline.ingest(workspace, "table", [tiny.write_tidy(tmp_path, frame)], name="tiny")
    given = ["metrics", "tiny", "--metric", "mean_reward", "--workspace", str(workspace.root)]
    plain, safe = tmp_path / "plain.csv", tmp_path / "safe.csv"
    assert main([*given, "--out", str(plain)]) == 0
    assert "1 cells or headings look like formulas" in capsys.readouterr().err
    assert main([*given, "--out", str(safe), "--no-formulas"]) == 0
    assert "formulas" not in capsys.readouterr().err

    def ids(path):
        return {row["id"] for row in csv.DictReader(path.open(encoding="utf-8"))}

    assert "=1+1" in ids(plain)
    assert ids(safe) == ids(plain) - {"=1+1"} | {"'=1+1"}


def test_a_card_shows_names_as_text() -> None:
    name = "<img src=x onerror=alert(1)> | [x](http://e) `c`\n# head"
    assert _plain(name) == (
        "&lt;img src=x onerror=alert(1)&gt; \\| \\[x\\](http://e) \\`c\\` # head"
    )
    assert _plain("Meta-Llama-3.1-8B_Instruct*") == "Meta-Llama-3.1-8B_Instruct*"
