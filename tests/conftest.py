"""For every test: the rule for what a machine may lack, and the seed of what is random."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import NoReturn

import docker
import pytest
from docker.errors import DockerException

SEED = os.environ.setdefault("DEBUGHOST_SEED", str(secrets.randbelow(10**6)))
"""Of the tests at random moments. Workers inherit it; set it to run the same moments again."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--another-engine",
        action="store_true",
        help="only the tests that may show something new on an engine of another version",
    )


LONGEST = (
    "test_faults.py", "test_events.py", "test_engine_faults.py", "test_pulls.py", "test_at_once.py",
    "test_engine_restarts.py", "test_random_kills.py", "test_logs.py",
)  # fmt: skip
"""Begin first, so that no worker is alone with one of them at the end."""


def _turn(item: pytest.Item) -> tuple[int, bool]:
    name = item.path.name
    first = LONGEST.index(name) if name in LONGEST else len(LONGEST)
    return first, not item.get_closest_marker("engine")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Beside what was chosen by path, name and marker, whatever that is."""
    items.sort(key=_turn)
    if config.getoption("--another-engine"):
        left_out = [i for i in items if not _is_for_another_engine(i)]
        items[:] = [i for i in items if _is_for_another_engine(i)]
        config.hook.pytest_deselected(items=left_out)


def _is_for_another_engine(item: pytest.Item) -> bool:
    return bool(item.get_closest_marker("engine")) and not item.get_closest_marker("once")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The seed, also of a run that passed."""
    terminalreporter.write_line(f"DEBUGHOST_SEED={SEED}")


SHARED = ("debug-host-network", "debug-host-cache-12345")
"""What the tests' projects share: the network, and the package cache of their files' owner."""
_found = pytest.StashKey[set[str]]()


def pytest_sessionstart(session: pytest.Session) -> None:
    """What is there before belongs to somebody else. Workers leave this to their controller."""
    if not hasattr(session.config, "workerinput"):
        session.stash[_found] = set(_on_the_engine())


def pytest_sessionfinish(session: pytest.Session) -> None:
    found = session.stash.get(_found, set(SHARED))
    with suppress(DockerException, OSError):
        for name, remove in _on_the_engine().items():
            if name not in found:
                remove()


def _on_the_engine() -> dict[str, Callable[[], None]]:
    """Of what is shared the things that exist, each with how to take it away."""
    with suppress(DockerException, OSError):
        client = docker.APIClient(version="auto", timeout=10, **docker.utils.kwargs_from_env())
        networks = {n["Name"]: partial(client.remove_network, n["Id"]) for n in client.networks()}
        volumes = {
            v["Name"]: partial(client.remove_volume, v["Name"])
            for v in client.volumes()["Volumes"] or []
        }
        return {k: v for k, v in (networks | volumes).items() if k in SHARED}
    return {}


@pytest.fixture
def seed() -> str:
    """Shown where the test fails."""
    print(f"DEBUGHOST_SEED={SEED}")  # noqa: T201 - pytest shows it with the failure
    return SEED


@pytest.fixture(scope="session")
def unavailable() -> Callable[[str], NoReturn]:
    """Ends a test that needs what this machine lacks: skipped on a desk, a failure in CI."""

    def end(what: str) -> NoReturn:
        if os.environ.get("CI", "").lower() in ("true", "1"):
            pytest.fail(f"needed in CI: {what}")
        pytest.skip(what)

    return end
