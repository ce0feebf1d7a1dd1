"""Completion in the real shells, at a terminal with a real Tab."""

from __future__ import annotations

import hashlib
import json
import secrets
import shlex
import shutil
import socket
import statistics
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NoReturn

import pytest

from .harness import Eye, Program, write
from .shells import LOAD, SHELLS, Shell
from .workspaces import PAGE

pytestmark = pytest.mark.once

UNKNOWN = "unix:///nowhere/engine.sock"
USUAL_SECONDS = 0.15
"""From Tab to an id, where nothing else runs."""
USUAL_START = 0.04
"""What ``--version`` takes then, which is nearly all Python's own start."""
MARGIN = 2
BASH_COMPLETION = Path("/usr/share/bash-completion/bash_completion")


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, tmp_path: Path, have: None) -> Iterator[Shell]:
    """A fresh shell with what README.md says to put into its start file."""
    with closing(Shell(request.param, tmp_path)) as made:
        assert "rror" not in made.run(LOAD[request.param])
        yield made


@pytest.fixture(scope="session")
def have(installed: Program, unavailable: Callable[[str], NoReturn]) -> None:
    """What these tests need; scripts/shells installs it."""
    for kind in SHELLS:
        if not shutil.which(kind):
            unavailable(kind)
    if not BASH_COMPLETION.is_file():
        unavailable("bash-completion")


@pytest.fixture(scope="session")
def site(run: Program, eye: Eye, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The id of a project that runs, with nothing else of its first half."""
    project = f"s{secrets.token_hex(4)}-site"
    run("up", "-p", project, "-w", write(tmp_path_factory.mktemp("site"), PAGE))
    yield project
    eye.remove(project)


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("rest", "restart "),
        ("--json rest", "restart "),
        ("up --typ", "--type "),
        ("up --type no", "node "),
        ("up --type=no", "--type=node "),
        ("wait --for l", "log="),
        ("logs --stream stdo", "stdout "),
        ("config set debug t", "true "),
        ("volumes pr", "prune "),
        ("help netw", "network "),
        ("-c defa", "default "),
        ("nope x", "x"),
        ("doctor x", "x"),
    ],
)
def test_commands_options_and_values(shell: Shell, typed: str, completed: str) -> None:
    before = f"debughost {typed}".rpartition(" ")[0]
    assert shell.tab(f"debughost {typed}")[0] == f"{before} {completed}"


def test_paths(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "some folder").mkdir()
    (tmp_path / "some.env").touch()
    for option, after in (("--env-file ", "--env-file "), ("--env-file=", "--env-file=")):
        assert shell.tab(f"debughost up {option}some.")[0] == f"debughost up {after}some.env "
    for option in ("-w ", "--workspace="):
        line, _ = shell.tab(f"debughost up {option}so")
        words = shlex.split(line.replace("=", " "))
        assert words[-1] == "some folder/"


def test_several_words_are_listed_with_what_they_are(shell: Shell) -> None:
    shown = shell.listing("debughost volumes ", "Remove the volumes of projects")
    for text in ("ls", "List the dependency volumes", "prune"):
        assert text in shown


@pytest.mark.same_machine("completion asks no engine behind ssh")
def test_ids(shell: Shell, site: str) -> None:
    short = site[:-3]
    for before in ("stop ", "status ", "exec -p ", "logs --project="):
        assert shell.tab(f"debughost {before}{short}")[0] == f"debughost {before}{site} "
    for before in ("start ", "volumes prune -p "):
        assert shell.tab(f"debughost {before}{short}")[0] == f"debughost {before}{short}"


def test_contexts(shell: Shell, tmp_path: Path, eye: Eye, site: str) -> None:
    digest = hashlib.sha256(b"elsewhere").hexdigest()
    folder = tmp_path / ".docker/contexts/meta" / digest
    folder.mkdir(parents=True)
    meta = {"Name": "elsewhere", "Endpoints": {"docker": {"Host": UNKNOWN}}}
    (folder / "meta.json").write_text(json.dumps(meta))
    assert shell.tab("debughost -c else")[0] == "debughost -c elsewhere "
    line = f"debughost -c elsewhere stop {site[:-3]}"
    found, shown = shell.tab(line)
    assert found == line
    assert is_silent(shown, line)


def is_silent(shown: str, line: str) -> bool:
    """Nothing but the bell, and the line itself where the shell draws it again."""
    return shown.replace(line, "").strip("\a $") == ""


@pytest.mark.parametrize("engine", ["none", "hung", "ssh"])
def test_without_an_engine_nothing_is_shown(shell: Shell, engine: str, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "hung.sock"))
        listening.listen()
        host = {"none": UNKNOWN, "hung": f"unix://{tmp_path}/hung.sock", "ssh": "ssh://192.0.2.1"}
        line = f"debughost -H {host[engine]} stop sh"
        shown_line, shown = shell.tab(line)
        assert shown_line == line
        assert is_silent(shown, line)


def test_a_hostile_label_runs_nothing(shell: Shell, eye: Eye, tmp_path: Path, project: str) -> None:
    mark = tmp_path / "mark"
    names = [f"h-$(touch {mark})", f"h-`touch {mark}`", f"h-;touch {mark};", f"h-\n{mark}"]
    made = [labelled(eye, name, project) for name in names]
    try:
        line, shown = shell.tab("debughost status h-")
        assert line == "debughost status h-"
        assert "touch" not in shown.replace(line, "")
        assert not mark.exists()
    finally:
        for container in made:
            eye.client.remove_container(container, force=True)


def labelled(eye: Eye, name: str, project: str) -> str:
    labels = {
        "debug-host.managed": "true", "debug-host.project": name, "debug-host.type": name,
        "debug-host.service": name, "debug-host.workspace": name,
    }  # fmt: skip
    image = eye.client.images(name="debug-host/static")[0]["Id"]
    made: str = eye.client.create_container(image, ["true"], labels=labels)["Id"]
    return made


@pytest.mark.same_machine("completion asks no engine behind ssh")
@pytest.mark.alone
def test_an_id_is_there_at_once(installed: Program, shell: Shell, site: str) -> None:
    typed = f"debughost stop {site[:-3]}"
    shell.tab(typed)
    times, starts = [], []
    for _ in range(9):
        times.append(shell.seconds_until(typed, site[-3:]))
        starts.append(installed("--version").seconds)
    busy = max(1, statistics.median(starts) / USUAL_START)
    assert statistics.median(times) < USUAL_SECONDS * MARGIN * busy, (times, starts)


# As packages and users install it


@pytest.mark.parametrize("shell", SHELLS)
def test_the_scripts_are_valid(shell: str, installed: Program, have: None) -> None:
    script = installed("completion", shell).stdout
    subprocess.run([shell, "-n"], input=script, check=True, timeout=20)


def test_bash_with_bash_completion(tmp_path: Path, have: None) -> None:
    folder = tmp_path / ".local/share/bash-completion/completions"
    with closing(Shell("bash", tmp_path)) as shell:
        folder.mkdir(parents=True)
        shell.run(f"debughost completion bash > {folder}/debughost")
        shell.run(f"source {BASH_COMPLETION}")
        assert shell.tab("debughost rest")[0] == "debughost restart "
        assert shell.tab("debughost up --type=no")[0] == "debughost up --type=node "


def test_zsh_that_has_called_compinit(tmp_path: Path, have: None) -> None:
    with closing(Shell("zsh", tmp_path)) as shell:
        shell.run("mkdir site-functions && debughost completion zsh > site-functions/_debughost")
        shell.run("fpath=($PWD/site-functions $fpath); autoload -Uz compinit && compinit -u")
        assert shell.tab("debughost rest")[0] == "debughost restart "
        assert shell.tab("debughost up --type=no")[0] == "debughost up --type=node "


def test_fish_that_loads_its_completions(tmp_path: Path, have: None) -> None:
    with closing(Shell("fish", tmp_path)) as shell:
        shell.run("mkdir -p .config/fish/completions")
        shell.run("debughost completion fish > .config/fish/completions/debughost.fish")
        shell.run("set -p fish_complete_path $HOME/.config/fish/completions")
        assert shell.tab("debughost rest")[0] == "debughost restart "
