"""A few results kept in memory, the least recently used dropped first; safe for threads."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class Kept:
    """Remembers up to ``size`` results by key.

    A result is made once, by whoever asks first; others who ask for it meanwhile wait for it, and
    nobody waits for a result of another key. A failure is not kept.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._results: OrderedDict[Hashable, Future[Any]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the result of ``key``, made by ``make`` if it is not there."""
        while True:
            future, mine = self._claim(key)
            if mine:
                return self._make(key, future, make)
            if future.exception() is None:
                result: T = future.result()
                return result
            # Somebody else's failure, a cancellation for example, is not ours: try again.

    def _claim(self, key: Hashable) -> tuple[Future[Any], bool]:
        with self._lock:
            future = self._results.get(key)
            if future is not None:
                self._results.move_to_end(key)
                return future, False
            future = self._results[key] = Future()
            if len(self._results) > self._size:
                self._results.popitem(last=False)
            return future, True

    def _make(self, key: Hashable, future: Future[Any], make: Callable[[], T]) -> T:
        try:
            result = make()
        except BaseException as error:
            with self._lock:
                if self._results.get(key) is future:
                    del self._results[key]
            future.set_exception(error)
            raise
        future.set_result(result)
        return result
