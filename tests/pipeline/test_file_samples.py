"""What of a file is scored goes by who speaks, not by who speaks first."""

import json

import pytest

from crowdselect.errors import InputError
from crowdselect.pipeline.scoring import file_samples

ASKED = {"role": "user", "content": "q"}
SAID = {"role": "assistant", "content": "a"}


def write(path, rows, mark=""):
    path.write_text(mark + "".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_a_conversation_that_opens_with_the_assistant(tmp_path):
    hello = {"role": "assistant", "content": "Welcome"}
    rows = [{"messages": [hello, ASKED, SAID]}, {"messages": [hello]}, {"messages": [ASKED, SAID]}]
    found = file_samples(write(tmp_path / "d.jsonl", rows, mark="\ufeff"))
    assert [(s.id, s.instruction, s.response) for s in found] == [("1", "q", "a"), ("3", "q", "a")]


def test_a_preference_file_is_refused_in_words_that_fit(tmp_path):
    path = write(tmp_path / "d.jsonl", [{"prompt": "a", "chosen": "b", "rejected": "c"}])
    with pytest.raises(InputError, match="a score is about one answer"):
        file_samples(path)
