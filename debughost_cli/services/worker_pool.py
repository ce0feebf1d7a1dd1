"""Work in other threads, which an interruption leaves behind.

The threads of ``concurrent.futures`` are waited for, at the end of the pool and again at the end of
the program: one that hangs, in a file system or in an engine, would hold up every signal.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

_ARENAS = -8
"""M_ARENA_MAX of glibc's malloc.h."""
_FEW = 4

T = TypeVar("T")
R = TypeVar("R")


class Pending(Generic[R]):
    """A result that another thread has yet to bring."""

    def __init__(self, work: Callable[[], R]) -> None:
        self._work = work
        self._done: SimpleQueue[tuple[R | None, BaseException | None]] = SimpleQueue()

    def run(self) -> None:
        """Does the work; what it raises is raised by ``result``."""
        try:
            self._done.put((self._work(), None))
        except BaseException as exc:
            self._done.put((None, exc))

    def result(self, timeout: float | None = None) -> R:
        """The result, once. Raises what the work raised, and TimeoutError after ``timeout``."""
        try:
            value, error = self._done.get(timeout=timeout)
        except Empty:
            raise TimeoutError from None
        if error is not None:
            raise error
        return value  # type: ignore[return-value]  # None only where the work returns None


def share_memory() -> None:
    """Lets the threads that come share two arenas of memory: the C library would give each one of
    its own, of which 16 keep 10 MB for the same work. Does nothing with another C library.
    """
    import ctypes

    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(_ARENAS, 2)


class WorkerPool:
    """``count`` threads; ``with`` ends those that have nothing in hand, and waits for none."""

    def __init__(self, count: int) -> None:
        self._tasks: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._count = count
        self._left: SimpleQueue[None] = SimpleQueue()
        self._is_closed = False
        if count > _FEW:
            share_memory()
        for _ in range(count):
            threading.Thread(target=self._work, daemon=True).start()

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, *exc: object) -> None:
        self._close()

    def _close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self.drop()
            for _ in range(self._count):
                self._tasks.put(None)

    def _work(self) -> None:
        while task := self._tasks.get():
            task()
        self._left.put(None)

    def wait(self, timeout: float | None) -> None:
        """Closes the pool, and waits until every thread is through, or for so many seconds."""
        self._close()
        deadline = None if timeout is None else time.monotonic() + timeout
        for _ in range(self._count):
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            with suppress(Empty):
                self._left.get(timeout=left)

    def drop(self) -> None:
        """What no thread has begun is not done; its result never comes."""
        while not self._tasks.empty():
            try:
                self._tasks.get_nowait()
            except Empty:
                return

    def start(self, work: Callable[[], R]) -> Pending[R]:
        """Has it done as soon as a thread is free, in the context of the caller."""
        pending = Pending(partial(copy_context().run, work))
        self._tasks.put(pending.run)
        return pending

    def map(self, work: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """The results in the order of ``items``; raises what the first of them raised."""
        pending = [self.start(partial(work, item)) for item in items]
        return [p.result() for p in pending]


class TimeLimit:
    """So many seconds for several pieces of work together; what lies between does not count."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    def run(self, work: Callable[[], R]) -> R:
        """The result; raises TimeoutError once the time is used up, and leaves the work behind."""
        pending = Pending(work)
        began = time.monotonic()
        threading.Thread(target=pending.run, daemon=True).start()
        try:
            return pending.result(self._left)
        finally:
            self._left = max(0.0, self._left - (time.monotonic() - began))
