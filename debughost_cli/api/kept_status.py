"""What ``status`` keeps from one call to the next, for programs that stay."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from debughost_cli.engine.port import Engine
    from debughost_cli.services.status import StatusService

_MEASURED_EVERY = 5.0
"""Seconds for which the use of CPU and memory counts; Engine 20.10 needs one to measure it."""


class KeptStatus:
    """One service for as long as the connection to the engine is the same."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._guard = threading.Lock()
        self._engine: Engine | None = None
        self._service: StatusService | None = None

    def get(self, engine: Engine) -> StatusService:
        """The service that knows what was measured last."""
        from debughost_cli.services.status import StatusService

        with self._guard:
            if self._service is None or self._engine is not engine:
                self._engine = engine
                self._service = StatusService(
                    engine, self._environ, measured_every=_MEASURED_EVERY, read_every=0.0
                )
            return self._service
