"""Fixtures for pytest: the project of the tests, brought up before them and removed afterwards.

Every run of pytest where this package is installed imports this module: all else is loaded when a
fixture is used.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from debughost_cli.api import DebugHost, ExecResult
    from debughost_cli.errors import DebughostError
    from debughost_cli.models import Project
    from debughost_cli.project.settings import Flags

_LONGEST = 48
"""Characters of a project's id that are kept before what tells test projects apart."""


class RunningProject:
    """What ``debughost_project`` gives: a project that is ready."""

    def __init__(self, host: DebugHost, project: Project) -> None:
        self.host = host
        self.project = project
        """All that is known of it, as it was when it became ready."""

    @property
    def id(self) -> str:
        """Its id."""
        return self.project.project

    @property
    def url(self) -> str:
        """Where it answers, such as ``http://127.0.0.1:3725``; empty for one without a port."""
        return self.project.url or ""

    def exec(
        self,
        *command: str,
        service: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> ExecResult:
        """Runs a command in its container, or in that of a service. Raises what ``exec`` raises."""
        return self.host.exec(command, self.id, service=service, environment=environment)

    def logs(self, lines: int = 100) -> str:
        """The last lines that it has written."""
        from debughost_cli.api import LogOptions

        found = self.host.logs(self.id, LogOptions(tail=lines))
        return "".join(
            item.line.data.decode("utf-8", "replace").rstrip("\r\n") + "\n"
            for item in found
            if item is not None
        )


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds our option."""
    parser.getgroup("debughost").addoption(
        "--debughost-keep",
        action="store_true",
        help="keep the project of debughost_project and its volumes for the next run",
    )


@pytest.fixture(scope="session")
def debughost_workspace(request: pytest.FixtureRequest) -> Path:
    """The project's folder: pytest's root, unless a fixture of yours replaces this one."""
    return Path(request.config.rootpath)


@pytest.fixture(scope="session")
def debughost_flags() -> Flags:
    """What ``up`` is given; a fixture of yours may replace this one."""
    from debughost_cli.api import Flags

    return Flags()


@pytest.fixture(scope="session")
def debughost_host() -> Iterator[DebugHost]:
    """The engine; a fixture of yours may choose another one."""
    from debughost_cli.api import DebugHost

    with DebugHost() as host:
        yield host


@pytest.fixture(scope="session")
def debughost_project(
    request: pytest.FixtureRequest,
    debughost_host: DebugHost,
    debughost_workspace: Path,
    debughost_flags: Flags,
) -> Iterator[RunningProject]:
    """The project under an id of its own, ready; removed with its volumes after the tests.

    Each process of pytest-xdist has one of its own. One that is running for you is left alone.
    """
    from debughost_cli.errors import DebughostError

    project = ""
    try:
        flags = _flags(debughost_host, debughost_workspace, debughost_flags)
        project = flags.project or ""
        result = debughost_host.up(debughost_workspace, flags)
    except DebughostError as exc:
        _remove(request, debughost_host, project)
        pytest.fail(_explained(exc), pytrace=False)
    except BaseException:
        # Ctrl-C as well.
        _remove(request, debughost_host, project)
        raise
    try:
        yield RunningProject(debughost_host, result.project)
    finally:
        _remove(request, debughost_host, project)


def _flags(host: DebugHost, workspace: Path, flags: Flags) -> Flags:
    """With the id, and a free port where another project may have the one of the configuration."""
    from msgspec.structs import replace

    resolved = host.config.show(workspace)
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    parts = [resolved.project[:_LONGEST], "test", *([worker] if worker else [])]
    fixed = resolved.settings.fixed_port
    port = flags.port or (f"{fixed}+" if fixed else None)
    return replace(flags, project=flags.project or "-".join(parts), port=port)


def _remove(request: pytest.FixtureRequest, host: DebugHost, project: str) -> None:
    if project and not request.config.getoption("--debughost-keep"):
        host.remove(project, volumes=True, data=True, if_exists=True, timeout=2)


def _explained(error: DebughostError) -> str:
    """The message, the hint, and the last lines that the program has written."""
    tail = error.details.get("log_tail")
    lines = [f"debughost: {error.message} [{error.code}]"]
    lines += [f"  | {line}" for line in tail] if isinstance(tail, list | tuple) else []
    lines += [f"Hint: {error.hint}"] if error.hint else []
    return "\n".join(lines)
