"""TLS with an engine whose certificate nobody vouches for, by a real server."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from certificates import KEY, PEM

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi"


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Of a server that speaks TLS, and is no engine."""
    (tmp_path / "cert.pem").write_text(PEM + KEY)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem")
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server, context))
        thread.start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def serve(server: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            plain, _ = server.accept()
        except OSError:
            return
        try:
            with context.wrap_socket(plain, server_side=True) as connection:
                connection.recv(4096)
                connection.sendall(ANSWER)
        except OSError:
            plain.close()


def status(address: str, folder: Path, **environ: str) -> tuple[int, dict[str, object], str]:
    """In a process of its own, for warnings that Python or urllib3 print by themselves."""
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "debughost_cli", "status", "--json"],
        env={"DOCKER_HOST": address, "DOCKER_CERT_PATH": str(folder), "HOME": str(folder)}
        | environ,
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2], timeout=30,
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout)["error"], done.stderr


def test_a_certificate_that_is_not_trusted_is_named_and_not_tried_again(
    address: str, tmp_path: Path
) -> None:
    code, error, said = status(address, tmp_path / "certs", DOCKER_TLS_VERIFY="1")
    assert (code, error["code"], error["retryable"]) == (4, "ENGINE_UNAVAILABLE", False)
    assert "self-signed certificate" in str(error["message"])
    assert "DOCKER_CERT_PATH" in str(error["hint"])
    assert "trying again" not in said


def test_without_verification_nothing_is_printed_but_what_is_ours(
    address: str, tmp_path: Path
) -> None:
    code, error, said = status(address, tmp_path / "certs")
    assert (code, error["code"]) == (1, "ENGINE_ERROR")
    assert "Warning" not in said
    assert "urllib3" not in said


def test_a_server_without_tls_is_told_as_such(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        answer = threading.Thread(target=answer_plainly, args=(server,))
        answer.start()
        port = server.getsockname()[1]
        found = status(f"tcp://127.0.0.1:{port}", tmp_path / "certs", DOCKER_TLS_VERIFY="1")
        answer.join()
    assert found[0] == 4
    assert "wrong version number" in str(found[1]["message"])


def answer_plainly(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")
