"""An engine behind ssh, as a socket of this machine.

One ``ssh`` forwards a private socket for the life of the process; after that it behaves as a local
engine. docker-py's own ways have no time limit for connecting (paramiko) or start an ``ssh`` for
every request.
"""

from __future__ import annotations

import atexit
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from debughost_cli.engine.reachability import CONNECT_TIMEOUT, permission_denied, unavailable
from debughost_cli.errors import DebughostError, Usage
from debughost_cli.resources import EngineInfo

REMOTE_SOCKET = "/var/run/docker.sock"


class SshTunnel:
    """Open until ``close``, or until this process ends, in whatever way."""

    def __init__(self, info: EngineInfo) -> None:
        """Raises EngineUnavailable, EnginePermissionDenied, Usage."""
        self._info = info
        self._folder = Path(tempfile.mkdtemp(prefix="debughost-"))
        self._socket = self._folder / "engine.sock"
        atexit.register(self.close)
        self._process = self._start()
        self._await()

    @property
    def url(self) -> str:
        """The local end."""
        return f"unix://{self._socket}"

    def _start(self) -> subprocess.Popen[bytes]:
        """The remote ``cat`` ends with our end of its input: a killed client leaves no ssh."""
        parts = urlsplit(self._info.endpoint)
        if not parts.hostname or parts.hostname.startswith("-"):
            raise Usage(f"{self._info.endpoint!r} names no host", hint="Write ssh://user@host")
        options = ["BatchMode=yes", f"ConnectTimeout={CONNECT_TIMEOUT:.0f}"]
        options += ["ExitOnForwardFailure=yes", "StreamLocalBindUnlink=yes"]
        command = ["ssh", "-T", *[word for o in options for word in ("-o", o)]]
        command += ["-L", f"{self._socket}:{parts.path or REMOTE_SOCKET}"]
        command += ["-p", str(parts.port)] if parts.port else []
        command += ["-l", parts.username] if parts.username else []
        try:
            return subprocess.Popen(  # noqa: S603 - no shell, and the host cannot be an option
                [*command, "--", parts.hostname, "cat"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                # Ctrl-C is for this program: cleaning up still needs the engine.
                start_new_session=True,
            )
        except OSError as exc:
            self.close()
            raise unavailable(self._info, f"ssh cannot be run: {exc.strerror or exc}") from None

    def _await(self) -> None:
        deadline = time.monotonic() + CONNECT_TIMEOUT + 1
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise self._failure()
            if self._answers():
                return
            time.sleep(0.02)
        self.close()
        raise unavailable(self._info, f"no ssh connection within {CONNECT_TIMEOUT:.0f} s")

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(str(self._socket))
            except OSError:
                return False
        return True

    def _failure(self) -> DebughostError:
        """The last line that ssh wrote."""
        assert self._process.stderr is not None
        lines = self._process.stderr.read().decode("utf-8", "replace").strip().splitlines()
        self.close()
        last = lines[-1] if lines else f"ssh ended with {self._process.returncode}"
        if "permission denied" in last.lower():
            return permission_denied(f"{self._info.endpoint}: {last}")
        return unavailable(self._info, last)

    def close(self) -> None:
        """Ends ssh and takes the socket away."""
        process = getattr(self, "_process", None)
        if process:
            for pipe in (process.stdin, process.stderr):
                with suppress(OSError):
                    pipe.close()
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(2)
        shutil.rmtree(self._folder, ignore_errors=True)
        atexit.unregister(self.close)
