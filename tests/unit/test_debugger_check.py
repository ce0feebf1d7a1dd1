"""Whether the debugger of a project listens."""

from __future__ import annotations

from typing import Any

import pytest
from fake_clock import FakeClock
from fakes import FakeEngine
from fakes.programs import listens
from fakes.ready import start_shop, usable_engine
from msgspec.structs import replace

from debughost_cli import names
from debughost_cli.engine.port import ExecResult
from debughost_cli.models import ProjectType
from debughost_cli.services.debugger_check import TABLES, TIMEOUT, wait_for_debugger
from debughost_cli.services.progress import NullProgress

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt\n"
IPV4 = "   1: 00000000:{port} 00000000:0000 0A 00000000:00000000 00:00000000 00000000\n"
IPV6 = f"   0: {'0' * 32}:{{port}} {'0' * 32}:0000 0A 00000000:00000000 00:00000000 00000000\n"
CONNECTED = "   2: 0100007F:{port} 0100007F:AAAA 01 00000000:00000000 00:00000000 00000000\n"


class Warnings(NullProgress):
    """Keeps their codes."""

    def __init__(self) -> None:
        self.codes: list[str] = []

    def warn(self, code: str, message: str) -> None:
        self.codes.append(code)


def result(engine: FakeEngine, table: str, **labels: Any) -> tuple[list[str], float]:
    """The warnings, and how long it took."""
    engine.execs[TABLES] = ExecResult(0, table.encode(), b"")
    container = engine.containers.inspect(start_shop(engine, listens()))
    container = replace(container, labels={**container.labels, names.DEBUG: "9229", **labels})
    progress, clock = Warnings(), FakeClock()
    before = clock.monotonic()
    wait_for_debugger(engine, container, progress, clock)
    return progress.codes, clock.monotonic() - before


@pytest.mark.parametrize("table", [IPV4, IPV6, CONNECTED + IPV4])
def test_one_that_listens_is_not_waited_for(table: str) -> None:
    assert result(usable_engine(), HEAD + table.format(port="240D")) == ([], 0)


@pytest.mark.parametrize(
    "table", [HEAD, HEAD + CONNECTED.format(port="240D"), HEAD + IPV4.format(port="0E8D")]
)
def test_one_that_does_not_is_named_in_the_end(table: str) -> None:
    codes, seconds = result(usable_engine(), table)
    assert codes == ["DEBUGGER_NOT_READY"]
    assert seconds >= TIMEOUT


def test_an_image_that_cannot_tell_and_xdebug_are_passed_over() -> None:
    assert result(usable_engine(), "") == ([], 0)
    assert result(usable_engine(), HEAD, **{names.TYPE: ProjectType.PHP.value}) == ([], 0)
    assert result(usable_engine(), HEAD, **{names.DEBUG: ""}) == ([], 0)
