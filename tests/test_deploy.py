"""Containers: what can be checked of their files where no container can be built."""

import fnmatch
import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from crowdselect.cli import STAGES, app_of
from crowdselect.settings import WORKSPACE_VARIABLE, check_frames

ROOT = Path(__file__).parents[1]
SPACE = ROOT / "deploy" / "space"
Instruction = tuple[str, str]


def instructions(file: Path) -> list[Instruction]:
    """(INSTRUCTION, the rest) with continued lines joined and comments gone."""
    lines = [line for line in file.read_text("utf-8").splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    parts = [line.split(maxsplit=1) for line in joined.splitlines() if line.strip()]
    return [(word.upper(), rest) for word, rest in parts]


def of(found: list[Instruction], word: str) -> list[str]:
    return [rest for name, rest in found if name == word]


def crowdselect_calls(found: list[Instruction]) -> list[list[str]]:
    """Arguments of every crowdselect command that an image runs."""
    scripts = [part for rest in of(found, "RUN") for part in rest.split("&&")]
    entry = [json.loads(rest) for rest in of(found, "ENTRYPOINT")]
    command = json.loads(of(found, "CMD")[-1])
    if command[0] == "sh":
        scripts.append(command[-1].removeprefix("exec "))
    calls = [shlex.split(part.strip()) for part in scripts]
    calls += [[*first, *command] for first in entry]
    return [call[1:] for call in calls if call[0] == "crowdselect"]


FILES = pytest.mark.parametrize("file", [ROOT / "Dockerfile", SPACE / "Dockerfile"], ids=str)


@FILES
def test_an_image_is_pinned_small_and_not_root(file: Path) -> None:
    found = instructions(file)
    for image in of(found, "FROM"):
        assert re.fullmatch(r"python:3\.1[1-4]-slim( AS \w+)?", image)
    assert int(of(found, "USER")[-1]) >= 1000
    last = [word for word, _ in found]
    assert "RUN" not in last[last.index("USER") :], "what comes after must not need root"
    for rest in of(found, "RUN"):
        assert "pip" not in rest or "--no-cache-dir" in rest
        assert "curl" not in rest
    assert "ADD" not in last
    assert not re.search(r"(?i)(key|token|password|secret)\w*=", file.read_text("utf-8"))


@FILES
def test_every_command_of_an_image_exists(file: Path) -> None:
    """Options and all: each is parsed by the command line itself."""
    calls = crowdselect_calls(instructions(file))
    assert calls
    for first, *rest in calls:
        command = get_command(app_of(STAGES)).commands[first]  # type: ignore[attr-defined]
        with command.make_context(first, rest) as context:
            assert first != "serve" or context.params["host"] == "0.0.0.0"
            check_frames(list(context.params.get("frame_ancestors") or ()))


def test_a_space_is_read_only_and_may_be_framed_by_the_hub_alone() -> None:
    (served,) = [c for c in crowdselect_calls(instructions(SPACE / "Dockerfile")) if "serve" in c]
    assert "--read-only" in served
    assert served[served.index("--frame-ancestors") + 1] == "https://huggingface.co"
    front = yaml.safe_load((SPACE / "README.md").read_text("utf-8").split("---")[1])
    assert (front["sdk"], front["app_port"]) == ("docker", 8501)
    assert len(front["short_description"]) <= 60


def test_the_container_writes_into_its_volume_alone() -> None:
    found = instructions(ROOT / "Dockerfile")
    (service,) = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"].values()
    (volume,) = of(found, "VOLUME")
    assert f"{WORKSPACE_VARIABLE}={volume}" in of(found, "ENV")[0]
    assert [v.split(":")[1] for v in service["volumes"]] == [volume]
    assert service["read_only"] is True
    assert "HOME=/tmp" in of(found, "ENV")[0]
    assert service["tmpfs"] == ["/tmp"]
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    (health,) = of(found, "HEALTHCHECK")
    program = json.loads(health.split("CMD", 1)[1])
    compile(program[2], "healthcheck", "exec")
    assert of(found, "EXPOSE")[0] in program[2]


def test_all_that_the_wheel_is_built_from_goes_into_the_image() -> None:
    """.dockerignore lets through what pyproject.toml names, and no secret."""
    rules = [
        r for r in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if r and r[0] != "#"
    ]
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    included = project.split("wheel.force-include]")[1].split("\n[")[0]
    needed = {match.split("/")[0] for match in re.findall(r'^"([^"]+)" =', included, re.MULTILINE)}
    for name in needed | {
        "crowdselect",
        "README.md",
        "LICENSE",
        "pyproject.toml",
        "constraints.txt",
    }:
        assert f"!{name}" in rules, name
        assert (ROOT / name).exists()
    assert rules[0] == "*"
    hidden = [rule for rule in rules if not rule.startswith("!")][1:]
    assert any(fnmatch.fnmatch(".streamlit/secrets.toml", rule) for rule in hidden)


def test_the_devcontainer_is_set_up_by_the_makefile() -> None:
    made = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8"))
    target = made["postCreateCommand"].removeprefix("make ")
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert made["forwardPorts"] == [8501]


def test_the_lock_is_what_is_pinned_and_names_the_public_index_alone() -> None:
    """``make lock`` writes it anew; torch and what it brings may be another build elsewhere."""
    text = (ROOT / "pylock.toml").read_text("utf-8")
    locked = {_plain(p["name"]): p["version"] for p in tomllib.loads(text)["packages"]}
    pinned = dict(
        line.split("==") for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    )
    pinned = {_plain(name): version for name, version in pinned.items()}
    assert {n: v for n, v in locked.items() if pinned.get(n, v) != v} == {}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = [*project["dependencies"], *project["optional-dependencies"]["server"]]
    wanted = {_plain(re.match(r"[\w.-]+", line)[0]) for line in named}  # type: ignore[index]
    assert wanted <= locked.keys(), "make lock"
    hosts = set(re.findall(r'https?://([^/"]+)', text))
    assert hosts == {"files.pythonhosted.org"}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
