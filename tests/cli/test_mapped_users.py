"""Engines whose containers run as other users of this machine."""

from __future__ import annotations

import os

import pytest
from fakes import FakeEngine

from debughost_cli.engine.port_types import ExecResult
from debughost_cli.resources import UserMapping

from .conftest import App

CODE = "WORKSPACE_NOT_WRITABLE"
WRITABLE = ("test", "-w", "/app")
REMAPPED = UserMapping(first_uid=231072, first_gid=231072)


@pytest.fixture
def engine() -> FakeEngine:
    made = FakeEngine(endpoint="unix:///run/fake.sock")
    made.add_base_images()
    made.mapping = REMAPPED
    return made


def test_up_says_how_to_let_the_program_write(app: App, engine: FakeEngine) -> None:
    engine.execs[WRITABLE] = ExecResult(1, b"", b"")
    run = app("up", "--json")
    assert run.code == 0
    message = next(w["message"] for w in run.document["warnings"] if w["code"] == CODE)
    uid = 231072 + os.getuid()
    assert f"user {uid} of this machine" in message
    assert f"setfacl -R -m u:{uid}:rwX,d:u:{uid}:rwX,d:u:{os.getuid()}:rwX /" in message
    assert CODE not in str(app("up", "--json").document["warnings"])  # It ran already.


@pytest.mark.parametrize("code", [0, 126, 127])
def test_up_says_nothing_where_it_can_write_or_cannot_tell(
    app: App, engine: FakeEngine, code: int
) -> None:
    engine.execs[WRITABLE] = ExecResult(code, b"", b"")
    assert CODE not in str(app("up", "--json").document["warnings"])


@pytest.mark.parametrize("mapping", [UserMapping(), UserMapping(by_engine=True)])
def test_nothing_is_asked_of_engines_without_a_range(
    app: App, engine: FakeEngine, mapping: UserMapping
) -> None:
    engine.mapping = mapping
    engine.execs[WRITABLE] = ExecResult(1, b"", b"")
    assert CODE not in str(app("up", "--json").document["warnings"])


def test_an_engine_that_maps_users_by_itself_gets_the_user_of_the_image(
    app: App, engine: FakeEngine
) -> None:
    engine.mapping = UserMapping(by_engine=True)
    app("up")
    assert [c.spec.user for c in engine.stored_containers.values()] == [None]


def test_doctor_names_the_first_user(app: App) -> None:
    checks = {c["name"]: c for c in app("doctor", "--json").document["data"]["checks"]}
    assert checks["engine"]["status"] == "warning"
    assert "root of a container is user 231072 there" in checks["engine"]["message"]
