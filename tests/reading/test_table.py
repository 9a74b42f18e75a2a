"""The same rows come out of every kind of file; what is no table is refused by its place."""

import gzip
import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crowdselect.errors import InputError
from crowdselect.reading import MOST_COLUMNS, csv_layout, read_table, small_letters

ROWS = [{"a": "42", "b": "x, y"}, {"a": "007", "b": 'two\n"lines"\u2028'}, {"a": "NA", "b": ""}]


def _write(path, rows=ROWS):
    frame = pd.DataFrame(rows)
    name = path.name.removesuffix(".gz")
    if name.endswith(".parquet"):
        frame.to_parquet(path)
    elif name.endswith(".feather"):
        frame.to_feather(path)
    elif name.endswith(".arrow"):
        table = pa.Table.from_pandas(frame, preserve_index=False)
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as out:
            out.write_table(table)
    elif name.endswith((".csv", ".tsv")):
        text = frame.to_csv(index=False, sep="\t" if "tsv" in name else ",")
        path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    else:
        lines = name.endswith("l")
        text = "\n".join(map(json.dumps, rows)) + "\n" if lines else json.dumps(rows, indent=1)
        path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


NAMES = [
    "t.jsonl", "t.json", "t.csv", "t.tsv", "t.parquet", "t.arrow", "t.feather", "t.jsonl.gz",
    "t.json.gz", "t.csv.gz",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_of_file_gives_the_same_rows(name, tmp_path):
    table = read_table(_write(tmp_path / name))
    assert list(table) == list(enumerate(ROWS, start=1))
    assert table.columns == ("a", "b")
    assert table.remarks == ()
    assert table.where(2) == f"{name}, row 2"


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ({"data": ROWS, "version": 1}, "under the key 'data'; left out: version"),
        ({"my rows": ROWS}, "under the key 'my rows'"),
        ("columns", "pandas"),
        ("split", "pandas"),
        ("index", "per index"),
        ("table", "under the key 'data'"),
        ("list", "list per column"),
        ("lines", "JSON lines"),
    ],
)
def test_shapes_of_json(text, remark, tmp_path):
    frame = pd.DataFrame(ROWS)
    if isinstance(text, dict):
        value = json.dumps(text)
    elif text == "list":
        value = json.dumps(frame.to_dict("list"))
    elif text == "lines":
        value = "\n".join(map(json.dumps, ROWS))
    else:
        value = frame.to_json(orient=text)
    (tmp_path / "t.json").write_text(value)
    table = read_table(tmp_path / "t.json")
    rows = [{k: v for k, v in row.items() if k != "index"} for row in table.rows]
    assert rows == ROWS
    assert remark in " ".join(table.remarks)


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [{"role": "user", "content": "x"}]},
        {"prompt": "a", "completion": "b"},
        {"prompt": [{"role": "user", "content": "x"}], "completion": [{"content": "y"}]},
        {"question": {"text": "q"}, "choices": {"text": ["a"], "label": ["A"]}},
    ],
)
def test_one_object_is_one_row(row, tmp_path):
    (tmp_path / "t.json").write_text(json.dumps(row))
    assert read_table(tmp_path / "t.json").rows == (row,)


def test_a_list_of_texts_where_that_is_allowed(tmp_path):
    (tmp_path / "t.json").write_text('["one", "two"]')
    assert read_table(tmp_path / "t.json", texts="prompt").rows == (
        {"prompt": "one"},
        {"prompt": "two"},
    )
    with pytest.raises(InputError, match="item 1 is a JSON text"):
        read_table(tmp_path / "t.json")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("t.jsonl", '{"a": 1} {"a": 2}\n', "line 1 holds more than one JSON value"),
        ("t.jsonl", '{"a": 1}\n\n{"a": 2}{"a": 3}\n', "line 3 holds more than one"),
        ("t.jsonl", '{"a": 1}\n[1]\n', "line 2 is a JSON list"),
        ("t.jsonl", '{"a": 1}\n{"a": \n', "line 2 is not JSON"),
        ("t.jsonl", '{"a": 1, "a": 2}\n', "line 1: the key 'a' occurs twice"),
        ("t.json", '[{"a": ' + "[" * 5000 + "]" * 5000 + "}]", "levels deep"),
        ("t.json", '[{"a": ' + "[" * 300 + "]" * 300 + "}]", "levels deep"),
        ("t.json", "[1]", "item 1 is a JSON number"),
        ("t.json", '"x"', "holds a JSON text"),
        ("t.json", '{"a": ' + "9" * 5000 + "}", "not JSON"),
        ("t.csv", "a,b\n1\n", "line 2 has 1 cells, but the header names 2"),
        ("t.csv", 'a,b\n"1,2\n', "line 2"),
        ("t.csv", "a,a\n1,2\n", "two columns are called 'a'"),
        ("t.csv", "a,,b\n1,2,3\n", "column 2 has no name"),
        ("t.csv", "\n\n", "no header"),
        ("t.csv", "a," * MOST_COLUMNS + "b\n", "at most 10,000"),
        ("t.docx", "hello", "ends in .docx; expected .jsonl"),
        ("t", "hello", "has no ending"),
    ],
)
def test_what_is_no_table_is_refused_by_its_place(name, text, words, tmp_path):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError) as caught:
        read_table(tmp_path / name)
    assert words in caught.value.problem


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("\ufeffa;b\n1,5;x\n", [{"a": "1,5", "b": "x"}]),
        ("sep=;\na;b\n1;x\n", [{"a": "1", "b": "x"}]),
        ('a, b, c\n1, "x, y", 3\n', [{"a": "1", "b": "x, y", "c": "3"}]),
        ('a,b\n"say \\"hi\\", he said",1\n', [{"a": 'say "hi", he said', "b": "1"}]),
        ('a,b\n"C:\\\\",1\n', [{"a": "C:\\\\", "b": "1"}]),
        (",a\n0,x\n1,y\n", [{"a": "x"}, {"a": "y"}]),
        ("a,b\r\n1,2\r\n\r\n3,4", [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]),
        ('a\n"' + "x" * 300_000 + '"\n', [{"a": "x" * 300_000}]),
    ],
)
def test_csv_as_programs_write_it(text, rows, tmp_path):
    (tmp_path / "t.csv").write_bytes(text.encode())
    assert list(read_table(tmp_path / "t.csv").rows) == rows


def test_the_layout_is_told_without_reading_the_file(tmp_path):
    (tmp_path / "t.csv").write_bytes("\ufeffsep=;\nA; B\n1; 2\n".encode("utf-16-le"))
    layout = csv_layout(tmp_path / "t.csv")
    assert (layout.delimiter, layout.columns, layout.header_line) == (";", ("A", "B"), 2)
    assert layout.blank_after_delimiter


def test_parquet_that_cannot_be_what_it_says(tmp_path):
    path = tmp_path / "t.parquet"
    twice = pa.table([pa.array(["x"]), pa.array(["y"])], names=["a", "a"])
    pq.write_table(twice, path)
    with pytest.raises(InputError, match="two fields are called 'a'"):
        read_table(path)
    kind = pa.struct([pa.field("k", pa.int64()), pa.field("k", pa.int64())])
    inner = pa.StructArray.from_arrays([pa.array([1]), pa.array([2])], fields=list(kind))
    pq.write_table(pa.table({"s": pa.ListArray.from_arrays([0, 1], inner)}), path)
    with pytest.raises(InputError, match="'k' inside of 's'"):
        read_table(path)
    pq.write_table(pa.table({"a": ["x" * 1_000_000] * 100}), path)
    assert path.stat().st_size < 200_000
    with pytest.raises(InputError, match="more than 16 MiB"):
        read_table(path, limit=1 << 24)
    one = pa.DictionaryArray.from_arrays(pa.array([0] * 100, pa.int32()), ["x" * 1_000_000])
    pq.write_table(pa.table({"a": pa.ListArray.from_arrays(range(101), one)}), path)
    with pytest.raises(InputError, match="more than 16 MiB"):
        read_table(path, limit=1 << 24)
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    with pytest.raises(InputError, match=r"t\.parquet cannot be read"):
        read_table(path)


def test_the_index_of_pandas_is_left_out_with_a_remark(tmp_path):
    pd.DataFrame({"a": ["x"]}, index=pd.Index([5], name=None)).iloc[[0]].to_parquet(
        tmp_path / "t.parquet"
    )
    table = read_table(tmp_path / "t.parquet")
    assert table.rows == ({"a": "x"},)
    assert "__index_level_0__" in " ".join(table.remarks)


def test_folders_of_shards_and_splits(tmp_path):
    first, second = [{"a": "1", "b": "x"}], [{"a": "2", "b": "y"}]
    shards = tmp_path / "shards"
    shards.mkdir()
    _write(shards / "train-00000-of-00002.parquet", first)
    _write(shards / "train-00001-of-00002.parquet", second)
    table = read_table(shards)
    assert table.rows == (*first, *second)
    assert table.where(2) == "train-00001-of-00002.parquet, row 1"
    (shards / "README.md").write_text("x")
    _write(shards / "test-00000-of-00001.parquet", [{"a": "3", "b": "z"}])
    table = read_table(shards)
    assert table.rows == (*first, *second)
    assert "the split train is read; left out: test" in " ".join(table.remarks)
    assert read_table(shards, split="test").rows == ({"a": "3", "b": "z"},)
    with pytest.raises(InputError, match="no split 'dev'"):
        read_table(shards, split="dev")
    hub = tmp_path / "hub"
    hub.mkdir()
    shards.rename(hub / "data")
    assert read_table(hub).rows == (*first, *second)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match="holds no data"):
        read_table(empty)


def test_folders_that_datasets_saved(tmp_path):
    datasets = pytest.importorskip("datasets")
    data = datasets.Dataset.from_list(ROWS)
    data.save_to_disk(tmp_path / "one")
    assert list(read_table(tmp_path / "one").rows) == ROWS
    both = datasets.DatasetDict({"train": data, "test": data.select([0])})
    both.save_to_disk(tmp_path / "both")
    assert list(read_table(tmp_path / "both").rows) == ROWS
    assert list(read_table(tmp_path / "both", split="test").rows) == ROWS[:1]


def test_lone_surrogates_are_replaced_and_counted(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"a": "x \\ud83d"}\n{"a": "\\ud83d\\ude42"}\n')
    table = read_table(tmp_path / "t.jsonl")
    assert [row["a"] for row in table.rows] == ["x \ufffd", "🙂"]
    assert "half a character" in " ".join(table.remarks)


def test_names_in_small_letters():
    assert small_letters({"Prompt": 1, "prompt": 2, " Size_B ": 3}) == {"prompt": 2, "size_b": 3}
