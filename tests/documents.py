"""The JSON documents of every command over the fake engine, with what differs each time replaced.

``PYTHONPATH=.:tests python tests/documents.py FOLDER`` records them; the tests compare those of
today with those in ``tests/data/documents``, which version 0.1.0 printed.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cli.conftest import App, node_project
from fakes import FakeEngine, exits, install_fails, listens, never_listens

Prepare = Callable[[App, FakeEngine], object]

_REPLACED = [
    (re.compile(r"\d{8}T\d{9}Z"), "TIMESTAMP"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "TIME"),
    (re.compile(r"tcp://localhost:\d+"), "ENDPOINT"),
    (re.compile(r"[0-9a-f]{64}"), "ID"),
    (re.compile(r"(debug-host/\w+):[0-9a-f]{12}"), r"\1:TAG"),
    (re.compile(r"--after \S+"), "--after CURSOR"),
]
_NUMBERS = {"duration_ms", "uptime_seconds", "cpu_percent"}
_TEXTS = {"cursor"}


GROUPS = ("network", "volumes", "images", "engines", "config", "mcp")


@dataclass(frozen=True)
class Case:
    """A command line, and what has happened before it."""

    name: str
    argv: tuple[str, ...]
    prepare: Prepare = lambda app, engine: None

    @property
    def command(self) -> str:
        """The command, for a group with its subcommand."""
        return " ".join(self.argv[: 2 if self.argv[0] in GROUPS else 1])


CASES: list[Case] = []


def case(name: str, line: str, *steps: str | Prepare) -> None:
    """``steps``: command lines that are run before, and functions of the program and its engine."""

    def prepare(app: App, engine: FakeEngine) -> None:
        for step in steps:
            app(*step.split()) if isinstance(step, str) else step(app, engine)

    CASES.append(Case(name, tuple(line.split()), prepare))


def program(made: Any) -> Prepare:
    """What containers do from now on."""
    return lambda app, engine: setattr(engine, "program", made)


def crash(app: App, engine: FakeEngine) -> None:
    engine.crash(engine.container("shop").id, 3)


def write(app: App, engine: FakeEngine) -> None:
    engine.write_log(engine.container("shop").id, "one", "two", "three")


def other_project(app: App, engine: FakeEngine) -> None:
    app("up", "-w", str(node_project(Path.cwd().parent / "blog")))


def own_engines(app: App, engine: FakeEngine) -> None:
    file = Path(os.environ["XDG_CONFIG_HOME"], "debughost", "config.toml")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text('[engines]\nbuild = "ssh://me@build"\n')


def bad_file(app: App, engine: FakeEngine) -> None:
    Path("debughost.toml").write_text("prot = 1\n")


def good_file(app: App, engine: FakeEngine) -> None:
    Path("debughost.toml").write_text('memory = "1g"\nport = 3111\n[env]\nSECRET = "x"\n')


def interrupt_soon(app: App, engine: FakeEngine) -> None:
    threading.Timer(0.6, os.kill, (os.getpid(), signal.SIGINT)).start()


def known_engine(app: App, engine: FakeEngine) -> None:
    from debughost_cli.services.known_engines import check_known

    check_known(FakeEngine(endpoint="ssh://build", known_as="context build"))


def foreign_network(app: App, engine: FakeEngine) -> None:
    engine.add_network("debug-host-network", "10.1.0.0/16")


def foreign_port(app: App, engine: FakeEngine) -> None:
    engine.add_foreign("web", 3456)


def base_in_registry(app: App, engine: FakeEngine) -> None:
    from debughost_cli.models import ProjectType
    from debughost_cli.services.base_images import default_base

    for type_ in ProjectType:
        engine.add_image(default_base(type_), registry=True)


case("created", "up")
case("config", "debug-config", "up --debug")
case("editor", "debug-config jetbrains", "up --debug")
case("none", "debug-config", "up")
case("unchanged", "up", "up")
case("started", "up", "up", "stop")
case("recreated", "up --recreate", "up")
case("changed", "up -e A=1 --memory 1g -- node server.js", "up")
case("plan of a new one", "up --dry-run")
case("plan of a changed one", "up --dry-run -e A=1 --memory 1g", "up")
case("not waited for", "up --no-wait")
case("configured", "up", good_file)
case("unknown option", "up --bogus")
case("unknown type", "up --type ruby")
case("port in use", "up --port 3456", foreign_port)
case("reserved port", "up --port 2650")
case("no image", "up --image nope:1")
case("crashed", "up", program(exits(3, "no such file", "giving up")))
case("not ready", "up --wait-timeout 0.05", program(never_listens()))
case("install failed", "up", program(install_fails()))
case("invalid file", "up", bad_file)
case("started", "start -p shop", "up", "stop")
case("not found", "start -p nobody")
case("stopped", "stop", "up")
case("stopped already", "stop", "up", "stop")
case("several", "stop --all", "up", other_project)
case("one of several", "stop -p shop -p nobody", "up")
case("not found", "stop -p nobody")
case("invalid id", "stop -p No_Id!")
case("restarted", "restart", "up")
case("not found", "restart -p nobody", "up")
case("crashed", "restart", "up", program(exits(1)))
case("removed", "rm", "up")
case("with volumes", "rm --volumes", "up")
case("plan", "rm --dry-run --volumes", "up")
case("all", "rm --all --yes", "up", other_project)
case("unconfirmed", "rm --all", "up")
case("orphans of another machine", "rm --orphans", "up")
case("not found", "rm -p nobody")
case("none", "status")
case("running", "status", "up")
case("without stats", "status --no-stats", "up")
case("stopped", "status", "up", "stop")
case("crashed", "status --check", "up", crash)
case("not found", "status -p nobody")
case("watched", "status --watch --interval 0.4", "up", interrupt_soon)
case("lines", "logs", "up", write)
case("last lines", "logs -n 1", "up", write)
case("followed to the end", "logs --follow", "up", write, crash)
case("truncated", "logs --max-bytes 6", "up", write)
case("not found", "logs -p nobody")
case("bad expression", "logs --grep (", "up")
case("ready", "wait", "up")
case("exited", "wait --for exited", "up", crash)
case("not in time", "wait --for exited --timeout 0.05", "up")
case("ended", "wait --for running", "up", crash)
case("unknown condition", "wait --for nothing", "up")
case("not found", "wait -p nobody")
case("output", "exec -- echo hello", "up")
case("exit code", "exec -- false", "up")
case("not running", "exec -- true", "up", "stop")
case("no command", "exec", "up")
case("not found", "exec -p nobody -- true")

case("printed", "open", "up")
case("not found", "open")
case("unknown engine", "move --to nope", "up")
case("renamed", "rename store", "up")
case("not found", "rename store")
case("exists", "rename shop", "up")
case("written", "config set port 3100")
case("unknown", "config set prot 3100")

case("output", "run -- echo hello")
case("exit code", "run -- false", "up")
case("no command", "run")
case("refused", "shell", "up")
case("from the beginning", "events --since 1h", "up", crash, interrupt_soon)
case("not found", "events -p nobody")
case("bad time", "events --since never")
case("on this machine", "sync", "up")
case("not found", "sync -p nobody --once")
case("on this machine", "pull", "up")
case("not found", "pull -p nobody")
case("on this machine", "forward", "up")
case("not found", "forward -p nobody")
case("not running", "forward", "up", "stop")
case("created", "network ensure")
case("exists", "network ensure", "network ensure")
case("conflict", "network ensure", foreign_network)
case("bad subnet", "network ensure --subnet 1")
case("exists", "network inspect", "up")
case("not found", "network inspect")
case("removed", "network rm", "network ensure")
case("in use", "network rm", "up")
case("not found", "network rm")
case("nothing known", "engines forget build")
case("forgotten", "engines forget build", known_engine)
case("some", "volumes ls", "up")
case("none", "volumes ls")
case("pruned", "volumes prune --yes", "up", "rm")
case("plan", "volumes prune --dry-run", "up", "rm")
case("unconfirmed", "volumes prune", "up", "rm")
case("invalid id", "volumes prune -p No_Id!")
case("present", "images ls")
case("missing", "images ls", lambda app, engine: setattr(app, "engine", FakeEngine()))
case("built", "images build node php", base_in_registry)
case("no base", "images build node --base nope:1")
case("unknown type", "images build ruby")
case("pulled", "images pull static", base_in_registry)
case("no base", "images pull static")
case("nothing old", "images prune --yes")
case("none", "engines ls")
case("some", "engines ls", own_engines, "up")
case("all engines", "status --all-engines", own_engines, "up")
case("no engines", "status --all-engines")
case("healthy", "doctor", "up")
case("network conflict", "doctor", foreign_network)
case("invalid file", "doctor", bad_file)
case("written", "init")
case("exists", "init", good_file)
case("detected", "config show")
case("from a file", "config show", good_file)
case("invalid file", "config show", bad_file)
case("no file", "config validate")
case("valid", "config validate", good_file)
case("invalid file", "config validate", bad_file)
case("errors", "schema --errors")
case("commands", "schema --commands")
case("unknown command", "schema bogus")
case("bash", "completion bash")
case("unknown shell", "completion bogus")
case("written", "mcp install claude")
case("again", "mcp install vscode", "mcp install vscode")
case("printed", "mcp install codex --print")
case("unknown client", "mcp install bogus")
case("text", "guide")
case("unknown option", "guide --bogus")


def documents(case: Case, root: Path) -> dict[str, Any]:
    """The exit code and what is printed. ``root`` holds the workspace, the current folder."""
    engine = FakeEngine()
    engine.add_base_images()
    engine.program = listens()
    app = App(engine)
    case.prepare(app, engine)
    split = case.argv.index("--") if "--" in case.argv else len(case.argv)
    run = app(*case.argv[:split], "--json", *case.argv[split:])
    lines = [normalised(json.loads(line), root) for line in run.out.splitlines()]
    # How often a watched status was printed depends on the machine.
    once = [line for line, before in zip(lines, [None, *lines], strict=False) if line != before]
    return {"argv": list(case.argv), "exit_code": run.code, "documents": once}


def normalised(value: Any, root: Path, key: str = "") -> Any:
    """Without times, ids, durations and places, which differ each time."""
    if isinstance(value, dict):
        if value.get("name") == "disk":
            # A check of the machine on which this runs.
            value = value | {"status": "ok", "message": "FREE", "hint": ""}
        return {k: normalised(v, root, k) for k, v in value.items()}
    if isinstance(value, list):
        return [normalised(v, root, key) for v in value]
    if isinstance(value, str):
        text = value.replace(str(root), "ROOT").replace(sys.executable, "PYTHON")
        return key.upper() if key in _TEXTS else _replaced(text)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return 0 if key in _NUMBERS and is_number else value


def _replaced(text: str) -> str:
    for pattern, replacement in _REPLACED:
        text = pattern.sub(replacement, text)
    return text


def _record(folder: Path) -> None:
    found: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for case_ in CASES:
        with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as made:
            root = Path(made).resolve()
            for name in [n for n in os.environ if n.startswith(("DEBUGHOST", "DOCKER_"))]:
                patch.delenv(name)
            patch.setenv("XDG_CONFIG_HOME", str(root / "config"))
            patch.setenv("HOME", str(root / "home"))
            patch.setenv("XDG_STATE_HOME", str(root / "state"))
            patch.chdir(node_project(root / "shop"))
            assert case_.name not in found[case_.command], case_
            found[case_.command][case_.name] = documents(case_, root)
    for command, cases in found.items():
        path = folder / f"{command.replace(' ', '-')}.json"
        path.write_text(json.dumps(cases, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    _record(Path(sys.argv[1]))
