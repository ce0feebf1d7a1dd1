"""Which engine a call is for, and the connections to all that were needed so far."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from debughost_cli.api.engine_source import Connect, EngineSource
from debughost_cli.errors import Usage

if TYPE_CHECKING:
    from debughost_cli.engine.connect import Address
    from debughost_cli.engine.port import Engine
    from debughost_cli.project.engines import EngineEntry
    from debughost_cli.services.progress import Progress

_VARIABLES = ("DEBUGHOST_HOST", "DEBUGHOST_CONTEXT", "DEBUGHOST_ENGINE")
AUTO = "auto"
"""In the place of a name: where ``up`` chooses."""


class EngineChoice(Struct, frozen=True):
    """What a caller or a variable says about the engine; None and empty where it says nothing."""

    host: str | None = None
    context: str | None = None
    name: str | None = None
    source: str = "flag"

    def __bool__(self) -> bool:
        return bool(self.host or self.context or self.name)

    def check(self) -> None:
        """Raises Usage for more than one of them."""
        given = {"--host": self.host, "--context": self.context, "--engine": self.name}
        both = [option for option, value in given.items() if value]
        if len(both) > 1:
            raise Usage(
                f"{' and '.join(both)} exclude each other", hint=f"Give one of the {len(both)}"
            )


class EngineSources:
    """Of one ``DebugHost`` and its views, which share the connections.

    ``given``: a connected engine, in the place of any that could be chosen. ``connect``: how one is
    reached, for tests.
    """

    def __init__(
        self,
        choice: EngineChoice,
        environ: Mapping[str, str],
        progress: Progress,
        given: Engine | None = None,
        connect: Connect | None = None,
    ) -> None:
        self._given_choice = choice
        self._environ = environ
        self._progress = progress
        self._given = given
        self._connect = connect
        self._kept: dict[tuple[str, str], EngineSource] = {}
        self._guard = threading.Lock()
        self._entries: Mapping[str, EngineEntry] | None = None

    def choosing(self, name: str) -> EngineSources:
        """The same connections, with an engine named as by the caller itself."""
        made = copy.copy(self)
        made._given_choice = EngineChoice(name=name)  # noqa: SLF001 - of this class
        return made

    @property
    def entries(self) -> Mapping[str, EngineEntry]:
        """The engines of the user's own file. Raises InvalidConfig."""
        if self._entries is None:
            from debughost_cli.project.user import load_user_configuration

            self._entries = load_user_configuration().engines
        return self._entries

    @property
    def is_single(self) -> bool:
        """Whether there is no other engine that could be meant. Raises InvalidConfig."""
        return self._given is not None or not self.entries

    @property
    def choice(self) -> EngineChoice:
        """The caller's own, else that of a variable. Raises Usage."""
        choice = self._given_choice
        if not choice:
            get = self._environ.get
            host, context, name = map(get, _VARIABLES)
            choice = EngineChoice(host, context, name, _VARIABLES[-1])
        choice.check()
        return choice

    @property
    def is_given(self) -> bool:
        """Whether the caller itself named an engine, by whatever option."""
        return bool(self._given_choice) and self._given_choice.name != AUTO

    def is_auto(self, folder: Path | None) -> bool:
        """Whether ``up`` of that folder chooses among the engines. Raises Usage."""
        choice = self.choice
        name = choice.name if choice else self._of_folder(folder)[0]
        return name == AUTO

    def of(self, folder: Path | None) -> EngineSource:
        """The engine that is chosen for calls about ``folder``. Raises Usage."""
        choice = self.choice
        name, source = (choice.name, choice.source) if choice else self._of_folder(folder)
        if name == AUTO:
            if choice.source == "flag":
                raise Usage(
                    "'--engine auto' is for 'up', which chooses where a project goes",
                    hint="Name an engine, or leave --engine out: a project is found where it is",
                )
            name = None
        return self.named(name, source) if name else self._source(choice)

    def named(self, name: str, source: str = "engines") -> EngineSource:
        """An engine by its name, found when it is connected to."""
        return self._keep(name, source, partial(self._address_of, name, source))

    def close(self) -> None:
        """Closes all connections; the next call connects again."""
        with self._guard:
            sources = list(self._kept.values())
        for source in sources:
            source.close()

    def _listed(self) -> list[EngineSource]:
        """All of the user's own file. Raises InvalidConfig."""
        return [self.named(name) for name in self.entries]

    def _source(self, choice: EngineChoice) -> EngineSource:
        def find() -> Address:
            from debughost_cli.engine.connect import resolve_address

            return resolve_address(choice.host, choice.context, self._environ)

        return self._keep("", "", find)

    def _keep(self, name: str, source: str, find: Callable[[], Address]) -> EngineSource:
        with self._guard:
            key = (name, source)
            if key not in self._kept:
                self._kept[key] = EngineSource(
                    find, self._progress, self._given, self._connect, name, self._listed
                )
            return self._kept[key]

    def _address_of(self, name: str, source: str) -> Address:
        from debughost_cli.engine.connect import resolve_name

        return resolve_name(name, source, self.entries, self._environ)

    def _of_folder(self, folder: Path | None) -> tuple[str | None, str]:
        from debughost_cli.project.folder_engine import engine_of

        found = engine_of(folder.absolute()) if folder and not self._given else None
        return (found.name, found.file.name) if found else (None, "")
