"""How long the engine may take over a request, sending it included."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from debughost_cli.engine.connect import Address
from debughost_cli.engine.docker.client import ApiClient, open_client
from debughost_cli.engine.docker.transport import time_limit
from debughost_cli.engine.reachability import CONNECT_TIMEOUT

ARCHIVE = b"x" * 4_000_000
"""More than the socket holds, so that sending waits for the engine."""
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@contextmanager
def busy_engine(family: str, folder: Path, pause: float) -> Iterator[str]:
    """Takes one connection, and reads the request after a pause; yields the engine's URL."""
    with socket.socket(getattr(socket, family)) as server:
        server.bind(str(folder / "s") if family == "AF_UNIX" else ("127.0.0.1", 0))
        server.listen()
        over = threading.Event()
        thread = threading.Thread(target=serve, args=(server, over, pause))
        thread.start()
        name = server.getsockname()
        yield f"unix://{name}" if family == "AF_UNIX" else f"tcp://127.0.0.1:{name[1]}"
        over.set()
        thread.join()


def serve(server: socket.socket, over: threading.Event, pause: float) -> None:
    with server.accept()[0] as connection:
        if over.wait(pause):
            return
        head, _, body = connection.recv(65536).partition(b"\r\n\r\n")
        left = int(head.lower().partition(b"content-length:")[2].split()[0]) - len(body)
        while left > 0 and (data := connection.recv(65536)):
            left -= len(data)
        connection.sendall(ANSWER)


def put(client: ApiClient) -> requests.Response:
    return client.put(client.url("/containers/shop/archive"), data=ARCHIVE)


@pytest.mark.parametrize("family", ["AF_UNIX", "AF_INET"])
def test_an_engine_may_read_a_request_slowly(family: str, tmp_path: Path) -> None:
    pause = CONNECT_TIMEOUT + 0.5
    with (
        busy_engine(family, tmp_path, pause) as url,
        open_client(Address(url, "flag"), "1.41") as client,
    ):
        assert put(client).status_code == 200


@pytest.mark.parametrize("family", ["AF_UNIX", "AF_INET"])
def test_sending_counts_towards_the_limit_of_the_answer(family: str, tmp_path: Path) -> None:
    with (
        busy_engine(family, tmp_path, 60) as url,
        open_client(Address(url, "flag"), "1.41") as client,
    ):
        began = time.monotonic()
        with pytest.raises(requests.ConnectionError, match="timed out"), time_limit(0.5):
            put(client)
        assert time.monotonic() - began < CONNECT_TIMEOUT / 2
