"""An assistant's own client talks to ``crowdselect mcp`` over stdin and stdout."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from crowdselect import pipeline
from crowdselect.cli.mcp import server_of
from crowdselect.deeds import read_deeds
from crowdselect.people import Person, acting_as
from crowdselect.settings import Workspace
from crowdselect.values import Recipe
from tests.pipeline import tiny

pytest.importorskip("mcp", reason="the extra mcp is not installed")
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters

RECIPE = {"encoder": "lsa", "clusters": 0, "budget": 4}


@pytest.fixture
def ready(workspace: Workspace, tmp_path: Path) -> Workspace:
    pipeline.ingest(workspace, "table", [tiny.write_tidy(tmp_path)], name="tiny")
    crowd = pipeline.open_crowd(workspace, "tiny")
    for budget in (3, 4):
        recipe = Recipe(crowd="tiny", encoder="lsa", clusters=0, budget=budget)
        pipeline.save_selection(workspace, pipeline.select(crowd, recipe), f"of-{budget}")
    return workspace


def asked(workspace: Workspace, calls: list[tuple[str, dict[str, Any]]]) -> Any:
    """The names of the tools, and the result of each call, from a server process of its own."""
    command = ["-m", "crowdselect", "mcp", "--workspace", str(workspace.root)]
    server = StdioServerParameters(command=sys.executable, args=command, env=dict(os.environ))

    async def ask() -> Any:
        async with Client(server) as client:
            tools = [tool.name for tool in (await client.list_tools()).tools]
            return tools, [await client.call_tool(name, given) for name, given in calls]

    return asyncio.run(ask())


def test_it_reads_and_changes_nothing(ready: Workspace) -> None:
    before = {p: p.read_bytes() for p in ready.root.rglob("*") if p.is_file()}
    chosen = pipeline.load_selection(ready, "of-4")
    tools, (crowds, selections, made, row, compared, saved, wrong) = asked(
        ready,
        [
            ("list_crowds", {}),
            ("list_selections", {"crowd": "tiny"}),
            ("select", {"crowd": "tiny", "recipe": RECIPE}),
            ("explain_row", {"crowd": "tiny", "id": chosen.ids[0], "recipe": RECIPE}),
            ("compare_selections", {"selections": ["of-3", "of-4"]}),
            ("select", {"crowd": "tiny", "recipe": RECIPE, "save_as": "mine"}),
            ("explain_row", {"crowd": "tiny", "id": "nobody"}),
        ],
    )
    assert set(tools) == {
        "list_crowds", "list_selections", "select", "rows_of_selection", "explain_row",
        "compare_selections",
    }  # fmt: skip
    assert crowds.structured_content["crowds"][0]["name"] == "tiny"
    assert [s["name"] for s in selections.structured_content["selections"]] == ["of-4", "of-3"]
    assert [r["id"] for r in made.structured_content["rows"]] == list(chosen.ids)
    assert made.structured_content["recipe_id"] == chosen.recipe.id
    told = row.structured_content
    assert told["selected"]
    assert told["reason"] == chosen.reasons[0]
    assert any(m["metric"] == "difficulty" and "Harder than" in m["why"] for m in told["metrics"])
    assert compared.structured_content["rows"] == [3, 4]
    assert compared.structured_content["in_all"] == 3
    for refused, says in ((saved, "--write"), (wrong, "no instruction 'nobody'")):
        assert refused.is_error
        assert says in refused.content[0].text
    assert {p: p.read_bytes() for p in ready.root.rglob("*") if p.is_file()} == before


def test_with_write_it_saves_and_the_log_says_so(ready: Workspace) -> None:
    async def ask() -> Any:
        async with Client(server_of(ready, write=True)) as client:
            given = {"crowd": "tiny", "recipe": RECIPE, "save_as": "mine"}
            return await client.call_tool("select", given)

    with acting_as(Person("curator", name="an assistant")):
        made = asyncio.run(ask())
    assert not made.is_error
    assert pipeline.find_selection(ready, "mine").n == 4
    last = read_deeds(ready)[-1]
    assert (last.who, last.role, last.action) == ("an assistant", "curator", "save")
