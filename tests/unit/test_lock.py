"""One command at a time on a project."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from debughost_cli.errors import Busy
from debughost_cli.services.lock import lock_folder, project_lock

HOLDER = """
import sys, time
from debughost_cli.services.lock import project_lock
with project_lock("unix:///x", "shop", on_wait=print):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def holder() -> Iterator[Popen[str]]:
    """Another process that holds the project until it is reported to end."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def lock(
    project: str = "shop",
    endpoint: str = "unix:///x",
    timeout: float = 0.1,
    reported: list[str] | None = None,
) -> AbstractContextManager[None]:
    return project_lock(
        endpoint,
        project,
        on_wait=lambda _, text: None if reported is None else reported.append(text),
        timeout=timeout,
    )


def test_a_free_project_is_held_at_once() -> None:
    reported: list[str] = []
    with lock(reported=reported):
        pass
    with lock(reported=reported):
        pass
    assert reported == []


def test_a_command_that_is_made_of_others_holds_it_for_all_of_them(tmp_path: Path) -> None:
    def taken_elsewhere() -> bool:
        code = HOLDER.replace("on_wait=print", "on_wait=lambda *_: None, timeout=0.1")
        done = subprocess.run(
            [sys.executable, "-c", code], input="", capture_output=True, text=True, check=False,
            cwd=Path(__file__).parents[2],
        )  # fmt: skip
        return "held" not in done.stdout

    with project_lock("unix:///x", "shop", on_wait=print):
        with project_lock("unix:///x", "shop", on_wait=print):
            assert taken_elsewhere()
        assert taken_elsewhere()
    assert not taken_elsewhere()


def test_another_thread_waits_for_it() -> None:
    waited: list[bool] = []

    def other() -> None:
        try:
            with project_lock("unix:///x", "shop", on_wait=lambda *_: None, timeout=0.1):
                waited.append(False)
        except Busy:
            waited.append(True)

    with project_lock("unix:///x", "shop", on_wait=print):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(10)
    assert waited == [True]


def test_another_command_on_the_project_is_waited_for_and_named(holder: Popen[str]) -> None:
    reported: list[str] = []
    with pytest.raises(Busy) as caught, lock(reported=reported):
        pass
    error = caught.value
    assert error.retryable
    assert error.details["project"] == "shop"
    owner: Any = error.details["holder"]
    assert owner["pid"] == holder.pid
    assert f"pid {holder.pid}" in error.message
    assert len(reported) == 1
    assert f"pid {holder.pid}" in reported[0]


def test_the_second_goes_on_when_the_first_is_done(holder: Popen[str]) -> None:
    def end() -> None:
        time.sleep(0.1)
        holder.stdin.write("\n")
        holder.stdin.flush()

    ending = threading.Thread(target=end)
    ending.start()
    with lock(timeout=10):
        assert holder.wait(5) == 0
    ending.join()


def test_a_killed_holder_leaves_no_lock(holder: Popen[str]) -> None:
    holder.kill()
    holder.wait()
    reported: list[str] = []
    with lock(reported=reported):
        pass
    assert reported == []


@pytest.mark.parametrize(
    ("project", "endpoint"), [("other", "unix:///x"), ("shop", "unix:///other")]
)
def test_two_projects_and_two_engines_never_wait_for_each_other(
    holder: Popen[str], project: str, endpoint: str
) -> None:
    reported: list[str] = []
    with lock(project, endpoint, reported=reported):
        pass
    assert reported == []


def test_an_error_inside_gives_the_lock_back() -> None:
    with pytest.raises(ZeroDivisionError), lock():
        raise ZeroDivisionError
    with lock():
        pass


@pytest.mark.parametrize("note", ["", "{", "[]", '"x"', '{"pid": null}'])
def test_a_holders_note_that_says_nothing_is_survived(holder: Popen[str], note: str) -> None:
    (path,) = lock_folder().glob("*.json")
    path.write_text(note)
    with pytest.raises(Busy), lock():
        pass


def test_nobody_else_may_read_the_locks(tmp_path: Path) -> None:
    with lock():
        files = list(lock_folder().iterdir())
        assert files
        assert {f.stat().st_mode & 0o077 for f in files} == {0}
        assert lock_folder().stat().st_mode & 0o077 == 0


def test_where_the_state_folder_cannot_be_made_a_temporary_one_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    with lock():
        assert lock_folder().parent == tmp_path / "tmp"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be somebody else")
def test_a_lock_of_another_user_is_an_error_of_ours() -> None:
    """As after a run with sudo that kept the user's environment."""
    with lock():
        folder = lock_folder()
    parents = [folder, *list(folder.parents)[:-1]]
    modes = {p: p.stat().st_mode for p in parents}
    for path in parents:
        path.chmod(0o777)
    os.seteuid(65534)
    try:
        with pytest.raises(Busy) as caught, lock():
            pass
    finally:
        os.seteuid(0)
        for path, mode in modes.items():
            path.chmod(mode)
    assert caught.value.hint


def modes(folder: Path) -> dict[str, int]:
    return {p.name: stat.S_IMODE(p.lstat().st_mode) for p in folder.rglob("*")}


def test_only_the_user_can_look_into_the_state(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with lock():
            found = modes(tmp_path / "state/debughost")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "state/debughost").stat().st_mode) == 0o700
    assert found.pop("locks") == 0o700
    assert set(found.values()) == {0o600}
    assert len(found) == 2


@pytest.mark.parametrize("trap", ["open", "link"])
def test_a_folder_that_others_can_write_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trap: str
) -> None:
    """A link of theirs in it would be written through."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    theirs = tmp_path / "state/debughost/locks"
    theirs.parent.mkdir(parents=True)
    if trap == "open":
        theirs.mkdir()
        theirs.chmod(0o777)
    else:
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        theirs.symlink_to(tmp_path / "elsewhere")
    assert lock_folder() == tmp_path / f"debughost-locks-{os.getuid()}"


def test_no_lock_is_in_the_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a variable is relative: a repository could bring a link there, to any file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("platformdirs.user_state_path", lambda *_, **__: Path("state/debughost"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    with lock():
        assert lock_folder().parent == tmp_path / "tmp"
    assert not (tmp_path / "state").exists()


def test_the_note_of_the_owner_follows_no_link(tmp_path: Path) -> None:
    with lock():
        (note,) = lock_folder().glob("*.json")
    victim = tmp_path / "victim"
    victim.write_text("kept")
    note.symlink_to(victim)
    with lock():
        assert victim.read_text() == "kept"
