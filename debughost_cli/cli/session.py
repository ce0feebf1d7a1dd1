"""One run of the program: its options, its streams, and everything that is wired on first use."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from debughost_cli.errors import Usage
from debughost_cli.render.progress import TalkingProgress
from debughost_cli.render.streams import Streams
from debughost_cli.resources import EngineInfo

if TYPE_CHECKING:
    from debughost_cli.engine.port import Engine


@dataclass
class Options:
    """What every command takes."""

    json: bool = False
    host: str | None = None
    context: str | None = None
    quiet: bool = False
    verbose: bool = False
    no_color: bool = False
    no_input: bool = False


@dataclass
class Session:
    """Made once by ``main``; commands get it as their first argument."""

    streams: Streams
    options: Options = field(default_factory=Options)
    command: str = ""
    started: float = field(default_factory=time.monotonic)
    engine_info: EngineInfo | None = None
    cancel: threading.Event = field(default_factory=threading.Event)
    given_engine: Engine | None = None
    is_stream: bool = False
    """True for commands that print lines before their result."""

    @cached_property
    def progress(self) -> TalkingProgress:
        """The observer that talks on stderr."""
        self.streams.no_color = self.options.no_color
        lines = self.options.json or not self.streams.has_color(self.streams.stderr)
        return TalkingProgress(
            self.streams, quiet=self.options.quiet, verbose=self.options.verbose, lines=lines
        )

    @cached_property
    def engine(self) -> Engine:
        """The engine, connected on first use. Raises what connecting raises."""
        return self.connect()

    def reconnecting_engine(self) -> Engine:
        """For commands that go on while the engine is away: once connected, a failed call is not
        tried again, for they look again themselves.
        """
        self.engine.close()
        return self.connect(retry=False)

    def connect(self, *, timeout: float | None = None, retry: bool = True) -> Engine:
        """Connects. ``timeout``: seconds for an answer in place of the usual ones."""
        if self.given_engine:
            self.engine_info = self.given_engine.info
            return self.given_engine
        from debughost_cli.engine.connect import resolve_address

        host, context = self.options.host, self.options.context
        if not host and not context:
            host, context = os.environ.get("DEBUGHOST_HOST"), os.environ.get("DEBUGHOST_CONTEXT")
        address = resolve_address(host, context)
        self.engine_info = EngineInfo(address.url, address.source)
        from debughost_cli.engine.docker.engine import DockerEngine

        engine = DockerEngine.connect(
            address,
            on_retry=self.progress.notice if retry else None,
            trace=self._trace,
            timeout=timeout,
        )
        self.engine_info = engine.info
        return engine

    def _trace(self, doing: str) -> None:
        if self.options.verbose:
            elapsed = (time.monotonic() - self.started) * 1000
            self.streams.talk(f"[{elapsed:7.0f} ms] {doing}", "dim")

    def can_ask(self) -> bool:
        """True where a question may be put to somebody."""
        return not self.options.no_input and not self.options.json and self.streams.is_interactive()

    def elapsed_ms(self) -> int:
        """Since the program began."""
        return round((time.monotonic() - self.started) * 1000)


def wants_json(argv: list[str], environ: dict[str, str] | None = None) -> bool:
    """Whether an error that comes before the options are parsed is to be JSON as well."""
    env = os.environ if environ is None else environ
    own = argv[: argv.index("--")] if "--" in argv else argv
    return "--json" in own or env.get("DEBUGHOST_OUTPUT") == "json"


def check_output(value: str | None) -> bool:
    """``DEBUGHOST_OUTPUT``: json or text. Raises Usage."""
    if value in (None, "", "text"):
        return False
    if value == "json":
        return True
    raise Usage(f"DEBUGHOST_OUTPUT is {value!r}", hint="Set it to json or text")
