"""Runs the tests on a busy machine, and what failed once more.

    python tests/rerun.py RECORD [PYTEST-ARGUMENT]...

First on five workers, because tests wait most of their time; then the tests marked ``alone``
without workers; then once more what failed, without workers as well: many tests measure time, and
all share the machine. Tests in ``NEVER_AGAIN`` provoke races: their first failure counts. The end
of the output lists what was run again. RECORD keeps it until the next run: a test that needed its
second try in two runs in a row fails.

As a plugin of pytest it selects the tests of one of these parts, records their outcomes, and shows
each failure when it happens.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

NEVER_AGAIN = ("test_at_once", "test_random_kills", "test_interruption", "test_whole_engine")
WORKERS = ("-n", "5", "--dist", "loadfile", "--no-loadscope-reorder")
NO_WORKERS = ("-n", "0")
SLOWEST = ("--durations=15", "--durations-min=10")
"""What to shorten first where a run takes too long."""
PASSED, FAILED, NO_TESTS = 0, 1, 5
"""Exit codes of pytest; with another one, nothing can be said of the tests."""

# --- the plugin ----------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("rerun", "for tests/rerun.py")
    group.addoption(
        "--part",
        choices=("together", "alone"),
        help="without the tests marked alone, or only these",
    )
    group.addoption("--only", metavar="FILE", help="only tests whose ids are in this JSON list")
    group.addoption("--outcomes", metavar="FILE", help="where to write the outcomes of the tests")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--outcomes") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Outcomes(Path(config.getoption("--outcomes"))))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Beside what was chosen by path, name and marker, whatever that is."""
    part, only = config.getoption("--part"), config.getoption("--only")
    chosen = items[:]
    if part:
        chosen = [i for i in chosen if bool(i.get_closest_marker("alone")) is (part == "alone")]
    if only:
        ids = set(json.loads(Path(only).read_text()))
        chosen = [i for i in chosen if i.nodeid in ids]
    left_out = set(items) - set(chosen)
    if left_out:
        config.hook.pytest_deselected(items=[i for i in items if i in left_out])
        items[:] = chosen


class Outcomes:
    """Records the tests that ran, and shows those that failed."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.ran: set[str] = set()
        self.failed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._note(report)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        self.ran.add(report.nodeid)
        if report.failed:
            self.failed.add(report.nodeid)
            # At once: a run that is cut off shows no summary.
            print(f"\n{report.nodeid} failed:\n{report.longreprtext}", file=sys.__stderr__)

    def pytest_sessionfinish(self) -> None:
        self.file.write_text(json.dumps([sorted(self.ran), sorted(self.failed)]))


# --- the runner ----------------------------------------------------------------------------------


@dataclass
class Part:
    """One run of pytest."""

    code: int
    ran: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)

    @property
    def is_sound(self) -> bool:
        """Whether it ran to its end, and its failures are those of tests."""
        return self.code in (PASSED, NO_TESTS) or (self.code == FAILED and bool(self.failed))


def run_pytest(*arguments: str) -> Part:
    with tempfile.TemporaryDirectory() as folder:
        outcomes = Path(folder, "outcomes.json")
        command = [sys.executable, "-m", "pytest", f"--outcomes={outcomes}", *arguments]
        code = subprocess.run(command, check=False).returncode
        if not outcomes.exists():
            return Part(code)
        ran, failed = json.loads(outcomes.read_text())
        return Part(code, set(ran), set(failed))


def run_again(failed: Iterable[str], arguments: list[str]) -> Part:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as only:
        json.dump(sorted(failed), only)
        only.flush()
        return run_pytest(f"--only={only.name}", *arguments, *NO_WORKERS)


def may_run_again(test: str) -> bool:
    return Path(test.partition("::")[0]).stem not in NEVER_AGAIN


def run(record: Path, arguments: list[str]) -> int:
    """Runs all parts, prints what was run again, and returns pytest's exit code for the whole."""
    parts = []
    for options in (
        ("--part=together", *SLOWEST, *WORKERS, *arguments),
        ("--part=alone", *SLOWEST, *arguments, *NO_WORKERS),
    ):
        part = run_pytest(*options)
        if not part.is_sound:
            return part.code
        parts.append(part)
    if all(part.code == NO_TESTS for part in parts):
        return NO_TESTS
    ran = parts[0].ran | parts[1].ran
    failed = parts[0].failed | parts[1].failed
    again = {test for test in failed if may_run_again(test)}
    if not again:
        remember(record, ran, again)
        return FAILED if failed else PASSED
    say(f"\nrunning once more, alone: {len(again)}")
    second = run_again(again, arguments)
    passed = second.ran - second.failed
    twice = again & remember(record, ran, again)
    report(again, passed, twice)
    is_good = second.code == PASSED and again == failed == passed and not twice
    return PASSED if is_good else FAILED


def remember(record: Path, ran: set[str], again: set[str]) -> set[str]:
    """Writes down what was run again; returns what had been the time before.

    What did not run this time stays in the record.
    """
    before = set(json.loads(record.read_text())) if record.exists() else set()
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text(json.dumps(sorted((before - ran) | again), indent=1) + "\n")
    return before


def report(again: set[str], passed: set[str], twice: set[str]) -> None:
    say(f"\nrun again: {len(again)}")
    for test in sorted(again):
        result = "passed" if test in passed else "failed"
        if test in twice:
            result += ", but needed it in the run before as well: it fails"
        say(f"  {test}: {result}")


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - it is what a person or CI reads at the end


if __name__ == "__main__":
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is for pytest, which then cleans up.
    sys.exit(run(Path(sys.argv[1]), sys.argv[2:]))
