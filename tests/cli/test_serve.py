"""The dashboard starts on this machine only, over the workspace that was named."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from crowdselect.cli import serve
from crowdselect.errors import NotFoundError


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What would be run instead of a server."""
    seen: dict[str, Any] = {}

    real = subprocess.Popen

    def run(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        seen.update(command=command, **options)
        return real([sys.executable, "-c", ""])

    monkeypatch.setattr(serve.subprocess, "Popen", run)
    return seen


def test_local_and_private_by_default(run, here: Path, started) -> None:
    said = run("serve", "--no-browser")
    assert said.code == 0
    assert "--server.address=127.0.0.1" in started["command"]
    assert "--browser.gatherUsageStats=false" in started["command"]
    assert started["env"]["CROWDSELECT_WORKSPACE"] == str(here)
    assert "CROWDSELECT_READ_ONLY" not in started["env"]
    assert (Path(started["cwd"]) / "app.py").exists()
    assert "Everybody" not in said.err


def test_read_only_and_open_to_others(run, here: Path, started) -> None:
    run("serve", "--read-only", "--port", "8600")
    assert started["env"]["CROWDSELECT_READ_ONLY"] == "1"
    assert "--server.port=8600" in started["command"]
    assert "Everybody" in run("serve", "--host", "0.0.0.0").err


def test_the_login_is_a_file_that_is_named(run, here: Path, started) -> None:
    """As an installed wheel needs it, where nothing can lie beside app.py."""
    login = here.parent / "login.toml"
    login.write_text("[auth]\n")
    assert run("serve", "--no-browser", "--secrets", str(login)).code == 0
    assert f"--secrets.files={login}" in started["command"]
    assert run("serve", "--secrets", "nowhere.toml").code == 2


def test_where_the_dashboard_lies(monkeypatch, tmp_path: Path) -> None:
    """Beside the package in a checkout; inside it in an installed wheel."""
    assert serve.dashboard_file() == Path(__file__).parents[2] / "app.py"
    package = tmp_path / "crowdselect"
    (package / "cli").mkdir(parents=True)
    monkeypatch.setattr(serve, "__file__", str(package / "cli" / "serve.py"))
    with pytest.raises(NotFoundError, match=r"app\.py"):
        serve.dashboard_file()
    (package / "_app" / "pages").mkdir(parents=True)
    (package / "_app" / "app.py").touch()
    assert serve.dashboard_file() == package / "_app" / "app.py"


@pytest.mark.parametrize(("told", "everybody"), [(signal.SIGINT, True), (signal.SIGTERM, False)])
def test_a_real_server_answers_and_stops(here: Path, told: int, everybody: bool) -> None:
    """By Ctrl-C, which the whole group hears, and as a service manager ends its one process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    entry = str(Path(sys.executable).parent / "crowdselect")
    server = subprocess.Popen(
        [entry, "serve", "--no-browser", "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        assert _health(port) == "ok"
    finally:
        (os.killpg if everybody else os.kill)(server.pid, told)
        out, _ = server.communicate(timeout=60)
    assert b"Traceback" not in out
    assert b"was stopped" in out
    assert server.returncode == 130
    with pytest.raises(ConnectionRefusedError):  # nobody listens any more
        socket.create_connection(("127.0.0.1", port), timeout=5)


def _health(port: int) -> str:
    deadline = time.time() + 120
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5) as r:
                return r.read().decode()
        except OSError:  # refused while it starts, or too busy to answer
            assert time.time() < deadline, "the server never answered"
            time.sleep(0.3)


def test_a_server_logs_as_json_where_it_is_told_to(run, here: Path, started) -> None:
    run("serve", "--no-browser")
    assert "CROWDSELECT_LOG" not in started["env"]
    run("serve", "--no-browser", "--log-json")
    assert started["env"]["CROWDSELECT_LOG"] == "json:INFO"
    run("-vv", "serve", "--no-browser", "--log-json")
    assert started["env"]["CROWDSELECT_LOG"] == "json:DEBUG"
