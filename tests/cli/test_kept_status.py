"""``status`` in a program that stays: what it keeps from one call to the next, and what not."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from fake_clock import FakeClock
from fakes import FakeEngine, listens, never_listens

from cli.conftest import App
from debughost_cli.api import CancelToken, DebugHost
from debughost_cli.services.status import StatusService


@pytest.fixture
def engine(tmp_path: Path) -> FakeEngine:
    """One on this machine, so that workspaces are read."""
    made = FakeEngine(endpoint=f"unix://{tmp_path}/fake.sock")
    made.add_base_images()
    return made


@pytest.fixture
def running(app: App, engine: FakeEngine) -> FakeEngine:
    """An engine with a project that runs."""
    engine.program = listens()
    assert app("up").code == 0
    return engine


def samples(engine: FakeEngine) -> int:
    """How many were taken since the last call."""
    found = sum(call[0] == "containers.stats" for call in engine.calls)
    engine.calls.clear()
    return found


@pytest.mark.parametrize(("takes", "counts"), [(0.003, 5.0), (1.0, 20.0)])
def test_what_was_measured_counts_for_a_while(
    running: FakeEngine, takes: float, counts: float
) -> None:
    clock = FakeClock()
    service = StatusService(running, {}, clock, measured_every=5.0, read_every=0.0)

    def status() -> int:
        running.before("containers.stats", lambda: clock.sleep(takes))
        running.calls.clear()
        assert service.run(["shop"]).projects[0].stats
        running.take_hooks("containers.stats")
        return samples(running)

    assert status() == 2
    # The first of the two moved the clock, so the second one was fast.
    clock.sleep(5.1)
    assert status() == 1
    assert status() == 0
    clock.sleep(counts - 0.1)
    assert status() == 0
    clock.sleep(0.2)
    assert status() == 1
    clock.sleep(61)
    assert status() == 2, "a sample of a minute ago says nothing of now"


def test_a_watch_measures_each_time(running: FakeEngine) -> None:
    service = StatusService(running, {}, FakeClock())
    service.run()
    samples(running)
    for _ in range(3):
        assert service.run().projects[0].stats
        assert samples(running) == 1


def inspected(engine: FakeEngine) -> int:
    """How often a container was inspected since the last call."""
    found = sum(call[0] == "containers.inspect" for call in engine.calls)
    engine.calls.clear()
    return found


def test_a_watch_looks_again_at_what_was_ready_after_a_while(running: FakeEngine, app: App) -> None:
    clock = FakeClock()
    service = StatusService(running, {}, clock)
    assert service.run().projects[0].ready
    running.calls.clear()
    for _ in range(4):
        clock.sleep(2)
        assert service.run().projects[0].ready
    assert inspected(running) == 0
    clock.sleep(2.1)
    service.run()
    assert inspected(running) == 1


def test_a_watch_sees_at_once_what_the_list_shows(running: FakeEngine, app: App) -> None:
    service = StatusService(running, {}, FakeClock())
    first = service.run().projects[0]
    assert app("restart").code == 0
    again = service.run().projects[0]
    assert first.started_at != again.started_at
    running.crash(running.container("shop").id, 3)
    ended = service.run().projects[0]
    assert (ended.ready, ended.exit and ended.exit.code) == (False, 3)


def test_a_watch_looks_each_time_at_what_is_not_ready(running: FakeEngine, app: App) -> None:
    running.program = never_listens()
    app("restart", "--no-wait")
    service = StatusService(running, {}, FakeClock())
    service.run()
    running.calls.clear()
    for _ in range(3):
        assert not service.run().projects[0].ready
        assert inspected(running) == 1


def test_views_share_what_was_measured_and_read_the_configuration_each_time(
    running: FakeEngine, workspace: Path
) -> None:
    host = DebugHost(engine=running)
    assert host.view().status().projects[0].stats
    samples(running)
    assert host.view(folder=workspace).status("shop").projects[0].stats
    assert samples(running) == 0
    (workspace / "debughost.toml").write_text('memory = "512m"\n')
    assert [d.field for d in host.view().status().projects[0].drift] == ["memory_bytes"]
    samples(running)
    assert DebugHost(engine=running).status().projects[0].stats
    assert samples(running) == 2, "without a view, it is measured each time"


def test_views_have_a_folder_and_a_token_of_their_own(running: FakeEngine, workspace: Path) -> None:
    token = CancelToken()
    host = DebugHost(engine=running, folder=workspace.parent)
    view = host.view(folder=workspace, cancel=token)
    assert view.chosen(None) == ["shop"]
    assert host.view().config.folder == workspace.parent
    token.cancel()
    assert view.cancel.is_set()
    assert not host.view().cancel.is_set()


def test_many_threads_read_at_once(running: FakeEngine, app: App) -> None:
    host = DebugHost(engine=running)
    failed: list[BaseException] = []

    def read() -> None:
        try:
            for _ in range(10):
                assert host.view().status().projects
        except BaseException as exc:
            failed.append(exc)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        app("restart")
    for thread in threads:
        thread.join()
    assert failed == []
