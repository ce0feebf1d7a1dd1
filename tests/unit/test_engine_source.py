"""Connecting to an engine, and connecting again."""

from __future__ import annotations

from typing import Any

from fakes import FakeEngine

from debughost_cli.api.engine_source import EngineSource
from debughost_cli.engine.connect import Address
from debughost_cli.services.progress import NullProgress


def test_after_a_reconnection_nobody_gets_the_engine_that_was_closed() -> None:
    def connect(address: Address, **_: Any) -> FakeEngine:
        return FakeEngine()

    source = EngineSource(lambda: Address("unix:///x", "flag"), NullProgress(), connect=connect)
    closed = source.get()
    assert source.get() is closed
    assert source.reconnecting() is not closed
    assert source.get() is not closed
