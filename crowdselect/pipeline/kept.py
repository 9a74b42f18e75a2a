"""A few results kept in memory, the least recently used dropped first; safe for threads."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

T = TypeVar("T")


class Kept:
    """Remembers up to ``size`` results by key; a result is made once, whoever asks first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._results: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.RLock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the result of ``key``, made by ``make`` if it is not there."""
        with self._lock:
            if key not in self._results:
                self._results[key] = make()
                if len(self._results) > self._size:
                    self._results.popitem(last=False)
            self._results.move_to_end(key)
            return cast("T", self._results[key])
