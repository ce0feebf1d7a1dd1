"""Every command under every fault between it and the engine: what it answers, when, what it leaves.

The outcome is ``docs/faults.md``. ``DEBUGHOST_WRITE_TABLES=1`` rewrites it; read what changed.
"""

from __future__ import annotations

import json
import os
import queue
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from . import fault_proxy as f
from .fault_proxy import Fault, broken
from .harness import Result, write
from .private_engine import Private
from .workspaces import PAGE

pytestmark = pytest.mark.alone  # many commands at once, which must not meet other load

TABLE = Path(__file__).parents[2] / "docs" / "faults.md"
AT_ONCE = 32
"""Most of them wait."""
STARTS_AT_ONCE = 2
"""Of containers, on an engine that must not be so busy that it answers too late by itself."""
SITES = 16
SLACK = 20.0
"""Seconds that a run may take longer where so many share the machine."""
MESSAGE = {"message": "a fault of the tests"}
GRACE = 10


@dataclass(frozen=True)
class Fate:
    """A fault, when it begins, and the seconds within which a command gives up."""

    name: str
    fault: Fault
    limit: int
    from_start: bool = False


REFUSED, SILENT, PLAIN = 8, 31, 3
FATES = [
    Fate("refused from the start", Fault(f.refused), REFUSED, from_start=True),
    Fate("silent from the start", Fault(f.silent), SILENT, from_start=True),
    Fate("no HTTP from the start", Fault(f.not_http), REFUSED, from_start=True),
    Fate("refused", Fault(f.refused), REFUSED),
    Fate("silent", Fault(f.silent), SILENT),
    Fate("a byte every half second", Fault(f.slow), SILENT),
    Fate("answers cut in the head", Fault(f.cut_in_head), REFUSED),
    Fate("answers cut in the body", Fault(f.cut_in_body), REFUSED),
    Fate("answers lost", Fault(f.lost), REFUSED),
    Fate("hung up", Fault(f.hung_up), REFUSED),
    Fate("500", Fault(f.answered(500, MESSAGE)), PLAIN),
    Fate("503", Fault(f.answered(503, MESSAGE)), REFUSED),
    Fate("404", Fault(f.answered(404, MESSAGE)), SILENT),
    Fate("409", Fault(f.answered(409, MESSAGE)), PLAIN),
    Fate("429", Fault(f.answered(429, MESSAGE)), REFUSED),
    Fate("no JSON", Fault(f.answered(200, b"<html>hello</html>", "text/html")), PLAIN),
    Fate("other JSON", Fault(f.answered(200, {"hello": None})), PLAIN),
    Fate("null", Fault(f.answered(200, None)), PLAIN),
    Fate("one answer cut in the head", Fault(f.cut_in_head, once=True), PLAIN),
    Fate("one answer lost", Fault(f.lost, once=True), PLAIN),
    Fate("one 503", Fault(f.answered(503, MESSAGE), once=True), PLAIN),
    Fate("hung up once", Fault(f.hung_up, once=True), PLAIN),
]


@dataclass(frozen=True)
class Command:
    """A command line for a project and its workspace.

    ``changes``: the fault begins with the first request that changes something, else with the
    second. ``more``: seconds beyond the fate's limit, for a stop's grace and for the way back.
    """

    name: str
    args: Callable[[str, Path], Sequence[str | Path]]
    changes: bool = False
    is_new: bool = False
    more: int = 0
    own_site: bool = False


def _up(project: str, folder: Path) -> list[str | Path]:
    return ["up", "-p", project, "-w", folder]


COMMANDS = [
    Command("up, new", _up, True, is_new=True, more=20),
    Command("up, unchanged", _up, own_site=True),
    Command("up, changed", lambda p, w: [*_up(p, w), "-e", "NEW=1"], True, more=20, own_site=True),
    Command("stop", lambda p, _: ["stop", "-p", p], True, more=GRACE, own_site=True),
    Command("restart", lambda p, _: ["restart", "-p", p], True, more=2 * GRACE + 10, own_site=True),
    Command("rm", lambda p, _: ["rm", "-p", p], True, more=GRACE, own_site=True),
    Command("exec", lambda p, _: ["exec", "-p", p, "--", "true"], True, own_site=True),
    Command("status", lambda p, _: ["status", "-p", p]),
    Command("logs", lambda p, _: ["logs", "-p", p]),
    Command("wait", lambda p, _: ["wait", "-p", p, "--for", "http"]),
    Command("network ensure", lambda *_: ["network", "ensure"]),
    Command("network inspect", lambda *_: ["network", "inspect"]),
    Command("volumes ls", lambda *_: ["volumes", "ls"]),
    Command("volumes prune", lambda p, _: ["volumes", "prune", "-p", p, "--yes"]),
    Command("images ls", lambda *_: ["images", "ls"]),
    Command("doctor", lambda *_: ["doctor"]),
]


@dataclass(frozen=True)
class Site:
    """A running project."""

    project: str
    folder: Path


@dataclass
class Cell:
    """What one command came to under one fault, and what is wrong with that."""

    fate: Fate
    command: Command
    result: Result
    left: str = ""
    faulty: list[str] = field(default_factory=list)

    @property
    def error(self) -> str:
        """The error's code; ``ok`` where there is none."""
        error = json.loads(self.result.out.splitlines()[-1])["error"]
        return error["code"] if error else "ok"

    @property
    def text(self) -> str:
        return f"{self.error}{f' ({self.left})' if self.left else ''}"

    def check(self) -> None:
        """Notes what no fault excuses."""
        if self.error == "INTERNAL":
            self.faulty.append("says that it is a defect")
        limit = self.fate.limit + self.command.more
        try:
            took = self.result.own_seconds
            assert took <= limit + SLACK, f"took {took:.1f} s, {limit} s are allowed"
        except AssertionError as exc:
            self.faulty.append(str(exc))


class Bench:
    """Runs the cells. Commands that look share one project; the others have one for themselves."""

    def __init__(self, private: Private, folder: Path) -> None:
        self._private = private
        self._folder = folder
        self._sites: queue.Queue[Site] = queue.Queue()
        self._starting = threading.Semaphore(STARTS_AT_ONCE)
        self._shared = self._site("shared")
        for number in range(SITES):
            self._sites.put(self._site(f"site{number}"))

    def _site(self, name: str, *, up: bool = True) -> Site:
        site = Site(name, write(self._folder / name, PAGE))
        if up:
            self._private.run(*_up(site.project, site.folder))
        return site

    def cell(self, fate: Fate, command: Command) -> Cell:
        if command.is_new:
            cell = self._new(fate, command)
        elif command.own_site and not fate.from_start:
            site = self._sites.get()
            try:
                cell = self._existing(fate, command, site)
            finally:
                self._sites.put(site)
        else:
            cell = Cell(fate, command, self._run(fate, command, self._shared))
        cell.check()
        return cell

    def _new(self, fate: Fate, command: Command) -> Cell:
        name = re.sub(r"\W+", "-", f"new {fate.name}").lower()
        site = self._site(name, up=False)
        cell = Cell(fate, command, self._run(fate, command, site))
        if cell.error != "ok":
            cell.left = " + ".join(state for _, state in self._containers(site))
        self._mend(cell, site)
        self._private.run("rm", "-p", name, check=not cell.faulty)
        return cell

    def _existing(self, fate: Fate, command: Command, site: Site) -> Cell:
        before = self._containers(site)
        cell = Cell(fate, command, self._run(fate, command, site))
        after = self._containers(site)
        if after != before:
            if cell.error != "ok":
                cell.left = " + ".join(state for _, state in after) or "gone"
            self._mend(cell, site)
        return cell

    def _mend(self, cell: Cell, site: Site) -> None:
        """Whatever a fault left: the next ``up`` makes it one container that is ready."""
        with self._starting:
            again = self._private.run(*_up(site.project, site.folder), "--json", check=False)
        if again.code:
            cell.faulty.append(f"the next up failed: {again.out}")
        if len(self._containers(site)) != 1:
            cell.faulty.append("not one container after the next up")

    def _containers(self, site: Site) -> list[tuple[str, str]]:
        found = self._private.eye.containers(site.project)
        return sorted(((c["Id"], c["State"]) for c in found), key=lambda c: c[1])

    def _run(self, fate: Fate, command: Command, site: Site) -> Result:
        begun = fate.from_start

        def picks(number: int, method: str, path: str) -> bool:
            nonlocal begun
            begun = begun or (method not in ("GET", "HEAD") if command.changes else number > 1)
            return begun

        folder = self._private.engine.folder
        # A command that gets over its fault does all its work, of which the engine has the most.
        is_work = fate.fault.once and command.changes
        with (
            self._starting if is_work else nullcontext(),
            broken(folder, folder / "docker.sock", fate.fault, picks) as proxy,
        ):
            args = ("--json", "--host", proxy.url, *command.args(site.project, site.folder))
            return self._private.run(*args, check=False, timeout=300, validate=False)


@pytest.fixture(scope="module")
def cells(
    private_session: Private, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Cell]]:
    bench = Bench(private_session, tmp_path_factory.mktemp("faults"))
    pairs = [(fate, command) for fate in FATES for command in COMMANDS]
    # Those that wait longest begin first: they need the processor least.
    order = sorted(pairs, key=lambda pair: -pair[0].limit)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        done = list(pool.map(lambda pair: bench.cell(*pair), order))
    yield sorted(done, key=lambda c: pairs.index((c.fate, c.command)))
    private_session.clear()


def test_every_command_answers_every_fault_in_time_and_can_be_fixed(cells: list[Cell]) -> None:
    faulty = [
        f"{c.command.name} | {c.fate.name} | {c.text} | {c.faulty}" for c in cells if c.faulty
    ]
    assert not faulty, "\n".join(faulty)


def test_what_may_pass_is_tried_again_after_1_2_and_4_seconds(cells: list[Cell]) -> None:
    refused = {"refused from the start", "refused", "hung up", "503", "429"}
    reported = [c for c in cells if c.fate.name in refused and c.command.name != "doctor"]
    assert len(reported) == len(refused) * (len(COMMANDS) - 1)
    for cell in reported:
        waits = re.findall(r"trying again in (\d) s", cell.result.err)
        assert waits == ["1", "2", "4"], (cell.fate.name, cell.command.name, cell.result.err)
        assert cell.result.own_seconds > 7


def test_silence_is_waited_for_30_seconds_and_not_tried_again(cells: list[Cell]) -> None:
    silent = [c for c in cells if c.error == "ENGINE_TIMEOUT" and c.command.name != "doctor"]
    assert len(silent) == 3 * (len(COMMANDS) - 1)
    assert all(c.result.own_seconds > 30 for c in silent)
    assert not any("trying again" in c.result.err for c in silent)


def test_a_passing_fault_is_got_over(cells: list[Cell]) -> None:
    """But by ``doctor``, which tells what it sees at once."""
    once = [c for c in cells if c.fate.fault.once and c.command.name != "doctor"]
    assert {c.text for c in once} == {"ok"}
    silent = [c for c in once if "trying again in 1 s" not in c.result.err]
    assert not silent, [(c.fate.name, c.command.name, c.result.err) for c in silent]


def test_the_table_in_the_documentation_is_true(cells: list[Cell]) -> None:
    table = markdown(cells)
    if os.environ.get("DEBUGHOST_WRITE_TABLES"):
        TABLE.write_text(table)
    assert TABLE.read_text() == table


def markdown(cells: list[Cell]) -> str:
    """A row for each fault, a column for each command."""
    lines = [
        "# Every command under every fault",
        "",
        "Written by `tests/e2e/test_faults.py`, which puts a proxy between the installed program",
        "and a real engine. A fault begins with the first request that changes something; for",
        "commands that only look, and for `up` of what needs no change, with the second request.",
        "In brackets: what is left of the project on the engine where that is not what was there",
        "before; the next `up` makes one container that is ready of it. *Seconds*: within which a",
        "command answers. Beyond that, `stop`, `restart` and `rm` wait for the grace (10 s), and",
        "what takes a change back tries so for 5 s a step: 20 s for `up`, 30 s for `restart`.",
        "",
        f"| fault | seconds | {' | '.join(c.name for c in COMMANDS)} |",
        f"| --- | --- | {' | '.join('---' for _ in COMMANDS)} |",
    ]
    for fate in FATES:
        row = [c.text for c in cells if c.fate is fate]
        lines.append(f"| {fate.name} | {fate.limit} | {' | '.join(row)} |")
    return "\n".join([*lines, ""])
