"""Signals that come when Python is not looking."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import Any

import pytest

DELETION = """\
import os, signal, sys, time
from debughost_cli.cli import signals
from debughost_cli.errors import Interrupted

class Last:
    def __del__(self):
        os.kill(os.getpid(), {number})

signals.install()
signals.reraise_dropped()
signals.release()
try:
    thing = Last()
    del thing
    sys.stdout.write("deleted\\n")
    sys.stdout.flush()
    time.sleep(20)
except Interrupted as exc:
    print(exc.status)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_meets_the_deletion_of_an_object_counts(number: Any) -> None:
    """Python drops what is raised there."""
    code = DELETION.format(number=int(number))
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=15, check=False)
    assert (done.stdout, done.stderr) == (f"deleted\n{128 + number}\n", "")


CONDITION = """\
import signal, threading, sys
from debughost_cli.cli import signals
from debughost_cli.errors import Interrupted

class Lock:
    '''A signal comes at the moment {moment!r}.'''
    def __init__(self):
        self.inner = threading.Lock()
        self.acquire, self.release = self.inner.acquire, self.inner.release
        self.locked = self.inner.locked
    def __enter__(self):
        self.inner.acquire()
        if {moment!r} == "enter":
            signal.raise_signal(signal.SIGTERM)
    def __exit__(self, *exc):
        if {moment!r} == "exit":
            signal.raise_signal(signal.SIGTERM)
        self.inner.release()
    def _release_save(self):
        self.inner.release()
        if {moment!r} == "release":
            signal.raise_signal(signal.SIGTERM)
    def _acquire_restore(self, state):
        if {moment!r} == "restore":
            signal.raise_signal(signal.SIGTERM)
        self.inner.acquire()
    def _is_owned(self):
        return True

signals.install()
signals.release()
lock = Lock()
condition = threading.Condition(lock)
try:
    with condition:
        condition.wait(0.05)
    threading.Event().wait(20)
except Interrupted as exc:
    print(exc.status, lock.inner.locked())
"""


@pytest.mark.parametrize("moment", ["enter", "exit", "release", "restore"])
def test_a_signal_never_leaves_a_condition_locked(moment: str) -> None:
    """urllib3's pool has one: the rollback that follows would wait for it without an end."""
    command = [sys.executable, "-c", CONDITION.format(moment=moment)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=15, check=False)
    assert (done.stdout, done.stderr) == ("143 False\n", "")


MANAGER = """\
import signal, threading
from contextlib import contextmanager
from debughost_cli.cli import signals
from debughost_cli.errors import Interrupted

undone = []

class Manager:
    def __enter__(self):
        undone.append("done")
        signal.raise_signal(signal.SIGTERM)
    def __exit__(self, *exc):
        undone.clear()

signals.install()
signals.release()
try:
    with Manager():
        threading.Event().wait(20)
except Interrupted as exc:
    print(exc.status, undone)
"""


def test_what_a_context_manager_did_is_undone() -> None:
    command = [sys.executable, "-c", MANAGER]
    done = subprocess.run(command, capture_output=True, text=True, timeout=15, check=False)
    assert (done.stdout, done.stderr) == ("143 []\n", "")


RANDOM = """\
import queue, signal, sys
from debughost_cli.cli import signals
from debughost_cli.errors import Interrupted

failed = 0
for number in range(300):
    signals.install()
    signals.release()
    pool = queue.LifoQueue(8)
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.0005 + number % 17 * 0.0001)
    signal.signal(signal.SIGVTALRM, lambda n, f: signals._raise(signal.SIGTERM, f))
    try:
        while True:
            pool.put(None)
            pool.get(block=False)
    except Interrupted:
        failed += pool.mutex.locked()
print(failed)
"""


def test_a_signal_at_any_moment_leaves_a_pool_usable() -> None:
    command = [sys.executable, "-c", RANDOM]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("0\n", "")
