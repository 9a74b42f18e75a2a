"""``crowdselect serve``: open the dashboard."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from crowdselect.cli.options import WorkspaceOption, example
from crowdselect.cli.terminal import say
from crowdselect.errors import CancelledError, NotFoundError
from crowdselect.readonly import READ_ONLY_VARIABLE
from crowdselect.settings import (
    FRAMES_VARIABLE,
    HOSTS_VARIABLE,
    HUB_VARIABLE,
    LIMITS_VARIABLE,
    LOG_VARIABLE,
    WORKSPACE_VARIABLE,
    Limits,
    LogForm,
    check_frames,
    log_form,
    open_workspace,
)

_GRACE_S = 5.0
"""How long the server may take to end before it is killed."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    examples = example("crowdselect serve", "crowdselect serve --read-only --port 8600")
    app.command("serve", epilog=examples)(serve)


def serve(
    port: Annotated[int, typer.Option(help="Port to listen on")] = 8501,
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    read_only: Annotated[bool, typer.Option("--read-only", help="Show, change nothing")] = False,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(help="A further name of this server, as a proxy sends it; repeatable"),
    ] = None,
    frame_ancestors: Annotated[
        list[str] | None,
        typer.Option(help="A site that may show pages in a frame, such as https://huggingface.co"),
    ] = None,
    max_jobs: Annotated[int, typer.Option(min=0, help="Jobs running at once; 0: any number")] = 8,
    max_jobs_each: Annotated[
        int, typer.Option(min=0, help="Jobs of one visitor running at once; 0: any number")
    ] = 4,
    max_upload_mb: Annotated[
        int,
        typer.Option(min=0, help="Megabytes a visitor may upload in a day; 0: any number"),
    ] = 8192,
    min_free_gb: Annotated[
        float, typer.Option(min=0, help="Gigabytes of the disk that uploads and jobs leave free")
    ] = 1.0,
    hub: Annotated[
        Literal["none", "read"] | None,
        typer.Option(
            help="Whether pages take names on the hub, read with your login; else read on this "
            "machine, none on an address that others reach",
            show_default=False,
        ),
    ] = None,
    secrets: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="File with the login; else ~/.streamlit/secrets.toml"
        ),
    ] = None,
    log_json: Annotated[
        bool, typer.Option("--log-json", help="Log as JSON lines on stderr, for a log collector")
    ] = False,
    browser: Annotated[bool, typer.Option(help="Open the browser")] = True,
    workspace: WorkspaceOption = None,
) -> None:
    """Open the dashboard in the browser; it listens on this machine only, unless told otherwise."""
    folder = open_workspace(workspace).root
    alone = host in ("127.0.0.1", "localhost", "::1")
    if not alone and not read_only:
        say(f"Everybody who reaches {host}:{port} can start jobs and read the workspace.")
    environment = {**os.environ, WORKSPACE_VARIABLE: str(folder)}
    environment.pop(READ_ONLY_VARIABLE, None)
    if read_only:
        environment[READ_ONLY_VARIABLE] = "1"
    if allow_host:
        environment[HOSTS_VARIABLE] = ",".join(allow_host)
    environment[LIMITS_VARIABLE] = str(Limits(max_jobs, max_jobs_each, max_upload_mb, min_free_gb))
    environment[HUB_VARIABLE] = "none" if read_only else hub or ("read" if alone else "none")
    if log_json:
        level = log_form().level
        environment[LOG_VARIABLE] = str(LogForm(True, "INFO" if level == "WARNING" else level))
    if frame_ancestors:
        environment[FRAMES_VARIABLE] = ",".join(frame_ancestors)
        check_frames(frame_ancestors)
    app = dashboard_file()
    command = [sys.executable, "-m", "streamlit", "run", str(app)]
    command += [f"--server.address={host}", f"--server.port={port}"]
    command += [f"--server.headless={str(not browser).lower()}"]
    command += ["--browser.gatherUsageStats=false"]
    if secrets is not None:
        command += [f"--secrets.files={secrets.absolute()}"]
    say(f"Dashboard on http://{host}:{port} over {folder}; stop it with Ctrl-C.")
    raise typer.Exit(_run_until_told(command, environment, app.parent))


def _run_until_told(command: list[str], environment: dict[str, str], folder: Path) -> int:
    """Run the server; whoever ends us (Ctrl-C, SIGTERM of a service manager) ends it too."""
    server = subprocess.Popen(command, env=environment, cwd=folder)

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        return server.wait()
    except KeyboardInterrupt:
        raise CancelledError("The dashboard was stopped.", "Jobs that it started go on.") from None
    finally:
        signal.signal(signal.SIGTERM, before)
        server.terminate()
        try:
            server.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            server.kill()


def dashboard_file() -> Path:
    """``app.py``: beside the package in a checkout, inside it in an installed wheel."""
    package = Path(__file__).parent.parent
    for folder in (package.parent, package / "_app"):
        if (folder / "app.py").exists() and (folder / "pages").is_dir():
            return folder / "app.py"
    raise NotFoundError(
        "The dashboard's app.py is neither in the checkout nor in the installed package.",
        "Run from a checkout of the project, or install the package again.",
    )
