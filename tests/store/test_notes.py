"""Notes: append, undo, and what holds."""

import json
import multiprocessing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdselect.errors import InputError
from crowdselect.store import Author, Notes, NotesState
from crowdselect.values import GivenAnswer

IDS = st.sampled_from(["a", "b", "c"])
NOTE = st.one_of(
    st.tuples(st.sampled_from(["pin", "unpin", "ban", "unban"]), IDS, st.just("")),
    st.tuples(st.sampled_from(["tag", "untag", "comment"]), IDS, st.sampled_from(["x", "y"])),
)


def test_pins_bans_tags_and_comments(tmp_path: Path):
    notes = Notes(tmp_path / "notes.jsonl")
    assert notes.state() == NotesState()
    for kind, item, value in [
        ("pin", "a", ""), ("ban", "a", ""), ("pin", "b", ""), ("tag", "b", " good "),
        ("tag", "b", "good"), ("tag", "b", "odd"), ("untag", "b", "odd"), ("comment", "b", "why?"),
    ]:  # fmt: skip
        notes.append(kind, item, value)
    state = notes.state()
    assert (state.pins, state.bans) == (("b",), ("a",))
    assert state.tags == {"b": ("good",)}
    assert state.comments == {"b": ("why?",)}


@settings(deadline=None, max_examples=40)
@given(st.lists(NOTE, max_size=8), st.lists(NOTE, min_size=1, max_size=4))
def test_undo_takes_back_exactly_the_last_notes(tmp_path_factory, before, after):
    notes = Notes(tmp_path_factory.mktemp("n") / "notes.jsonl")
    for note in before:
        notes.append(*note)
    state = notes.state()
    for note in after:
        notes.append(*note)
    for _ in after:
        assert notes.undo()
    assert notes.state() == state
    assert not (set(state.pins) & set(state.bans))


def test_undo_of_nothing_says_so_and_writes_nothing(tmp_path: Path):
    notes = Notes(tmp_path / "notes.jsonl")
    assert not notes.undo()
    assert not notes.path.exists()


def test_a_line_cut_off_by_a_crash_is_passed_over(tmp_path: Path):
    notes = Notes(tmp_path / "notes.jsonl")
    notes.append("pin", "a")
    with notes.path.open("a") as handle:
        handle.write('{"kind": "pin", "id": "b')
    assert notes.state().pins == ("a",)


@pytest.mark.parametrize("note", [("like", "a", ""), ("tag", "a", " "), ("comment", "a", "")])
def test_notes_without_meaning_are_refused(tmp_path: Path, note):
    with pytest.raises(InputError):
        Notes(tmp_path / "notes.jsonl").append(*note)


def _pin_many(path: Path, who: int) -> None:
    for k in range(50):
        Notes(path).append("pin", f"{who}-{k}")


def test_several_processes_append_at_once(tmp_path: Path):
    path = tmp_path / "notes.jsonl"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_pin_many, args=(path, who)) for who in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert set(Notes(path).state().pins) == {f"{w}-{k}" for w in range(4) for k in range(50)}


def test_undo_takes_back_ones_own_last_note_and_says_which(tmp_path: Path):
    notes = Notes(tmp_path / "notes.jsonl")
    ann, bob, guest = Author("ann", "1"), Author("bob", "2"), Author("", "3")
    notes.append("comment", "a", "odd", ann)
    notes.append("comment", "a", "fine", bob)
    notes.append("ban", "b", author=guest)
    notes.append("pin", "c")
    first = notes.history()[0]
    assert (first["value"], first["author"], first["number"]) == ("odd", "ann", 0)
    assert notes.undo(Author("ann", "another machine")) == first
    assert notes.undo(ann) is None
    assert notes.state().comments == {"a": ("fine",)}
    assert notes.state().authors == {"a": ("bob",)}
    assert notes.undo(guest)["id"] == "b"
    assert notes.undo()["id"] == "c"
    assert notes.undo()["author"] == "bob"
    assert notes.state() == NotesState()


def test_undo_of_an_older_version_meant_the_last_note(tmp_path: Path):
    notes = Notes(tmp_path / "notes.jsonl")
    old = [{"kind": "pin", "id": i, "value": ""} for i in "ab"] + [{"kind": "undo"}]
    notes.path.write_text("".join(json.dumps(line) + "\n" for line in old))
    notes.append("pin", "c")
    assert notes.state().pins == ("a", "c")
    assert [note["number"] for note in notes.history()] == [0, 2]
    assert notes.undo()["id"] == "c"
    assert notes.state().pins == ("a",)


def test_an_answer_by_hand_keeps_its_spaces_and_the_last_word_holds(tmp_path: Path):
    notes = Notes(tmp_path / "notes.jsonl")
    notes.append("answer", "a", "    indented\n")
    notes.append("answer_of", "b", "m-7b", Author("ann"))
    text, chosen = GivenAnswer(text="    indented\n"), GivenAnswer(model="m-7b", by="ann")
    assert notes.state().answers == {"a": text, "b": chosen}
    notes.append("unanswer", "b")
    notes.append("answer_of", "a", "m-1b")
    assert notes.state().answers == {"a": GivenAnswer(model="m-1b")}
    notes.undo()
    assert notes.state().answers == {"a": text}
