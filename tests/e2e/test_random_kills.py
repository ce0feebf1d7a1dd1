"""SIGINT, SIGTERM and SIGKILL at random moments: whenever they come, the world stays sound.

Fifteen moments for each command, from a seed that pytest prints; DEBUGHOST_SEED repeats them.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from .harness import Eye, Program, body, check_document, finish, listing, owner, write

pytestmark = pytest.mark.alone  # moments at random, which must not meet other load

KILLS = 9
LANES = 3
"""Projects that are worked on side by side, each with its share of the kills."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
QUICK = {
    "package.json": '{"name": "quick", "private": true}\n',
    "server.js": """\
require("http").createServer((_, answer) => answer.end("hello\\n")).listen(process.env.PORT);
""",
}
"""Has a dependency volume, is ready at once, and ends at once."""
FOLDER = "node_modules"


@dataclass
class Lane:
    """One project with its own folders for locks and temporary files."""

    run: Program
    eye: Eye
    project: str
    place: Path
    workspace: Path = field(init=False)
    count: int = 0

    def __post_init__(self) -> None:
        self.workspace = write(self.place / "workspace", QUICK)
        for name in ("state", "temporary"):
            (self.place / name).mkdir()
        own = {"XDG_STATE_HOME": f"{self.place}/state", "TMPDIR": f"{self.place}/temporary"}
        self.run = replace(self.run, env={**self.run.env, **own})
        self.untouched = listing(self.workspace)

    def up(self, *options: str) -> tuple[str | Path, ...]:
        """The words of an ``up`` of the project."""
        given = (f"--env=ROUND={self.count}", "--no-deps", *options, "--json")
        return ("up", "-p", self.project, "-w", self.workspace, *given, "--", "node", "server.js")

    def mark_volume(self) -> None:
        """Puts something into the dependency volume that must never be lost."""
        code, said = self.eye.exec(self.project, "sh", "-c", f"echo kept > {FOLDER}/kept")
        assert code == 0, said

    def take_container(self) -> None:
        """Behind the program's back; the volume stays."""
        for container in self.eye.containers(self.project):
            self.eye.client.remove_container(container["Id"], force=True)

    # Each of these makes the world ready for a command, and gives the command's words.

    def fresh(self) -> tuple[str | Path, ...]:
        self.take_container()
        return self.up()

    def recreation(self) -> tuple[str | Path, ...]:
        self.count += 1
        return self.up()

    def restart(self) -> tuple[str | Path, ...]:
        return ("restart", "-p", self.project, "--json")

    def removal(self) -> tuple[str | Path, ...]:
        return ("rm", "-p", self.project, "--json")

    def measure(self, prepare: Callable[[Lane], tuple[str | Path, ...]]) -> float:
        """Seconds that the command takes; afterwards the project runs."""
        self.run(*self.up())
        self.mark_volume()
        took = self.run(*prepare(self)).seconds
        self.run(*self.up())
        return took

    def kill(
        self, number: signal.Signals, moment: float, args: tuple[str | Path, ...]
    ) -> tuple[int, str, str]:
        """Sends the signal ``moment`` seconds after the start."""
        process = self.run.start(*args)
        time.sleep(moment)
        process.send_signal(number)
        return finish(process)

    def check_end(self, number: signal.Signals, code: int, out: str, err: str) -> None:
        """One document, unless it was killed before; and never a traceback."""
        if code < 0 and not out:
            # Killed, or it came before the program's first line.
            assert code == -number
            return
        if err.startswith("Fatal Python error: init_import_site"):
            # It came before Python itself had started.
            assert not out
            return
        assert "Traceback" not in err
        document = check_document(out, max(code, 0))
        assert document["warnings"] == []
        if code > 0:
            assert code == 128 + number
            assert document["error"]["code"] == "INTERRUPTED"

    def check_at_once(self) -> None:
        """What holds as soon as a program has ended that could tidy up."""
        assert len(self.eye.containers(self.project)) <= 1
        assert not list((self.place / "temporary").iterdir())
        assert not list((self.place / "state").rglob("locks/*.json"))

    def check_next(self) -> None:
        """The next ``up`` finds no lock, and brings up one container with the same volume."""
        again = self.run(*self.up())
        assert "Waiting for another" not in again.err, str(again)
        assert again.project["ready"] is True
        self.check_at_once()
        assert self.eye.inspect(self.project)["State"]["Running"] is True
        assert self.eye.exec(self.project, "cat", f"{FOLDER}/kept") == (0, "kept\n")
        assert body(again.project["url"]) == "hello\n"
        self.check_workspace()

    def check_workspace(self) -> None:
        """As it was, but for the empty folder that the volume is mounted on."""
        now = listing(self.workspace)
        now.pop(FOLDER, None)
        assert now == self.untouched
        mountpoint = self.workspace / FOLDER
        if mountpoint.exists():
            assert owner(mountpoint) == owner(self.workspace)
            assert not list(mountpoint.iterdir())


Prepare = Callable[[Lane], tuple[str | Path, ...]]


def share(lane: Lane, prepare: Prepare, chance: random.Random) -> list[str]:
    """One lane's share of the kills; what was done, and how each run ended."""
    duration = lane.measure(prepare)
    done = []
    for _ in range(KILLS // LANES):
        number, moment = chance.choice(SIGNALS), chance.uniform(0, duration)
        args = prepare(lane)
        code, out, err = lane.kill(number, moment, args)
        done.append(f"{args[0]}: {number.name} after {moment:.3f} of {duration:.3f} s -> {code}")
        try:
            lane.check_end(number, code, out, err)
            if number != signal.SIGKILL:
                lane.check_at_once()
            lane.check_next()
        except AssertionError as exc:
            exc.add_note("\n".join([*done, lane.project, out, err]))
            raise
    return done


@pytest.mark.once  # the long one; test_interruption.py cuts off each step on every engine
@pytest.mark.parametrize("prepare", [Lane.fresh, Lane.recreation, Lane.restart, Lane.removal])
def test_whenever_a_signal_comes_the_world_stays_sound(
    run: Program,
    eye: Eye,
    new_id: Callable[[], str],
    tmp_path: Path,
    seed: str,
    prepare: Prepare,
) -> None:
    lanes = [Lane(run, eye, new_id(), tmp_path / str(n)) for n in range(LANES)]
    with ThreadPoolExecutor(LANES) as pool:
        shares = [
            pool.submit(share, lane, prepare, random.Random(f"{seed} {prepare.__name__} {n}"))
            for n, lane in enumerate(lanes)
        ]
    done = [line for one in shares for line in one.result()]
    assert any("-> 130" in line or "-> 143" in line for line in done), done
