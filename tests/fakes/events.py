"""Events of the fake engine."""

from __future__ import annotations

import time
from collections.abc import Iterator

from debughost_cli.resources import EngineEvent
from fakes.calls import Part, reading


class FakeEvents(Part):
    """The event stream."""

    name = "events"

    def read(self, since: float | None, until: float | None = None) -> Iterator[EngineEvent]:
        yield from self._read(since, until)
        if until is None:
            # As an idle engine.
            time.sleep(0.02)

    @reading
    def _read(self, since: float | None, until: float | None) -> list[EngineEvent]:
        span = (since or 0.0, until or float("inf"))
        return [e for e in self.engine.happened if span[0] <= e.at <= span[1]]
