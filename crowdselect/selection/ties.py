"""Who goes first when scores are equal: a seeded hash of the id, or the id itself."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from crowdselect.values import FloatArray, IdArray

Keys = npt.NDArray[np.uint64]
TieRule = Literal["hash", "id"]


def id_hashes(ids: IdArray) -> Keys:
    """Return a 64-bit hash (SipHash of the UTF-8 bytes) of every id, shape (n,).

    The same id has the same hash on every machine and in every row order.
    """
    return pd.util.hash_array(np.asarray(ids, dtype=object), categorize=False)


def seeded_keys(hashes: Keys, seed: int) -> Keys:
    """Mix the seed into the hashes: independent, evenly spread keys per seed, shape (n,)."""
    start = np.array([seed % 2**64], dtype=np.uint64)
    return _splitmix64(hashes ^ _splitmix64(start)[0])


def id_keys(ids: IdArray) -> Keys:
    """Return each id's place in ascending order, shape (n,)."""
    keys = np.empty(len(ids), dtype=np.uint64)
    keys[np.argsort(np.asarray(ids, dtype=object), kind="stable")] = np.arange(
        len(ids), dtype=np.uint64
    )
    return keys


def uniform(keys: Keys) -> FloatArray:
    """Turn 64-bit keys into numbers in [0, 1), shape (n,)."""
    return (keys >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _splitmix64(x: Keys) -> Keys:
    """Finaliser of splitmix64 (Steele, Lea and Flood 2014): every bit depends on every bit."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
