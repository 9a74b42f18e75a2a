"""A folder -> the files of one table: shards, the hub's layout with splits, ``save_to_disk``."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crowdselect.errors import InputError
from crowdselect.reading.kinds import SUFFIXES, suffix_of
from crowdselect.reading.opening import open_bytes

_NOT_DATA = {
    "dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json", "manifest.json",
    "about.json", "config.json", "croissant.json", "report.json", "package.json", "models.csv",
}  # fmt: skip
_SHARD = re.compile(r"(?P<split>.+?)-\d{5}-of-\d{5}.*", re.IGNORECASE)
_SPLITS = {
    "train": "train", "training": "train", "test": "test", "testing": "test", "eval": "test",
    "evaluation": "test", "validation": "validation", "valid": "validation", "val": "validation",
    "dev": "validation", "train_sft": "train_sft", "test_sft": "test_sft",
    "train_prefs": "train_prefs", "test_prefs": "test_prefs", "train_gen": "train_gen",
    "test_gen": "test_gen",
}  # fmt: skip


ALL_SPLITS = "*"
"""The split that means: all of them."""


@dataclass(frozen=True)
class Shards:
    """The files that make up one table."""

    files: tuple[Path, ...]
    remarks: tuple[str, ...] = ()


def shards_of(folder: Path, split: str | None = None) -> Shards:
    """Return the files of a folder's table, in the order of their names.

    Of several splits ``split`` is taken (``ALL_SPLITS``: every one), else ``train`` with a remark.
    Raises InputError where there are no data files, several data sets, or no such split.
    """
    groups = _saved(folder) or _by_split(folder)
    if not groups:
        raise InputError(
            f"The folder {folder.name} holds no data: no {', '.join(SUFFIXES[::2])} file.",
            "Give a file, or the folder that holds the shards.",
        )
    if split == ALL_SPLITS:
        return Shards(tuple(file for files in groups.values() for file in files))
    if split is not None and split not in groups:
        raise InputError(
            f"The folder {folder.name} has no split {split!r}; there are {', '.join(groups)}.",
            "Name one of them.",
        )
    if split is None and len(groups) > 1:
        split = next((s for s in groups if s.split("_")[0] == "train"), None)
        if split is None:
            raise InputError(
                f"The folder {folder.name} holds several tables: {', '.join(groups)}.",
                "Give the file, or the folder, of one of them.",
            )
        others = ", ".join(g for g in groups if g != split)
        remark = f"{folder.name}: the split {split} is read; left out: {others}."
        return Shards(groups[split], (remark,))
    return Shards(groups[split or next(iter(groups))])


def _saved(folder: Path) -> dict[str, tuple[Path, ...]]:
    """What ``datasets.save_to_disk`` wrote: one data set, or one per split."""
    if (folder / "state.json").is_file():
        return {"all": _files_of_state(folder)}
    if not (folder / "dataset_dict.json").is_file():
        return {}
    splits = _json(folder / "dataset_dict.json").get("splits")
    names = [s for s in splits if isinstance(s, str)] if isinstance(splits, list) else []
    return {name: _files_of_state(folder / name) for name in names if "/" not in name}


def _files_of_state(folder: Path) -> tuple[Path, ...]:
    state = _json(folder / "state.json")
    listed = state.get("_data_files")
    names = [f.get("filename") for f in listed if isinstance(f, dict)] if (
        isinstance(listed, list)
    ) else []  # fmt: skip
    files = [folder / name for name in names if isinstance(name, str) and Path(name).name == name]
    if not files or len(files) != len(names):
        raise InputError(
            f"{folder.name}/state.json names no data files.", "Save the data set again."
        )
    if state.get("_indices_data_files"):
        raise InputError(
            f"{folder.name} is a selection of rows that was saved without being made one table.",
            "Save it again after flatten_indices().",
        )
    return tuple(files)


def _json(path: Path) -> dict[str, object]:
    try:
        with open_bytes(path, 1 << 24) as handle:
            value = json.loads(handle.read())
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{path.parent.name}/{path.name} is not JSON.", "Save the data set again."
        ) from error
    return value if isinstance(value, dict) else {}


def _by_split(folder: Path) -> dict[str, tuple[Path, ...]]:
    own = _data_files(folder)
    if own:
        return _grouped(own)
    inside = [p for p in sorted(folder.iterdir()) if p.is_dir() and not p.name.startswith(".")]
    with_data = [p for p in inside if _data_files(p)]
    if len(with_data) == 1 and with_data[0].name.lower() not in _SPLITS:
        return _grouped(_data_files(with_data[0]))
    return {_SPLITS.get(p.name.lower(), p.name): tuple(_data_files(p)) for p in with_data}


def _data_files(folder: Path) -> list[Path]:
    found = [
        p
        for p in sorted(folder.iterdir())
        if p.name.lower().endswith(SUFFIXES)
        and p.name not in _NOT_DATA
        and not p.name.startswith((".", "_"))
        and p.is_file()
    ]
    kinds = {suffix_of(p) for p in found}
    return [p for p in found if suffix_of(p) != ".json"] if len(kinds) > 1 else found


def _grouped(files: Sequence[Path]) -> dict[str, tuple[Path, ...]]:
    """Files by split; files whose names tell none belong together."""
    groups: dict[str, list[Path]] = {}
    for path in files:
        stem = path.name[: -len("".join(path.suffixes))] or path.name
        match = _SHARD.fullmatch(stem)
        word = (match["split"] if match else stem).lower()
        name = _SPLITS.get(word) or (word if match else "all")
        groups.setdefault(name, []).append(path)
    return {name: tuple(found) for name, found in groups.items()}
