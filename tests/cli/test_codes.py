"""Every error code of the contract is raised through the program, with its exit code."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import (
    FakeEngine,
    Program,
    command_not_found,
    exits,
    install_fails,
    listens,
    never_listens,
    volume_not_writable,
)

from cli.conftest import App, Run, node_project
from debughost_cli import errors
from debughost_cli.engine.port import ExecResult
from debughost_cli.models import ProjectType
from debughost_cli.names import PORT_RANGES
from debughost_cli.services.remote_files import all_files, list_command

Case = Callable[[App, FakeEngine], Run]
CASES: dict[str, tuple[int, Case]] = {}


def case(code: str, exit_code: int) -> Callable[[Case], Case]:
    def decorate(function: Case) -> Case:
        CASES[code] = (exit_code, function)
        return function

    return decorate


def failing(method: str, error: BaseException, *argv: str) -> Case:
    def run(app: App, engine: FakeEngine) -> Run:
        engine.fail(method, error, times=9)
        return app(*argv, "--json")

    return run


def with_program(program: Program, *argv: str) -> Case:
    def run(app: App, engine: FakeEngine) -> Run:
        engine.program = program
        return app("up", "--json", "--wait-timeout", "0.05", *argv)

    return run


def plainly(*argv: str) -> Case:
    return lambda app, engine: app(*argv, "--json")


@case("NOT_INSTALLED", 2)
def _(app: App, engine: FakeEngine) -> Run:
    with pytest.MonkeyPatch.context() as patch:
        # As Python sees a package that is not there.
        patch.setitem(sys.modules, "mcp_types", None)
        return app("mcp", "--json")


CASES |= {
    "INTERNAL": (1, failing("containers.list", ZeroDivisionError("x"), "status")),
    "ENGINE_ERROR": (1, failing("containers.list", errors.EngineError("x"), "status")),
    "USAGE": (2, plainly("up", "--bogus")),
    "INVALID_PROJECT": (2, plainly("stop", "-p", "No Id")),
    "INVALID_WORKSPACE": (2, plainly("up", "-w", "/etc")),
    "INVALID_PORT": (2, plainly("up", "--port", "2650")),
    "TYPE_UNKNOWN": (2, plainly("up", "--type", "ruby")),
    "PROJECT_NOT_FOUND": (3, plainly("logs", "-p", "nobody")),
    "IMAGE_NOT_FOUND": (3, plainly("up", "--image", "nope:1")),
    "NETWORK_NOT_FOUND": (3, plainly("network", "rm")),
    "CONTEXT_NOT_FOUND": (3, lambda app, engine: App(None)("status", "-c", "nope", "--json")),
    "ENGINE_UNAVAILABLE": (4, failing("images.find", errors.EngineUnavailable("x"), "up")),
    "ENGINE_PERMISSION_DENIED": (
        4,
        failing("containers.list", errors.EnginePermissionDenied("x"), "status"),
    ),
    "ENGINE_TIMEOUT": (4, failing("containers.create", errors.EngineTimeout("x"), "up")),
    "ENGINE_TOO_OLD": (4, failing("containers.list", errors.EngineTooOld("x"), "status")),
    "NOT_A_MANAGER": (4, plainly("up", "--swarm")),
    "NODE_UNREACHABLE": (
        4,
        failing("containers.list", errors.NodeUnreachable("x", hint="y"), "status"),
    ),
    "NOT_PLACED": (5, failing("containers.list", errors.NotPlaced("x", hint="y"), "status")),
    "START_FAILED": (7, with_program(command_not_found())),
    "CRASHED": (7, with_program(exits(1))),
    "DEPENDENCIES_FAILED": (7, with_program(install_fails())),
    "VOLUME_NOT_WRITABLE": (9, with_program(volume_not_writable())),
    "NOT_READY": (6, with_program(never_listens())),
    "DISK_FULL": (9, failing("containers.create", errors.DiskFull("x"), "up")),
}


@case("INVALID_CONFIG", 2)
def invalid_config(app: Any, engine: FakeEngine) -> Any:
    with open("debughost.toml", "w") as file:  # noqa: PTH123
        file.write("prot = 1\n")
    return app("up", "--json")


@case("CONFIRMATION_REQUIRED", 2)
def confirmation_required(app: Any, engine: FakeEngine) -> Any:
    app("up")
    return app("rm", "--all", "--json")


@case("PORT_IN_USE", 5)
def port_in_use(app: Any, engine: FakeEngine) -> Any:
    engine.add_foreign("web", 3456)
    return app("up", "--port", "3456", "--json")


@case("PORTS_EXHAUSTED", 5)
def ports_exhausted(app: Any, engine: FakeEngine) -> Any:
    for port in PORT_RANGES[ProjectType.NODE]:
        engine.add_foreign(f"web{port}", port)
    return app("up", "--json")


@case("NETWORK_CONFLICT", 5)
def network_conflict(app: Any, engine: FakeEngine) -> Any:
    engine.add_network("debug-host-network", "10.1.0.0/16")
    return app("network", "ensure", "--json")


@case("NAME_CONFLICT", 5)
def name_conflict(app: Any, engine: FakeEngine) -> Any:
    engine.add_volume("debug-host-shop-node_modules")
    return app("up", "--json")


@case("WORKSPACE_CONFLICT", 5)
def workspace_conflict(app: Any, engine: FakeEngine) -> Any:

    app("up")
    other = node_project(Path.cwd().parent / "other")
    return app("up", "-p", "shop", "-w", str(other), "--json")


@case("SYNC_CONFLICT", 5)
def _(app: App, engine: FakeEngine) -> Run:
    here = Path.cwd()
    engine = FakeEngine(shares_files=False)
    engine.add_base_images()
    engine.hidden = here.parent
    app = App(engine)
    assert app("up").code == 0
    (here / "package.json").write_text('{"changed": "here"}')
    record = b"f 7 1.5 644\0\0./package.json\0"
    command = list_command(all_files(["node_modules"]))
    engine.execs[command] = ExecResult(0, record, b"")
    return app("pull", "--json")


@case("LIMIT_REACHED", 5)
def limit_reached(app: Any, engine: FakeEngine) -> Any:
    file = Path(os.environ["XDG_CONFIG_HOME"]) / "debughost" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text("[limits]\nprojects = 1\n")
    app("up")
    return app("up", "-p", "second", "--json")


@case("ENGINE_CHANGED", 5)
def engine_changed(app: Any, engine: FakeEngine) -> Any:
    from debughost_cli.services.known_engines import check_known

    check_known(FakeEngine(endpoint="ssh://old", known_as="context build"))
    changed = FakeEngine(endpoint="ssh://new", known_as="context build")
    return App(changed)("network", "ensure", "--json")


@case("BUSY", 5)
def busy(app: Any, engine: FakeEngine) -> Any:
    from debughost_cli.services.lock import lock_folder

    app("up")
    digest = hashlib.sha256(engine.identity().encode()).hexdigest()[:16]
    lock = lock_folder() / f"{digest}-shop.lock"
    lock.unlink(missing_ok=True)
    lock.mkdir()
    return app("stop", "--json")


@case("IN_USE", 5)
def in_use(app: Any, engine: FakeEngine) -> Any:
    app("up")
    return app("network", "rm", "--json")


@case("WAIT_TIMEOUT", 6)
def wait_timeout(app: Any, engine: FakeEngine) -> Any:
    app("up")
    return app("wait", "--for", "exited", "--timeout", "0.05", "--json")


@case("UNHEALTHY", 7)
def unhealthy(app: Any, engine: FakeEngine) -> Any:
    engine.program = listens(health="unhealthy")
    app("up")
    return app("wait", "--for", "healthy", "--json")


@case("PARTIAL", 8)
def partial(app: Any, engine: FakeEngine) -> Any:
    app("up")
    return app("stop", "-p", "shop", "-p", "nobody", "--json")


@case("INTERRUPTED", 130)
def interrupted(app: Any, engine: FakeEngine) -> Any:
    engine.before("containers.create", lambda: os.kill(os.getpid(), signal.SIGINT))
    return app("up", "--json")


def test_every_code_has_its_case() -> None:
    assert set(CASES) == {cls.code for cls in errors.all_errors()}


@pytest.mark.parametrize("code", list(CASES))
def test_the_code_comes_out_with_its_exit_code(app: App, engine: FakeEngine, code: Any) -> None:
    exit_code, run = CASES[code]
    made = run(app, engine)
    error = json.loads(made.out.splitlines()[-1])["error"]
    assert (made.code, error["code"]) == (exit_code, code)
    assert error["message"]
    assert isinstance(error["details"], dict)
    (cls,) = [c for c in errors.all_errors() if c.code == code]
    assert error["retryable"] is cls.retryable


@pytest.mark.parametrize(
    "code",
    [c for c in CASES if c not in {"ENGINE_ERROR", "ENGINE_TIMEOUT", "ENGINE_UNAVAILABLE",
                                   "ENGINE_PERMISSION_DENIED", "ENGINE_TOO_OLD", "DISK_FULL",
                                   "INTERRUPTED"}],
)  # fmt: skip
def test_every_failure_that_the_services_find_has_a_way_out(
    app: App, engine: FakeEngine, code: Any
) -> None:
    """Those left out are made by the test itself, or need none."""
    made = CASES[code][1](app, engine)
    assert json.loads(made.out.splitlines()[-1])["error"]["hint"]


ENGINE_CODES = ["ENGINE_UNAVAILABLE", "ENGINE_PERMISSION_DENIED", "ENGINE_TIMEOUT", "ENGINE_ERROR"]


@pytest.mark.parametrize("code", ENGINE_CODES)
@pytest.mark.parametrize(
    ("argv", "method"),
    [
        (["up"], "containers.list"),
        (["up", "--dry-run"], "images.find"),
        (["stop"], "containers.inspect"),
        (["restart"], "containers.inspect"),
        (["rm"], "containers.inspect"),
        (["status", "--no-stats"], "containers.read_link"),
        (["logs"], "containers._logs"),
        (["network", "ensure"], "networks.find"),
        (["volumes", "ls"], "disk_usage"),
        (["volumes", "prune", "--yes"], "disk_usage"),
        (["images", "ls"], "images.find"),
    ],
)
def test_what_the_engine_cannot_do_is_reported_by_every_command(
    app: App, engine: FakeEngine, argv: list[str], method: str, code: Any
) -> None:
    app("up")
    (cls,) = [c for c in errors.all_errors() if c.code == code]
    engine.fail(method, cls("the engine is not well"), times=99)
    run = app(*argv, "--json")
    error = json.loads(run.out.splitlines()[-1])["error"]
    assert (run.code, error["code"]) == (int(cls.exit_code), code)
