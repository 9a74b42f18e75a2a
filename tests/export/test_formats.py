"""Every registered format: contract, bytes, and reading back what was written."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdselect.errors import InputError
from crowdselect.export import FORMATS, Example, Turn
from crowdselect.registry import build, options_of

TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)


def talk(*contents: str, system: str = "") -> tuple[Turn, ...]:
    turns = [Turn("user" if i % 2 == 0 else "assistant", c) for i, c in enumerate(contents)]
    return ((Turn("system", system),) if system else ()) + tuple(turns)


def example(*contents: str, system: str = "", rank: int = 1) -> Example:
    turns = talk(*contents, system=system)
    why = "high difficulty"
    return Example(f"u{rank}", turns, "m1", rank, 2.5, 3, {"difficulty": 1.0}, why, "worse", 1.5)


def read(name: str, path: Path) -> list[dict]:
    if name == "parquet":
        return pq.read_table(path).to_pylist()
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text("utf-8").split("\n")[:-1]]
    return json.loads(path.read_text("utf-8"))


def messages_of(name: str, row: dict) -> list[tuple[str, str]]:
    """The conversation that a row of any format stands for."""
    if name in ("messages", "openai", "parquet", "axolotl"):
        return [(m["role"], m["content"]) for m in row["messages"]]
    if name == "prompts":
        return [(m["role"], m["content"]) for m in row["prompt"]]
    if name == "prompt-completion":
        return [(m["role"], m["content"]) for m in row["prompt"] + row["completion"]]
    system = [("system", row["system"])] if row.get("system") else []
    if name == "preference":
        return [(m["role"], m["content"]) for m in row["prompt"] + row["chosen"]]
    if name == "alpaca":
        history = [
            (role, text)
            for pair in row.get("history", [])
            for role, text in zip(("user", "assistant"), pair, strict=True)
        ]
        return [*system, *history, ("user", row["instruction"]), ("assistant", row["output"])]
    roles = {"human": "user", "gpt": "assistant"}
    return system + [(roles[t["from"]], t["value"]) for t in row["conversations"]]


@pytest.mark.parametrize("name", FORMATS.names())
def test_contract(name: str, tmp_path: Path) -> None:
    """A format has a title, a data file, documented options; it writes nothing but that file."""
    form = FORMATS[name]()
    assert form.title
    assert all(o.help for o in options_of(FORMATS[name]))
    form([example("q", "a")], tmp_path / form.file)
    assert [p.name for p in tmp_path.iterdir()] == [form.file]
    documented = {field for field, meaning in form.columns if meaning}
    found = set(read(name, tmp_path / form.file)[0])
    assert {c for c in found if not c.startswith("contribution_")} <= documented


@pytest.mark.parametrize("name", FORMATS.names())
@given(
    st.lists(
        st.tuples(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=3), st.just("") | TEXT),
        max_size=3,
    )
)
def test_round_trip(tmp_path_factory, name, conversations) -> None:
    """Any text, one or more turns, with or without system prompt, comes back unchanged."""
    path = tmp_path_factory.mktemp("f") / FORMATS[name].file
    rows = [
        example(*(part for pair in pairs for part in pair), system=system, rank=i + 1)
        for i, (pairs, system) in enumerate(conversations)
    ]
    FORMATS[name]()(rows, path)
    got = [messages_of(name, row) for row in read(name, path)]
    last = None if FORMATS[name].answers else -1
    assert got == [[(t.role, t.content) for t in row.turns[:last]] for row in rows]


@pytest.mark.parametrize("name", FORMATS.names())
def test_same_bytes(name: str, tmp_path: Path) -> None:
    rows = [example("q", "ä\n", rank=1), example("q2", "b", "c", "d", rank=2)]
    for file in ("a", "b"):
        FORMATS[name]()(rows, tmp_path / file)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("name", FORMATS.names())
def test_system_prompt_does_not_replace_one(name: str, tmp_path: Path) -> None:
    form = build(FORMATS[name], {"system": "Be brief."})
    form([example("q", "a"), example("q", "a", system="Own.", rank=2)], tmp_path / form.file)
    got = [messages_of(name, row)[0] for row in read(name, tmp_path / form.file)]
    assert got == [("system", "Be brief."), ("system", "Own.")]


def test_exact_forms(tmp_path: Path) -> None:
    """The keys that the readers of these formats insist on."""

    def write(name: str, **options: object) -> dict:
        FORMATS[name](**options)([example("Add 1 and 2.", "3")], tmp_path / "x")
        return read(name, (tmp_path / "x").rename(tmp_path / FORMATS[name].file))[0]

    assert write("openai") == {
        "messages": [
            {"role": "user", "content": "Add 1 and 2."},
            {"role": "assistant", "content": "3"},
        ]
    }
    assert write("alpaca") == {"instruction": "Add 1 and 2.", "input": "", "output": "3"}
    assert write("sharegpt") == {
        "id": "u1",
        "conversations": [
            {"from": "human", "value": "Add 1 and 2."},
            {"from": "gpt", "value": "3"},
        ],
    }
    assert write("prompt-completion") == {
        "id": "u1",
        "prompt": [{"role": "user", "content": "Add 1 and 2."}],
        "completion": [{"role": "assistant", "content": "3"}],
    }
    assert write("prompt-completion", text=True) == {
        "id": "u1",
        "prompt": "Add 1 and 2.",
        "completion": "3",
    }
    assert write("preference") == {
        "id": "u1",
        "prompt": [{"role": "user", "content": "Add 1 and 2."}],
        "chosen": [{"role": "assistant", "content": "3"}],
        "rejected": [{"role": "assistant", "content": "worse"}],
        "margin": 1.5,
    }
    assert write("messages", provenance=True)["model"] == "m1"
    assert write("parquet")["contribution_difficulty"] == 1.0


def test_plain_text_holds_one_question_and_one_response(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="u1 has 4 turns"):
        FORMATS["prompt-completion"](text=True)([example("a", "b", "c", "d")], tmp_path / "x")


def test_llamafactory_names_the_system_column_only_where_it_exists() -> None:
    form = FORMATS["llamafactory"]
    without = form().dataset_info("mine", [example("q", "a")])
    assert without["file_name"] == "mine/data.json"
    assert without["columns"] == {"messages": "conversations"}
    assert form(system="S").dataset_info("mine", [example("q", "a")])["columns"]["system"]
