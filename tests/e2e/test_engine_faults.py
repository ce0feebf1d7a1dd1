"""The engine is killed, stopped and started again at each step of each command.

Several projects share one fault: each one's command is held (SIGSTOP) at its own step, and all are
let go at the moment when the engine ends.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .harness import Result, eventually, write
from .held import Words, held
from .private_engine import Private, PrivateEngine

STOP_SECONDS = 2
SLOW = f"trap 'sleep {STOP_SECONDS}; exit 0' TERM; sleep 0.5; serve-static & wait; sleep 60"
"""Takes its time for its start and for its leave."""
COUNTING = "serve-static & n=0; while :; do n=$((n + 1)); echo $n; sleep 0.05; done"
VOLUME = "/app/node_modules"
GIVES_UP = 8
"""Seconds until an engine that refuses is given up, as docs/faults.md has it."""

Fault = Callable[[PrivateEngine], None]


def killed(engine: PrivateEngine) -> None:
    engine.crash()
    engine.start()


def restarted(engine: PrivateEngine) -> None:
    engine.shut_down()
    engine.start()


@dataclass(frozen=True)
class Command:
    """``moments``: the steps at which it is hit, each of another project.

    ``more``: seconds beyond the usual ones until it gives up, as docs/faults.md has them.
    """

    words: Callable[[Site], Words]
    moments: tuple[str, ...]
    more: int
    options: tuple[str, ...] = ()
    is_new: bool = False


CHANGED = ("-e", "NEW=1")
NEW = Command(
    lambda s: s.up(),
    ("listing containers", "creating a volume", "creating the container",
     "writing into the container", "starting the container", "Waiting until"),
    20, is_new=True,
)  # fmt: skip
CHANGE = Command(
    lambda s: s.up(*CHANGED),
    ("creating the container", "writing into the container", "stopping the container",
     "starting the container", "Waiting until", "removing the container"),
    20, CHANGED,
)  # fmt: skip
RESTART = Command(
    lambda s: ("restart", "-p", s.project),
    ("stopping the container", "starting the container", "Waiting until"), 30,
)  # fmt: skip
STOP = Command(
    lambda s: ("stop", "-p", s.project), ("inspecting a container", "stopping the container"), 10
)
RM = Command(
    lambda s: ("rm", "-p", s.project), ("stopping the container", "removing the container"), 10
)


@dataclass
class Site:
    """A project with a dependency volume."""

    private: Private
    project: str
    folder: Path

    def up(self, *options: str) -> Words:
        """The words of an ``up``."""
        return ("up", "-p", self.project, "-w", self.folder, *options)

    def keep(self) -> None:
        """Puts something into its volume that must never be lost."""
        code, said = self.private.eye.exec(self.project, "sh", "-c", f"echo kept > {VOLUME}/kept")
        assert code == 0, said

    def check(self, again: Result, how: str, *, kept: bool) -> None:
        """After another ``up``: one container that is ready, its volumes, and nothing else."""
        assert again.code == 0, f"{how}\n{again}"
        found = again.project
        assert (found["state"], found["ready"]) == ("running", True), f"{how}\n{again}"
        (container,), volumes = self.private.eye.everything(self.project)
        assert container == found["container"]["id"], f"{how}\n{again}"
        kinds = ("cache", "home", "node_modules")
        assert volumes == [f"debug-host-{self.project}-{kind}" for kind in kinds], how
        assert self.private.eye.inspect(self.project)["State"]["Running"] is True
        if kept:
            assert self.private.eye.exec(self.project, "cat", f"{VOLUME}/kept") == (0, "kept\n")


@pytest.fixture
def image(private: Private) -> Any:
    """The only base image that is there; other types can run in it, too."""
    images = private.run("images", "ls", "--json").data["images"]
    return next(i["ref"] for i in images if i["present"])


@pytest.fixture
def make(private: Private, image: str, tmp_path: Path) -> Callable[..., Site]:
    def site(project: str, script: str = SLOW, restart: str = "no") -> Site:
        settings: dict[str, Any] = {"type": "node", "image": image, "command": ["sh", "-c", script]}
        settings |= {"restart": restart, "dependencies": False}
        lines = "".join(f"{k} = {json.dumps(v)}\n" for k, v in settings.items())
        files = {"index.html": "hello", "debughost.toml": lines}
        return Site(private, project, write(tmp_path / project, files))

    return site


def remove_unlabelled(private: Private) -> None:
    """A volume whose labels a killed engine had not written down is a stranger's, says ``up``."""
    client = private.eye.client
    for volume in client.volumes()["Volumes"] or []:
        if not volume["Labels"]:
            client.remove_volume(volume["Name"])


@dataclass(frozen=True)
class Hit:
    """What one command came to that was hit at one of its moments, and the ``up`` after it."""

    command: Command
    moment: str
    site: Site
    result: Result
    again: Result
    containers: int
    away: float
    """Seconds from the fault until the engine answered again."""

    @property
    def got_over_it(self) -> bool:
        """Raises AssertionError for a failure that nothing excuses.

        On a busy machine the engine may stay away for longer than the 7 s in which it is tried
        again, or be back before a command that was held could notice that it was away.
        """
        if self.result.code == 4:
            assert self.away > 6, self.how
        elif self.result.code:
            assert "trying again" not in self.result.err, self.how
            assert self.result.error["details"]["reason"] == "stopped", self.how
        return self.result.code == 0

    @property
    def how(self) -> str:
        return f"at {self.moment}: {self.result}"

    def check(self) -> None:
        self.site.check(self.again, self.how, kept=not self.command.is_new)


def hit(
    private: Private, make: Callable[..., Site], commands: Sequence[Command], fault: Fault
) -> list[Hit]:
    """Each command hit at each of its moments, and an ``up`` once the engine is there."""
    pairs = [(c, m) for c in commands for m in c.moments]
    sites = [make(f"p{n}") for n in range(len(pairs))]
    old = [s for s, (c, _) in zip(sites, pairs, strict=True) if not c.is_new]
    for result, site in zip(private.run.at_once([s.up() for s in old]), old, strict=True):
        assert result.code == 0, str(result)
        site.keep()
    words = [(m, c.words(s)) for s, (c, m) in zip(sites, pairs, strict=True)]
    with held(private.run, words) as started:
        began = time.monotonic()
        fault(private.engine)
        away = time.monotonic() - began
        results = [s.result() for s in started]
    if fault is PrivateEngine.crash:
        private.engine.start()
    left = [len(private.eye.containers(s.project)) for s in sites]
    remove_unlabelled(private)
    again = private.run.at_once([s.up(*c.options) for s, (c, _) in zip(sites, pairs, strict=True)])
    found = zip(pairs, sites, results, again, left, strict=True)
    return [Hit(c, m, s, r, a, n, away) for (c, m), s, r, a, n in found]


FAULTS = pytest.mark.parametrize("fault", [killed, restarted])


@FAULTS
@pytest.mark.parametrize("commands", [[NEW], [CHANGE], [RESTART]], ids=["new", "changed", "again"])
def test_what_is_brought_up_gets_over_an_engine_that_comes_back(
    private: Private, make: Callable[..., Site], commands: list[Command], fault: Fault
) -> None:
    hits = hit(private, make, commands, fault)
    assert sum(h.got_over_it for h in hits) > 0
    for one in hits:
        one.check()
    for one in (h for h in hits if h.got_over_it):
        found = one.result.project
        assert one.result.document["changed"] is True
        assert (found["ready"], found["state"], one.containers) == (True, "running", 1), one.how
        assert one.again.project["container"]["id"] == found["container"]["id"]
        # One that was done before the engine went cannot know of it.
        reported = {"unchanged"} if "trying again" in one.result.err else {"unchanged", "started"}
        assert one.again.project["action"] in reported, one.how


def killed_within_a_start(site: Site) -> Result:
    """What came of an ``up`` whose container was being started when the engine was killed."""
    private, engine = site.private, site.private.engine
    private.run("stop", "-p", site.project)
    id_ = private.eye.inspect(site.project)["Id"]
    process = engine.folder / "exec/containerd/daemon/io.containerd.runtime.v2.task/moby" / id_
    with private.run.start(*site.up(), "--json") as up:
        eventually((process / "init.pid").exists, timeout=60, pause=0.001)
        engine.crash()
        engine.start()
        out, err = up.communicate(timeout=60)
    return Result(tuple(map(str, site.up())), up.returncode, out, err, 0.0, is_json=True)


def test_a_container_whose_start_an_engine_did_not_survive_is_recreated(
    private: Private, make: Callable[..., Site]
) -> None:
    """Its processes are there, and the next engine, which knows nothing of them, will never start
    it for their sake. An engine that was quick to write it down knows it: then once more.
    """
    site = make("p")
    port = private.run(*site.up(), "--json").project["port"]
    for _ in range(5):
        result = killed_within_a_start(site)
        found = result.project
        assert (result.code, found["ready"], found["port"]) == (0, True, port), str(result)
        assert len(private.eye.containers("p")) == 1
        if found["action"] == "recreated":
            break
    assert found["action"] == "recreated"
    assert "lost track" in result.err
    assert result.document["warnings"] == []


@FAULTS
def test_a_stop_and_a_removal_get_over_an_engine_that_comes_back(
    private: Private, make: Callable[..., Site], fault: Fault
) -> None:
    hits = hit(private, make, [STOP, RM], fault)
    assert sum(h.got_over_it for h in hits) > 0
    for one in (h for h in hits if h.got_over_it):
        found = one.result.project
        if one.command is RM:
            assert (found["action"], one.containers) == ("removed", 0), one.how
        else:
            # The engine may have stopped it first.
            assert found["action"] in ("stopped", "unchanged"), one.how
            assert (found["state"], found["exit"]["reason"]) == ("stopped", "stopped"), one.how
        assert one.result.document["changed"] is (found["action"] != "unchanged")
        assert one.again.project["action"] == ("created" if one.command is RM else "started")
        one.check()


@pytest.mark.alone
@pytest.mark.parametrize(
    "commands", [[NEW, STOP, RM], [CHANGE, RESTART]], ids=["new, stop, rm", "changed, restart"]
)
def test_an_engine_that_stays_away_is_abandoned_and_up_goes_on_when_it_is_back(
    private: Private, make: Callable[..., Site], commands: list[Command]
) -> None:
    hits = hit(private, make, commands, PrivateEngine.crash)
    given_up = [h for h in hits if h.result.code == 4]
    # The very last request of a command may have been answered before it stood still.
    done = [h for h in hits if h.result.code == 0 and h.moment == "removing the container"]
    assert len(given_up) + len(done) == len(hits), [h.how for h in hits]
    assert len(given_up) > len(done)
    for one in given_up:
        assert one.result.error["code"] == "ENGINE_UNAVAILABLE"
        assert (one.result.error["retryable"], one.result.document["changed"]) == (True, False)
        assert one.result.seconds < private.run.slow(GIVES_UP + one.command.more), one.how
    for one in hits:
        one.check()


def entries(result: Result) -> list[tuple[str, str]]:
    lines = [json.loads(line) for line in result.out.splitlines()]
    return [(line["ts"], line["line"]) for line in lines if line["type"] == "log"]


LOGS = ("logs", "-p", "p", "--tail", "all")
TWENTIETH = '"line":"20"'


@FAULTS
def test_logs_are_followed_through_a_restart_of_the_engine(
    private: Private, make: Callable[..., Site], fault: Fault
) -> None:
    private.run(*make("p", COUNTING, "always").up())
    with held(private.run, [(TWENTIETH, (*LOGS, "-f"))]) as (following,):
        fault(private.engine)
        eventually(lambda: following.seen["stdout"].count(b'"line":"9"') == 2, timeout=60)
        private.run("stop", "-p", "p")
        result = following.result()
    assert result.code == 0, str(result)
    assert entries(result) == entries(private.run(*LOGS, "--json")), "none twice, none lost"


@pytest.mark.alone
def test_logs_end_with_an_engine_that_stays_away_and_go_on_from_there(
    private: Private, make: Callable[..., Site]
) -> None:
    private.run(*make("p", COUNTING).up())
    with held(private.run, [(TWENTIETH, (*LOGS, "-f"))]) as (following,):
        private.engine.crash()
        result = following.result()
    assert result.code == 4
    assert result.error["code"] == "ENGINE_UNAVAILABLE"
    assert result.seconds < private.run.slow(GIVES_UP)
    private.engine.start()
    rest = private.run(*LOGS, "--json", "--after", result.data["cursor"])
    assert len(entries(result)) >= 20
    assert entries(result) + entries(rest) == entries(private.run(*LOGS, "--json"))


@FAULTS
def test_a_watch_shows_the_truth_around_the_engine(
    private: Private, make: Callable[..., Site], fault: Fault
) -> None:
    private.run(*make("p").up())
    words = ("status", "-p", "p", "--watch", "--interval", "0.1")
    with held(private.run, [('"type":"status"', words)]) as (watching,):
        fault(private.engine)
        eventually(lambda: b'"state":"stopped"' in watching.seen["stdout"], timeout=60)
        watching.process.send_signal(signal.SIGTERM)
        result = watching.result()
    assert result.code == 143
    *ticks, _ = result.lines
    # A look may have been answered only once the engine was there again.
    assert {t["error"]["code"] for t in ticks if t["error"]} <= {"ENGINE_UNAVAILABLE"}
    assert {p["state"] for t in ticks for p in t["projects"]} == {"running", "stopped"}
    assert ticks[-1]["projects"][0]["exit"]["reason"] == "stopped"
