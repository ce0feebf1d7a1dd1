"""Why a project ended: the whole matrix."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fakes import make_container
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from debughost_cli.models import Listener, State
from debughost_cli.planning.exit_reason import explain, signal_name, state_of
from debughost_cli.planning.launcher_status import LauncherPhase, LauncherStatus, of_this_run, parse
from debughost_cli.resources import Container, ContainerStatus, Link

ENDED = datetime(2026, 11, 23, 11, tzinfo=UTC)
CONTAINER = replace(make_container(), status=ContainerStatus.EXITED, finished_at=ENDED)
RUNNING = LauncherStatus(phase=LauncherPhase.RUNNING)
OVER = replace(RUNNING, ended=True)
OLD_OOM = replace(OVER, old_oom=True)
TERM = replace(RUNNING, asked_to_stop=True)


def ended(code: int, *, oom: bool = False, **more: Any) -> Container:
    return replace(CONTAINER, exit_code=code, oom_killed=oom, **more)


@pytest.mark.parametrize(
    ("container", "launcher", "state", "reason", "signal", "expected"),
    [
        (ended(0), RUNNING, State.COMPLETED, "completed", None, True),
        (ended(1), RUNNING, State.CRASHED, "crashed", None, False),
        (ended(137), RUNNING, State.CRASHED, "killed", "SIGKILL", False),
        (ended(137, oom=True), RUNNING, State.CRASHED, "oom", "SIGKILL", False),
        (ended(1, oom=True), RUNNING, State.CRASHED, "oom", None, False),
        (ended(1, oom=True), OLD_OOM, State.CRASHED, "crashed", None, False),
        (ended(134, oom=True), OLD_OOM, State.CRASHED, "crashed", "SIGABRT", False),
        (ended(137, oom=True), OLD_OOM, State.CRASHED, "oom", "SIGKILL", False),
        (ended(0, oom=True), RUNNING, State.COMPLETED, "completed", None, True),
        (ended(139), RUNNING, State.CRASHED, "crashed", "SIGSEGV", False),
        (ended(143), RUNNING, State.CRASHED, "crashed", "SIGTERM", False),
        (ended(255), RUNNING, State.CRASHED, "killed", None, False),
        (
            ended(255),
            LauncherStatus(LauncherPhase.INSTALLING),
            State.CRASHED,
            "killed",
            None,
            False,
        ),
        (ended(143), LauncherStatus(), State.STOPPED, "stopped", "SIGTERM", True),
        (ended(255), OVER, State.CRASHED, "crashed", None, False),
        (ended(143), TERM, State.STOPPED, "stopped", "SIGTERM", True),
        (ended(0), TERM, State.STOPPED, "stopped", "SIGTERM", True),
        (ended(1), TERM, State.STOPPED, "stopped", "SIGTERM", True),
        (ended(137), TERM, State.STOPPED, "stopped", "SIGKILL", True),
        (ended(137, oom=True), TERM, State.STOPPED, "stopped", "SIGKILL", True),
        (
            ended(1),
            LauncherStatus(LauncherPhase.INSTALL_FAILED),
            State.CRASHED,
            "crashed",
            None,
            False,
        ),
        (
            ended(1),
            LauncherStatus(LauncherPhase.VOLUME_NOT_WRITABLE),
            State.CRASHED,
            "crashed",
            None,
            False,
        ),
        (
            ended(127),
            LauncherStatus(LauncherPhase.COMMAND_NOT_FOUND),
            State.CRASHED,
            "never_started",
            None,
            False,
        ),
        (ended(127), RUNNING, State.CRASHED, "crashed", None, False),
        (ended(1), LauncherStatus(), State.CRASHED, "crashed", None, False),
        (
            replace(ended(2), status=ContainerStatus.DEAD),
            RUNNING,
            State.CRASHED,
            "crashed",
            None,
            False,
        ),
        (
            replace(ended(2), status=ContainerStatus.RESTARTING),
            RUNNING,
            State.RESTARTING,
            "crashed",
            None,
            False,
        ),
    ],
)
def test_every_end_has_its_reason(
    container: Any, launcher: Any, state: Any, reason: str, signal: str | None, expected: bool
) -> None:
    assert state_of(container, launcher) is state
    found = explain(container, launcher, ("last words",))
    assert found is not None
    assert (found.reason, found.signal, found.expected) == (reason, signal, expected)
    assert found.code == container.exit_code
    assert found.finished_at == ENDED
    assert found.log_tail == ("last words",)
    assert found.message


@pytest.mark.parametrize(
    ("container", "launcher", "words"),
    [
        (ended(137, oom=True), RUNNING, "2048 MiB"),
        (ended(1, oom=True), RUNNING, "exit code 1"),
        (ended(137), TERM, "stop timeout"),
        (ended(143), TERM, "after SIGTERM"),
        (ended(1), LauncherStatus(LauncherPhase.INSTALL_FAILED), "dependencies"),
        (ended(1), LauncherStatus(LauncherPhase.VOLUME_NOT_WRITABLE), "volume"),
        (ended(127), LauncherStatus(LauncherPhase.COMMAND_NOT_FOUND), "npm"),
    ],
)
def test_the_message_says_what_it_was(container: Any, launcher: Any, words: str) -> None:
    found = explain(container, launcher)
    assert found is not None
    assert words in found.message


@pytest.mark.parametrize("status", ["running", "paused"])
def test_what_lives_has_no_end(status: str) -> None:
    assert explain(replace(CONTAINER, status=ContainerStatus(status)), RUNNING) is None


def test_what_was_only_created_has_no_end() -> None:
    container = replace(
        CONTAINER, status=ContainerStatus.CREATED, started_at=None, finished_at=None
    )
    assert state_of(container, LauncherStatus()) is State.CREATED
    assert explain(container, LauncherStatus()) is None


def test_what_the_engine_could_not_start_never_started() -> None:
    container = replace(
        CONTAINER,
        status=ContainerStatus.CREATED,
        started_at=None,
        exit_code=128,
        start_error="port is taken",
    )
    found = explain(container, LauncherStatus())
    assert found is not None
    assert (found.reason, found.expected) == ("never_started", False)
    assert "port is taken" in found.message


@given(st.integers(-(2**31), 2**31), st.booleans(), st.booleans(), st.text())
def test_any_exit_code_can_be_explained(code: Any, oom: Any, asked: Any, phase: Any) -> None:
    found = explain(ended(code, oom=oom), LauncherStatus(phase=phase, asked_to_stop=asked))
    assert found is not None
    assert found.reason in {"oom", "killed", "crashed", "completed", "stopped", "never_started"}


@pytest.mark.parametrize(
    ("code", "name"),
    [(137, "SIGKILL"), (143, "SIGTERM"), (130, "SIGINT"), (128, None), (0, None), (255, None)],
)
def test_signals_by_exit_code(code: int, name: str | None) -> None:
    assert signal_name(code) == name


AT = datetime(2026, 11, 23, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("target", "launcher"),
    [
        ("installing", LauncherStatus(LauncherPhase.INSTALLING, at=AT)),
        ("running", LauncherStatus(LauncherPhase.RUNNING, at=AT)),
        ("running+ready", LauncherStatus(LauncherPhase.RUNNING, ready=True, at=AT)),
        ("running+loopback", LauncherStatus(LauncherPhase.RUNNING, loopback=True, at=AT)),
        (
            "running+deps-ab12+ready",
            LauncherStatus(LauncherPhase.RUNNING, ready=True, dependencies="ab12", at=AT),
        ),
        (
            "running+ready+term",
            LauncherStatus(LauncherPhase.RUNNING, ready=True, asked_to_stop=True, at=AT),
        ),
        ("running+old-oom+ended", replace(OLD_OOM, at=AT)),
        ("running+deps-ab12+ended", replace(OVER, dependencies="ab12", at=AT)),
        (
            "running+deps-ab12+listens-3000+loopback-9229+loopback-3000+listens-99999999+listens-x",
            LauncherStatus(
                LauncherPhase.RUNNING,
                dependencies="ab12",
                others=(Listener(3000), Listener(9229, True)),
                at=AT,
            ),
        ),
        (
            "running" + "".join(f"+listens-{port}" for port in range(20)),
            LauncherStatus(LauncherPhase.RUNNING, others=tuple(map(Listener, range(8))), at=AT),
        ),
        ("running+of-a-later-version", LauncherStatus(LauncherPhase.RUNNING, at=AT)),
        ("", LauncherStatus(LauncherPhase.NONE, at=AT)),
    ],
)
def test_the_launchers_words(target: str, launcher: Any) -> None:
    assert parse(Link(target, AT)) == launcher


def test_no_words_are_no_marks() -> None:
    assert parse(None) == LauncherStatus()


@given(st.text())
def test_any_words_can_be_read(target: Any) -> None:
    assert isinstance(parse(Link(target, None)), LauncherStatus)


@pytest.mark.parametrize(
    ("status", "seconds", "kept"),
    [
        ("running", -1, False),
        ("running", 0, False),
        ("running", 1, True),
        ("exited", -1, True),
        ("restarting", -1, True),
    ],
)
def test_words_of_the_run_before_do_not_count_for_this_one(
    status: str, seconds: int, kept: bool
) -> None:
    launcher = replace(TERM, ready=True, at=ENDED + timedelta(seconds=seconds))
    container = replace(CONTAINER, status=ContainerStatus(status))
    assert of_this_run(launcher, container) == (launcher if kept else LauncherStatus())


def test_words_of_a_first_run_count() -> None:
    launcher = replace(RUNNING, at=AT)
    assert (
        of_this_run(launcher, replace(CONTAINER, status=ContainerStatus.RUNNING, finished_at=None))
        == launcher
    )
