"""``DebugHost``: its examples, and what a program that uses it can rely on."""

from __future__ import annotations

import doctest
import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from fakes import FakeEngine, exits, never_listens

import debughost_cli
from cli.conftest import App
from debughost_cli import CancelToken, DebugHost, cancel
from debughost_cli.api import configuration, groups, host, reader
from debughost_cli.errors import (
    Crashed,
    Interrupted,
    InvalidProject,
    Partial,
    ProjectNotFound,
)
from debughost_cli.models import Action, ProjectType, State
from debughost_cli.planning.log_options import LogOptions
from debughost_cli.project.settings import Flags
from debughost_cli.services.base_images import default_base
from debughost_cli.services.progress import NullProgress

FINDER = doctest.DocTestFinder(exclude_empty=False)
EXAMPLES = [
    test
    for module in (host, reader, groups, configuration, cancel)
    for test in FINDER.find(module)
    if test.examples
]


@pytest.fixture
def made(engine: FakeEngine, workspace: Path) -> DebugHost:
    return DebugHost(engine=engine)


# Its documentation


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.name)
def test_the_examples_are_right(example: doctest.DocTest, workspace: Path) -> None:
    # Only an engine on this machine can tell which workspaces are gone.
    is_local = "orphans" in example.name
    engine = FakeEngine(**{"endpoint": "unix:///run/fake.sock"} if is_local else {})
    engine.add_base_images()
    for type_ in ProjectType:
        engine.add_image(default_base(type_), registry=True)
    example.globs |= {
        "host": DebugHost(engine=engine),
        "DebugHost": lambda: DebugHost(engine=engine),
    }
    report = io.StringIO()
    result = doctest.DocTestRunner().run(example, out=report.write)
    assert result.failed == 0, report.getvalue()


def public() -> Iterator[tuple[str, object]]:
    for cls in (
        DebugHost, groups.Network, groups.Volumes, groups.Images, configuration.Configuration,
    ):  # fmt: skip
        for name in dir(cls):
            if callable(getattr(cls, name)) and not name.startswith("_") and name != "close":
                yield f"{cls.__name__}.{name}", getattr(cls, name)


@pytest.mark.parametrize(("name", "method"), list(public()))
def test_every_method_has_an_example(name: str, method: object) -> None:
    assert ">>> " in (method.__doc__ or "")


# Results and errors


def test_an_error_is_raised(made: DebugHost, engine: FakeEngine) -> None:
    engine.program = exits(3)
    with pytest.raises(Crashed):
        made.up()
    with pytest.raises(ProjectNotFound):
        made.stop("nobody")
    with pytest.raises(Partial) as caught:
        made.stop(["shop", "nobody"])
    assert caught.value.details["failed"] == {"nobody": "PROJECT_NOT_FOUND"}


def test_without_check_the_error_is_in_the_result(made: DebugHost, engine: FakeEngine) -> None:
    engine.program = exits(3)
    failed = made.up(check=False)
    assert isinstance(failed.error, Crashed)
    assert (failed.action, failed.project.state) == (Action.FAILED, State.CRASHED)
    several = made.stop(["shop", "nobody"], check=False)
    assert [bool(item.error) for item in several.items] == [False, True]
    assert isinstance(several.error, Partial)


def test_no_projects_are_not_the_one_of_the_current_folder(made: DebugHost) -> None:
    made.up()
    assert made.remove([]).items == ()
    assert made.projects() == ["shop"]


def test_an_id_is_checked(made: DebugHost, engine: FakeEngine) -> None:
    for call in (made.stop, made.status, made.logs, made.wait):
        with pytest.raises(InvalidProject):
            call("No Id")
    assert engine.calls == []


def test_nothing_is_printed(made: DebugHost, capfd: pytest.CaptureFixture[str]) -> None:
    made.up()
    made.restart()
    made.status()
    made.remove(volumes=True)
    assert capfd.readouterr() == ("", "")


def test_results_are_those_of_the_command_line(made: DebugHost, app: App) -> None:
    made.up()
    shown = app("status", "--json", "--no-stats").project
    found = made.status(stats=False).projects[0]
    assert shown["container"]["id"] == found.container.id
    assert (shown["state"], shown["url"]) == (found.state, found.url)


# What it is made with


def test_variables_are_those_that_it_was_given(
    engine: FakeEngine, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEBUGHOST_PORT", "3111")
    given = DebugHost(engine=engine, environ={"DEBUGHOST_PORT": "3222"})
    assert given.up().project.port == 3222
    assert given.restart().items[0].project.port == 3222


def test_a_folder_in_place_of_the_current_one(
    engine: FakeEngine, workspace: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    given = DebugHost(engine=engine, folder=workspace)
    assert given.up().project.workspace == str(workspace)
    assert given.chosen(None) == ["shop"]


def test_flags_take_precedence(made: DebugHost) -> None:
    project = made.up(flags=Flags(project="other", environment={"A": "1"})).project
    assert project.project == "other"


def test_progress_is_reported(engine: FakeEngine, workspace: Path) -> None:
    class Steps(NullProgress):
        seen: ClassVar[list[str]] = []

        def step(self, text: str) -> None:
            self.seen.append(text)

    DebugHost(engine=engine, progress=Steps()).up()
    assert any("Creating container" in step for step in Steps.seen)


class Closable(FakeEngine):
    """Counts how often it is closed."""

    closed = 0

    def close(self) -> None:
        self.closed += 1


def test_a_given_engine_stays_open(workspace: Path) -> None:
    engine = Closable()
    with DebugHost(engine=engine) as made:
        made.status()
    assert engine.closed == 0


# Cancellation


WAITING: dict[str, Callable[[DebugHost], object]] = {
    "up": lambda host: host.up(),
    "wait": lambda host: host.wait(),
    "events": lambda host: list(host.events()),
    "logs": lambda host: list(host.logs(options=LogOptions(follow=True))),
}


@pytest.mark.parametrize("call", WAITING)
def test_a_token_ends_what_waits_in_another_thread(
    engine: FakeEngine, workspace: Path, call: str
) -> None:
    engine.program = never_listens()
    token = CancelToken()
    made = DebugHost(engine=engine, cancel=token)
    if call != "up":
        made.up(wait=False)
    ended: list[BaseException] = []

    def run() -> None:
        try:
            WAITING[call](made)
        except BaseException as exc:
            ended.append(exc)

    thread = threading.Thread(target=run)
    thread.start()
    threading.Timer(0.2, token.cancel).start()
    thread.join(10)
    assert [type(e) for e in ended] == [Interrupted]
    if call == "up":
        assert engine.snapshot()["containers"] == {}


def test_a_token_with_a_parent_is_set_with_it() -> None:
    parent = CancelToken()
    child, other = CancelToken(parent), CancelToken(parent)
    other.cancel()
    assert (child.is_set(), child.wait(0.01)) == (False, False)
    threading.Timer(0.05, parent.cancel).start()
    assert child.wait(10)
    assert child.is_set()


def test_an_interrupted_call_does_not_end_those_that_follow(
    made: DebugHost, engine: FakeEngine
) -> None:
    made.up()
    made.up(flags=Flags(project="other"))
    engine.fail("containers.stop", Interrupted(signal.SIGINT))
    with pytest.raises(Interrupted):
        made.stop(["shop", "other"])
    assert made.restart(["shop", "other"]).error is None


# The package


def test_it_is_loaded_on_first_use() -> None:
    code = (
        "import sys, debughost_cli; before = 'debughost_cli.api' in sys.modules;"
        "debughost_cli.DebugHost; import json; print(json.dumps([before, sorted(sys.modules)]))"
    )
    environment = dict(os.environ) | {"PYTHONPATH": str(Path(debughost_cli.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    before, after = json.loads(done.stdout)
    assert not before
    heavy = {"docker", "requests", "rich", "typer", "psutil", "filelock", "dotenv"}
    assert not heavy & {name.partition(".")[0] for name in after}


def test_what_the_package_does_not_have() -> None:
    for module in (debughost_cli, debughost_cli.api):
        with pytest.raises(AttributeError, match="nothing"):
            module.nothing  # noqa: B018 - the access is the test
