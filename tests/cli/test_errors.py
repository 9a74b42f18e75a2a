"""Bad input: two lines on stderr, exit code 2, nothing on stdout; bugs keep their traceback."""

import pytest

from crowdselect.errors import CancelledError
from crowdselect.locks import LOCK

SELECT = ("select", "tiny", "--encoder", "lsa")


@pytest.mark.parametrize(
    ("arguments", "problem", "remedy"),
    [
        (("slect",), "No such command 'slect'", "crowdselect --help"),
        (("select",), "Missing argument 'CROWD'", "crowdselect select --help"),
        (("select", "tiny", "--bugdet", "3"), "No such option: --bugdet", "select --help"),
        (("select", "tiny", "--seed", "x"), "valid integer", "select --help"),
        (("crowd", "show", "tinny"), "no crowd called 'tinny'", "tiny"),
        (("crowd", "show", "../x"), "cannot be the name", "letters"),
        (("crowd", "remove", "nobody"), "no crowd called 'nobody'", ""),
        (("metrics", "tiny", "-m", "dificulty"), "dificulty", "difficulty"),
        (("metrics", "tiny", "--judge", "me"), "no judge called 'me'", "strict"),
        ((*SELECT, "--weights", "difficulty"), "'difficulty' in --weights", "difficulty=1"),
        ((*SELECT, "--weights", "difficulty=much"), "'much' is not a number", "number"),
        ((*SELECT, "--weights", "a=1,a=2"), "'a=2' in --weights", "once"),
        ((*SELECT, "--weights", "a=1", "--preset", "paper"), "Both", "one of the two"),
        ((*SELECT, "--preset", "papper"), "no preset 'papper'", "paper"),
        ((*SELECT, "--budget", "many"), "'many' is not a number", "number"),
        ((*SELECT, "--budget", "-3"), "whole number", "Correct budget"),
        ((*SELECT, "--range", "difficulty"), "'difficulty' is not a range", "LOW..HIGH"),
        ((*SELECT, "--recipe", "none.toml"), "There is no file none.toml", "--write-recipe"),
        ((*SELECT, "-o", "tise=id"), "'tise=id' is not an option", "ties"),
        ((*SELECT, "-s", "rnd"), "no strategy called 'rnd'", "random"),
        ((*SELECT, "--near-duplicates", "3"), "near_duplicates", "Correct"),
        (("export", "nobody"), "no selection called 'nobody'", "none yet"),
        (("export", "nobody", "-f", "mesages"), "no format called 'mesages'", "messages"),
        (("compare", "a"), "no selection called 'a'", ""),
        (("run", "show", "x"), "no run 'x'", ""),
        (("ingest", "table", "nowhere.csv"), "nowhere.csv", "path"),
    ],
)
def test_two_lines_and_code_2(run, here, arguments, problem, remedy) -> None:
    said = run(*arguments)
    lines = said.err.splitlines()
    assert (said.code, said.out) == (2, "")
    assert len(lines) == 2, said.err
    assert lines[0].startswith("Error: ")
    assert problem in lines[0]
    assert remedy in lines[1]
    assert lines[1]


@pytest.mark.parametrize("arguments", [(), ("crowd",), ("run",)])
def test_no_command_shows_the_help(run, arguments) -> None:
    said = run(*arguments)
    assert said.code == 2
    assert "Usage" in said.out
    assert "No command was given" in said.err
    assert f"See {' '.join(('crowdselect', *arguments))} --help." in said.err


def test_a_failed_ingest_leaves_nothing(run, tmp_path) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text('{"id": "a", "instruction": "x", "model": "m", "reward": 1}\n{oops\n')
    said = run("ingest", "table", file, "--workspace", tmp_path / "w")
    assert said.code == 2
    assert "bad.jsonl, line 2" in said.err
    files = [p for p in (tmp_path / "w").rglob("*") if p.is_file()]
    assert [p for p in files if not p.name.startswith(LOCK)] == []


def test_a_bug_keeps_its_traceback(run, here, monkeypatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("crowdselect.pipeline.open_crowd", broken)
    with pytest.raises(ZeroDivisionError):
        run("crowd", "show", "tiny")


@pytest.mark.parametrize("error", [KeyboardInterrupt, CancelledError])
def test_ctrl_c_is_130(run, here, monkeypatch, error) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("crowdselect.pipeline.open_crowd", stopped)
    said = run("crowd", "show", "tiny")
    assert said.code == 130
    assert "Cancelled" in said.err


def test_version_and_help(run) -> None:
    assert run("--version").out.strip()[0].isdigit()
    assert "select" in run("--help").out
    assert run("-h").code == 0
