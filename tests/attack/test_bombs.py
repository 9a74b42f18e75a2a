"""Small Parquet files that would unpack to gigabytes, the text at any depth: refused in time."""

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crowdselect.errors import InputError
from crowdselect.reading.columnar import read_parquet
from crowdselect.store import parquetfiles

TEXT = "x" * 50_000
ROWS = 60
SHAPES = {
    "text": ([TEXT] * ROWS, pa.string()),
    "bytes": ([TEXT.encode()] * ROWS, pa.binary()),
    "struct": ([{"a": TEXT, "n": 1}] * ROWS, None),
    "list": ([[TEXT] * 20] * (ROWS // 20), None),
    "structs in a list": ([[{"a": {"b": TEXT}}] * 20] * (ROWS // 20), None),
    "lists in lists": ([[[TEXT] * 5] * 4] * (ROWS // 20), None),
    "map": ([[("k", TEXT)] * 20] * (ROWS // 20), pa.map_(pa.string(), pa.string())),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_bomb_at_any_depth(shape: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values, kind = SHAPES[shape]
    path = tmp_path / "bomb.parquet"
    table = pa.table({"instruction": ["q"] * len(values), "c": pa.array(values, kind)})
    pq.write_table(table, path, compression="zstd")
    assert path.stat().st_size < 5_000
    whole = ROWS * len(TEXT)
    with pytest.raises(InputError, match="more than"):
        read_parquet(path, whole - 1)
    assert len(read_parquet(path, whole + 10_000)[0]) == len(values)
    monkeypatch.setattr(parquetfiles, "_LIMIT", whole - 1)
    monkeypatch.setattr(parquetfiles, "_RATIO", 1)
    with pytest.raises(InputError, match="unpacks to more than"):
        parquetfiles.check_parquet(path, path.name)
    monkeypatch.setattr(parquetfiles, "_LIMIT", whole + 10_000)
    parquetfiles.check_parquet(path, path.name)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_it_is_refused_before_it_unpacks(tmp_path: Path) -> None:
    """More than a gigabyte from some kilobytes, counted by a process that never holds it."""
    path = tmp_path / "bomb.parquet"
    one = pa.table({"instruction": ["q"], "turns": [[{"text": "x" * 1_000_000}] * 100]})
    with pq.ParquetWriter(path, one.schema, compression="zstd") as writer:
        for _ in range(12):
            writer.write_table(one)
    assert path.stat().st_size < 100_000
    code = (
        "import re, sys\n"
        "from pathlib import Path\n"
        "from crowdselect.reading.columnar import read_parquet\n"
        "from crowdselect.store import parquetfiles\n"
        "parquetfiles._LIMIT = 1 << 30\n"
        "check = lambda p: parquetfiles.check_parquet(p, p.name)\n"
        "for reader in (lambda p: read_parquet(p, 1 << 30), check):\n"
        "    try:\n"
        "        reader(Path(sys.argv[1]))\n"
        "    except Exception as error:\n"
        "        print(type(error).__name__)\n"
        "print(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])\n"
    )
    # VmHWM is of the program itself; getrusage's maximum begins with that of the process before it.
    out = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    ).stdout.split()
    assert out[:2] == ["InputError", "InputError"]
    assert int(out[2]) < 700_000, "kilobytes"
