"""Which machine this is, and which process created a container."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from debughost_cli import names
from debughost_cli.services import host_identity as module
from debughost_cli.services.host_identity import host_identity
from debughost_cli.services.owner_process import (
    OwnerProcess,
    is_alive,
    is_at_work,
    parse,
    this_process,
)

NOW = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)


@pytest.fixture
def machine_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of the machine id, which does not exist yet, and an empty state folder."""
    monkeypatch.setattr(module, "_MACHINE_ID", tmp_path / "machine-id")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "machine-id"


def identity() -> str:
    host_identity.cache_clear()
    try:
        return host_identity()
    finally:
        host_identity.cache_clear()


def test_the_machine_id_decides_and_is_not_published(machine_id: Path) -> None:
    machine_id.write_text("0123456789abcdef0123456789abcdef\n")
    first = identity()
    assert len(first) == 32
    assert "0123456789abcdef" not in first
    assert identity() == first
    machine_id.write_text("fedcba9876543210fedcba9876543210\n")
    assert identity() != first


@pytest.mark.parametrize("text", ["", "uninitialized\n"])
def test_without_a_machine_id_one_is_generated_once(machine_id: Path, text: str) -> None:
    machine_id.write_text(text)
    first = identity()
    assert identity() == first
    assert [p.name for p in machine_id.parent.rglob("host-id*")] == ["host-id"]


def test_two_folders_of_state_have_identities_of_their_own(
    machine_id: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = identity()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "other"))
    assert identity() != first


def test_a_process_has_its_number_from_its_start_to_its_end() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    now = time.time()
    assert is_alive(process.pid, now)
    assert is_alive(process.pid, now + 3600), "a note that it wrote later"
    assert not is_alive(process.pid, now - 60), "its number was used by another one before"
    process.communicate(b"\n")
    assert not is_alive(process.pid, now)


def test_the_label_of_an_owner_process_is_read_back() -> None:
    this = this_process("host")
    assert parse(str(this)) == replace(this, ran_at=round(this.ran_at, 2))
    assert this == this_process("host")
    assert is_alive(this.pid, this.ran_at)


@pytest.mark.parametrize("text", ["", "host", "host:1", "host:one:2.0", "host:1:now"])
def test_another_label_names_no_owner_process(text: str) -> None:
    assert parse(text) is None


def test_who_is_at_work() -> None:
    this = this_process("here")
    ended = OwnerProcess("here", 2**22 + 1, 1.0)
    elsewhere = OwnerProcess("there", os.getpid(), 1.0)

    def at_work(owner: object, age: int = 0) -> bool:
        created = NOW - timedelta(seconds=age)
        return is_at_work({names.OWNER: str(owner)}, created, this, NOW)

    assert not at_work(this), "one's own containers are nobody else's work"
    assert not at_work(ended)
    assert at_work(elsewhere)
    assert not at_work(elsewhere, age=61)
    assert at_work("laptop:4711"), "as 0.1.0 wrote it"
    assert not is_at_work({}, NOW, this, NOW)
    for pid in ("-1", "9" * 4000):
        assert not is_at_work({names.OWNER: f"{this.host}:{pid}:1.0"}, NOW, this, NOW)
    assert at_work(OwnerProcess("here", os.getppid(), time.time()), age=3600)
