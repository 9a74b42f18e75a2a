"""LIMA's file becomes a crowd without rewards; a row that is none is named."""

import json

import pytest

from crowdselect import pipeline
from crowdselect.errors import InputError
from crowdselect.values import Recipe


def write(folder, rows):
    path = folder / "train.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_lima_is_a_crowd_of_its_authors(workspace, tmp_path):
    rows = [
        {"conversations": ["How do bees fly?", "With wings."], "source": "stackexchange"},
        {"conversations": ["Hi", "Hello", "Bye", "Good-bye"], "source": "multi_turn"},
        {"conversations": ["No answer yet"], "source": "wikihow"},
    ]
    crowd = pipeline.ingest(workspace, "lima", [write(tmp_path, rows)], name="lima")
    assert (crowd.n, crowd.judges, [m.name for m in crowd.models]) == (3, (), ["lima"])
    assert crowd.answers(0)["response"].tolist() == ["With wings."]
    assert crowd.answers(2)["response"].tolist() == [None]
    assert crowd.instruction(1).extra == {"source": "multi_turn", "turns": 2}
    told = {use.column: use.meaning for use in crowd.report.columns}
    assert told == {"conversations": "response", "source": "kept"}
    assert any(
        line.startswith("1 conversations have further turns") for line in crowd.report.lines()
    )
    recipe = Recipe(
        crowd="lima", encoder="lsa", clusters=0, budget=2, strategy="random", answer="model:lima"
    )
    assert set(pipeline.select(crowd, recipe).ids) == {"train-0001", "train-0002"}


@pytest.mark.parametrize("line", ['{"conversations": "text"}', "{", '{"instruction": "a"}', "[1]"])
def test_another_file_is_refused_by_line(workspace, tmp_path, line):
    path = write(tmp_path, [{"conversations": ["a", "b"]}])
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(InputError, match=r"train\.jsonl, (row|line) 2 is"):
        pipeline.ingest(workspace, "lima", [path], name="lima")
    assert workspace.crowd_names() == []
