"""How long ``up`` waits, without waiting."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_clock import FakeClock
from fakes import FakeEngine, Program, never_listens

from debughost_cli.errors import EngineTimeout, Interrupted, NotReady
from debughost_cli.models import Action
from debughost_cli.project.resolve import ResolvedProject, resolve_project
from debughost_cli.project.settings import Flags
from debughost_cli.services.executor import IN_FLIGHT_TIMEOUT
from debughost_cli.services.progress import NullProgress
from debughost_cli.services.up import UpService
from debughost_cli.services.up_state import UpOptions


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeEngine:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    made = FakeEngine()
    made.add_base_images()
    return made


@pytest.fixture
def resolved(tmp_path: Path) -> ResolvedProject:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "index.html").write_text("hello")
    return resolve_project(folder, Flags(wait_timeout=20.0), {})


def test_it_reads_until_the_project_listens(engine: FakeEngine, resolved: ResolvedProject) -> None:
    engine.program = Program(ready=True, installs=True, late=7)
    clock = FakeClock()
    result = UpService(engine, NullProgress(), clock).run(resolved, UpOptions())
    assert (result.action, result.project.ready) == (Action.CREATED, True)
    assert clock.slept
    assert set(clock.slept) == {0.05}


def test_it_ends_after_its_timeout(engine: FakeEngine, resolved: ResolvedProject) -> None:
    engine.program = never_listens()
    clock = FakeClock()
    with pytest.raises(NotReady, match="not ready after 20 s"):
        UpService(engine, NullProgress(), clock).run(resolved, UpOptions())
    assert clock.monotonic() == pytest.approx(20, abs=0.2)


@pytest.mark.parametrize("error", [EngineTimeout("no answer"), Interrupted()])
def test_a_container_that_was_not_answered_for_is_awaited_before_it_is_removed(
    engine: FakeEngine, resolved: ResolvedProject, error: BaseException
) -> None:
    """The engine goes on with a request whose sender is gone; here it never did begin."""
    engine.fail("containers.create", error)
    clock = FakeClock()
    with pytest.raises(type(error)):
        UpService(engine, NullProgress(), clock).run(resolved, UpOptions())
    assert clock.monotonic() == pytest.approx(IN_FLIGHT_TIMEOUT, abs=0.1)
    assert not engine.stored_containers
