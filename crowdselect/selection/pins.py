"""Pinned rows: in whatever their score, and in the way of their own duplicates."""

from __future__ import annotations

import numpy as np

from crowdselect.selection.layout import Layout
from crowdselect.selection.pool import Pool
from crowdselect.selection.take import Forced
from crowdselect.selection.ties import Keys
from crowdselect.values import FloatArray, IntArray


def force(
    pool: Pool, layout: Layout, keys: Keys, pins: IntArray, scores: FloatArray
) -> tuple[Forced, IntArray]:
    """Return the distinct rows ``pins`` as forced, and the places that they take out of the race.

    ``keys`` belong to all rows, ``scores`` to the pins. A pin takes out itself and every row with
    the same text.
    """
    numbers = np.zeros(len(pins), dtype=np.int64)
    if pool.clusters is not None:
        number_of = {int(label): c for c, label in enumerate(layout.labels)}
        numbers = np.array([number_of[int(x)] for x in pool.clusters[pins]], dtype=np.int64)
    dead = layout.place[pins]
    if pool.groups is not None and len(pins):
        codes = pool.groups[pins]
        same_text = np.flatnonzero(np.isin(pool.groups, codes[codes >= 0]))
        dead = np.union1d(dead, layout.place[same_text])
    return Forced(pins, scores, keys[pins], numbers), dead[dead >= 0]
