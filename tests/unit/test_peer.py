"""Whether the engine behind a socket sees this machine's files."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from debughost_cli.engine import peer


@pytest.fixture
def endpoint(tmp_path: Path) -> str:
    return f"unix://{tmp_path}/engine.sock"


@pytest.mark.parametrize(("name", "expected"), [("python", False), ("engine", True)])
def test_only_an_engine_in_the_same_mounts_does(
    endpoint: str, monkeypatch: pytest.MonkeyPatch, name: str, expected: bool
) -> None:
    # This process listens: a tunnel would be one of this machine's mounts as well.
    if name == "engine":
        monkeypatch.setattr(peer, "_ENGINES", (Path("/proc/self/exe").readlink().name,))
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(endpoint.removeprefix("unix://"))
        server.listen()
        assert peer.shares_files(endpoint) is expected


def test_one_that_cannot_be_looked_at_is_not_known_to(endpoint: str) -> None:
    assert not peer.shares_files(endpoint)
    assert not peer.shares_files("tcp://127.0.0.1:2375")
    assert not peer.shares_files("ssh://host")
