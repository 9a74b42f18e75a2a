"""A real server: who is answered, what may frame it, and what a read-only one takes."""

import asyncio
import http.client
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.responses import PlainTextResponse

from crowdselect import jobs
from crowdselect.dashboard.doors import Doors
from crowdselect.errors import InputError
from crowdselect.jobs.wait import watch
from crowdselect.people import Person, let_ask
from crowdselect.roles import is_invited
from crowdselect.settings import Limits, frame_ancestors, open_workspace
from tests.browser import Server, serve

APP = Path(__file__).parents[2] / "app.py"


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("w")
    environment = {
        "CROWDSELECT_WORKSPACE": str(root),
        "CROWDSELECT_READ_ONLY": "1",
        "CROWDSELECT_HOSTS": "crowd.example.org",
        "CROWDSELECT_FRAME_ANCESTORS": "https://huggingface.co",
    }
    with serve(APP, environment) as server:
        yield server


def ask(
    server: Server, method: str, path: str, host: str | None = None, body: bytes | None = None
) -> http.client.HTTPResponse:
    address = urlsplit(server.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
    headers = {"Host": f"{host}:{address.port}"} if host else {}
    connection.request(method, path, body=body, headers=headers)
    return connection.getresponse()


@pytest.mark.parametrize("host", [None, "localhost", "127.0.0.1", "[::1]", "crowd.example.org"])
def test_its_own_names_are_answered(reading: Server, host: str | None) -> None:
    assert ask(reading, "GET", "/_stcore/health", host).status == 200


@pytest.mark.parametrize("host", ["evil.example.com", "localhost.evil.example.com", "10.0.0.7"])
@pytest.mark.parametrize("path", ["/", "/_stcore/health", "/_stcore/stream", "/explore"])
def test_other_names_are_not(reading: Server, host: str, path: str) -> None:
    assert ask(reading, "GET", path, host).status == 400


def test_no_site_may_frame_it_but_those_that_were_named(reading: Server) -> None:
    for path in ("/", "/explore", "/_stcore/health"):
        answer = ask(reading, "GET", path)
        policy = answer.getheader("content-security-policy")
        assert policy == "frame-ancestors 'self' https://huggingface.co"
        assert answer.getheader("x-content-type-options") == "nosniff"


@pytest.mark.parametrize(
    "site", ["*", "huggingface.co", "https://a b", "https://a;script-src *", ""]
)
def test_a_site_is_an_address_and_no_directive(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROWDSELECT_FRAME_ANCESTORS", site)
    if site:
        with pytest.raises(InputError, match="no site"):
            frame_ancestors()
    else:
        assert frame_ancestors() == []


def _put(app: Doors, visit: str, size: int | None) -> int:
    seen: list[int] = []

    async def send(message: Any) -> None:
        seen.extend([message["status"]] if "status" in message else [])

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    headers = [] if size is None else [(b"content-length", str(size).encode())]
    scope = {"type": "http", "method": "PUT", "path": f"/_stcore/upload_file/{visit}/f",
             "headers": headers}  # fmt: skip
    asyncio.run(app(scope, receive, send))
    return seen[0]


def test_a_visit_may_upload_so_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROWDSELECT_WORKSPACE", str(tmp_path / "w"))
    monkeypatch.setenv("CROWDSELECT_LIMITS", str(Limits(upload_mb=3)))
    app = Doors(PlainTextResponse("kept"))
    mb = 1 << 20
    assert [_put(app, "a", 2 * mb), _put(app, "a", 2 * mb), _put(app, "a", mb)] == [200, 413, 200]
    assert _put(app, "b", 2 * mb) == 200
    assert _put(app, "b", None) == 413
    monkeypatch.setenv("CROWDSELECT_LIMITS", str(Limits(free_gb=1e9)))
    assert _put(app, "c", mb) == 413


def test_a_server_starts_so_many_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = open_workspace(tmp_path / "w")
    monkeypatch.setenv("CROWDSELECT_LIMITS", str(Limits(jobs=3, jobs_each=2)))
    monkeypatch.setattr("crowdselect.people._asking", [lambda: Person(account="ann")])
    for _ in range(2):
        jobs.create(workspace, "index", {"crowd": "c"}, run_id=f"r{_}")
    with pytest.raises(InputError, match="2 jobs of yours are running; this server runs 2"):
        jobs.create(workspace, "index", {"crowd": "c"})
    let_ask(lambda: Person(account="bob"))
    path = jobs.create(workspace, "index", {"crowd": "c"})
    assert jobs.read(path).by == "bob"
    with pytest.raises(InputError, match="3 jobs are running; this server runs 3"):
        jobs.create(workspace, "index", {"crowd": "c"})
    jobs.start(path)  # it is one of the three
    list(watch(path))
    monkeypatch.setenv("CROWDSELECT_LIMITS", str(Limits(free_gb=1e9)))
    with pytest.raises(InputError, match="starts nothing below"):
        jobs.start(path)
    monkeypatch.delenv("CROWDSELECT_LIMITS")
    for _ in range(9):
        jobs.create(workspace, "index", {"crowd": "c"})


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_a_read_only_server_takes_no_upload(reading: Server, method: str) -> None:
    path = "/_stcore/upload_file/00000000-0000-0000-0000-000000000000/f"
    answer = ask(reading, method, path, body=b"x" * 1000)
    assert answer.status == 403
    assert b"read-only" in answer.read()


@pytest.mark.parametrize(
    ("email", "allow", "invited"),
    [
        ("ann@example.org", ["ann@example.org"], True),
        ("Ann@Example.org", ["ann@example.org"], True),
        ("bob@team.org", ["@team.org"], True),
        ("bob@eviltteam.org", ["@team.org"], False),
        ("bob@sub.team.org", ["@team.org"], False),
        ("a@evil.org@team.org", ["@team.org"], False),
        ("bob@team.org", [], False),
        (None, ["@team.org"], False),
        ("", ["@"], False),
        ("anyone@anywhere.org", ["*"], True),
    ],
)
def test_only_who_is_on_the_list_comes_in(
    email: str | None, allow: list[str], invited: bool
) -> None:
    assert is_invited(email, allow) == invited
