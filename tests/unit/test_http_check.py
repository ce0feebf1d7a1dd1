"""Waiting for an HTTP answer, also of servers that do not want to be waited for."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

import pytest

from debughost_cli.services.http_check import TIMEOUT, Request

Serve = Callable[[socket.socket], None]


def answers(port: int, path: str, timeout: float = TIMEOUT) -> bool:
    with closing(Request("127.0.0.1", port, path)) as request:
        answer = request.answer(timeout)
    return answer is not None and answer.is_good


@contextmanager
def serving(serve: Serve) -> Iterator[int]:
    """The port of a server that treats one connection so."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            with suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    serve(connection)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(5)


def sends(data: bytes) -> Serve:
    return lambda connection: connection.sendall(data)


def trickles(data: bytes) -> Serve:
    """A byte every 50 ms: no single read takes long."""

    def serve(connection: socket.socket) -> None:
        for byte in data:
            connection.sendall(bytes([byte]))
            threading.Event().wait(0.05)

    return serve


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.0 302 Found\nLocation: /\n\n", True),
        (b"HTTP/1.1 204\r\n\r\n", True),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", False),
        (b"HTTP/1.1 503 \r\n\r\n", False),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 500 X\r\n\r\n", False),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nContent-Le", False),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", False),
        (b"HTTP/1.1 2000 OK\r\n\r\n", False),
        (b"", False),
    ],
)
def test_an_answer_below_400_counts(answer: bytes, expected: bool) -> None:
    with serving(sends(answer)) as port:
        assert answers(port, "/") is expected


@pytest.mark.parametrize("data", [b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200, b"z" * 200])
def test_a_server_that_sends_a_byte_now_and_then_has_one_deadline(data: bytes) -> None:
    with serving(trickles(data)) as port:
        began = time.monotonic()
        assert answers(port, "/", timeout=0.4) is False
        assert time.monotonic() - began < 2


def test_a_head_without_an_end_is_given_up() -> None:
    with serving(sends(b"HTTP/1.1 200 OK\r\n" + b"X-More: y\r\n" * 100_000)) as port:
        assert answers(port, "/") is False


def test_a_path_is_sent_in_ascii() -> None:
    seen = []

    def serve(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            connection, _ = listener.accept()
            with connection:
                seen.append(connection.recv(65536).partition(b"\r\n")[0])
                serve(connection)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        assert answers(listener.getsockname()[1], "/größe?a=%20b&c=d")
        thread.join(5)
    assert seen == [b"GET /gr%C3%B6%C3%9Fe?a=%20b&c=d HTTP/1.1"]


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert answers(port, "/") is False


def late(data: bytes, seconds: float) -> Serve:
    def serve(connection: socket.socket) -> None:
        threading.Event().wait(seconds)
        connection.sendall(data)

    return serve


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", "503"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 404 X\r\n\r\n", "404"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 200", "the connection was closed without one"),
        (b"", "the connection was closed without one"),
    ],
)
def test_an_answer_says_what_came(answer: bytes, text: str) -> None:
    with serving(sends(answer)) as port, closing(Request("127.0.0.1", port, "/")) as request:
        found = request.answer(5)
    assert found
    assert found.text == text


def test_one_request_is_asked_again_and_again_until_its_answer_comes() -> None:
    page = late(b"HTTP/1.1 200 OK\r\n\r\n", 0.5)
    with serving(page) as port, closing(Request("127.0.0.1", port, "/")) as request:
        assert request.answer(0.1) is None
        assert request.answer(0.1) is None
        found = request.answer(5)
    assert found
    assert found.status == 200


def test_a_request_that_nobody_takes_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with closing(Request("127.0.0.1", port, "/")) as request:
        found = request.answer(1)
    assert found
    assert (found.status, found.text) == (None, "no connection")
