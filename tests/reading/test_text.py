"""Every text file that a person gives comes out as the text that it is, or is refused by name."""

import gzip
import os

import pytest

from crowdselect.errors import CrowdSelectError, InputError, NotFoundError
from crowdselect.reading import decimal_mark, number, read_text, utf8_copy, without_lone_escapes

TEXT = 'a = "é 🙂"\r\nb = 2\n'


@pytest.mark.parametrize(
    "codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be-mark", "utf-32", "utf-16-le", "utf-16-be"]
)
@pytest.mark.parametrize("packed", [False, True])
def test_marks_and_utf16_are_recognised(codec, packed, tmp_path):
    data = (
        "\ufeff".encode("utf-16-be") + TEXT.encode("utf-16-be")
        if codec == "utf-16-be-mark"
        else TEXT.encode(codec)
    )
    path = tmp_path / "t.toml"
    path.write_bytes(gzip.compress(data) if packed else data)
    assert read_text(path).text == TEXT
    assert read_text(path, "utf-8").text == TEXT


def test_another_encoding_is_told_and_named(tmp_path):
    path = tmp_path / "t.txt"
    path.write_bytes(b"one\ntwo \xe9\n")
    assert read_text(path, "latin-1").text == "one\ntwo é\n"
    with pytest.raises(InputError, match=r"t\.txt, line 2 is not UTF-8: byte 0xe9 at column 5"):
        read_text(path)
    with pytest.raises(InputError, match="--encoding latin-1"):
        read_text(path, "utf-8")


@pytest.mark.parametrize(
    "codec", ["punycode", "idna", "hex", "rot13", "undefined", "nonsense", "unicode_escape", "a\0b"]
)
def test_what_is_no_encoding_of_files_is_one_sentence(codec, tmp_path):
    (tmp_path / "t.txt").write_text("abc")
    with pytest.raises(InputError, match="no encoding of text files"):
        read_text(tmp_path / "t.txt", codec)


def test_halves_of_characters_are_joined_or_replaced_and_counted(tmp_path):
    path = tmp_path / "t.txt"
    path.write_bytes("a\ud83d b".encode("utf-8", "surrogatepass"))
    assert (read_text(path).text, read_text(path).replaced) == ("a\ufffd b", 1)
    path.write_bytes("\ud83d\ude42".encode("utf-8", "surrogatepass"))  # as CESU-8 writes it
    assert (read_text(path).text, read_text(path).replaced) == ("🙂", 0)
    path.write_bytes("\ufeffx\ude42y".encode("utf-16-le", "surrogatepass"))
    assert (read_text(path).text, read_text(path).replaced) == ("x\ufffdy", 1)


@pytest.mark.parametrize(
    ("given", "mended", "count"),
    [
        (r'"\ud83d\ude42"', r'"\ud83d\ude42"', 0),
        (r'"\ud83d"', r'"\ufffd"', 1),
        (r'"\ud83d\ud83d\ude42 \uDE42"', r'"\ufffd\ud83d\ude42 \ufffd"', 2),
        (r'"C:\\ud83d"', r'"C:\\ud83d"', 0),
        (r'"\\\ud83d"', r'"\\\ufffd"', 1),
    ],
)
def test_lone_escapes_of_json(given, mended, count):
    assert without_lone_escapes(given) == (mended, count)


def test_damaged_and_foreign_files_are_named(tmp_path):
    whole = gzip.compress(b"hello" * 1000)
    for name, data, words in [
        ("cut.gz", whole[:-9], "cut.gz cannot be read"),
        ("torn.gz", whole[:20] + b"\xff\xff" + whole[22:], "torn.gz cannot be read"),
        ("plain.gz", b"hello", "not packed with gzip"),
        ("book.csv", b"PK\x03\x04....", "Excel"),
        ("x.jsonl", b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
    ]:
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match=words):
            read_text(tmp_path / name)


def test_pipes_devices_folders_and_what_is_not_there(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, words in [
        (tmp_path / "pipe", "a pipe"),
        ("/dev/zero", "device"),
        (tmp_path, "folder"),
    ]:
        with pytest.raises(InputError, match=words):
            read_text(path)
    with pytest.raises(NotFoundError):
        read_text(tmp_path / "nothing")
    with pytest.raises(CrowdSelectError):
        read_text("a\0b")


def test_the_limit_counts_unpacked_bytes(tmp_path):
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(b"0" * 3_000_000))
    with pytest.raises(InputError, match="more than 1 MiB"):
        read_text(path, limit=1 << 20)
    assert len(read_text(path, limit=3_000_000).text) == 3_000_000


def test_a_copy_is_plain_utf8(tmp_path):
    path = tmp_path / "t.jsonl.gz"
    path.write_bytes(gzip.compress('{"a": "\\ud83d é"}\n'.encode("utf-16")))
    copied = utf8_copy(path, tmp_path / "copy", json=True)
    assert (tmp_path / "copy").read_text("utf-8") == '{"a": "\\ufffd é"}\n'
    assert (copied.encoding, copied.replaced) == ("utf-16", 1)


def test_numbers_with_commas():
    assert decimal_mark(["1", "2.5", "x"]) == "point"
    assert decimal_mark(["1,5", "2", "0,123"]) == "comma"
    assert decimal_mark(["1,234", "2"]) == "unclear"
    assert decimal_mark(["1,5", "2.5"]) == "unclear"
    assert number("1,5", "comma") == 1.5
    assert number("1,5") is None
    assert number(" 7 ") == 7
    assert number("nan") is number("inf") is number("1_000") is None
