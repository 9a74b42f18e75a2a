"""Texts in, unit vectors out, each text encoded once: a store of shards keyed by content."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from crowdselect.engines import HERE, Pool, spread
from crowdselect.errors import InputError
from crowdselect.files import where_the_disk_allows, write_aside, write_json
from crowdselect.landscape.encoder import Encoder, Vectors
from crowdselect.landscape.encoders import encoder_named
from crowdselect.progress import Progress, silent
from crowdselect.registry import content_key

SHARD = 256
"""Texts per shard: what a crash can lose."""

MOST = 1 << 20
"""Texts that are in memory at once, unless a text's vector depends on all of them."""

Key = bytes
"""First 16 bytes of the sha256 of a text."""


def embed(
    texts: Sequence[str],
    encoder: str | Encoder = "minilm",
    cache: Path | None = None,
    progress: Progress = silent,
    pool: Pool = HERE,
) -> Vectors:
    """Return one unit vector per text, shape (n, d), float32; a NaN row for an empty text.

    Parameters
    ----------
    texts
        Equal texts are encoded once (per million, without a cache); texts of white space only are
        not encoded.
    encoder
        A name of ENCODERS, a hub id, a folder, or a built encoder.
    cache
        Folder of the store. Texts that it holds are not encoded again, whichever crowd they
        came from; every finished shard is kept, so an interrupted call goes on where it was.
    progress
        Called with the number of distinct texts done; may raise CancelledError.
    pool
        Where the encoder runs; one that looks at all texts together runs here.
    """
    encoder = encoder_named(encoder) if isinstance(encoder, str) else encoder
    if encoder.whole_corpus or len(texts) <= MOST:
        return _embed(texts, encoder, cache, progress, pool)
    vectors = np.empty((len(texts), 0), np.float32)
    waiting = iter(texts)
    for first in range(0, len(texts), MOST):
        part = list(islice(waiting, MOST))
        found = _embed(part, encoder, cache, _further(progress, first, len(texts)), pool)
        if found.shape[1] and not vectors.shape[1]:
            vectors = np.full((len(texts), found.shape[1]), np.nan, np.float32)
        if found.shape[1]:
            vectors[first : first + len(part)] = found
    return vectors


def _further(progress: Progress, before: int, everything: int) -> Progress:
    def report(done: int, total: int | None, label: str = "") -> None:
        progress(before + done, everything, label)

    return report


def _embed(
    texts: Sequence[str], encoder: Encoder, cache: Path | None, progress: Progress, pool: Pool
) -> Vectors:
    keys = [_key(text) for text in texts]
    distinct = {key: text for key, text in zip(keys, texts, strict=True) if text.strip()}
    if encoder.whole_corpus:
        found = _embed_whole(distinct, encoder, cache, progress)
    else:
        found = _embed_each(distinct, encoder, cache, progress, pool)
    size = next((len(vector) for vector in found.values()), 0)
    nothing = np.full(size, np.nan, np.float32)
    rows = [found.get(key, nothing) for key in keys]
    return np.array(rows, dtype=np.float32).reshape(len(texts), size)


def _key(text: str) -> Key:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]


def _embed_each(
    texts: dict[Key, str], encoder: Encoder, cache: Path | None, progress: Progress, pool: Pool
) -> dict[Key, Vectors]:
    store = _store(cache, encoder)
    found = _read_shards(store, set(texts)) if store else {}
    progress(len(found), len(texts), "embedding texts")
    shards = list(_shards([key for key in texts if key not in found], texts))
    parts = [[texts[key] for key in keys] for keys in shards]
    for place, vectors in spread(partial(_same, encoder), parts, pool):
        keys = shards[place]
        if store:
            _write_shard(store, keys, vectors)
        found.update(zip(keys, vectors, strict=True))
        progress(len(found), len(texts), "embedding texts")
    return found


def _same(encoder: Encoder) -> Encoder:
    """A worker of a pool is the encoder itself; it loads its model when it is first called."""
    return encoder


def _shards(keys: list[Key], texts: dict[Key, str]) -> Iterator[list[Key]]:
    """Shards of texts of like length, so that little is padded; the longest come first.

    The rest follow in a fixed random order, which keeps the estimate of the time left honest.
    A resumed call cuts what is left into the same shards.
    """
    ordered = sorted(keys, key=lambda key: (-len(texts[key]), key))
    shards = [ordered[start : start + SHARD] for start in range(0, len(ordered), SHARD)]
    rest = shards[1:]
    random.Random(0).shuffle(rest)  # noqa: S311 - an order, not a secret
    yield from [*shards[:1], *rest]


def _embed_whole(
    texts: dict[Key, str], encoder: Encoder, cache: Path | None, progress: Progress
) -> dict[Key, Vectors]:
    keys = sorted(texts)
    store = _store(cache, encoder)
    if store:
        corpus = hashlib.sha256(b"".join(keys)).hexdigest()[:32]
        store = store / corpus
        found = _read_shards(store, set(texts))
        if found:
            progress(len(texts), len(texts), "embedding texts")
            return found
    progress(0, len(texts), "embedding texts")
    vectors = encoder([texts[key] for key in keys]) if keys else np.empty((0, 0), np.float32)
    if store and keys:
        _write_shard(store, keys, vectors)
    progress(len(texts), len(texts), "embedding texts")
    return dict(zip(keys, vectors, strict=True))


def _store(cache: Path | None, encoder: Encoder) -> Path | None:
    if cache is None:
        return None
    identity = encoder.identity()
    folder = cache / f"{encoder.name}-{content_key(identity)}"
    if not (folder / "encoder.json").exists():
        with where_the_disk_allows():
            write_json(folder / "encoder.json", identity)
    return folder


def _write_shard(store: Path, keys: list[Key], vectors: Vectors) -> None:
    name = hashlib.sha256(b"".join(keys)).hexdigest()[:24]
    digests = np.frombuffer(b"".join(keys), np.uint8).reshape(-1, 16)
    with (
        where_the_disk_allows(),
        write_aside(store / f"{name}.npz") as temporary,
        temporary.open("wb") as handle,
    ):
        np.savez(handle, keys=digests, vectors=vectors)


def _read_shards(store: Path, wanted: set[Key]) -> dict[Key, Vectors]:
    found: dict[Key, Vectors] = {}
    for path in sorted(store.glob("[!.]*.npz")):
        try:
            with np.load(path, allow_pickle=False) as shard:
                keys = [row.tobytes() for row in shard["keys"]]
                if wanted.isdisjoint(keys):
                    continue
                vectors = shard["vectors"]
        except (OSError, ValueError, KeyError, BadZipFile) as error:
            raise InputError(
                f"{path} is not a shard of embeddings: {error}.",
                "Delete this file; its texts are embedded again.",
            ) from error
        found.update((k, v) for k, v in zip(keys, vectors, strict=True) if k in wanted)
    return found
