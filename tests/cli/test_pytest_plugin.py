"""The fixtures for pytest, in a run of pytest of its own, over the engine in memory."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cli.conftest import node_project

pytest_plugins = ("pytester",)
ROOT = Path(__file__).parents[2]

CONFTEST = """
import pytest
from debughost_cli.api import DebugHost
from fakes import FakeEngine, {program}

engine = FakeEngine()
engine.add_base_images()
engine.program = {made}

@pytest.fixture(scope="session")
def debughost_host():
    with DebugHost(engine=engine) as host:
        yield host

def pytest_unconfigure(config):
    print("LEFT", sorted(c.name.rsplit("-", 1)[0] for c in engine.stored_containers.values()),
          sorted(engine.stored_volumes))
"""

TESTS = """
def test_it_is_ready(debughost_project):
    assert debughost_project.id == "shop-test"
    assert debughost_project.url.startswith("http://127.0.0.1:")
    assert debughost_project.project.ready
    assert isinstance(debughost_project.logs(), str)

def test_it_is_the_same(debughost_project):
    assert debughost_project.exec("true").exit_code == 0
"""


@pytest.fixture
def shop(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """pytest's root: a project called shop."""
    folder = node_project(pytester.path / "shop")
    (folder / "pytest.ini").write_text("[pytest]\n")
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{ROOT / 'tests'}")
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    monkeypatch.chdir(folder)
    return folder


def run(pytester: pytest.Pytester, *args: str) -> pytest.RunResult:
    plugin = ("-p", "no:debughost", "-p", "debughost_cli.pytest_plugin", "-p", "no:cacheprovider")
    return pytester.run(sys.executable, "-m", "pytest", "-s", *plugin, *args)


def conftest(program: str, made: str = "") -> str:
    return CONFTEST.format(program=program, made=made or f"{program}()")


def test_a_project_is_there_for_the_tests_and_gone_afterwards(
    pytester: pytest.Pytester, shop: Path
) -> None:
    (shop / "conftest.py").write_text(conftest("listens"))
    (shop / "test_shop.py").write_text(TESTS)
    result = run(pytester)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines("LEFT [[]] [[]]")


def test_it_is_kept_where_that_is_asked_for(pytester: pytest.Pytester, shop: Path) -> None:
    (shop / "conftest.py").write_text(conftest("listens"))
    (shop / "test_shop.py").write_text(TESTS)
    run(pytester, "--debughost-keep").stdout.fnmatch_lines("LEFT *debug-host-shop-test*")


def test_each_worker_has_its_own(
    pytester: pytest.Pytester, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw3")
    (shop / "conftest.py").write_text(conftest("listens"))
    (shop / "test_shop.py").write_text(TESTS.replace("shop-test", "shop-test-gw3"))
    run(pytester).assert_outcomes(passed=2)


def test_what_it_is_given_can_be_chosen(pytester: pytest.Pytester, shop: Path) -> None:
    (shop / "debughost.toml").write_text("port = 3100\n")
    (shop / "conftest.py").write_text(
        conftest("listens")
        + """
@pytest.fixture(scope="session")
def debughost_flags():
    from debughost_cli.api import Flags
    return Flags(environment={"MODE": "test"}, memory="1g")
"""
    )
    (shop / "test_shop.py").write_text(
        """
from conftest import engine

def test_it(debughost_project):
    (container,) = engine.stored_containers.values()
    assert container.environment["MODE"] == "test"
    assert debughost_project.project.memory_limit_bytes == 1 << 30
    assert debughost_project.project.port >= 3100
"""
    )
    run(pytester).assert_outcomes(passed=1)


def test_a_failure_says_why_and_leaves_nothing(pytester: pytest.Pytester, shop: Path) -> None:
    (shop / "conftest.py").write_text(conftest("exits", "exits(3, 'no such table: users')"))
    (shop / "test_shop.py").write_text(TESTS)
    result = run(pytester)
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(
        ["debughost: *exit code 3* [[]CRASHED[]]", "  | no such table: users", "Hint: *"]
    )
    result.stdout.fnmatch_lines("LEFT [[]] [[]]")
    assert "Traceback" not in result.stdout.str()


def test_an_interruption_leaves_nothing(pytester: pytest.Pytester, shop: Path) -> None:
    (shop / "conftest.py").write_text(conftest("listens"))
    (shop / "test_shop.py").write_text(
        "def test_it(debughost_project):\n    raise KeyboardInterrupt\n"
    )
    result = run(pytester)
    assert result.ret == 2
    result.stdout.fnmatch_lines("LEFT [[]] [[]]")


def test_a_run_that_does_not_use_it_loads_nothing(pytester: pytest.Pytester, shop: Path) -> None:
    (shop / "test_shop.py").write_text(
        "import sys\n\ndef test_it():\n"
        "    ours = {m for m in sys.modules if m.startswith('debughost_cli')}\n"
        "    assert ours == {'debughost_cli', 'debughost_cli.pytest_plugin'}\n"
        "    assert not {'docker', 'msgspec', 'typer'} & set(sys.modules)\n"
    )
    run(pytester).assert_outcomes(passed=1)
