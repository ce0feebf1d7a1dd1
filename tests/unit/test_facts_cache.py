"""Facts of engines that are kept between commands, and when they are not believed."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from debughost_cli.engine import facts_cache
from debughost_cli.engine.facts_cache import Facts
from debughost_cli.private_folder import private_folder
from debughost_cli.resources import UserMapping

FACTS = Facts("ID:1", 2**34, UserMapping(first_uid=100000, first_gid=100001))


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[str]:
    path = tmp_path / "e.sock"
    with listening(path):
        yield f"unix://{path}"


def listening(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(path))
    return made


def stored() -> Path:
    folder = private_folder("engines")
    assert folder
    return folder / "facts.json"


def test_what_is_kept_is_read(endpoint: str) -> None:
    assert facts_cache.read(endpoint) is None
    facts_cache.keep(endpoint, FACTS)
    facts_cache.keep("unix:///nowhere", Facts("ID:2", 0))
    assert facts_cache.read(endpoint) == FACTS
    assert stored().parent.stat().st_mode & 0o077 == 0
    assert stored().stat().st_mode & 0o077 == 0
    assert [p.name for p in stored().parent.iterdir()] == ["facts.json"]


def test_an_engine_that_was_started_again_is_asked_again(endpoint: str) -> None:
    facts_cache.keep(endpoint, FACTS)
    path = Path(endpoint.removeprefix("unix://"))
    path.rename(path.with_suffix(".old"))
    with listening(path):
        assert facts_cache.read(endpoint) is None
    path.unlink()
    assert facts_cache.read(endpoint) is None


@pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:2375", "ssh://build", "npipe:////./pipe/e"])
def test_its_swarm_alone_is_believed_of_an_engine_whose_socket_is_not_here(endpoint: str) -> None:
    assert facts_cache.read_swarm(endpoint) is None
    facts_cache.keep(endpoint, FACTS)
    assert facts_cache.read(endpoint) is None
    assert facts_cache.read_swarm(endpoint) == FACTS.swarm


def test_nothing_is_kept_of_a_socket_that_is_not_there(tmp_path: Path) -> None:
    facts_cache.keep(f"unix://{tmp_path}/none.sock", FACTS)
    assert not stored().exists()


@pytest.mark.parametrize("age", [25 * 3600, -60], ids=["too old", "from the future"])
def test_facts_are_believed_for_a_day(
    endpoint: str, monkeypatch: pytest.MonkeyPatch, age: float
) -> None:
    facts_cache.keep(endpoint, FACTS)
    entries = json.loads(stored().read_text())
    entries[endpoint]["read_at"] -= age
    stored().write_text(json.dumps(entries))
    assert facts_cache.read(endpoint) is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"E": 1}', '{"E": {"id": 1}}', "\xff", '{"E": {"id": null}}']
)
def test_a_file_that_says_nothing_is_survived(endpoint: str, text: str) -> None:
    stored().write_bytes(text.replace("E", endpoint).encode("latin-1"))
    assert facts_cache.read(endpoint) is None
    facts_cache.keep(endpoint, FACTS)
    assert facts_cache.read(endpoint) == FACTS


def test_the_file_does_not_grow_without_end(tmp_path: Path, endpoint: str) -> None:
    for number in range(60):
        path = tmp_path / f"{number}.sock"
        listening(path).close()
        facts_cache.keep(f"unix://{path}", FACTS)
    facts_cache.keep(endpoint, FACTS)
    assert len(json.loads(stored().read_text())) == 50
    assert facts_cache.read(endpoint) == FACTS
