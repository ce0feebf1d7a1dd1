"""What services report, as an observer gets it."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path

import pytest
from fake_clock import FakeClock
from fakes import FakeEngine, exits, usable_engine

from debughost_cli.api import (
    DebugHost,
    NoticeGiven,
    Phase,
    PhaseEnded,
    PhaseKind,
    PhaseOutput,
    Phases,
    PhaseStarted,
    ProgressEvent,
)
from debughost_cli.errors import Crashed
from debughost_cli.models import ProjectType
from debughost_cli.services.base_images import default_base


class Seen(list[ProgressEvent]):
    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.phases = Phases(self.append, clock=self.clock.monotonic)

    def ended(self) -> list[tuple[str, PhaseKind, bool]]:
        return [(e.phase.project, e.phase.kind, e.ok) for e in self if isinstance(e, PhaseEnded)]


def test_a_phase_lasts_until_the_next_one() -> None:
    seen = Seen()
    seen.phases.phase(PhaseKind.BUILD, "Building")
    seen.clock.sleep(2)
    seen.phases.detail("Step 1/2 : FROM x\n")
    seen.phases.phase(PhaseKind.WAIT, "Waiting")
    seen.phases.close()
    seen.phases.close()
    build, wait = (
        Phase(1, PhaseKind.BUILD, "", "Building"),
        Phase(2, PhaseKind.WAIT, "", "Waiting"),
    )
    assert seen == [
        PhaseStarted(build),
        PhaseOutput(build, "Step 1/2 : FROM x"),
        PhaseEnded(build, 2.0),
        PhaseStarted(wait),
        PhaseEnded(wait, 0.0),
    ]


def test_projects_have_phases_of_their_own_in_threads_of_their_own() -> None:
    seen, meet = Seen(), threading.Barrier(2)

    def work(project: str) -> None:
        with seen.phases.task(project):
            seen.phases.phase(PhaseKind.INSTALL, f"Installing {project}")
            meet.wait(5)
            seen.phases.detail(f"line of {project}")

    threads = [threading.Thread(target=work, args=(p,)) for p in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = [(e.phase.project, e.line) for e in seen if isinstance(e, PhaseOutput)]
    assert sorted(lines) == [("a", "line of a"), ("b", "line of b")]
    assert sorted(seen.ended()) == [
        (p, kind, True) for p in "ab" for kind in (PhaseKind.ENGINE, PhaseKind.INSTALL)
    ]


def test_a_failure_is_that_of_its_last_phase() -> None:
    seen = Seen()
    with suppress(Crashed), seen.phases.task("shop"):
        seen.phases.phase(PhaseKind.CREATE, "Creating")
        seen.phases.phase(PhaseKind.INSTALL, "Installing")
        raise Crashed("it crashed")
    assert seen.ended()[1:] == [
        ("shop", PhaseKind.CREATE, True),
        ("shop", PhaseKind.INSTALL, False),
    ]


def test_what_is_undone_had_failed() -> None:
    seen = Seen()
    seen.phases.phase(PhaseKind.CREATE, "Creating")
    seen.phases.phase(PhaseKind.ROLLBACK, "Undoing")
    seen.phases.close(ok=False)
    assert seen.ended() == [("", PhaseKind.CREATE, False), ("", PhaseKind.ROLLBACK, True)]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a\n\n b \n", ["a", "b"]),
        ("10 %\r50 %\r90 %", ["90 %"]),
        ("10 %\r100 %\r\nnext\r\n", ["100 %", "next"]),
        ("\x1b[32mgreen\x1b[0m \x1b]0;title\x07x\x1b[2K", ["green x"]),
        ("bell\x07 and \u202eback", ["bell\\x07 and \\u202eback"]),
        ("x" * 5000, ["x" * 1000]),
        (" \n\r\n", []),
    ],
)
def test_output_comes_in_lines_that_do_nothing(text: str, lines: list[str]) -> None:
    seen = Seen()
    seen.phases.phase(PhaseKind.BUILD, "Building")
    seen.phases.detail(text)
    assert [e.line for e in seen if isinstance(e, PhaseOutput)] == lines


def test_output_without_a_phase_is_nobodys() -> None:
    seen = Seen()
    seen.phases.detail("left over")
    seen.phases.notice("trying again\x1b")
    assert seen == [NoticeGiven("trying again\\x1b")]


def facade(folder: Path, seen: Seen, engine: FakeEngine) -> DebugHost:
    (folder / "app.py").write_text("")
    return DebugHost(engine=engine, folder=folder, progress=seen.phases)


def test_the_facade_reports_phases(tmp_path: Path) -> None:
    seen = Seen()
    engine = usable_engine()
    engine.add_image(default_base(ProjectType.NODE))
    with facade(tmp_path, seen, engine) as host:
        project = host.up().project.project
        host.remove(project)
        host.images.build([ProjectType.NODE])
    assert [e for e in seen.ended() if e[1] is not PhaseKind.ENGINE] == [
        (project, PhaseKind.CREATE, True),
        (project, PhaseKind.STOP, True),
        (project, PhaseKind.REMOVE, True),
        ("", PhaseKind.BUILD, True),
    ]
    started = [e.phase.number for e in seen if isinstance(e, PhaseStarted)]
    assert started == list(range(1, len(seen.ended()) + 1)), "all have ended"


def test_the_facade_reports_which_phase_failed(tmp_path: Path) -> None:
    seen, engine = Seen(), usable_engine()
    engine.program = exits(1)
    with facade(tmp_path, seen, engine) as host, pytest.raises(Crashed):
        host.up()
    assert not seen.ended()[-1][2]
