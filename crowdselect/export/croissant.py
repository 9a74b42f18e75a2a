"""Croissant metadata: what a data set's files and fields are, for machines (MLCommons, 1.0).

https://docs.mlcommons.org/croissant/docs/croissant-spec-1.0.html. Like the card it says only what
the manifest and the data hold, so the same export gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from crowdselect import files
from crowdselect.export.base import Format

CROISSANT = "croissant.json"
_SAMPLE = 1_000
"""Rows that a JSON file's types are told from."""
_KINDS = {
    ".parquet": "application/x-parquet",
    ".jsonl": "application/jsonlines",
    ".json": "application/json",
}
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context that the specification prints, word for word."""


def croissant(
    folder: Path, manifest: Mapping[str, Any], form: Format, licence: str | None
) -> dict[str, Any]:
    """Return the metadata of the data files that lie in ``folder``."""
    splits = [("train", form.file), *([("test", form.test_file)] if _tested(manifest) else [])]
    meanings = {name.removesuffix("*"): text for name, text in form.columns}
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": manifest["name"],
        "description": (
            f"{manifest['counts']['exported']:,} instructions of the crowd "
            f"{manifest['crowd']['name']}, chosen with CrowdSelect "
            f"(recipe {manifest['recipe_id']})."
        ),
        "citeAs": "CrowdSelect, arXiv 2503.01836",
        "url": "https://arxiv.org/abs/2503.01836",
        "version": f"1.0.0+{manifest['recipe_id']}",
        **({"license": licence} if licence else {}),
        "isLiveDataset": False,
        "distribution": [_file(folder / name, split) for split, name in splits],
        "recordSet": [_records(folder / name, split, meanings) for split, name in splits],
    }


def _tested(manifest: Mapping[str, Any]) -> bool:
    return "test" in manifest["counts"]


def _file(path: Path, split: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": f"{split}-file",
        "name": path.name,
        "contentUrl": path.name,
        "contentSize": f"{path.stat().st_size} B",
        "encodingFormat": _KINDS[path.suffix],
        "sha256": files.sha256_file(path),
    }


def _records(path: Path, split: str, meanings: Mapping[str, str]) -> dict[str, Any]:
    fields = []
    for column in _schema(path):
        told = next((m for n, m in meanings.items() if column.name.startswith(n)), "")
        by = {"jsonPath": f"$[*].{column.name}"} if path.suffix == ".json" else (
            {"column": column.name})  # fmt: skip
        source = {"fileObject": {"@id": f"{split}-file"}, "extract": by}
        fields.append(_field(column, f"{split}/{column.name}", source, told))
    return {"@type": "cr:RecordSet", "@id": split, "name": split, "field": fields}


def _field(column: pa.Field, name: str, source: Mapping[str, Any], told: str) -> dict[str, Any]:
    kind = column.type
    repeated = pa.types.is_list(kind)
    kind = kind.value_type if repeated else kind
    made: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": name,
        "name": name,
        **({"description": told} if told else {}),
        **({"repeated": True} if repeated else {}),
    }
    if not pa.types.is_struct(kind):
        return {**made, "dataType": _type(kind), "source": source}
    inner = [
        _field(f, f"{name}/{f.name}", {**source, "transform": {"jsonPath": f.name}}, "")
        for f in kind
    ]
    return {**made, "subField": inner}


def _type(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "sc:Boolean"
    if pa.types.is_integer(kind):
        return "sc:Integer"
    return "sc:Float" if pa.types.is_floating(kind) else "sc:Text"


def _schema(path: Path) -> Sequence[pa.Field]:
    if path.suffix == ".parquet":
        return list(pq.read_schema(path))
    with path.open(encoding="utf-8") as handle:
        # Both JSON forms hold one object per line; an array's lines end in a comma.
        lines = (line.rstrip(",\n") for line in handle)
        objects = (line for line in lines if line.startswith("{"))
        rows = [json.loads(line) for line in islice(objects, _SAMPLE)]
    return list(pa.Table.from_pylist(rows).schema) if rows else []
