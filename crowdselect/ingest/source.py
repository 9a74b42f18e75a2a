"""What every source has in common: its options, and how paths become files."""

from __future__ import annotations

import glob
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from crowdselect.errors import InputError
from crowdselect.ingest.models import Sizes, describe_models, in_catalogue_order
from crowdselect.plans import Builder, ColumnUse, Plan, Tidy
from crowdselect.progress import Progress, silent
from crowdselect.reading import plain_name, shards_of
from crowdselect.registry import option

_SPLIT = re.compile(r"(train|test|validation|valid|val|dev|eval)\w*[-.]", re.IGNORECASE)
_NOT_DATA = {
    "dataset_info.json",
    "dataset_infos.json",
    "dataset_dict.json",
    "state.json",
    "croissant.json",
}
_SAMPLE = re.compile(r" #\d+$")
"""What the store adds to a model's name where each of its samples is a model of its own."""

DEDUPE = ("no", "keep-first")
SAMPLES = ("no", "mean", "best", "each")


@dataclass(frozen=True)
class Source(ABC):
    """Reads one shape of data into a crowd that is being built."""

    name: ClassVar[str]
    title: ClassVar[str]
    """One line for a person who chooses."""

    models: str = option(
        "", "CSV file with model,family,size_b for models that are not known", opens="file"
    )
    sizes: str = option(
        "total",
        "size of a mixture of experts: all its parameters, or those active per token",
        choices=("total", "active"),
    )
    dedupe_ids: str = option(
        "no", "what to do with ids that occur twice: stop, or keep the first", choices=DEDUPE
    )

    samples: str = option(
        "no",
        "what several answers of one model to one instruction count as: the mean of their rewards, "
        "the best of them, or each a model of its own",
        choices=SAMPLES,
    )

    split: str = option("", "split to read of a folder or of a hub data set (train, by default)")
    subset: str = option("", "subset (configuration) of a hub data set")

    @abstractmethod
    def __call__(self, paths: Sequence[str], builder: Builder, progress: Progress = silent) -> None:
        """Read ``paths`` of this machine into ``builder``; raises CrowdSelectError for anything
        unusable.
        """

    def crowd_name(self, paths: Sequence[str]) -> str:
        """Return a name for the crowd where the user gave none."""
        return safe_name(Path(paths[0].rstrip("/")).name) if paths else self.name

    def load(
        self,
        plan: Plan,
        builder: Builder,
        progress: Progress,
        *,
        uses: Sequence[ColumnUse] = (),
    ) -> None:
        """Let the builder read what ``plan`` says, and describe the models it finds.

        ``uses``: what every column was taken for.
        """
        table = builder.read_models(Path(self.models)) if self.models else ()
        names = builder.load(
            plan,
            uses=uses,
            dedupe_ids=self.dedupe_ids,
            samples=self.samples,
            progress=progress,
            source=self.name,
        )
        if isinstance(plan, Tidy):
            names = in_catalogue_order(names)  # which row comes first says nothing
        whose = {name: _SAMPLE.sub("", name) if self.samples == "each" else name for name in names}
        strangers = [m.name for m in table if m.name not in whose.values()]
        if strangers and len(strangers) == len(table):
            raise InputError(
                f"{Path(self.models).name} describes none of the models: {', '.join(names[:5])}.",
                "Its column 'model' must hold the names as the data writes them.",
            )
        if strangers:
            builder.note(f"{Path(self.models).name} also lists {', '.join(strangers)}.")
        sizes: Sizes = "active" if self.sizes == "active" else "total"
        models = describe_models(list(dict.fromkeys(whose.values())), table, sizes)
        builder.set_models(
            [replace(m, name=name) for m in models for name in names if whose[name] == m.name]
        )


def files_of(
    paths: Sequence[str], suffixes: tuple[str, ...], *, split: str | None = None
) -> tuple[list[Path], list[str]]:
    """Return the files that files, folders and patterns stand for, and remarks on folders.

    Of a folder with splits ``split`` is read (``train``, by default). Raises InputError where a
    path is missing or holds no file with one of the ``suffixes``.
    """
    found: list[Path] = []
    remarks: list[str] = []
    for text in paths:
        path = Path(text).expanduser()
        if path.is_dir():
            files, more = _of_folder(path, suffixes, split)
            found += files
            remarks += more
        elif glob.has_magic(text) and not path.exists():
            found += _of_kind(map(Path, glob.glob(str(path), recursive=True)), suffixes, text)
        elif path.exists():
            found.append(path)
        else:
            raise InputError(f"There is no file or folder {text}.", "Check the path.")
    return list(dict.fromkeys(found)), remarks


def _of_folder(
    path: Path, suffixes: tuple[str, ...], split: str | None
) -> tuple[list[Path], list[str]]:
    """A folder of files; one that ``datasets`` or the hub wrote is read by its splits."""
    saved = (path / "state.json").is_file() or (path / "dataset_dict.json").is_file()
    shards = shards_of(path, split) if saved or split or _has_splits(path, suffixes) else None
    if shards is None:
        return _of_kind(path.rglob("*"), suffixes, str(path)), []
    files = [f for f in shards.files if f.name.lower().endswith(suffixes)]
    if not files:
        raise InputError(
            f"{path} holds no {' or '.join(suffixes)} file.",
            "For its other files use: crowdselect ingest table FOLDER.",
        )
    return files, list(shards.remarks)


def _has_splits(path: Path, suffixes: tuple[str, ...]) -> bool:
    files = [p.name.lower() for p in path.rglob("*") if p.name.lower().endswith(suffixes)]
    return len({m[1] for name in files if (m := _SPLIT.match(name))}) > 1


def _of_kind(paths: Iterable[Path], suffixes: tuple[str, ...], where: str) -> list[Path]:
    found = sorted(
        p for p in paths
        if p.is_file() and p.name.lower().endswith(suffixes) and p.name not in _NOT_DATA
    )  # fmt: skip
    if not found:
        raise InputError(f"{where} holds no {' or '.join(suffixes)} file.", "Check the path.")
    return found


def split_names(text: str, known: Sequence[str]) -> tuple[str, ...]:
    """Split names that are separated by commas; one of ``known`` may hold a comma itself."""
    parts = [p.strip() for p in text.split(",")]
    found: list[str] = []
    while parts:
        for k in range(len(parts), 0, -1):
            whole = ",".join(parts[:k])
            if k == 1 or whole in known:
                found += [whole] if whole else []
                parts = parts[k:]
                break
    return tuple(found)


def safe_name(text: str) -> str:
    """Return ``text`` without file endings as a name that a folder can have."""
    stem = re.sub(r"(\.(parquet|pq|csv|tsv|jsonl|ndjson|json|gz))+$", "", text, flags=re.IGNORECASE)
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip(".-_")[:100] or "crowd"


def choose(names: Sequence[str], synonyms: Sequence[str], told: str, what: str) -> str | None:
    """Return the column that holds ``what``: the one told, else the first synonym there is.

    Case does not count, nor blanks and hyphens for low lines. Raises InputError where the column
    told is not there.
    """
    if told:
        if told not in names:
            raise InputError(
                f"There is no column {told!r} for the {what}; found {', '.join(names)}.",
                "Check the name; capital letters count.",
            )
        return told
    lower = {plain_name(n): n for n in reversed(names)}
    return next((lower[s] for s in synonyms if s in lower), None)
