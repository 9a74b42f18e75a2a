"""Files in an object store, ``s3://BUCKET/PATH`` or ``gs://BUCKET/PATH``: fetched, or written.

pyarrow speaks to the stores. Keys, region and endpoint come from where the stores' own tools take
them (AWS_ACCESS_KEY_ID, AWS_REGION, AWS_ENDPOINT_URL, GOOGLE_APPLICATION_CREDENTIALS, a profile, a
machine's role), never from an address.
"""

from __future__ import annotations

import fnmatch
import itertools
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from crowdselect.errors import InputError, NotFoundError
from crowdselect.files import write_aside
from crowdselect.progress import Progress, silent
from crowdselect.settings import opened_buckets, s3_place

SCHEMES = ("s3", "gs")
_ADDRESS = re.compile(
    r"(?P<scheme>s3|gs)://(?P<bucket>[a-z0-9][a-z0-9._-]{1,221})(?:/(?P<key>.*))?"
)
_PIECE = 1 << 23
"""Bytes in memory at a time."""


@dataclass(frozen=True)
class BucketAddress:
    """Where something lies in an object store."""

    scheme: str
    bucket: str
    key: str
    """Path in the bucket; empty: all of it."""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.path}"

    @property
    def path(self) -> str:
        """Bucket and key, as pyarrow names files."""
        return f"{self.bucket}/{self.key}" if self.key else self.bucket


@dataclass(frozen=True)
class FromBucket:
    """What an address stood for, on this machine."""

    path: Path
    """A file, or a folder with what lay there."""
    files: tuple[tuple[str, Path], ...]
    """Address and local copy of each file."""


def in_bucket(text: str) -> bool:
    """Tell whether ``text`` names something in an object store."""
    return text.partition("://")[0] in SCHEMES and "://" in text


def read_bucket_address(text: str) -> BucketAddress:
    """``s3://BUCKET/PATH``; raises InputError for what is none, or holds keys or dots."""
    found = _ADDRESS.fullmatch(text)
    key = (found["key"] or "").strip("/") if found else ""
    if found is None or {"..", "."} & set(key.split("/")):
        raise InputError(
            f"{text!r} is no address in an object store.",
            "Write s3://BUCKET/PATH or gs://BUCKET/PATH; keys and endpoint come from the "
            "environment (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, GOOGLE_APPLICATION_CREDENTIALS).",
        )
    return BucketAddress(found["scheme"], found["bucket"], key)


def opened_address(text: str) -> str:
    """``text`` where pages may read it: it lies below an address of CROWDSELECT_BUCKETS."""
    address = str(read_bucket_address(text))
    for opened in opened_buckets():
        below = str(read_bucket_address(opened))
        if address == below or address.startswith(f"{below}/"):
            return address
    raise InputError(
        f"{text} is no address that the dashboard may read.",
        "Whoever runs it opens it with CROWDSELECT_BUCKETS, or reads it by the command line.",
    )


def fetch_from_bucket(text: str, folder: Path, progress: Progress = silent) -> FromBucket:
    """Copy the file, the folder or what fits the pattern (``*``) into ``folder``.

    Raises InputError where the store refuses or cannot be reached, NotFoundError where there is
    nothing.
    """
    address = read_bucket_address(text)
    with _in_words(address):
        store = _store(address)
        wanted = _files(store, address)
        alone = wanted == [address.path]
        root = PurePosixPath(address.path).parent if alone else _before_pattern(address)
        found = []
        for number, path in enumerate(wanted):
            progress(number, len(wanted), f"fetching {address}")
            local = folder / PurePosixPath(path).relative_to(root)
            with (
                store.open_input_stream(path, compression=None) as source,
                write_aside(local) as temporary,
                temporary.open("wb") as sink,
            ):
                shutil.copyfileobj(source, sink, _PIECE)
            found.append((f"{address.scheme}://{path}", local))
    return FromBucket(found[0][1] if alone else folder, tuple(found))


def send_to_bucket(folder: Path, text: str, progress: Progress = silent) -> None:
    """Copy the files of ``folder`` below the address ``text``.

    ``manifest.json`` comes last: where it stands, the others are whole. Raises as fetching does.
    """
    address = read_bucket_address(text)
    inside = sorted(
        (p for p in folder.rglob("*") if p.is_file()), key=lambda p: (p.name == "manifest.json", p)
    )
    with _in_words(address):
        store = _store(address)
        for number, path in enumerate(inside):
            progress(number, len(inside), f"writing {address}")
            target = f"{address.path}/{path.relative_to(folder).as_posix()}"
            with (
                path.open("rb") as source,
                store.open_output_stream(target, compression=None) as sink,
            ):
                shutil.copyfileobj(source, sink, _PIECE)
    progress(len(inside), len(inside), f"writing {address}")


def _before_pattern(address: BucketAddress) -> PurePosixPath:
    parts = itertools.takewhile(lambda part: "*" not in part, address.path.split("/"))
    return PurePosixPath(*parts)


def _store(address: BucketAddress) -> Any:
    """The file system; nothing is asked of it yet."""
    from pyarrow import fs

    if address.scheme == "gs":
        return fs.GcsFileSystem()
    endpoint, region = s3_place()
    if not endpoint and not region:
        region = fs.resolve_s3_region(address.bucket)
    return fs.S3FileSystem(endpoint_override=endpoint, region=region or "us-east-1")


def _files(store: Any, address: BucketAddress) -> list[str]:
    """Paths of the files that the address stands for, sorted."""
    from pyarrow import fs

    if "*" in address.key:
        base = str(_before_pattern(address))
        infos = store.get_file_info(fs.FileSelector(base, recursive=True, allow_not_found=True))
        found = [i.path for i in infos if fnmatch.fnmatchcase(i.path, address.path)]
    else:
        info = store.get_file_info(address.path)
        if info.type == fs.FileType.File:
            return [address.path]
        infos = store.get_file_info(
            fs.FileSelector(address.path, recursive=True, allow_not_found=True)
        )
        found = [i.path for i in infos if i.type == fs.FileType.File]
    if not found:
        raise NotFoundError(f"There is no {address}.", "Check the address.")
    return sorted(found)


@contextmanager
def _in_words(address: BucketAddress) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        said = " ".join(str(error).split())
        raise InputError(
            f"{address} cannot be used: {said:.300}",
            "Check the address, and the keys and endpoint in the environment "
            "(AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, GOOGLE_APPLICATION_CREDENTIALS).",
        ) from error
