"""Tags that a model gave the instructions: ``tags/<name>.parquet`` beside a crowd's scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from crowdselect.files import write_aside
from crowdselect.store.changing import changing
from crowdselect.store.rewards import slug

FOLDER = "tags"


def write_tags(crowd: Path, name: str, tags: Mapping[str, Sequence[str]]) -> Path:
    """Keep id -> tags under ``name`` in the crowd's folder; replaces what was there."""
    path = crowd / FOLDER / f"{slug(name)}.parquet"
    rows = pa.array([list(each) for each in tags.values()], type=pa.list_(pa.string()))
    with changing(crowd), write_aside(path) as temporary:
        pq.write_table(pa.table({"id": pa.array(list(tags), pa.string()), "tags": rows}), temporary)
    return path


def read_tags(crowd: Path, name: str) -> dict[str, tuple[str, ...]]:
    """Id -> tags kept under ``name``; empty where there are none."""
    path = crowd / FOLDER / f"{slug(name)}.parquet"
    if not path.exists():
        return {}
    table = pq.read_table(path)
    pairs = zip(table["id"].to_pylist(), table["tags"].to_pylist(), strict=True)
    return {key: tuple(each) for key, each in pairs}


def tags_by_scorers(crowd: Path) -> dict[str, tuple[str, ...]]:
    """Id -> tags that any model gave, each once."""
    found: dict[str, dict[str, None]] = {}
    for path in sorted((crowd / FOLDER).glob("[!.]*.parquet")):
        for key, tags in read_tags(crowd, path.stem).items():
            found.setdefault(key, {}).update(dict.fromkeys(tags))
    return {key: tuple(tags) for key, tags in found.items()}
