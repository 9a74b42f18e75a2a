"""Install a built wheel as a stranger would, outside the checkout, and use it.

``make dist`` runs it. In a fresh environment in a temporary folder: what the wheel holds, the
version, the demo from ingest to export, the health of the dashboard; then ``uvx`` and ``pipx run``
where they are installed.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
HOLDS = (
    "crowdselect/py.typed",
    "crowdselect/_app/app.py",
    "crowdselect/_app/.streamlit/config.toml",
    "crowdselect/_data/demo/crowd/responses.parquet",
    "crowdselect/_data/studies/demo.toml",
    "crowdselect/landscape/static_tokens.npz",
)
STEPS = (
    ("--version",),
    ("ingest", "demo"),
    ("select", "demo", "--encoder", "static", "--budget", "50", "--name", "first"),
    ("export", "first", "--format", "messages", "--out", "exported"),
    ("doctor",),
)


def main() -> None:
    """Try the wheel that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--python", default=sys.executable, help="interpreter to try it with")
    given = parser.parse_args()
    wheel = given.wheel.resolve()
    check_contents(wheel)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        subprocess.run([given.python, "-m", "venv", place / "env"], check=True)
        pip = [
            place / "env/bin/python",
            "-m",
            "pip",
            "install",
            "-q",
            "-c",
            ROOT / "constraints.txt",
        ]
        subprocess.run([*pip, wheel], check=True, env=stranger())
        command = str(place / "env/bin/crowdselect")
        for step in STEPS:
            print("$ crowdselect", *step, flush=True)
            subprocess.run([command, *step], cwd=place, check=True, env=stranger())
        rows = (place / "exported/data.jsonl").read_text("utf-8").splitlines()
        if len(rows) != 50:
            raise SystemExit(f"50 rows should have been exported, found {len(rows)}.")
        answers(command, place)
        for runner in (("uvx", "--from", str(wheel)), ("pipx", "run", "--spec", str(wheel))):
            run_by(runner, place)
    print(f"{wheel.name} works with {given.python}.")


def check_contents(wheel: Path) -> None:
    """Demo, dashboard and types are in it, nothing that is not to be shipped, no relative link."""
    with zipfile.ZipFile(wheel) as packed:
        names = packed.namelist()
        lacks = [name for name in HOLDS if name not in names]
        strange = [
            n for n in names if re.search(r"node_modules|__pycache__|secrets\.toml|^tests/", n)
        ]
        described = next(name for name in names if name.endswith(".dist-info/METADATA"))
        text = packed.read(described).decode()
    links = re.findall(r"\]\((?!https?:|#)([^)]+)\)", text)
    if lacks or strange or links:
        raise SystemExit(
            f"lacks {lacks}; should not hold {strange[:5]}; relative links {links[:5]}"
        )
    print(f"{wheel.name}: {len(names)} files, {wheel.stat().st_size / 1e6:.1f} MB")


def stranger() -> dict[str, str]:
    """The environment without what points into the checkout."""
    ours = ("PYTHONPATH", "VIRTUAL_ENV")
    return {k: v for k, v in os.environ.items() if k not in ours and "CROWDSELECT" not in k}


def answers(command: str, place: Path) -> None:
    """Start the dashboard, wait until it says that it is well, and end it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    served = [command, "serve", "--no-browser", "--port", str(port)]
    server = subprocess.Popen(served, cwd=place, env=stranger())
    try:
        for _ in range(240):
            time.sleep(0.5)
            try:
                url = f"http://127.0.0.1:{port}/_stcore/health"
                with urllib.request.urlopen(url, timeout=5) as reply:
                    print("dashboard:", reply.status, reply.read().decode())
                return
            except (urllib.error.URLError, OSError):
                if server.poll() is not None:
                    break
        raise SystemExit("The dashboard did not answer.")
    finally:
        server.terminate()
        server.wait(20)


def run_by(runner: tuple[str, ...], place: Path) -> None:
    """``crowdselect --version`` by a runner of tools, where it is installed."""
    if shutil.which(runner[0]) is None:
        print(f"not tried: {runner[0]} is not installed")
        return
    print("$", *runner, "crowdselect --version", flush=True)
    subprocess.run([*runner, "crowdselect", "--version"], cwd=place, check=True, env=stranger())


if __name__ == "__main__":
    main()
