"""Trying again what may pass."""

from __future__ import annotations

from typing import Any

import pytest

from debughost_cli import errors
from debughost_cli.engine.retry import Retrier

DOWN = errors.EngineUnavailable("no engine answers")


class Attempts:
    """Raises what it is given, one after another, and then returns."""

    def __init__(self, *failures: Any) -> None:
        self.failures = list(failures)
        self.made = 0

    def __call__(self) -> str | None:
        self.made += 1
        if self.failures:
            raise self.failures.pop(0)
        return "done"


@pytest.fixture
def reported() -> list[Any]:
    return []


@pytest.fixture
def slept() -> list[Any]:
    return []


@pytest.fixture
def retrier(reported: list[Any], slept: list[Any]) -> Retrier:
    return Retrier(reported.append, slept.append)


def test_what_succeeds_at_once_is_not_spoken_of(
    retrier: Retrier, reported: list[Any], slept: list[Any]
) -> None:
    assert retrier.call(Attempts()) == "done"
    assert (reported, slept) == ([], [])


@pytest.mark.parametrize(("failures", "waits"), [(1, [1.0]), (2, [1.0, 2.0]), (3, [1.0, 2.0, 4.0])])
def test_it_waits_one_two_and_four_seconds(
    retrier: Retrier, reported: list[Any], slept: list[Any], failures: int, waits: list[float]
) -> None:
    attempt = Attempts(*[DOWN] * failures)
    assert retrier.call(attempt) == "done"
    assert slept == waits
    assert [line.rpartition("in ")[2] for line in reported] == [f"{w:.0f} s" for w in waits]
    assert all("no engine answers" in line for line in reported)


def test_the_fourth_failure_is_the_last(retrier: Retrier, slept: list[Any]) -> None:
    attempt = Attempts(*[DOWN] * 9)
    with pytest.raises(errors.EngineUnavailable):
        retrier.call(attempt)
    assert attempt.made == 4
    assert slept == [1.0, 2.0, 4.0]


@pytest.mark.parametrize(
    "error",
    [
        errors.EnginePermissionDenied("no"),
        errors.EngineTimeout("hangs"),
        errors.EngineError("what?"),
        errors.EngineTooOld("old"),
        errors.PortInUse("held"),
        errors.InvalidConfig("malformed"),
        errors.DiskFull("full"),
    ],
    ids=lambda e: e.code,
)
def test_what_will_not_pass_is_not_tried_again(
    retrier: Retrier, slept: list[Any], error: Any
) -> None:
    attempt = Attempts(error)
    with pytest.raises(type(error)):
        retrier.call(attempt)
    assert (attempt.made, slept) == (1, [])


def test_another_failure_on_the_way_ends_it(retrier: Retrier, slept: list[Any]) -> None:
    attempt = Attempts(DOWN, errors.EnginePermissionDenied("no"))
    with pytest.raises(errors.EnginePermissionDenied):
        retrier.call(attempt)
    assert (attempt.made, slept) == (2, [1.0])


def test_an_interruption_is_not_held_up(retrier: Retrier) -> None:
    attempt = Attempts(DOWN, errors.Interrupted())
    with pytest.raises(errors.Interrupted):
        retrier.call(attempt)
