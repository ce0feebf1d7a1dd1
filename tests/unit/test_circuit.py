"""The circuit breaker: retries first, one short attempt each while the engine stays away."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from debughost_cli.engine.docker.circuit import CircuitBreaker
from debughost_cli.engine.reachability import CONNECT_TIMEOUT, READ_TIMEOUT
from debughost_cli.engine.retry import Retrier
from debughost_cli.errors import EngineError, EngineTimeout, EngineUnavailable


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def circuit(slept: list[float]) -> CircuitBreaker:
    return CircuitBreaker(Retrier(lambda _: None, slept.append))


def failing(error: Exception) -> Callable[[], str]:
    def attempt() -> str:
        raise error

    return attempt


def test_each_failed_attempt_is_counted(circuit: CircuitBreaker, slept: list[float]) -> None:
    with pytest.raises(EngineUnavailable):
        circuit.call(failing(EngineUnavailable("away")))
    assert (circuit.connection_failures, slept) == (4, [1.0, 2.0, 4.0])


@pytest.mark.parametrize("error", [EngineUnavailable("away"), EngineTimeout("hangs")])
def test_an_open_circuit_makes_one_short_attempt(
    circuit: CircuitBreaker, slept: list[float], error: Exception
) -> None:
    assert circuit.timeout == READ_TIMEOUT
    with pytest.raises(type(error)):
        circuit.call(failing(error))
    slept.clear()
    assert circuit.timeout == CONNECT_TIMEOUT
    with pytest.raises(type(error)):
        circuit.call(failing(error))
    assert slept == []


def test_a_success_closes_the_circuit(circuit: CircuitBreaker, slept: list[float]) -> None:
    with pytest.raises(EngineUnavailable):
        circuit.call(failing(EngineUnavailable("away")))
    assert circuit.call(lambda: "done") == "done"
    assert circuit.timeout == READ_TIMEOUT
    slept.clear()
    with pytest.raises(EngineUnavailable):
        circuit.call(failing(EngineUnavailable("away")))
    assert slept == [1.0, 2.0, 4.0]


def test_other_errors_leave_the_circuit_closed(circuit: CircuitBreaker) -> None:
    with pytest.raises(EngineError):
        circuit.call(failing(EngineError("odd")))
    assert (circuit.timeout, circuit.connection_failures) == (READ_TIMEOUT, 0)


def test_a_call_within_a_call_leaves_retrying_to_the_outer_one(
    circuit: CircuitBreaker, slept: list[float]
) -> None:
    with pytest.raises(EngineUnavailable):
        circuit.call(lambda: circuit.call(failing(EngineUnavailable("away"))))
    assert slept == [1.0, 2.0, 4.0]
    assert circuit.connection_failures == 4
