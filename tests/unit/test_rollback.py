"""Taking back what was half made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from debughost_cli.errors import EngineError, Interrupted
from debughost_cli.services.progress import NullProgress
from debughost_cli.services.rollback import Rollback


class Listener(NullProgress):
    def __init__(self) -> None:
        self.warnings: list[Any] = []

    def step(self, text: Any) -> None:
        pass

    def detail(self, text: Any) -> None:
        pass

    def warn(self, code: str, message: str) -> None:
        self.warnings.append((code, message))


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def rollback(listener: Listener) -> Rollback:
    return Rollback(listener)


@pytest.fixture
def done() -> list[Any]:
    return []


def test_the_last_step_is_rolled_back_first_and_each_once(
    rollback: Rollback, done: list[Any]
) -> None:
    rollback.push("one", lambda: done.append(1))
    rollback.push("two", lambda: done.append(2))
    rollback.run()
    rollback.run()
    assert done == [2, 1]


def failing(error: OSError | EngineError) -> Callable[..., Any]:
    def step() -> None:
        raise error

    return step


def test_a_step_that_fails_is_reported_and_the_rest_still_run(
    rollback: Rollback, done: list[Any], listener: Listener
) -> None:
    rollback.push("one", lambda: done.append(1))
    rollback.push("remove it", failing(EngineError("the engine is gone")))
    rollback.run()
    assert done == [1]
    assert listener.warnings == [
        ("CLEANUP_FAILED", "could not remove it: the engine is gone"),
    ]


def test_a_defect_does_not_keep_the_rest_from_running(rollback: Rollback, done: list[Any]) -> None:
    rollback.push("one", lambda: done.append(1))
    rollback.push("two", failing(OSError("disk")))
    with pytest.raises(OSError, match="disk"):
        rollback.run()
    rollback.run()
    assert done == [1]


def test_a_step_that_is_interrupted_is_still_to_do(rollback: Rollback, done: list[Any]) -> None:
    def interrupted_once() -> None:
        done.append(2)
        if done == [2]:
            raise Interrupted

    rollback.push("one", lambda: done.append(1))
    rollback.push("two", interrupted_once)
    with pytest.raises(Interrupted):
        rollback.run()
    rollback.run()
    assert done == [2, 2, 1]


def test_a_recorded_action_is_known_by_its_name(rollback: Rollback) -> None:
    rollback.push("one", lambda: None)
    assert rollback.contains("one")
    assert not rollback.contains("two")
    rollback.run()
    assert not rollback.contains("one")
