"""A real Streamlit server and a real Chromium for tests: no mocks, nothing leaves this machine.

``serve(script)`` starts a server on a free port, ``browser_page()`` opens a watched page; wrap them
in fixtures of the module that needs them. ``browser_page`` skips the test, with one clear line,
where Playwright or Chromium is missing.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pytest

IDLE = """() => {
  const app = document.querySelector('[data-testid="stApp"]')
  return app && app.getAttribute('data-test-script-state') === 'notRunning'
    && app.getAttribute('data-test-connection-state') === 'CONNECTED'
    && !document.querySelector('[data-stale="true"]')
}"""
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    # Names of other machines do not resolve: a page that needs one fails here, not on a train.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LOCAL = {"127.0.0.1", "localhost"}
# Chromium says so when a test reads pixels back; it is no fault of the page.
HARMLESS = ("GPU stall due to ReadPixels",)


def chromium_path() -> str:
    """Path of an installed Chromium; skips the test where there is none."""
    for name in BROWSERS:
        if path := shutil.which(name):
            return path
    pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@dataclass
class Server:
    """A running Streamlit server."""

    url: str
    log: Path
    process: subprocess.Popen[bytes]

    def text(self) -> str:
        """What the server printed so far."""
        return self.log.read_text(errors="replace")


@contextmanager
def serve(
    script: Path, env: Mapping[str, str] | None = None, *options: str, base: str = ""
) -> Iterator[Server]:
    """Run ``streamlit run script`` on a free port until the block ends.

    ``env`` is added to the environment, ``options`` are further flags of ``streamlit run``,
    ``base`` is ``server.baseUrlPath``.
    """
    port = free_port()
    flags = {
        "server.port": port,
        "server.address": "127.0.0.1",
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
        "server.showEmailPrompt": "false",
        **({"server.baseUrlPath": base} if base else {}),
    }
    command = [sys.executable, "-m", "streamlit", "run", str(script)]
    command += [f"--{name}={value}" for name, value in flags.items()] + list(options)
    folder = Path(tempfile.mkdtemp(prefix="crowdselect-server-"))
    log = folder / "log.txt"
    url = f"http://127.0.0.1:{port}" + (f"/{base}" if base else "")
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, env={**os.environ, **(env or {})}, stdout=out, stderr=subprocess.STDOUT
        )
        try:
            _wait_until_healthy(url, process, log)
            yield Server(url, log, process)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            shutil.rmtree(folder, ignore_errors=True)


def _wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server stopped:\n{log.read_text(errors='replace')}")
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"the server did not start:\n{log.read_text(errors='replace')}")


@dataclass
class Watched:
    """A browser page and everything suspicious that it did."""

    page: Any
    """The ``playwright.sync_api.Page``."""
    requests: list[str] = field(default_factory=list)
    """Every address that was asked for."""
    errors: list[str] = field(default_factory=list)
    """Console errors and uncaught exceptions."""
    received: list[int] = field(default_factory=list)
    """Bytes of every websocket message from the server."""

    @property
    def external(self) -> list[str]:
        """Addresses outside this machine that were asked for; a test wants none."""
        local = ("data:", "blob:", "about:", "chrome:", "chrome-extension:", "devtools:")
        return [
            url
            for url in self.requests
            if not url.startswith(local) and urlparse(url).hostname not in LOCAL
        ]

    def open(self, url: str) -> None:
        """Go to ``url`` and wait until the script has run."""
        self.page.goto(url)
        self.idle()

    def idle(self, timeout_ms: float = 90_000) -> None:
        """Wait until no script runs. Right after a click wait for the expected text first."""
        self.page.wait_for_function(IDLE, timeout=timeout_ms)

    def assert_clean(self) -> None:
        """Nothing left this machine and the console shows no error."""
        assert self.external == []
        assert self.errors == []


@contextmanager
def browser_page(
    *,
    width: int = 1400,
    height: int = 950,
    dark: bool = False,
    flags: tuple[str, ...] = (),
    **options: Any,
) -> Iterator[Watched]:
    """Open a page in a fresh headless Chromium (WebGL by software) with all doors watched.

    ``dark`` asks for the dark theme, ``flags`` are further command-line flags, ``options`` go to
    ``launch_persistent_context`` (for example ``device_scale_factor=2, has_touch=True``).
    """
    pytest.importorskip("playwright", reason="playwright is not installed (pip install playwright)")
    path = chromium_path()
    profile = tempfile.mkdtemp(prefix="crowdselect-chromium-")
    try:
        with _driver() as playwright:
            context = playwright.chromium.launch_persistent_context(
                profile,
                executable_path=path,
                headless=True,
                args=[*FLAGS, *flags],
                viewport={"width": width, "height": height},
                color_scheme="dark" if dark else "light",
                accept_downloads=True,
                **options,
            )
            try:
                yield _watch(context)
            finally:
                context.close()
    finally:
        shutil.rmtree(profile, ignore_errors=True)


_drivers: list[Any] = []
"""One entry per open page, all the same: Playwright runs once, and stops with the last page.

It must stop, because while it runs no other test of this process can use ``asyncio.run``.
"""


@contextmanager
def _driver() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    driver = _drivers[0] if _drivers else sync_playwright().start()
    _drivers.append(driver)
    try:
        yield driver
    finally:
        _drivers.pop()
        if not _drivers:
            driver.stop()


def _watch(context: Any) -> Watched:
    page = context.new_page()
    watched = Watched(page)

    def console(message: Any) -> None:
        if message.type == "error" and not any(h in message.text for h in HARMLESS):
            watched.errors.append(message.text)

    def websocket(socket_: Any) -> None:
        socket_.on("framereceived", lambda frame: watched.received.append(len(frame)))

    context.on("request", lambda request: watched.requests.append(request.url))
    page.on("console", console)
    page.on("pageerror", lambda error: watched.errors.append(str(error)))
    page.on("websocket", websocket)
    return watched
