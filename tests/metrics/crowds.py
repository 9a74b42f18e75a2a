"""What metrics take, for any rewards and texts."""

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from crowdselect.metrics import MetricInputs
from tests.crowds import rewards


def inputs(values, models=None, **kwargs) -> MetricInputs:
    return MetricInputs(rewards=rewards(values, models), **kwargs)


def matrices(m: int = 9):
    """Reward matrices with many ties and missing values."""
    cell = st.one_of(
        st.integers(-3, 3).map(float),
        st.just(float("nan")),
        st.floats(-30, 30, allow_nan=False).map(lambda x: round(x, 3)),
    )
    shapes = st.tuples(st.integers(1, 12), st.just(m))
    return shapes.flatmap(lambda shape: hnp.arrays(np.float64, shape, elements=cell))


class Texts:
    """Texts in memory, as a crowd's texts look to a metric."""

    def __init__(self, instructions: Sequence[str], responses: Sequence[Sequence[str | None]]):
        self._instructions = instructions
        self._responses = responses

    @staticmethod
    def _length(text: str | None, unit: str) -> float:
        if text is None:
            return float("nan")
        return float(len(text) if unit == "chars" else len(text.split()))

    def instruction_lengths(self, unit):
        return np.array([self._length(t, unit) for t in self._instructions])

    def response_lengths(self, unit):
        return np.array([[self._length(t, unit) for t in row] for row in self._responses])

    def instructions(self):
        return list(self._instructions)

    def responses_of(self, columns):
        return [row[c] if c >= 0 else None for row, c in zip(self._responses, columns, strict=True)]
