"""Something may have changed: by events, and by time where there are none."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from debughost_cli.project import watcher as module
from debughost_cli.project.watcher import Watcher


def due(watcher: Watcher, seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if watcher.wait(0.0):
            return True
    return False


@pytest.mark.parametrize(
    "change",
    [
        lambda f: (f / "new").write_text("x"),
        lambda f: (f / "old").unlink(),
        lambda f: (f / "old").rename(f / "renamed"),
        lambda f: (f / "folder/inner").write_text("x"),
    ],
)
def test_a_change_is_seen(tmp_path: Path, change: Callable[[Path], object]) -> None:
    (tmp_path / "old").write_text("x")
    (tmp_path / "folder").mkdir()
    watcher = Watcher(tmp_path, ["node_modules"])
    try:
        assert not watcher.is_polling
        change(tmp_path)
        assert due(watcher)
    finally:
        watcher.close()


def test_what_is_left_out_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "node_modules").mkdir()
    watcher = Watcher(tmp_path, ["node_modules"])
    try:
        (tmp_path / "node_modules/a").write_text("x")
        assert not due(watcher, 1.0)
        (tmp_path / "a").write_text("x")
        assert due(watcher)
    finally:
        watcher.close()


def test_without_events_it_is_due_from_time_to_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHFILES_FORCE_POLLING", "1")
    monkeypatch.setattr(module, "POLL", 0.01)
    watcher = Watcher(tmp_path, [])
    assert watcher.is_polling
    assert due(watcher, 5.0)
    watcher.close()
    # No events come from a folder that is not there either.
    gone = Watcher(tmp_path / "gone", [])
    assert gone.is_polling
    gone.close()
