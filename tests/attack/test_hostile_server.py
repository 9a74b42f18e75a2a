"""A hostile server at the other end of judge, generate and score: counted failures, no leak."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crowdselect import jobs, pipeline
from crowdselect.making import GenerateConfig, JudgingConfig
from crowdselect.pipeline.making import create_generate, create_judge
from crowdselect.pipeline.scoring import ScoreConfig, create_score
from crowdselect.servers import ChatReply, ChatRequest, RequestCache, ServerConfig, ask_all
from crowdselect.settings import Workspace
from tests.attack import hostile
from tests.benchmark.judge import Server, serve
from tests.pipeline import tiny

KINDS = list(hostile.REPLIES)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package waits between tries, and we do."""
    monkeypatch.setattr(
        "openai._base_client.BaseClient._calculate_retry_timeout", lambda *_, **__: 0.0
    )
    monkeypatch.setattr("crowdselect.servers.client.FIRST_PAUSE_S", 0.0)
    monkeypatch.setenv("HOSTILE_KEY", hostile.SECRET)


@contextmanager
def hostile_server() -> Iterator[tuple[Server, Server]]:
    """Question ``number k`` of an even k gets the bad reply k / 2, of an odd one an honest 8."""
    with serve(lambda *_: {"text": "9"}) as away:

        def behave(_: int, body: dict[str, Any]) -> dict[str, Any]:
            question = body["messages"][-1]["content"]
            number = int(question.split("number ")[1].split()[0].strip(".\"'`]"))
            if number % 2:
                return hostile.plain("8")
            return hostile.sent(hostile.REPLIES[KINDS[number // 2]], f"{away.url}/chat/completions")

        with serve(behave) as server:
            yield server, away


@pytest.fixture
def crowd(workspace: Workspace, tmp_path: Path) -> Any:
    data = tiny.frame(2 * len(KINDS))
    table = tiny.write_tidy(tmp_path, data[data["model"] == "small-1b"])
    return pipeline.ingest(workspace, "table", [table], name="tiny")


def job(workspace: Workspace, what: str, url: str) -> Path:
    # One at a time: an honest answer stands between any two bad ones, whatever the load.
    where = {"base_url": url, "api_key_variable": "HOSTILE_KEY", "concurrency": 1}
    if what == "judge":
        config = JudgingConfig(crowd="tiny", name="new", model="m", kind="server", **where)
        return create_judge(workspace, config)
    if what == "generate":
        del where["base_url"]
        answerers = [{"name": "new-1b", "model": "m", "base_url": url}]
        return create_generate(
            workspace, GenerateConfig(source="tiny", name="tiny", answerers=answerers, **where)
        )
    models = [{"model": "m", **where}]
    options = {"models": models}
    return create_score(workspace, ScoreConfig(source="tiny", scorer="direct", options=options))


@pytest.mark.parametrize("what", ["judge", "generate", "score"])
def test_a_job_comes_to_its_end(
    workspace: Workspace, crowd: Any, what: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with hostile_server() as (server, away):
        path = job(workspace, what, server.url)
        state = jobs.run_here(path)
    assert state == "done", jobs.read(path).error
    assert away.asked == [], "texts went where nobody sent them"
    again = pipeline.open_crowd(workspace, "tiny")
    odd = np.arange(crowd.n) % 2 == 1
    if what == "judge":
        values = again.rewards("new").values[:, 0]
        assert (values[odd] == 8).all()
        assert np.isnan(values[~odd][: KINDS.index("digits without end")]).all()
        assert np.nanmax(values) <= 10
    elif what == "generate":
        column = [m.name for m in again.models].index("new-1b")
        found = again.responses_of(np.full(again.n, column))
        assert all(found[row] == "8" for row in np.flatnonzero(odd))
        assert found[2 * KINDS.index("null content")] is None
    said = "".join(capfd.readouterr())
    assert hostile.SECRET not in said
    for file in workspace.root.rglob("*"):
        if file.is_file():
            assert hostile.SECRET.encode() not in file.read_bytes(), file


def asked(server: Server, **options: Any) -> ChatReply:
    replies: list[ChatReply] = []
    config = ServerConfig(model="m", base_url=server.url, api_key_variable="HOSTILE_KEY", **options)
    request = ChatRequest("k", ({"role": "user", "content": "q"},), 16)
    ask_all(config, [request], lambda _, r: replies.append(r), cache=RequestCache(None))
    return replies[0]


@pytest.mark.parametrize("kind", hostile.SLOW)
def test_what_never_ends_is_left(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crowdselect.servers.transport.LARGEST_BODY", 1 << 20)
    monkeypatch.setattr("crowdselect.servers.client.LONGEST_WAIT_S", 0.0)
    before = threading.active_count()
    with serve(lambda *_: hostile.SLOW[kind]()) as server:
        reply = asked(server, retries=1, timeout_s=0.5)
    assert reply.problem
    assert len(reply.problem) < 500
    assert threading.active_count() <= before + 20


def test_a_redirect_is_not_followed() -> None:
    for status in (301, 302, 303, 307, 308):
        with serve(lambda *_: {"text": "9"}) as away:
            reply = {"status": status, "headers": {"Location": f"{away.url}/chat/completions"}}
            with serve(lambda *_, reply=reply: reply) as server:
                found = asked(server, retries=0)
            assert "sends on to another address" in found.problem
            assert away.asked == []
