"""For every test: the order, the choice of tests, and what is random.

Nothing here knows of an engine: the unit and CLI tests are run where there is none.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from typing import NoReturn

import pytest
from hypothesis import settings

settings.register_profile("quick", deadline=None, max_examples=15, database=None)
settings.register_profile("thorough", deadline=None, max_examples=60, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
# No deadline: a busy machine is no defect. No database: no run depends on the one before.

pytest_plugins = ("rerun",)

SEED = os.environ.setdefault("DEBUGHOST_SEED", str(secrets.randbelow(10**6)))
"""Of the tests at random moments. Workers inherit it; set it to run the same moments again."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--another-engine",
        action="store_true",
        help="only the tests that may show something new on an engine of another version",
    )


LONGEST = (
    "test_documentation.py", "test_environment.py", "test_engine_faults.py", "test_logs.py",
    "test_status.py", "test_events.py", "test_services.py", "test_pulls.py", "test_stop.py",
    "test_engine_restarts.py",
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
    of = item.get_closest_marker
    return bool(of("engine")) and not (of("once") or of("own_engine"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The seed, also of a run that passed."""
    terminalreporter.write_line(f"DEBUGHOST_SEED={SEED}")


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
