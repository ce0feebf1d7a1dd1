"""A real registry on this machine, and a door to it that shuts in the middle of a layer."""

from __future__ import annotations

import http.client
import io
import os
import shutil
import socket
import socketserver
import subprocess
import tarfile
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import docker

from .harness import eventually, listener

HOST = os.environ.get("DEBUGHOST_TEST_REGISTRY", "127.0.0.1")
"""An address of this machine at which the engine, too, reaches a registry without TLS."""
PROGRAM = Path(__file__).parents[2] / ".tools" / "docker-registry"
CONFIG = """\
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {folder}/data}}}}
http: {{addr: "{host}:{port}"}}
{auth}
"""
PASSWORDS = "auth: {{htpasswd: {{realm: tests, path: {folder}/passwords}}}}"


def lacks() -> str:
    """What this machine lacks for a registry; empty where nothing is missing."""
    return "" if PROGRAM.is_file() else "a registry (make it: scripts/registry)"


@contextmanager
def registry(prefix: Sequence[str] = (), *, locked: bool = False) -> Iterator[int]:
    """Serves on a port of HOST, or of 127.0.0.1 where ``prefix`` (nsenter) leads.

    ``locked``: nobody may have anything.
    """
    host = "127.0.0.1" if prefix else HOST
    with listener() as port:
        pass
    folder = Path(tempfile.mkdtemp(prefix="dbgt-registry-"))
    (folder / "passwords").touch()
    auth = PASSWORDS.format(folder=folder) if locked else ""
    (folder / "config").write_text(CONFIG.format(folder=folder, host=host, port=port, auth=auth))
    command: list[str | Path] = [*prefix, PROGRAM, "serve", folder / "config"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        eventually(lambda: _answers(prefix, host, port))
        yield port
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder)


def _answers(prefix: Sequence[str], host: str, port: int) -> bool:
    if prefix:
        probe = [*prefix, "bash", "-c", f"exec 3<>/dev/tcp/{host}/{port}"]
        return subprocess.run(probe, capture_output=True, check=False).returncode == 0
    connection = http.client.HTTPConnection(host, port, timeout=2)
    with closing(connection), suppress(OSError):
        connection.request("GET", "/v2/")
        return connection.getresponse().status in (200, 401)
    return False


class Door(socketserver.ThreadingTCPServer):
    """Passes connections on to ``port``. With a ``limit``, a connection ends after so many bytes of
    answers, or falls ``silent`` then.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int) -> None:
        super().__init__((HOST, 0), _Passage)
        self.target = port
        self.limit: int | None = None
        self.silent = False
        self.over = threading.Event()

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Passage(socketserver.BaseRequestHandler):
    server: Door

    def handle(self) -> None:
        inside = (HOST, self.server.target)
        with socket.create_connection(inside) as inner, suppress(OSError):
            back = threading.Thread(target=self._answer, args=(inner,), daemon=True)
            back.start()
            while data := self.request.recv(65536):
                inner.sendall(data)

    def _answer(self, inner: socket.socket) -> None:
        passed = 0
        with suppress(OSError):
            while data := inner.recv(65536):
                self.request.sendall(data)
                passed += len(data)
                if self.server.limit is not None and passed > self.server.limit:
                    if self.server.silent:
                        self.server.over.wait()
                    break
            self.request.shutdown(socket.SHUT_RDWR)


@contextmanager
def door(port: int) -> Iterator[Door]:
    """A door to the registry at ``port``, open for the length of a block."""
    with Door(port) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield made
        finally:
            made.over.set()
            made.shutdown()
            thread.join()


def push_noise(client: docker.APIClient, ref: str, size: int) -> None:
    """Pushes an image of one layer that does not compress, and removes it from the engine."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        entry = tarfile.TarInfo("data")
        entry.size = size
        tar.addfile(entry, io.BytesIO(os.urandom(size)))
    client.import_image_from_data(packed.getvalue(), *ref.rsplit(":", 1))
    for line in client.push(ref, stream=True, decode=True):
        assert "error" not in line, line
    client.remove_image(ref, force=True)
