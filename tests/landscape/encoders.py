"""Encoders for tests: real ones that count, and a cheap one that needs no model."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from crowdselect.landscape.encoder import Vectors, unit_rows
from crowdselect.landscape.sentence_model import MiniLM


@dataclass(frozen=True)
class Letters:
    """How often each letter occurs: a true, fast encoder that records what it was asked."""

    name: ClassVar[str] = "letters"
    title: ClassVar[str] = "Letter counts"
    whole_corpus: ClassVar[bool] = False
    asked: ClassVar[list[list[str]]] = []

    pause_s: float = 0.0

    def identity(self) -> dict[str, Any]:
        return {"name": self.name}

    def __call__(self, texts: Sequence[str]) -> Vectors:
        self.asked.append(list(texts))
        time.sleep(self.pause_s)
        counts = [[text.lower().count(c) + 0.1 for c in "abcdefghij"] for text in texts]
        return unit_rows(np.array(counts))


@dataclass(frozen=True)
class CountingMiniLM(MiniLM):
    """The bundled model, recording what it was asked."""

    asked: ClassVar[list[list[str]]] = []

    def __call__(self, texts: Sequence[str]) -> Vectors:
        self.asked.append(list(texts))
        return super().__call__(texts)
