"""The documentation: its first steps are walked, its site holds every page, links are alive."""

import doctest
import re
import shlex
from pathlib import Path

import pytest
import yaml

import crowdselect
from crowdselect.cli import main
from scripts import write_api_docs

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
LINK = re.compile(r"\]\(([^)#\s]+)(#[^)\s]*)?\)")
BLOCK = re.compile(r"^```\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_first_steps_can_be_walked(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CROWDSELECT_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.chdir(tmp_path)
    text = (DOCS / "first-steps.md").read_text("utf-8")
    lines = [line for block in BLOCK.findall(text) for line in block.splitlines()]
    assert len(lines) >= 7
    for line in lines:
        program, *arguments = shlex.split(line)
        assert program == "crowdselect"
        assert main(arguments) == 0, f"{line}\n{capsys.readouterr().err}"
    exported = list((tmp_path / "workspace" / "selections").glob("*/exports/messages/*.jsonl"))
    assert len(exported) == 1
    assert len(exported[0].read_text("utf-8").splitlines()) == 200


def test_the_reference_of_the_api_is_up_to_date():
    """After a change of a signature or docstring: python scripts/write_api_docs.py."""
    written = (DOCS / "api.md").read_text("utf-8").split(write_api_docs.MARKER)[1]
    assert written.strip() == write_api_docs.reference().strip()
    documented = {name.rsplit(".", 1)[1] for name in write_api_docs.NAMES}
    assert documented == set(crowdselect.__all__) - {"__version__"}


def test_the_examples_of_the_api_run_in_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```pycon\n(.*?)```", (DOCS / "api.md").read_text("utf-8"), re.DOTALL)
    examples = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, "api.md", None, 0)
    assert len(examples.examples) >= 25
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    result = runner.run(examples, out=said.append)
    assert result.failed == 0, "".join(said)


def test_the_site_holds_every_page_once():
    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))
    held = [page for part in site["nav"] for kind in part.values() for one in kind
            for page in one.values()]  # fmt: skip
    assert sorted(held) == [page.name for page in PAGES]
    assert site["theme"]["font"] is False, "fonts would be fetched from elsewhere"


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.name)
def test_links_and_pictures_are_there(page):
    for target, _ in LINK.findall(page.read_text("utf-8")):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
