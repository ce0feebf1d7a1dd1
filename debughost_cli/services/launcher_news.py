"""Learning from inside a container that its launcher has reported something.

Reading the launcher's status makes the engine mount and unmount every volume of the container, and
each of that is an event of which it keeps 256. So after a few readings one command in the container
follows the status for as long as it is waited for, and the engine is asked only when that changed.
"""

from __future__ import annotations

import os
import threading
from contextlib import closing, suppress

from debughost_cli import names
from debughost_cli.clock import Clock
from debughost_cli.engine.port import Conflict, Engine, ExecSpec, NotFound
from debughost_cli.errors import DebughostError
from debughost_cli.services.program_output import ProgramOutput

POLL = 0.05
"""Seconds between two looks; ``up`` promises to return within 0.3 s of the moment."""
DIRECT = 0.6
"""Seconds in which the status is read at each look: many programs listen by then, and the engine
cannot read it while it starts the command.
"""
FOLLOWED_POLL = 0.02
"""Seconds between two looks that ask the engine nothing."""
LONGEST = 5.0
"""Seconds after which it is read in any case."""

_FOLLOW = f"""
exec 4<&0
cat <&4 >/dev/null &
last=
while kill -0 "$!" 2>/dev/null; do
    read -r now <{names.NEWS_FILE}
    [ "$now" = "$last" ] || echo
    last=$now
    sleep {POLL} || sleep 1
done 2>/dev/null
"""
"""Ends when its stdin does, and so when whoever waits has ended, killed or not."""


class LauncherNews:
    """Tells when to read the status of the container ``ref`` again; to be closed at the end.

    ``output``: what it prints meanwhile is passed on.
    """

    def __init__(
        self, engine: Engine, ref: str, clock: Clock, output: ProgramOutput | None = None
    ) -> None:
        self.ref = ref
        self._engine = engine
        self._clock = clock
        self._began = self._read_at = clock.monotonic()
        self._follower: _Follower | None = None
        self._output = output

    def wait(self) -> bool:
        """Waits for one look. True where the status is to be read."""
        is_followed = self._follower is not None and self._follower.is_following
        self._clock.sleep(FOLLOWED_POLL if is_followed else POLL)
        now = self._clock.monotonic()
        if now - self._began >= DIRECT:
            self._follower = self._follower or _Follower(self._engine, self.ref)
            if self._output:
                self._output.begin(now - self._began)
                self._output.pass_on()
        if not self._is_due(now - self._read_at):
            return False
        self._read_at = now
        return True

    def _is_due(self, since: float) -> bool:
        if self._follower is None or not self._follower.is_following:
            return True
        return self._follower.take_news() or since >= LONGEST

    def close(self) -> None:
        """May be called again."""
        if self._follower:
            self._follower.close()
            self._follower = None
        if self._output:
            self._output.close()


class _Follower:
    """The command in the container, whose output is read in a thread of its own.

    It cannot be started in a paused container, or in one at its limit of processes: then, as before
    it has started and after it has ended, the status is read at each look.
    """

    def __init__(self, engine: Engine, ref: str) -> None:
        self.is_following = False
        self._news = threading.Event()
        stdin, self._keep_open = os.pipe()
        threading.Thread(target=self._follow, args=(engine, ref, stdin), daemon=True).start()

    def _follow(self, engine: Engine, ref: str, stdin: int) -> None:
        try:
            # Whoever waits reads the status then, and finds out why.
            with suppress(DebughostError, Conflict, NotFound):
                execution = engine.exec.start(ref, ExecSpec(("/bin/sh", "-c", _FOLLOW), stdin=True))
                with closing(execution):
                    execution.pump(stdin, self._on_output)
        finally:
            self.is_following = False
            os.close(stdin)

    def _on_output(self, stream: str, data: memoryview) -> None:
        self._news.set()
        self.is_following = True

    def take_news(self) -> bool:
        """Whether the status may have changed since the last call."""
        if not self._news.is_set():
            return False
        self._news.clear()
        return True

    def close(self) -> None:
        """The command ends at its next look, for which nobody has to wait."""
        os.close(self._keep_open)
