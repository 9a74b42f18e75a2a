"""Files of a repository on the hub, at one commit, in the hub library's cache."""

from __future__ import annotations

import fnmatch
import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crowdselect.errors import InputError, NotFoundError
from crowdselect.hub.address import HubAddress, read_address
from crowdselect.hub.saying import in_words, need_hub, offline
from crowdselect.options import Frozen
from crowdselect.progress import Progress, silent
from crowdselect.reading import SUFFIXES, sha256_of

LOG = logging.getLogger(__name__)
CARD = "README.md"
DOWNLOAD = "download its files elsewhere and give their folder."


class FetchedFile(Frozen):
    """One file that was read from somewhere else, so that it can be read again."""

    address: str
    """``hf://datasets/OWNER/NAME@COMMIT/PATH``."""
    sha256: str
    """Of its content, in hex."""


@dataclass(frozen=True)
class Fetched:
    """What a hub address stood for."""

    address: HubAddress
    """With the commit as its revision."""
    paths: tuple[Path, ...]
    """Local files, or one folder where the address names a folder."""
    files: tuple[FetchedFile, ...]
    remarks: tuple[str, ...] = ()


def fetch_file(text: str) -> Path:
    """The file or folder that ``hf://KIND/OWNER/NAME/PATH`` names, fetched once.

    Raises InputError for an address without a path, NotFoundError where there is no such file.
    """
    address = read_address(text)
    if not address.path:
        raise InputError(
            f"{text} names no file.",
            "Write hf://datasets/OWNER/NAME/PATH, or hf://spaces/OWNER/NAME/PATH.",
        )
    with in_words(str(address), DOWNLOAD):
        return Path(
            need_hub().hf_hub_download(
                address.repo, address.path, repo_type=address.kind, revision=address.revision
            )
        )


def fetch_dataset(
    text: str, *, split: str = "", subset: str = "", progress: Progress = silent
) -> Fetched:
    """Fetch the files of a data set on the hub: a split of a subset, or what its path names.

    The split is ``train`` where there are several and none is named; its files are those that the
    data set's card names, else those that the ``datasets`` library would find. A path may be a
    file, a folder or a pattern. Offline, what the cache holds is read.

    Raises
    ------
    InputError
        Where the address, split or subset fits several or nothing, or no file is of a kind that
        is read here; offline, where the cache does not hold it.
    NotFoundError
        Where there is no such data set, revision or file.
    """
    address = read_address(text)
    if address.kind != "dataset":
        raise InputError(f"{text} is no data set.", "Write hf://datasets/OWNER/NAME.")
    with in_words(str(address), DOWNLOAD):
        progress(0, None, f"asking the hub for {address.repo}")
        repository = _Repository.of(address)
        remarks: tuple[str, ...] = ()
        if address.path:
            wanted, folder = repository.named(address.path)
        else:
            wanted, remarks = repository.of_split(split, subset)
            folder = None
        _check_kinds(repository.address, wanted)
        local = []
        for number, path in enumerate(wanted):
            progress(number, len(wanted), f"fetching {address.repo}")
            local.append(repository.fetch(path))
        repository.remember(address, wanted[0])
        files = tuple(
            FetchedFile(address=repository.written(path), sha256=sha256_of(file))
            for path, file in zip(wanted, local, strict=True)
        )
        paths = tuple(local)
        if folder is not None:
            up = len(Path(wanted[0]).relative_to(folder).parts)
            paths = (local[0].parents[up - 1],)
    LOG.info("read %d files of %s", len(files), repository.address)
    return Fetched(repository.address, paths, files, remarks)


def _check_kinds(address: HubAddress, paths: Sequence[str]) -> None:
    if not any(path.lower().endswith(SUFFIXES) for path in paths):
        kinds = ", ".join(sorted({Path(p).suffix or Path(p).name for p in paths})[:5])
        raise InputError(
            f"{address} holds no table that is read here, but {kinds}.",
            f"The hub keeps many data sets as Parquet, too: hf://datasets/{address.repo}@~parquet",
        )


def _in_cache(address: HubAddress) -> str:
    """The folder of the cache that holds a data set, or what of it was fetched."""
    from huggingface_hub.errors import IncompleteSnapshotError

    try:
        return str(
            need_hub().snapshot_download(
                address.repo, repo_type="dataset", revision=address.revision, local_files_only=True
            )
        )
    except IncompleteSnapshotError as error:
        return str(error.snapshot_path)


@dataclass(frozen=True)
class _Repository:
    """A data set at one commit."""

    address: HubAddress
    base: str
    """What its files lie in, for ``datasets``: a folder of the cache, or an address."""

    @classmethod
    def of(cls, address: HubAddress) -> _Repository:
        hub = need_hub()
        if offline():
            found = _in_cache(address)
            return cls(HubAddress("dataset", address.repo, Path(found).name), found)
        commit = hub.HfApi().dataset_info(address.repo, revision=address.revision).sha
        at = HubAddress("dataset", address.repo, commit)
        return cls(at, str(at))

    def remember(self, given: HubAddress, path: str) -> None:
        """Have the cache know what commit the given revision is, for when there is no network."""
        if not offline():
            where = {"repo_type": "dataset", "revision": given.revision}
            need_hub().hf_hub_download(given.repo, path, **where)

    def written(self, path: str) -> str:
        return f"{self.address}/{path}"

    def fetch(self, path: str) -> Path:
        where = {"repo_type": "dataset", "revision": self.address.revision}
        return Path(need_hub().hf_hub_download(self.address.repo, path, **where))

    def all_files(self) -> list[str]:
        if offline():
            inside = (p for p in Path(self.base).rglob("*") if p.is_file())
            return sorted(p.relative_to(self.base).as_posix() for p in inside)
        where = {"repo_type": "dataset", "revision": self.address.revision}
        return sorted(need_hub().HfApi().list_repo_files(self.address.repo, **where))

    def named(self, path: str) -> tuple[list[str], str | None]:
        """The files that a path stands for; and the folder, where it is one."""
        known = self.all_files()
        if path in known:
            return [path], None
        inside = [f for f in known if f.startswith(f"{path}/") and f.lower().endswith(SUFFIXES)]
        found = inside or [f for f in known if fnmatch.fnmatchcase(f, path)]
        if not found:
            raise NotFoundError(
                f"There is no {self.written(path)}.",
                f"It holds: {', '.join(known[:8])}{' ...' if len(known) > 8 else ''}.",
            )
        return found, path if inside else None

    def of_split(self, split: str, subset: str) -> tuple[list[str], tuple[str, ...]]:
        """The files of a split, and what was left out."""
        from datasets.data_files import get_data_patterns, resolve_pattern, sanitize_patterns

        config = self._config(subset)
        base = self.base + (f"/{config['data_dir']}" if config.get("data_dir") else "")
        told = config.get("data_files")
        try:
            splits = sanitize_patterns(told) if told else get_data_patterns(base)
        except FileNotFoundError:  # raised by ``datasets`` where nothing looks like data
            splits = {}
        if not splits:
            raise InputError(f"{self.address} holds no data files.", "Check the data set's page.")
        splits = {str(name): patterns for name, patterns in splits.items()}
        names = list(splits)
        wanted = split or next((n for n in names if n == "train"), names[0] if len(names) == 1
                               else "")  # fmt: skip
        if wanted not in names:
            problem = f"no split {split!r}" if split else "several splits and no train"
            raise InputError(
                f"{self.address} has {problem}; there are {', '.join(names)}.",
                "Name one of them: --split NAME.",
            )
        found: dict[str, None] = {}
        for pattern in splits[wanted]:
            with suppress(FileNotFoundError):  # of several usual names one is there
                found |= dict.fromkeys(map(str, resolve_pattern(pattern, base)))
        if not found:
            raise InputError(
                f"{self.address} holds no file of the split {wanted}: {', '.join(splits[wanted])}.",
                "Check the data set's page.",
            )
        others = ", ".join(n for n in names if n != wanted)
        remark = f"{self.address.repo}: the split {wanted} is read; left out: {others}."
        return list(self._inside(found)), (remark,) if others else ()

    def _inside(self, found: dict[str, None]) -> Iterator[str]:
        for file in found:
            if not file.startswith(f"{self.base}/"):
                raise InputError(
                    f"The card of {self.address} names {file}, which lies elsewhere.",
                    "Give the files by a path: hf://datasets/OWNER/NAME/PATH.",
                )
            yield file.removeprefix(f"{self.base}/")

    def _config(self, subset: str) -> dict[str, Any]:
        """What the card says of a subset; empty where it says nothing."""
        from datasets.utils.metadata import MetadataConfigs

        hub = need_hub()
        if CARD not in self.all_files():
            configs: dict[str, dict[str, Any]] = {}
        else:
            card = hub.DatasetCard.load(self.fetch(CARD), ignore_metadata_errors=True)
            configs = MetadataConfigs.from_dataset_card_data(card.data)
        if not subset and len(configs) > 1:
            subset = next((n for n, c in configs.items() if c.get("default")),
                          "default" if "default" in configs else "")  # fmt: skip
        if not configs and not subset:
            return {}
        if not subset and len(configs) == 1:
            return next(iter(configs.values()))
        if subset not in configs:
            problem = f"no subset {subset!r}" if subset else "several subsets"
            raise InputError(
                f"{self.address} has {problem}; there are {', '.join(configs) or 'none'}.",
                "Name one of them: --subset NAME.",
            )
        return dict(configs[subset])
