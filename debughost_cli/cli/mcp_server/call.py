"""One call of a tool: the command's function, run in this process, and its document."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct

from debughost_cli.api import DebugHost
from debughost_cli.cancel import CancelToken
from debughost_cli.cli.mcp_server.arguments import ENGINE, WORKSPACE
from debughost_cli.cli.mcp_server.folders import Folders
from debughost_cli.cli.mcp_server.next_calls import next_calls
from debughost_cli.cli.mcp_server.progress import CallProgress
from debughost_cli.cli.mcp_server.tools import Tool
from debughost_cli.cli.options import choose_group
from debughost_cli.cli.output import Document, Output, defect, document, exit_code
from debughost_cli.cli.session import Options, Session
from debughost_cli.errors import ExitCode, Failure, Interrupted
from debughost_cli.render.json import dumps
from debughost_cli.render.streams import Streams

_FIRST_EVENT = 600.0
"""Seconds at most to wait for it."""


class Lines(io.StringIO):
    """The lines of a stream, as JSON; ``full`` is called once there are ``most``."""

    def __init__(self, most: int | None = None, full: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._most = most
        self._full = full
        self._count = 0

    def write(self, text: str) -> int:
        """Whole lines, as the commands write them."""
        if self._most is not None and self._count >= self._most:
            return len(text)
        self._count += text.count("\n")
        written = super().write(text)
        if self._most is not None and self._count >= self._most:
            self._full()
        return written

    def documents(self) -> list[object]:
        """What was written."""
        return [json.loads(line) for line in self.getvalue().splitlines()]


class Call(Struct, frozen=True):
    """A call of a tool. ``host`` keeps the connection to the engine for all calls.

    ``own_host`` makes one with a connection of its own, for this call alone.
    """

    tool: Tool
    given: Mapping[str, object]
    host: DebugHost
    own_host: Callable[[], DebugHost]
    folders: Folders
    progress: CallProgress
    cancel: CancelToken

    def run(self) -> Document:
        """The command's document, with its exit code, ``next`` as calls and, of a stream, lines.

        A failure is the document's error. Raises Interrupted where the call was cancelled.
        """
        stdout = Lines() if self.tool.is_stream else io.StringIO()
        session = Session(
            Streams(io.StringIO(), stdout, io.StringIO()),
            options=Options(json=True, no_input=True),
            command=self.tool.command,
            environ=self.host.environ,
            given_progress=self.progress,
        )
        try:
            output = self._output(session)
        except Interrupted:
            raise
        except Failure as exc:
            output = Output(error=exc)
        except Exception as exc:
            output = Output(error=defect(exc))
        if isinstance(output.error, Interrupted):
            raise output.error
        if output.error and output.error.exit_code is ExitCode.ENGINE:
            # The next call finds out which engine is there then.
            self.host.close()
        made = document(session, output) | {
            "exit_code": exit_code(output),
            "next_calls": next_calls(output.next),
        }
        if isinstance(session.streams.stdout, Lines):
            made["lines"] = session.streams.stdout.documents()
        # As JSON has it: names that are not UTF-8 would end the connection.
        plain: Document = json.loads(dumps(made))
        return plain

    def _output(self, session: Session) -> Output:
        values: dict[str, object] = dict(self.tool.defaults) | self.tool.arguments.convert(
            self.given
        )
        place = values.pop(WORKSPACE, None)
        given = place if isinstance(place, str) else None
        is_needed = self.tool.has_workspace
        folder = (
            self.folders.choose(given, is_needed=is_needed) if self.tool.with_workspace else None
        )
        if is_needed and given:
            values[WORKSPACE] = folder
        engine = values.pop(ENGINE, None)
        session.options.engine = engine if isinstance(engine, str) else None
        if self.tool.own_connection:
            return self._events(session, values, folder)
        session.given_host = self.host.view(
            folder=folder,
            progress=self.progress,
            cancel=self.cancel,
            engine=session.options.engine,
        )
        return self._call(session, values)

    def _call(self, session: Session, values: dict[str, object]) -> Output:
        if values.pop("group", False):
            choose_group(session, values)
        made: Output = self.tool.function(session, **values)
        return made

    def _events(self, session: Session, values: dict[str, object], folder: Path | None) -> Output:
        """A stream without an end: it ends after a time, or a number of lines."""
        own = CancelToken(self.cancel)
        seconds, most = values.pop("timeout", 10.0), values.pop("limit", 100)
        assert isinstance(seconds, float)
        assert isinstance(most, int)
        session.streams.stdout = Lines(1 if seconds <= 0 else most, own.cancel)
        timer = threading.Timer(seconds if seconds > 0 else _FIRST_EVENT, own.cancel)
        timer.daemon = True
        timer.start()
        with self.own_host() as host:
            session.given_host = host.view(
                folder=folder,
                progress=self.progress,
                cancel=own,
                engine=session.options.engine,
            )
            try:
                return self._call(session, values)
            except Interrupted:
                if self.cancel.is_set():
                    raise
                return Output()
            finally:
                timer.cancel()
