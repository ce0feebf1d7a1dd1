"""One run of the program: its options, its streams, and what it makes on first use."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field

from debughost_cli.errors import Usage
from debughost_cli.render.streams import Streams

if TYPE_CHECKING:
    from debughost_cli.api import Connect, DebugHost, Engine, Progress
    from debughost_cli.models import Warn
    from debughost_cli.render.progress import Display
    from debughost_cli.resources import EngineInfo

    class SessionProgress(Progress, Protocol):
        """The observer of a command, which also keeps its warnings."""

        warnings: list[Warn]

        def mute(self) -> None: ...

        def done(self, *, ok: bool = True) -> None: ...


PROGRESS = ("auto", "plain", "json", "none")
"""How progress is shown on stderr."""


class Options(Struct):
    """What every command takes."""

    json: bool = False
    host: str | None = None
    context: str | None = None
    engine: str | None = None
    quiet: bool = False
    verbose: bool = False
    no_color: bool = False
    no_input: bool = False
    progress: str | None = None


class Session(Struct, dict=True):
    """Made once by ``main``; commands get it as their first argument."""

    streams: Streams
    options: Options = field(default_factory=Options)
    command: str = ""
    started: float = field(default_factory=time.monotonic)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    given_engine: Engine | None = None
    given_connect: Connect | None = None
    is_stream: bool = False
    """True for commands that print lines before their result."""
    is_group: bool = False
    """True where the projects are those of a group."""
    is_parsed: bool = False
    """True once the options of the command itself are known."""
    is_printing: bool = False
    """True once the result is being printed."""
    given_progress: SessionProgress | None = None
    given_host: DebugHost | None = None
    _host: DebugHost | None = None

    @cached_property
    def progress(self) -> SessionProgress:
        """The observer that writes to stderr, unless another one was given."""
        if self.given_progress:
            return self.given_progress
        from debughost_cli.render.progress import TalkingProgress

        self.streams.no_color = self.options.no_color
        return TalkingProgress(
            self.streams,
            None if self.options.quiet else self._display(),
            quiet=self.options.quiet,
            verbose=self.options.verbose,
            fills_gaps=not self.is_stream,
            started=self.started,
        )

    def _display(self) -> Display | None:
        """Without a choice: live at a terminal, else lines."""
        from debughost_cli.render import terminal

        verbose, mode = self.options.verbose, self.options.progress or "auto"
        if mode == "none":
            return None
        if mode == "auto" and not verbose and terminal.can_move_cursor(self.streams.stderr):
            from debughost_cli.render.live import Live

            return Live(self.streams, self.started)
        from debughost_cli.render.progress_lines import JsonLines, PlainLines

        if mode == "json":
            return JsonLines(self.streams)
        return PlainLines(self.streams, verbose=verbose)

    @property
    def host(self) -> DebugHost:
        """What does the work; it connects to the engine on first use."""
        if self._host is None and self.given_host:
            self._host = self.given_host
        if self._host is None:
            from debughost_cli.api import DebugHost

            self._host = DebugHost(
                host=self.options.host,
                context=self.options.context,
                environ=self.environ,
                progress=self.progress,
                engine=self.given_engine or self.options.engine,
                connect=self.given_connect,
            )
        return self._host

    @property
    def engine_info(self) -> EngineInfo | None:
        """Which engine was used; None for commands that need none."""
        return self._host.engine_info if self._host else None

    def can_ask(self) -> bool:
        """True where a question can be put to a user."""
        return not self.options.no_input and not self.options.json and self.streams.is_interactive()

    def elapsed_ms(self) -> int:
        """Since the program began."""
        return round((time.monotonic() - self.started) * 1000)


def wants_json(argv: list[str], environ: Mapping[str, str]) -> bool:
    """Whether an error that comes before the options are parsed is to be JSON as well."""
    own = argv[: argv.index("--")] if "--" in argv else argv
    return "--json" in own or environ.get("DEBUGHOST_OUTPUT") == "json"


def check_output(value: str | None) -> bool:
    """``DEBUGHOST_OUTPUT``: json or text. Raises Usage."""
    if value in (None, "", "text"):
        return False
    if value == "json":
        return True
    raise Usage(f"DEBUGHOST_OUTPUT is {value!r}", hint="Set it to json or text")


def check_progress(value: str | None, name: str) -> str | None:
    """``--progress`` or ``DEBUGHOST_PROGRESS``, which ``name`` says. Raises Usage."""
    if value and value not in PROGRESS:
        raise Usage(f"{name} cannot be {value[:40]!r}", hint=f"Use {', '.join(PROGRESS)}")
    return value or None
