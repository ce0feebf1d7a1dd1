"""An engine behind ssh, as a socket of this machine.

One ``ssh`` forwards a private socket for as long as it is needed; after that it behaves as a local
engine. Where that is not possible, the ``docker`` command there connects, see ``ssh_dial``.
docker-py's own ways have no time limit for connecting, or start an ``ssh`` for every request.
"""

from __future__ import annotations

import atexit
import os
import re
import select
import shutil
import subprocess
import threading
import time
from contextlib import suppress
from urllib.parse import unquote, urlsplit

from debughost_cli.engine.reachability import CONNECT_TIMEOUT, unreachable
from debughost_cli.engine.ssh_dial import HAS_DOCKER, NOT_FORWARDED, Dialer, dial_command
from debughost_cli.engine.ssh_faults import no_forward, no_socket, ssh_failed, ssh_missing
from debughost_cli.engine.ssh_folders import CONTROL, SOCKET, new_folder, remove_left
from debughost_cli.errors import Usage
from debughost_cli.resources import EngineInfo

DEFAULT_SOCKET = "/var/run/docker.sock"
OPTIONS = (
    # No question is answered here; the user's own connections are neither used nor changed.
    "BatchMode=yes", "ControlMaster=no", "ControlPath=none",
    f"ConnectTimeout={CONNECT_TIMEOUT:.0f}", "ServerAliveInterval=5", "ServerAliveCountMax=2",
    # A forward in the user's configuration may be in use already by another ssh.
    "ExitOnForwardFailure=no", "StreamLocalBindUnlink=yes",
    "RemoteCommand=none", "PermitLocalCommand=no", "ForwardAgent=no", "ForwardX11=no",
    # At this level it says that a forward was refused.
    "LogLevel=INFO",
)  # fmt: skip

# As the docker command there finds its engine, then the places of rootless ones and of Podman. What
# the address names, or that machine's user chose, is taken or nothing. The answer is a line of its
# own, for the shell's own files may print as well. ``cat`` ends with our end of its input, so that
# a killed client leaves no ssh. One line, for csh.
_SEARCH = """\
answer() { echo "debughost-engine $1 $2"; exec cat; };
try() { [ -S "$1" ] || return 0; [ -w "$1" ] && answer socket "$1"; denied=${denied:-$1}; };
denied=; named=OWN; own=$named;
if [ -z "$own" ]; then
  own=${DOCKER_HOST-}; config=${DOCKER_CONFIG:-$HOME/.docker}/config.json;
  if [ -z "$own" ] && command -v docker >/dev/null 2>&1; then
    if [ -n "${DOCKER_CONTEXT-}" ] || grep -qs currentContext "$config"; then
      own=$(docker context inspect --format "{{.Endpoints.docker.Host}}" 2>/dev/null);
    fi;
  fi;
fi;
run=${XDG_RUNTIME_DIR:-/run/user/$(id -u)};
other=;
case $own in
  unix://*) try "${own#unix://}" ;;
  ?*) other=$own ;;
  *) for s in /var/run/docker.sock "$run/docker.sock" "$HOME/.docker/run/docker.sock"
       "$HOME/.docker/desktop/docker.sock" "$HOME/.colima/default/docker.sock"
       "$run/podman/podman.sock" /run/podman/podman.sock; do try "$s"; done ;;
esac;
[ -n "$denied" ] && answer denied "$denied";
[ -z "$named" ] && docker version >/dev/null 2>&1 && answer docker;
[ -n "$other" ] && answer other "$other";
answer none "${own#unix://}"
"""
_KINDS = rb"(socket|docker|other|denied|none)"
_ANSWER = re.compile(rb"^debughost-engine %b ?(.*)\r?\n" % _KINDS, re.MULTILINE)
_PATH = re.compile(r"/[\w./@:+-]+", re.ASCII)


def _search(path: str) -> str:
    """The command that looks for the engine's socket, or for that one alone."""
    script = " ".join(_SEARCH.split()).replace("OWN", f"unix://{path}" if path else "")
    return f"exec sh -c '{script}'"


class SshTunnel:
    """Open until ``close``, or until this process ends, in whatever way."""

    def __init__(self, info: EngineInfo) -> None:
        """Raises EngineUnavailable, EnginePermissionDenied, Usage."""
        self._info = info
        self._destination = _destination(info)
        self._remote = _path(info)
        remove_left()
        self._folder = new_folder()
        self._socket = self._folder / SOCKET
        self._process: subprocess.Popen[bytes] | None = None
        self._dialer: Dialer | None = None
        self._dials = False
        self._guard = threading.Lock()
        # ssh itself ends with this process: threads that still read would report a lost engine.
        atexit.register(self._remove_folder)
        try:
            self.keep_open()
        except BaseException:
            self.close()
            raise

    @property
    def url(self) -> str:
        """The local end, which stays the same."""
        return f"unix://{self._socket}"

    def keep_open(self) -> None:
        """Opens it again where ssh has ended, as it does when the link is cut.

        Raises as the constructor does.
        """
        with self._guard:
            if self._process is None or self._process.poll() is not None:
                self._open()

    def dial(self) -> bool:
        """Lets docker connect over there where the server has refused the forward.

        False where that is not why nothing answered. Raises as the constructor does.
        """
        with self._guard:
            refusals = [line for line in self._said().splitlines() if NOT_FORWARDED in line]
            if self._dials or not refusals:
                return False
            self._dials = True
            try:
                self._open(refusals[-1].strip())
            except BaseException:
                self._dials = False
                raise
            return True

    def _open(self, refusal: str = "") -> None:
        """The first time with the usual path; that machine may name another one.

        ``refusal``: what ssh said of the forward.
        """
        deadline = time.monotonic() + CONNECT_TIMEOUT + 1
        if not self._dials:
            usual = self._remote or DEFAULT_SOCKET
            kind, place = self._connect(usual, deadline)
            self._dials = kind == "docker"
            self._remote = place
            if place not in ("", usual):
                self._connect(place, deadline)
        if self._dials:
            kind, _ = self._connect("", deadline)
            if kind != "docker":
                self._end()
                raise no_forward(self._info, self._destination[-1], self._remote, refusal)
            to = [*self._options(), *self._destination, dial_command(self._remote)]
            self._dialer = Dialer(self._socket, ["ssh", "-T", *to], self._folder / "said")

    def _options(self, *first: str) -> list[str]:
        """``first`` are those that count in the place of the usual ones, as the first one does."""
        control = (f"ControlPath={self._folder / CONTROL}",) if self._dials else ()
        return [word for option in (*first, *control, *OPTIONS) for word in ("-o", option)]

    def _connect(self, remote: str, deadline: float) -> tuple[str, str]:
        """Starts ssh with a forward of ``remote``; what there is, and the path of its socket.

        An empty ``remote``: without a forward, for the ``ssh`` of others.
        """
        self._end()
        self._make_folder()
        self._socket.unlink(missing_ok=True)
        if remote:
            ways = [*self._options(), "-L", f"{self._socket}:{remote}"]
            command = _search(self._remote)
        else:
            ways, command = self._options("ControlMaster=yes"), HAS_DOCKER
        with (self._folder / "said").open("wb") as said:
            words = ["ssh", "-T", *ways, *self._destination, command]
            try:
                self._process = subprocess.Popen(  # noqa: S603 - no shell, and no option of others
                    words,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=said,
                    # Ctrl-C is for this program: cleaning up still needs the engine.
                    start_new_session=True,
                )
            except OSError as exc:
                raise ssh_missing(self._info, exc.strerror or str(exc)) from None
        kind, place = self._answer(self._process, deadline)
        if remote and kind not in ("socket", "docker"):
            self._end()
            raise no_socket(self._info, self._destination[-1], kind, place)
        if kind == "socket" and not self._socket.exists():
            raise ssh_failed(self._info, self._destination, self._said(), 0)
        return kind, place

    def _make_folder(self) -> None:
        """Another command may have taken it for one that was left: nobody listened in it."""
        with suppress(FileExistsError):
            self._folder.mkdir(mode=0o700)
        if self._folder.lstat().st_uid != os.getuid():
            raise unreachable(self._info, f"{self._folder} is another user's")

    def _answer(self, process: subprocess.Popen[bytes], deadline: float) -> tuple[str, str]:
        """Waits for the line that comes once the user is logged in."""
        assert process.stdout is not None
        output = b""
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([process.stdout], [], [], left)[0]:
                break
            data = os.read(process.stdout.fileno(), 65536)
            if not data:
                code = process.wait()
                raise ssh_failed(self._info, self._destination, self._said(), code)
            output += data
            if found := _ANSWER.search(output):
                return found[1].decode(), found[2].decode("utf-8", "surrogateescape")
        raise unreachable(self._info, f"no ssh connection within {CONNECT_TIMEOUT:.0f} s")

    def _said(self) -> str:
        return (self._folder / "said").read_text("utf-8", "replace")

    def _end(self) -> None:
        if self._dialer:
            self._dialer.close()
            self._dialer = None
        process = self._process
        if not process:
            return
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                if pipe:
                    pipe.close()
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(2)

    def close(self) -> None:
        """Ends ssh and takes the socket away."""
        self._end()
        self._remove_folder()
        atexit.unregister(self._remove_folder)

    def _remove_folder(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def _path(info: EngineInfo) -> str:
    """The socket's path on that machine, as the address has it; empty where it has none."""
    path = unquote(urlsplit(info.endpoint).path.rstrip("/"))
    if path and not _PATH.fullmatch(path):
        raise Usage(
            f"{path!r} is not a socket's path", hint="Write ssh://user@host/run/docker.sock"
        )
    return path


def _destination(info: EngineInfo) -> list[str]:
    """The words of the ssh command that say where to, the host last.

    The host as it is written: ``ssh`` tells upper from lower case in its configuration.
    """
    parts = urlsplit(info.endpoint)
    host = parts.netloc.rpartition("@")[2]
    host = host[1 : host.index("]")] if host.startswith("[") else host.partition(":")[0]
    if not host or host.startswith("-"):
        raise Usage(f"{info.endpoint!r} names no host", hint="Write ssh://user@host")
    if parts.password is not None:
        raise Usage(
            "an address with a password in it can be read by everyone on this machine",
            hint="Log in with a key: ssh://user@host",
        )
    words = ["-p", str(parts.port)] if parts.port else []
    words += ["-l", unquote(parts.username)] if parts.username else []
    return [*words, "--", host]
