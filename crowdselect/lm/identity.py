"""What tells two models apart: everything in a model's folder that can change an answer."""

from __future__ import annotations

import functools
from pathlib import Path

from crowdselect import files
from crowdselect.lm.packaged import provide
from crowdselect.registry import content_key

ADAPTER_CONFIG = "adapter_config.json"
_SUFFIXES = frozenset(
    (".safetensors", ".json", ".jinja", ".model", ".txt", ".tiktoken", ".vocab", ".bpe", ".py")
)
"""Weights, configurations (generation, tokenizer, adapter), vocabularies, chat templates, code."""
_READ_UP_TO = 32 << 20
"""Bytes up to which a file counts by its content; larger ones by size and time, as make does."""


def model_identity(model: str, adapter: str | None = None) -> str:
    """A hash that changes with every file of the model that changes an answer.

    Covers weights, all configurations, tokenizer, chat templates and code in the folder and below
    it, the adapter's folder, and the base that an adapter's folder names. Where the folder lies,
    and files such as a model card or logs, do not count. Empty for a hub id, whose name stands
    for itself.
    """
    parts = [_folder(name) for name in filter(None, (model, adapter))]
    return content_key(parts) if any(parts) else ""


def adapter_base(folder: Path) -> str | None:
    """The base model that an adapter's folder names; None: it is no adapter's folder."""
    if not (folder / ADAPTER_CONFIG).is_file():
        return None
    base = files.read_json(folder / ADAPTER_CONFIG).get("base_model_name_or_path")
    return str(base) if base else None


def _folder(name: str) -> list[str]:
    folder = Path(name).expanduser()
    provide(folder)
    if not folder.is_dir():
        return []
    found = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix in _SUFFIXES and path.is_file() and not _hidden(path.relative_to(folder))
    )
    parts = [f"{path.relative_to(folder).as_posix()}:{_stamp(path)}" for path in found]
    base = adapter_base(folder)
    return [*parts, *([base, *_folder(base)] if base else [])]


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _stamp(path: Path) -> str:
    stat = path.stat()
    if stat.st_size > _READ_UP_TO:
        return f"{stat.st_size}:{stat.st_mtime_ns}"
    return _content(path, stat.st_size, stat.st_mtime_ns)


@functools.lru_cache(maxsize=4096)
def _content(path: Path, size: int, time_ns: int) -> str:
    """The file's hash, read once for each of its states."""
    return files.sha256_file(path)[:32]
