"""A queue from several threads to one, limited by the size of what it holds."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class QueueClosed(Exception):
    """Nobody reads the queue any more."""


class BoundedQueue(Generic[T]):
    """Holds about ``limit`` bytes: above that, the threads that write to it wait."""

    def __init__(self, limit: int = 1024**2) -> None:
        self._limit = limit
        self._changed = threading.Condition()
        self._items: list[T] = []
        self._size = 0
        self._closed = False

    def put(self, item: T, size: int = 0) -> None:
        """Waits while the queue is full. Raises QueueClosed."""
        with self._changed:
            while self._size > self._limit and not self._closed:
                self._changed.wait()
            if self._closed:
                raise QueueClosed
            self._items.append(item)
            self._size += size
            self._changed.notify_all()

    def drain(self, timeout: float) -> list[T]:
        """All items; waits up to ``timeout`` seconds for the first one."""
        with self._changed:
            if not self._items:
                self._changed.wait(timeout)
            items, self._items, self._size = self._items, [], 0
            self._changed.notify_all()
            return items

    def close(self) -> None:
        """From here on ``put`` raises, also where it waits."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
