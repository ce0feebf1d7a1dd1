"""tests/rerun.py, on small suites of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
WITHOUT = ("-p", "no:hypothesispytest")
"""It takes seconds to import."""
PASSES = "def test_passes(): pass\n"
FAILS = "def test_fails(): assert False\n"
FLAKY = """\
from pathlib import Path
def test_flaky():
    ran = Path(__file__).with_suffix(".ran")
    if not ran.exists():
        ran.touch()
        assert False
"""
"""Fails the first time, as long as the file that says so stays."""
ALONE = """\
import os, pytest
def test_together():
    assert "PYTEST_XDIST_WORKER" in os.environ
@pytest.mark.alone
def test_alone():
    assert "PYTEST_XDIST_WORKER" not in os.environ
"""


class Suite:
    """A folder with tests, the record of their reruns, and the runner."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.record = folder / "records" / "reruns.json"
        (folder / "conftest.py").write_text('pytest_plugins = ("rerun",)\n')
        (folder / "pytest.ini").write_text("[pytest]\nmarkers = alone\n")

    def write(self, **files: str) -> None:
        for name, text in files.items():
            (self.folder / f"{name}.py").write_text(text)

    def forget(self) -> None:
        """What is flaky will fail again."""
        for ran in self.folder.glob("*.ran"):
            ran.unlink()

    def __call__(self, *arguments: str) -> tuple[int, str]:
        """The exit code of a run, and what it printed."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
        done = subprocess.run(
            [sys.executable, TESTS / "rerun.py", self.record, "-q", *WITHOUT, *arguments],
            cwd=self.folder,
            env=environment | {"PYTHONPATH": str(TESTS)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    @property
    def recorded(self) -> list[str]:
        return json.loads(self.record.read_text())


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    return Suite(tmp_path)


def test_what_fails_once_is_listed_and_fails_when_it_does_so_in_the_next_run(suite: Suite) -> None:
    suite.write(test_a=FLAKY, test_b=PASSES)
    code, out = suite("-n", "0")
    assert code == 0, out
    assert "run again: 1\n  test_a.py::test_flaky: passed\n" in out
    assert suite.recorded == ["test_a.py::test_flaky"]

    suite.forget()
    code, out = suite("-n", "0", "test_b.py")
    assert code == 0, out
    assert suite.recorded == ["test_a.py::test_flaky"], "it was no part of that run"

    code, out = suite("-n", "0")
    assert code == 1, out
    assert "test_a.py::test_flaky: passed, but needed it in the run before as well" in out

    code, out = suite("-n", "0")
    assert code == 0, out
    assert "again" not in out
    assert suite.recorded == []


def test_what_fails_twice_fails_the_run(suite: Suite) -> None:
    suite.write(test_a=FAILS, test_b=FLAKY)
    code, out = suite("-n", "0")
    assert code == 1, out
    assert "run again: 2" in out
    assert "test_a.py::test_fails: failed\n" in out
    assert "test_b.py::test_flaky: passed\n" in out


def test_what_provokes_races_is_never_run_again(suite: Suite) -> None:
    races = ("test_at_once", "test_random_kills", "test_interruption", "test_whole_engine")
    suite.write(**dict.fromkeys(races, FLAKY), test_b=FLAKY)
    code, out = suite("-n", "0")
    assert code == 1, out
    assert "run again: 1\n  test_b.py::test_flaky: passed\n" in out
    assert suite.recorded == ["test_b.py::test_flaky"]


def test_what_measures_time_runs_without_workers(suite: Suite) -> None:
    suite.write(test_a=ALONE)
    code, out = suite("-n", "1")
    assert code == 0, out
    assert out.count("1 passed") == 2


def test_other_ends_of_pytest_are_passed_on(suite: Suite) -> None:
    suite.write(test_a="import nothing_of_this_name\n")
    assert suite("-n", "0")[0] == 2
    assert suite("--no-such-option")[0] == 4
    suite.write(test_a=PASSES)
    assert suite("-n", "0", "-k", "nothing")[0] == 5
