"""Taking back what was half made."""

from __future__ import annotations

import pytest

from debughost_cli.errors import EngineError, Interrupted
from debughost_cli.services.rollback import Rollback


class Listener:
    def __init__(self):
        self.warnings = []

    def step(self, text):
        pass

    def detail(self, text):
        pass

    def warn(self, code, message):
        self.warnings.append((code, message))


@pytest.fixture
def listener():
    return Listener()


@pytest.fixture
def rollback(listener):
    return Rollback(listener)


@pytest.fixture
def done():
    return []


def test_the_last_step_is_taken_back_first_and_each_once(rollback, done):
    rollback.push("one", lambda: done.append(1))
    rollback.push("two", lambda: done.append(2))
    rollback.run()
    rollback.run()
    assert done == [2, 1]


def failing(error):
    def step():
        raise error

    return step


def test_a_step_that_fails_is_reported_and_the_rest_still_run(rollback, done, listener):
    rollback.push("one", lambda: done.append(1))
    rollback.push("remove it", failing(EngineError("the engine is gone")))
    rollback.run()
    assert done == [1]
    assert listener.warnings == [
        ("CLEANUP_FAILED", "could not remove it: the engine is gone"),
    ]


def test_a_defect_does_not_keep_the_rest_from_running(rollback, done):
    rollback.push("one", lambda: done.append(1))
    rollback.push("two", failing(OSError("disk")))
    with pytest.raises(OSError, match="disk"):
        rollback.run()
    rollback.run()
    assert done == [1]


def test_a_step_that_is_interrupted_is_still_to_do(rollback, done):
    def interrupted_once():
        done.append(2)
        if done == [2]:
            raise Interrupted

    rollback.push("one", lambda: done.append(1))
    rollback.push("two", interrupted_once)
    with pytest.raises(Interrupted):
        rollback.run()
    rollback.run()
    assert done == [2, 2, 1]


def test_what_is_forgotten_stays(rollback, done):
    rollback.push("one", lambda: done.append(1))
    assert rollback.remembers("one")
    rollback.forget()
    assert not rollback.remembers("one")
    rollback.run()
    assert done == []


def test_a_step_may_remember_more(rollback, done):
    rollback.push("one", lambda: rollback.push("two", lambda: done.append(2)))
    rollback.run()
    assert done == [2]
