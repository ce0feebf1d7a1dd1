"""Several fake engines, each at an address of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from debughost_cli.engine.connect import Address
from debughost_cli.errors import EngineTimeout, EngineUnavailable
from fakes.engine import FakeEngine


class FakeFleet:
    """Engines by name; ``mute`` and ``refused`` hold the names of those that do not answer."""

    def __init__(self, *names: str) -> None:
        self.engines = {name: FakeEngine(endpoint=self.url(name)) for name in names}
        self.mute: set[str] = set()
        self.refused: set[str] = set()
        self.asked: list[str] = []
        self._released = threading.Event()
        for engine in self.engines.values():
            engine.add_base_images()

    def __getitem__(self, name: str) -> FakeEngine:
        return self.engines[name]

    @staticmethod
    def url(name: str) -> str:
        return f"ssh://{name}"

    def write(self, file: Path, **more: str) -> None:
        """The user's own file, with all engines in it. ``more``: what else is in each table."""
        file.parent.mkdir(parents=True, exist_ok=True)
        tables = (
            f"[engines.{name}]\nhost = '{self.url(name)}'\n{more.get(name, '')}\n"
            for name in self.engines
        )
        file.write_text("".join(tables))

    def release(self) -> None:
        """Lets go of those that wait for a mute engine."""
        self._released.set()

    def connect(
        self,
        address: Address,
        *,
        on_retry: Callable[[str], None] | None,
        trace: Callable[[str], None],
        timeout: float | None,
    ) -> FakeEngine:
        """As ``DockerEngine.connect``."""
        name = address.url.removeprefix("ssh://")
        self.asked.append(name)
        if name in self.mute:
            self._released.wait(timeout)
            raise EngineTimeout(f"the engine at {address.url} did not answer", hint="Wait")
        if name in self.refused:
            raise EngineUnavailable(f"no engine answers at {address.url}", hint="Start Docker")
        engine = self.engines[name]
        engine.info = replace(engine.info, source=address.source)
        return engine
