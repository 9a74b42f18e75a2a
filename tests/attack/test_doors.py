"""A real server: who is answered, what may frame it, and what a read-only one takes."""

import http.client
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from crowdselect.dashboard.people import is_invited
from tests.browser import Server, serve

APP = Path(__file__).parents[2] / "app.py"


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("w")
    environment = {
        "CROWDSELECT_WORKSPACE": str(root),
        "CROWDSELECT_READ_ONLY": "1",
        "CROWDSELECT_HOSTS": "crowd.example.org",
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


def test_no_other_site_may_frame_it(reading: Server) -> None:
    for path in ("/", "/explore", "/_stcore/health"):
        answer = ask(reading, "GET", path)
        assert "frame-ancestors 'self'" in str(answer.getheader("content-security-policy"))
        assert answer.getheader("x-content-type-options") == "nosniff"


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
