"""Requests by the Batch API: opted into per server, collected after a kill, nothing sent twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crowdselect import files, jobs, pipeline
from crowdselect.errors import CancelledError, CrowdSelectError
from crowdselect.making import JudgingConfig
from crowdselect.pipeline.making import create_judge, judging_cost
from crowdselect.servers import ChatReply, ChatRequest, RequestCache, ServerConfig, ask_all
from crowdselect.settings import Workspace
from tests.pipeline import tiny
from tests.servers.batch_server import Batches, serve


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crowdselect.servers.batches.POLL_S", 0.01)


def asked(n: int) -> list[ChatRequest]:
    question = {"role": "user", "content": "What is {}?"}
    return [
        ChatRequest(str(k), ({**question, "content": f"What is {k}?"},), 16)  # type: ignore[typeddict-item]
        for k in range(n)
    ]


def ask(
    server: Batches, cache: Path, requests: list[ChatRequest], **more: Any
) -> dict[str, ChatReply]:
    config = ServerConfig(model="m", base_url=server.url, batch=True, retries=0)
    found: dict[str, ChatReply] = {}
    ask_all(
        config, requests, lambda q, r: found.update({q.key: r}), cache=RequestCache(cache), **more
    )
    return found


def echo(body: dict[str, Any]) -> dict[str, Any]:
    return {"text": body["messages"][-1]["content"].removeprefix("What is ")}


def test_every_request_gets_its_own_answer_and_failures_are_asked_again(tmp_path: Path) -> None:
    ill = {"What is 1?": {"status": 500}, "What is 2?": None}
    with serve(lambda body: ill.get(body["messages"][-1]["content"], echo(body))) as server:
        found = ask(server, tmp_path, asked(4))
        assert [found[str(k)].text for k in (0, 3)] == ["0?", "3?"]
        assert found["1"].problem == "the server refused: try later"
        assert found["2"].problem == "the server gave no answer in a batch that completed"
        ill.clear()
        again = ask(server, tmp_path, asked(4))
        assert [again[str(k)].text for k in range(4)] == ["0?", "1?", "2?", "3?"]
        assert server.files[server.batches["batch-1"]["input_file_id"]].count(b"\n") == 2
        ask(server, tmp_path, asked(4))
        assert len(server.batches) == 2, "all is in the cache"


def test_parts_that_were_sent_are_collected_as_they_were_whatever_else_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crowdselect.servers.batches.MOST_REQUESTS", 2)

    def stop() -> None:
        raise CancelledError

    with serve(echo) as server:
        server.ready = False
        with pytest.raises(CancelledError):
            ask(server, tmp_path, asked(5), heartbeat=stop)
        assert len(server.batches) == 3
        server.ready = True
        found = ask(server, tmp_path, asked(7)[::-1])
        assert [found[str(k)].text for k in range(7)] == [f"{k}?" for k in range(7)]
        assert len(server.batches) == 4, "the two that are new"


@pytest.mark.parametrize("lost", [False, True])
def test_who_was_stopped_while_it_waited_collects_it_at_the_next_start(
    tmp_path: Path, lost: bool
) -> None:
    def stop() -> None:
        raise CancelledError

    with serve(echo) as server:
        server.ready = False
        with pytest.raises(CancelledError):
            ask(server, tmp_path, asked(3), heartbeat=stop)
        (record,) = (tmp_path / "batches").iterdir()
        if lost:  # killed after the server took it and before its id was written down
            files.write_json(record, {**files.read_json(record), "batch": None})
        server.ready = True
        found = ask(server, tmp_path, asked(3))
        assert [found[str(k)].text for k in range(3)] == ["0?", "1?", "2?"]
        assert len(server.batches) == 1, "nothing was sent twice"
        assert list((tmp_path / "batches").iterdir()) == []


def test_a_batch_that_ends_badly_and_a_server_without_any_are_told(tmp_path: Path) -> None:
    with serve(lambda body: None) as server:
        server.ends = "expired"
        found = ask(server, tmp_path, asked(2))
        assert {r.problem for r in found.values()} == {
            "the server gave no answer in a batch that expired"
        }
        server.url = server.url.replace("/v1", "/v0")
        with pytest.raises(CrowdSelectError) as error:
            ask(server, tmp_path / "other", asked(1))
    assert "has no Batch API" in error.value.problem
    assert "servers.toml" in error.value.remedy


def test_judging_goes_by_batch_where_the_owner_says_so_at_that_price(
    workspace: Workspace, tmp_path: Path
) -> None:
    table = tiny.write_tidy(tmp_path, tiny.frame(4))
    crowd = pipeline.ingest(workspace, "table", [table], name="tiny")
    with serve(lambda body: {"text": "8"}) as server:
        config = JudgingConfig(
            crowd="tiny", name="j", model="m", kind="server", base_url=server.url
        )
        entry = f'[v]\nbase_url = "{server.url}"\n'
        prices = "[v.prices.m]\ninput = 1.0\noutput = 1.0\n"
        (workspace.root / "servers.toml").write_text(entry + prices)
        whole = judging_cost(workspace, config)
        (workspace.root / "servers.toml").write_text(entry + "batch = 0.5\n" + prices)
        half = judging_cost(workspace, config)
        assert whole is not None
        assert half is not None
        assert half.money == pytest.approx((whole.money or 0) / 2)
        path = create_judge(workspace, config)
        assert jobs.run_here(path) == "done"
        assert len(server.batches) == 1
    values = pipeline.open_crowd(workspace, "tiny").rewards("j").values
    assert np.nanmin(values) == np.nanmax(values) == 8
    assert crowd.n == 4
