"""How a ``DebugHost`` is put together, and its connection to the engine."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from debughost_cli.api.configuration import Configuration
from debughost_cli.api.engine_source import Connect, EngineSource
from debughost_cli.api.engine_sources import EngineChoice, EngineSources
from debughost_cli.api.groups import Images, Network, Volumes
from debughost_cli.api.kept_status import KeptStatus
from debughost_cli.cancel import CancelToken
from debughost_cli.closing import Closing
from debughost_cli.errors import Usage
from debughost_cli.services.progress import NullProgress, Progress

if TYPE_CHECKING:
    from debughost_cli.engine.port import Engine
    from debughost_cli.resources import EngineInfo


class Wiring(Closing):
    """What all methods need: the engine, the environment, the observer, the token."""

    def __init__(
        self,
        *,
        host: str | None = None,
        context: str | None = None,
        folder: str | Path | None = None,
        environ: Mapping[str, str] | None = None,
        progress: Progress | None = None,
        cancel: CancelToken | None = None,
        engine: Engine | str | None = None,
        connect: Connect | None = None,
    ) -> None:
        self.environ = os.environ if environ is None else environ
        name, given = (engine, None) if isinstance(engine, str) else (None, engine)
        choice = EngineChoice(host, context, name)
        seen = progress or NullProgress()
        self._engines = EngineSources(choice, self.environ, seen, given, connect)
        self._statuses: KeptStatus | None = None
        self._wire(folder, progress, cancel)

    def _wire(
        self, folder: str | Path | None, progress: Progress | None, cancel: CancelToken | None
    ) -> None:
        self.cancel = cancel or CancelToken()
        self._chosen: EngineSource | None = None
        self._used: EngineSource | None = None
        self._own = ""
        """The id that the folder stands for, once a call was about that."""
        self._progress = progress or NullProgress()
        self.network = Network(self._engine, self._progress)
        self.volumes = Volumes(self._engine, self._progress)
        self.config = Configuration(Path(folder) if folder else None, self.environ)
        self.images = Images(self._engine, self._progress, self.config)

    @property
    def _source(self) -> EngineSource:
        """The engine that was chosen for the folder. Raises Usage."""
        if self._chosen is None:
            self._chosen = self._engines.of(_folder(self.config))
        return self._chosen

    def _engine(self) -> Engine:
        """The engine itself. Raises what connecting raises."""
        return self._source.get()

    def view(
        self,
        *,
        folder: str | Path | None = None,
        progress: Progress | None = None,
        cancel: CancelToken | None = None,
        engine: str | None = None,
    ) -> Self:
        """The same engine for one call, with a folder, an observer and a token of its own.

        ``engine``: the name of another one for it.

        For programs that stay: calls of several threads share the connection, and ``status`` what
        was measured in the last 5 s. ``close`` closes the connection for all of them; the next call
        opens it again.

        >>> view = host.view()
        >>> view.connect() is host.connect()
        True
        """
        if self._statuses is None:
            self._statuses = KeptStatus(self.environ)
        made = copy.copy(self)
        if engine:
            made._engines = self._engines.choosing(engine)  # noqa: SLF001 - of this class
        made._wire(folder or self.config.given, progress, cancel)  # noqa: SLF001 - of this class
        return made

    def close(self) -> None:
        """Closes the connections to the engine; a later call opens them again."""
        self._engines.close()

    def connect(self) -> EngineInfo:
        """Connects to the engine now instead of on first use. Raises what connecting raises.

        >>> host.connect().version
        '28.5.2'
        """
        return self._engine().info

    def forget_engine(self, name: str) -> tuple[str, ...]:
        """Accepts that a context or an address leads to another engine than before.

        Returns what was forgotten of it; the next call that changes something learns it again.
        Raises Usage where nothing is known by that name.

        >>> host.forget_engine("build")
        Traceback (most recent call last):
        debughost_cli.errors.Usage: no engine is known by the name 'build'
        """
        from debughost_cli.services.known_engines import forget

        return forget(name)

    @property
    def engine_info(self) -> EngineInfo | None:
        """Which engine answers and why it was chosen; None before one was needed."""
        source = self._used or self._chosen
        return source.info if source else None


def _folder(config: Configuration) -> Path | None:
    """None for one that was removed: those who need it report that."""
    with suppress(Usage):
        return config.folder
    return None
