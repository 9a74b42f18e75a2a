"""Whole files or none."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdselect import files, locks
from crowdselect.errors import InputError


def leftovers(folder: Path) -> list[str]:
    return [p.name for p in folder.rglob(f"{files.TEMPORARY}*")]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    files.write_text(path, "old")
    with pytest.raises(ZeroDivisionError), files.write_aside(path) as temporary:
        temporary.write_text(f"half {1 / 0}")
    assert path.read_text() == "old"
    assert leftovers(tmp_path) == []


def test_an_error_leaves_the_old_folder_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "f"
    with files.build_folder_aside(path) as temporary:
        (temporary / "a").write_text("old")
    with pytest.raises(ZeroDivisionError), files.build_folder_aside(path) as temporary:
        (temporary / "a").write_text(f"half {1 / 0}")
    assert (path / "a").read_text() == "old"
    with files.build_folder_aside(path) as temporary:
        (temporary / "b").write_text("new")
    assert [p.name for p in path.iterdir()] == ["b"]
    assert leftovers(tmp_path) == []


def test_an_open_reader_keeps_its_file(tmp_path: Path) -> None:
    path = tmp_path / "f"
    with files.build_folder_aside(path) as temporary:
        (temporary / "a").write_text("old")
    with (path / "a").open() as reader:
        with files.build_folder_aside(path) as temporary:
            (temporary / "a").write_text("new")
        assert reader.read() == "old"


def test_readers_see_a_whole_file(tmp_path: Path) -> None:
    """A thread that rewrites and one that reads: never half a document."""
    path = tmp_path / "a.json"
    stop = threading.Event()
    files.write_json(path, [0] * 2000)

    def rewrite() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            files.write_json(path, [number] * 2000)

    writer = threading.Thread(target=rewrite)
    writer.start()
    try:
        for _ in range(200):
            value = json.loads(path.read_text())
            assert len(value) == 2000
            assert len(set(value)) == 1
    finally:
        stop.set()
        writer.join()


def test_a_process_that_got_the_number_of_a_dead_one_keeps_no_leftover(tmp_path: Path) -> None:
    own = files.temporary_beside(tmp_path / "own")
    pid, made = own.name.removeprefix(files.TEMPORARY).split("-")[:2]
    born, time_ns = made.split(".")
    others = own.with_name(f"{files.TEMPORARY}{pid}-{int(born, 16) - 7:x}.{time_ns}-other")
    own.touch()
    others.touch()
    assert files.remove_leftovers(tmp_path) == 1
    assert leftovers(tmp_path) == [own.name]


def test_leftovers_of_the_dead_are_removed_and_of_the_living_kept(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from crowdselect import files\n"
        "with files.write_aside(Path(sys.argv[1]) / 'a') as t:\n"
        "    t.write_text('half'); print('ready', flush=True); time.sleep(600)\n"
    )
    dead = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    assert dead.stdout is not None
    assert dead.stdout.readline() == b"ready\n"
    assert files.remove_leftovers(tmp_path) == 0
    os.kill(dead.pid, signal.SIGKILL)
    dead.wait()
    dead.stdout.close()
    assert len(leftovers(tmp_path)) == 1
    assert files.remove_leftovers(tmp_path, older_than_s=3600) == 0
    assert files.remove_leftovers(tmp_path) == 1
    assert leftovers(tmp_path) == []


def test_killed_between_the_two_renames_the_old_folder_comes_back(tmp_path: Path) -> None:
    with files.build_folder_aside(tmp_path / "f") as temporary:
        (temporary / "a").write_text("old")
    code = """
import os, pathlib, sys
from crowdselect import files, locks
from crowdselect.errors import InputError
rename, calls = pathlib.Path.rename, []
def rename_once(self, target):
    if calls:
        os.kill(os.getpid(), 9)
    calls.append(1)
    return rename(self, target)
pathlib.Path.rename = rename_once
with files.build_folder_aside(pathlib.Path(sys.argv[1])) as temporary:
    (temporary / "a").write_text("new")
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "f")], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not (tmp_path / "f").exists()
    assert files.remove_leftovers(tmp_path) == 2
    assert (tmp_path / "f" / "a").read_text() == "old"
    assert leftovers(tmp_path) == []


@given(
    st.lists(
        st.recursive(
            st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
            ),
            max_leaves=5,
        ),
        max_size=5,
    )
)
def test_lines_come_back(tmp_path_factory: pytest.TempPathFactory, values: list) -> None:
    path = tmp_path_factory.mktemp("l") / "a.jsonl"
    for value in values:
        files.append_line(path, value)
    assert files.read_lines(path) == values
    files.write_json(path, values)
    assert files.read_json(path) == values


def test_an_unfinished_last_line_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    files.append_line(path, {"a": 1})
    with path.open("a") as handle:
        handle.write('{"a": 2')
    assert files.read_lines(path) == [{"a": 1}]
    assert files.read_lines(tmp_path / "none") == []


def test_sha256_of_a_known_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert files.sha256_file(tmp_path / "a") == expected


def test_temporaries_of_one_name_do_not_collide(tmp_path: Path) -> None:
    with files.write_aside(tmp_path / "a") as one, files.write_aside(tmp_path / "a") as two:
        assert one != two
        one.write_text("1")
        time.sleep(0.001)
        two.write_text("2")
    assert (tmp_path / "a").read_text() == "1"


def test_a_torn_line_swallows_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    files.append_line(path, {"a": 1})
    with path.open("a") as handle:
        handle.write('{"a": 2')
    files.append_line(path, {"a": 3})
    journal = files.read_journal(path)
    assert journal.values == [{"a": 1}, {"a": 3}]
    assert journal.damaged == 1


def test_the_last_lines_of_a_long_journal(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("".join(f'{{"a": {i}}}\n' for i in range(10_000)))
    assert files.read_last_lines(path, 20) == [{"a": 9999}]
    assert files.read_last_lines(path, 1 << 20) == files.read_lines(path)
    assert files.read_last_lines(tmp_path / "none") == []


@pytest.mark.parametrize("room", [0, 1, 5, 12])
def test_a_full_disk_leaves_the_journal_as_it_was(tmp_path: Path, room: int) -> None:
    """A limit on the size of files stands for the full disk: a write is cut short, then fails."""
    path = tmp_path / "a.jsonl"
    files.append_line(path, {"a": 1})
    before = path.read_bytes()
    code = (
        "import resource, signal, sys; from pathlib import Path; from crowdselect import files\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); path = Path(sys.argv[1])\n"
        "size = path.stat().st_size + int(sys.argv[2])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))\n"
        "try: files.append_line(path, {'a': 'long enough to need more room'})\n"
        "except OSError as error: raise SystemExit(0)\n"
        "raise SystemExit(1)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path), str(room)], check=False)
    assert done.returncode == 0
    assert path.read_bytes() == before


def test_many_processes_append_to_one_journal(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    code = (
        "import sys; from pathlib import Path; from crowdselect import files\n"
        "[files.append_line(Path(sys.argv[1]), {'who': sys.argv[2], 'i': i}) for i in range(50)]"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(path), str(w)]) for w in range(4)]
    assert [w.wait(60) for w in writers] == [0] * 4
    journal = files.read_journal(path)
    assert (len(journal.values), journal.damaged) == (200, 0)


def test_a_lock_keeps_the_second_writer_out_until_it_ends(tmp_path: Path) -> None:
    thing = tmp_path / "thing"
    code = (
        "import sys, time; from pathlib import Path; from crowdselect.locks import only_writer\n"
        "with only_writer(Path(sys.argv[1]), busy='busy', remedy='wait'):\n"
        "    print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(thing)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with (
        pytest.raises(InputError, match="busy"),
        locks.only_writer(thing, busy="busy", remedy="wait", wait_s=0.1),
    ):
        pass
    holder.kill()  # a lock ends with its process, however that ends
    holder.wait()
    with locks.only_writer(thing, busy="busy", remedy="wait", wait_s=5.0):
        pass
