"""Whole jobs against servers that fail, recover, echo the key and want more room."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crowdselect import files, jobs, keys, pipeline
from crowdselect.benchmark.subject import SubjectConfig
from crowdselect.cli import main
from crowdselect.errors import CrowdSelectError, InputError
from crowdselect.making import JudgingConfig
from crowdselect.pipeline.making import create_judge
from crowdselect.servers import ServerConfig, by_kind
from crowdselect.settings import Workspace
from tests.benchmark.judge import serve
from tests.pipeline import tiny

SECRET = "sk-test-0123456789abcdef"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package waits up to eight seconds between two tries."""
    monkeypatch.setattr(
        "openai._base_client.BaseClient._calculate_retry_timeout", lambda *_, **__: 0.0
    )
    monkeypatch.setattr("crowdselect.servers.client.FIRST_PAUSE_S", 0.0)


@pytest.fixture
def crowd(workspace: Workspace, tmp_path: Path) -> Any:
    table = tiny.write_tidy(tmp_path, tiny.frame(4))
    return pipeline.ingest(workspace, "table", [table], name="tiny")


def judged(workspace: Workspace, url: str, *, replace: bool = False, **fields: Any) -> Path:
    config = JudgingConfig(
        crowd="tiny", name="judge", model="m", kind="server", base_url=url, concurrency=2, **fields
    )
    return create_judge(workspace, config, replace=replace)


def rewards(workspace: Workspace) -> Any:
    return pipeline.open_crowd(workspace, "tiny").rewards("judge").values


def told(path: Path) -> dict[str, Any]:
    return next(
        e for e in reversed(files.read_lines(path / "events.jsonl")) if e["event"] == "judged"
    )


@pytest.mark.parametrize("again", ["resume", "replace"])
def test_what_a_server_refused_is_asked_again_after_it_recovered(
    workspace: Workspace, crowd: Any, again: str
) -> None:
    broken = True

    def picky(number: int, body: dict[str, Any]) -> dict[str, Any]:
        if broken and number % 3 == 0:
            return {"status": 400}
        return {"text": "no idea" if number == 1 else "8"}

    with serve(picky) as server:
        path = judged(workspace, server.url)
        assert jobs.run_here(path) == "done"
        first = told(path)
        assert first["problems"]["the server refused: try later"] > 0
        assert first["problems"]["no grade in the answer: 'no idea'"] == 1
        lines = "\n".join(pipeline.open_crowd(workspace, "tiny").report_lines())
        assert "x the server refused: try later" in lines
        assert "1 x no grade in the answer: 'no idea'" in lines
        before, broken = len(server.asked), False
        if again == "replace":
            path = judged(workspace, server.url, replace=True)
        assert jobs.run_here(path) == "done"
        refused = first["problems"]["the server refused: try later"]
        lines = "\n".join(pipeline.open_crowd(workspace, "tiny").report_lines())
        assert "refused" not in lines, "it was mended"
        assert "judge rewarded 1 answers not: 1 x no grade" in lines
        assert len(server.asked) - before == refused, "only what was refused is asked again"
        assert told(path)["problems"] == {"no grade in the answer: 'no idea'": 1}
        values = rewards(workspace)
        assert np.nanmax(values) == np.nanmin(values) == 8
        assert jobs.run_here(path) == "done"
        assert len(server.asked) - before == refused


def test_what_a_judges_server_does_not_take_is_said(workspace: Workspace, crowd: Any) -> None:
    def warm(_: int, body: dict[str, Any]) -> dict[str, Any]:
        refusal = {"error": {"message": "Unsupported value: 'temperature' does not support 0."}}
        return {"status": 400, "body": refusal} if "temperature" in body else {"text": "8"}

    with serve(warm) as server:
        path = judged(workspace, server.url)
        assert jobs.run_here(path) == "done"
    assert told(path)["note"] == "m takes no temperature."
    assert told(path)["problems"] == {}


def test_a_server_that_is_gone_at_a_resume_takes_nothing_away(
    workspace: Workspace, crowd: Any
) -> None:
    with serve(lambda n, _: {"status": 400} if n == 1 else {"text": "8"}) as server:
        path = judged(workspace, server.url)
        assert jobs.run_here(path) == "done"
    before = np.isnan(rewards(workspace)).sum()
    config = files.read_json(path / "config.json")
    assert config["config"]["base_url"] == server.url
    assert jobs.run_here(path) == "failed", "nobody answers at that address now"
    assert np.isnan(rewards(workspace)).sum() == before


def echo(number: int, body: dict[str, Any]) -> dict[str, Any]:
    """A server that repeats the key wherever it can."""
    if number == 1:
        return {"status": 400, "body": {"error": {"message": f"Bearer {SECRET} has no credit"}}}
    if number == 2:
        return {"text": f"My key is {SECRET}, no grade."}
    if number == 3:
        return {"body": {"error": {"message": f"key {SECRET} is slow"}}}
    return {"status": 401, "body": {"error": {"message": f"Incorrect key: {SECRET}"}}}


def test_a_key_that_a_server_echoes_is_written_and_said_nowhere(
    workspace: Workspace, crowd: Any, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    monkeypatch.setenv("MY_OWN_VARIABLE", SECRET)
    with serve(echo) as server:
        given = ["crowd", "judge", "tiny", "-m", "m", "--name", "judge", "--server", server.url]
        given += ["--api-key-variable", "MY_OWN_VARIABLE", "--workspace", str(workspace.root)]
        code = main(given)
    assert code == 2
    out, err = capfd.readouterr()
    assert "[secret]" in err
    assert SECRET not in out + err
    for path in workspace.root.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path
    run = next(workspace.runs.glob("judge-*"))
    assert "[secret]" in (run / "status.json").read_text()


def test_a_traceback_in_a_log_holds_no_key(workspace: Workspace, tmp_path: Path) -> None:
    path = jobs.create(workspace, "index", {"crowd": "none"})
    code = (
        "import sys, runpy; from crowdselect.jobs import kinds;"
        "kinds.KINDS['index'] = 'tests.servers.test_jobs:crash';"
        f"sys.argv = ['jobs', {str(path)!r}];"
        "runpy.run_module('crowdselect.jobs', run_name='__main__')"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "SOME_API_KEY": SECRET},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "RuntimeError" in found.stderr
    assert SECRET not in found.stderr + found.stdout
    assert SECRET not in (path / "status.json").read_text()
    assert "[secret]" in (path / "status.json").read_text()


def crash(job: jobs.Job) -> None:
    print("about to use", os.environ["SOME_API_KEY"])
    raise RuntimeError(f"no luck with {os.environ['SOME_API_KEY']}")


def test_a_run_is_for_its_owner_only(workspace: Workspace, crowd: Any) -> None:
    with serve(lambda *_: {"text": "8"}) as server:
        path = judged(workspace, server.url)
        jobs.start(path)
        while jobs.read(path).state in jobs.ALIVE:
            pass
    assert jobs.read(path).state == "done"
    for found in [path, *path.rglob("*")]:
        assert not stat.S_IMODE(found.stat().st_mode) & 0o077, found


@pytest.mark.parametrize(
    "given",
    [
        {"api_key_variable": SECRET},
        {"base_url": f"http://user:{SECRET}@127.0.0.1/v1"},
        {"base_url": f"http://127.0.0.1/v1?key={SECRET}"},
    ],
)
def test_a_key_in_the_place_of_its_name_is_refused_and_not_repeated(
    given: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    with pytest.raises(InputError) as error:
        ServerConfig(**{"model": "m", "base_url": "http://127.0.0.1/v1", **given})
    assert SECRET not in str(error.value)
    if "base_url" in given:
        with pytest.raises(InputError, match="password or a key"):
            SubjectConfig(name="m", model="m", endpoint=given["base_url"])


def test_secrets_in_every_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_TOKEN", "a+b/c=secret")
    monkeypatch.setenv("SHORT_KEY", "abc")
    assert keys.scrub("x a+b/c=secret a%2Bb%2Fc%3Dsecret abc") == "x [secret] [secret] abc"
    assert keys.scrub_all({"a+b/c=secret": ["a+b/c=secret", 1, None]}) == {
        "[secret]": ["[secret]", 1, None]
    }
    error = CrowdSelectError("a+b/c=secret", "try a+b/c=secret")
    assert str(error) == "[secret]\ntry [secret]"


def test_a_judge_that_needs_room_says_so_and_gets_it(workspace: Workspace, crowd: Any) -> None:
    def thinker(_: int, body: dict[str, Any]) -> dict[str, Any]:
        if body["max_tokens"] < 4000:
            return {"text": "<think>It may be [[3]] but", "finish": "length"}
        return {"text": "<think>It may be [[3]] but no.</think>\n8"}

    with serve(thinker) as server:
        cramped = judged(workspace, server.url)
        assert jobs.run_here(cramped) == "done"
        problem = "its thoughts reached the length limit of 256 tokens; --max-tokens gives it more"
        assert list(told(cramped)["problems"]) == [problem]
        assert jobs.run_here(judged(workspace, server.url, max_tokens=4000)) == "done"
    assert np.nanmin(rewards(workspace)) == 8


@pytest.mark.parametrize("command", [["crowd", "judge"], ["score"], ["benchmark", "run"]])
def test_the_option_for_room_is_there(command: list[str], capsys: Any) -> None:
    assert main([*command, "--help"]) == 0
    assert "--max-tokens" in capsys.readouterr().out


def test_scores_say_how_often_which_reason(workspace: Workspace, crowd: Any, capsys: Any) -> None:
    with serve(lambda *_: {"text": "8"}) as server:
        given = ["score", "tiny", "-s", "direct", "-m", "m", "--server", server.url]
        assert main([*given, "--max-tokens", "4000", "--workspace", str(workspace.root)]) == 0
        assert {body["max_tokens"] for body in server.asked} == {4000}
    assert "times: the grade 8 is above 5" in capsys.readouterr().err


def test_reasons_of_a_kind_are_counted_together() -> None:
    reasons = [
        "the grade 11 is above 10",
        "no grade in the answer: 'a'",
        "the grade 85 is above 10",
    ]
    assert by_kind([*reasons, "no grade in the answer: 'b'", "no grade in the answer: ''"]) == {
        "no grade in the answer: 'a'": 3,
        "the grade 11 is above 10": 2,
    }


def test_a_served_score_is_estimated_with_its_price_and_limited(
    workspace: Workspace, crowd: Any, capsys: Any
) -> None:
    with serve(lambda *_: {"text": "4"}) as server:
        (workspace.root / "servers.toml").write_text(
            f'[here]\nbase_url = "{server.url}"\ncurrency = "USD"\n'
            "[here.prices.m]\ninput = 2.0\noutput = 1000.0\n"
        )
        given = ["score", "tiny", "-s", "direct", "-m", "m", "--server", server.url + "/"]
        given += ["--max-tokens", "100", "--workspace", str(workspace.root)]
        assert main([*given, "--max-requests", "3"]) == 2
        said = capsys.readouterr().err
        assert server.asked == []
        assert "at most 3 requests were allowed" in said
        line = next(line for line in said.splitlines() if line.startswith("At most: 4 requests"))
        prompt = int(re.search(r"([\d,]+) prompt", line)[1].replace(",", ""))
        assert 400 < prompt < 4000
        assert f"400 completion tokens, cost {(2 * prompt + 1000 * 400) / 1e6:,.4g} USD." in line
        assert main([*given, "--max-requests", "4"]) == 0
        assert len(server.asked) == 4
        (workspace.root / "servers.toml").unlink()
        assert main([*given, "--max-requests", "3"]) == 2
        assert "cost" not in capsys.readouterr().err.split("At most")[-1].split("\n")[0]
