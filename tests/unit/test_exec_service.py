"""A command in a project's container: how it begins, what it writes, and how it ends."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fakes import FakeEngine, exits, make_spec, never_listens

from debughost_cli import names
from debughost_cli.engine.port import Conflict, ExecResult, ExecSpec, NotFound
from debughost_cli.errors import (
    DebughostError,
    EngineError,
    EngineTimeout,
    EngineUnavailable,
    Interrupted,
    InvalidConfig,
    ProjectNotFound,
    StartFailed,
)
from debughost_cli.resources import FileEntry
from debughost_cli.services.exec import ExecRefused, ExecService, ProjectExec

LIST = ("ls", "-l")
Run = Callable[..., tuple[int, dict[str, bytes]]]


@pytest.fixture
def engine() -> FakeEngine:
    made = FakeEngine()
    made.add_base_images()
    made.add_network(names.NETWORK, names.SUBNET)
    made.program = never_listens()
    made.execs[LIST] = ExecResult(3, b"a file\n", b"a warning\n")
    return made


@pytest.fixture
def ref(engine: FakeEngine) -> str:
    """The container of shop, which runs."""
    image = next(iter(engine.stored_images))
    labels = {names.MANAGED: "true", names.PROJECT: "shop"}
    spec = make_spec("/", image=image, labels=labels)
    made = engine.containers.create("debug-host-shop-1", spec)
    engine.containers.put_files(made, [FileEntry(names.LAUNCHER, b"")])
    engine.containers.start(made)
    return str(made)


def start(engine: FakeEngine, project: str = "shop", spec: ExecSpec | None = None) -> ProjectExec:
    return ExecService(engine).start(project, spec or ExecSpec(LIST), None)


@pytest.fixture
def run(engine: FakeEngine, ref: str) -> Run:
    def run_to_the_end(spec: ExecSpec | None = None) -> tuple[int, dict[str, bytes]]:
        written = {"stdout": b"", "stderr": b""}

        def write(stream: str, data: memoryview) -> None:
            written[stream] += bytes(data)

        running = start(engine, spec=spec)
        running.run(None, write)
        return running.finish(), written

    return run_to_the_end


def test_its_output_and_exit_code_are_the_commands_own(run: Run) -> None:
    assert run() == (3, {"stdout": b"a file\n", "stderr": b"a warning\n"})


@pytest.mark.parametrize(("workdir", "folder"), [("", ""), ("src", "/app/src"), ("/tmp", "/tmp")])
def test_a_folder_is_relative_to_the_workspace(
    engine: FakeEngine, run: Run, workdir: str, folder: str
) -> None:
    run(ExecSpec(LIST, user="node", workdir=workdir, environment={"A": "b"}))
    (spec,) = [c[2] for c in engine.calls if c[0] == "exec.start"]
    assert (spec.workdir, spec.user, spec.environment) == (folder, "node", {"A": "b"})


def test_a_terminal_has_its_size_before_the_command_begins(engine: FakeEngine, ref: str) -> None:
    ExecService(engine).start("shop", ExecSpec(LIST, tty=True), (24, 80))
    (spec,) = [c[2] for c in engine.calls if c[0] == "exec.start"]
    assert spec.command[4:] == ("24", "80", *LIST)


def test_a_signal_goes_to_the_commands_process(engine: FakeEngine, ref: str) -> None:
    running = start(engine)
    assert not running.is_begun
    running.run(None, lambda stream, data: None)
    assert running.is_begun
    running.signal("TERM")
    (kill,) = [c[2] for c in engine.calls if c[0] == "exec.run"]
    assert kill[3:] == ("42", "TERM")


def test_after_its_end_nothing_is_signalled(engine: FakeEngine, ref: str) -> None:
    running = start(engine)
    running.run(None, lambda stream, data: None)
    running.finish()
    running.signal("TERM")
    running.resize(24, 80)
    assert not [c for c in engine.calls if c[0] == "exec.run"]


def test_a_project_that_is_not_there(engine: FakeEngine, ref: str) -> None:
    with pytest.raises(ProjectNotFound) as caught:
        start(engine, "nope")
    assert caught.value.details["known"] == ["shop"]


def test_a_project_that_has_ended(engine: FakeEngine, ref: str) -> None:
    engine.crash(ref)
    with pytest.raises(ProjectNotFound, match=r"not running \(crashed\)") as caught:
        start(engine)
    assert "debughost start shop" in caught.value.hint


def test_a_project_that_ends_just_then(engine: FakeEngine, ref: str) -> None:
    engine.before("exec.start", lambda: engine.crash(ref))
    with pytest.raises(ProjectNotFound, match="not running"):
        start(engine)


def test_a_project_that_is_removed_just_then(engine: FakeEngine, ref: str) -> None:
    engine.before("exec.start", lambda: engine.containers.remove(ref, force=True))
    with pytest.raises(ProjectNotFound, match="there is no project shop"):
        start(engine)


def test_a_conflict_with_something_else_is_reported_as_it_is(engine: FakeEngine, ref: str) -> None:
    engine.fail("exec.start", Conflict("something else"))
    with pytest.raises(Conflict, match="something else"):
        start(engine)


@pytest.mark.parametrize(
    "error",
    [
        EngineError("unable to find user nosuch", http_status=400, engine_message="nosuch"),
        StartFailed("OCI runtime exec failed"),
        InvalidConfig("no such folder"),
    ],
)
def test_what_the_engine_refuses_ends_with_125(
    engine: FakeEngine, ref: str, error: DebughostError
) -> None:
    engine.fail("exec.start", error)
    with pytest.raises(ExecRefused) as caught:
        start(engine)
    assert caught.value.status == 125


def test_an_answer_of_no_engine_is_not_a_refusal(engine: FakeEngine, ref: str) -> None:
    engine.fail("exec.start", EngineError("the answer is not JSON"))
    with pytest.raises(EngineError, match="not JSON"):
        start(engine)


@pytest.mark.parametrize(("code", "text"), [(126, "cannot be executed"), (127, "no command")])
def test_a_command_that_is_not_there(engine: FakeEngine, ref: str, code: int, text: str) -> None:
    running = start(engine)
    running.run(None, lambda stream, data: None)
    assert running._header
    running._header.refusal = code
    with pytest.raises(ExecRefused, match=text) as caught:
        running.finish()
    assert caught.value.status == code


def test_a_reader_that_goes_away_ends_the_command(engine: FakeEngine, ref: str) -> None:
    def write(stream: str, data: memoryview) -> None:
        raise BrokenPipeError

    running = start(engine)
    with pytest.raises(BrokenPipeError):
        running.run(None, write)
    (kill,) = [c[2] for c in engine.calls if c[0] == "exec.run"]
    assert kill[3:] == ("42", "TERM")


@pytest.mark.parametrize(
    "error", [EngineTimeout("too late"), EngineUnavailable("reset"), StartFailed("OCI runtime")]
)
@pytest.mark.parametrize("signal", [Interrupted, BrokenPipeError])
def test_a_command_that_is_left_alone_is_ended_by_a_busy_engine_too(
    engine: FakeEngine, ref: str, error: DebughostError, signal: type[BaseException]
) -> None:
    def write(stream: str, data: memoryview) -> None:
        raise signal

    engine.fail("exec.run", error)
    running = start(engine, spec=ExecSpec(LIST, tty=True))
    with pytest.raises(signal):
        running.run(None, write)
    *_, kill = [c[2] for c in engine.calls if c[0] == "exec.run"]
    assert kill[3:] == ("42", "HUP", "TERM")
    assert len([c for c in engine.calls if c[0] == "exec.run"]) == 2


@pytest.mark.parametrize(
    ("error", "raised"),
    [(NotFound("No such container"), ProjectNotFound), (EngineUnavailable("away"), None)],
)
def test_an_engine_that_fails_while_it_runs(
    engine: FakeEngine,
    ref: str,
    monkeypatch: pytest.MonkeyPatch,
    error: DebughostError,
    raised: type[DebughostError] | None,
) -> None:
    running = start(engine)

    def wait() -> int:
        raise error

    running.run(None, lambda stream, data: None)
    monkeypatch.setattr(running._execution, "wait", wait)
    with pytest.raises(raised or type(error)):
        running.finish()
    assert not [c for c in engine.calls if c[0] == "exec.run"]


def test_a_project_that_never_ran(engine: FakeEngine) -> None:
    engine.program = exits(1)
    with pytest.raises(ProjectNotFound):
        start(engine)
