"""What an encoder is: a frozen dataclass that turns texts into unit vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
"""Shape (n, d), float32, rows of length 1; a row of NaN: the text has no vector."""


class Encoder(Protocol):
    """A frozen dataclass whose fields are its options."""

    name: ClassVar[str]
    title: ClassVar[str]
    whole_corpus: ClassVar[bool]
    """True: a text's vector depends on all texts, so only whole results can be cached."""

    def identity(self) -> dict[str, Any]:
        """What a vector depends on, besides the text: the cache key's other half."""

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, shape (len(texts), d); NaN rows for texts without a vector."""


def unit_rows(vectors: npt.NDArray[Any]) -> Vectors:
    """Divide each row by its length; rows of zeros or of non-finite numbers become NaN."""
    rows = np.asarray(vectors, dtype=np.float32)
    lengths = np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    lengths[~(np.isfinite(lengths) & (lengths > 1e-12))] = np.nan
    unit: Vectors = (rows / lengths).astype(np.float32)
    return unit
