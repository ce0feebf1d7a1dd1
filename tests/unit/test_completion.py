"""What completion answers: from the table alone, from an engine, and where something is wrong."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tree_sitter
import tree_sitter_powershell

from debughost_cli import completion
from debughost_cli.cli.commands import COMMANDS
from debughost_cli.cli.completion_table import completion_table, to_text
from debughost_cli.completion.answer import answer

from .fault_server import Server

ROOT = Path(completion.__file__).parents[2]
WRITE = "run scripts/completions"


@pytest.fixture(autouse=True)
def _no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith(("DEBUGHOST_", "DOCKER_"))]:
        monkeypatch.delenv(name)
    for name in ("COMP_TYPE", "COMP_WORDBREAKS", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nothing.sock")


def words(*typed: str, shell: str = "fish") -> list[str]:
    """The words of an answer, without what they are."""
    return [line.partition("\t")[0] for line in answer(shell, typed)][1:]


def first_line(*typed: str) -> str:
    return next(answer("fish", typed))


# Files


def test_the_table_is_current() -> None:
    kept = (ROOT / "debughost_cli/completion/table.json").read_text("utf-8")
    assert kept == to_text(completion_table()) + "\n", WRITE


@pytest.mark.parametrize("shell", completion.SCRIPTS)
def test_the_scripts_in_completions_are_current(shell: str) -> None:
    kept = (ROOT / "completions" / completion.SCRIPTS[shell]).read_text("utf-8")
    assert kept == completion.script(shell), WRITE


def test_there_is_a_script_for_each_file() -> None:
    assert {p.name for p in (ROOT / "completions").iterdir()} == set(completion.SCRIPTS.values())


def test_the_script_for_powershell_is_valid() -> None:
    language = tree_sitter.Language(tree_sitter_powershell.language())
    tree = tree_sitter.Parser(language).parse(completion.script("pwsh").encode())
    assert not tree.root_node.has_error


# What does not change


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (["rest"], ["restart"]),
        (["--json", "rest"], ["restart"]),
        (["-H", "unix:///x", "-q", "rest"], ["restart"]),
        (["vol"], ["volumes"]),
        (["volumes", ""], ["ls", "prune"]),
        (["volumes", "--json", "p"], ["prune"]),
        (["volumes", "nope", ""], []),
        (["nope", ""], []),
        (["d"], ["debug-config", "doctor", "down"]),
        (["help", "ev"], ["events"]),
        (["help", "network", ""], ["ensure", "inspect", "rm"]),
        (["help", "up", ""], []),
        (["doctor", ""], []),
        (["up", "--type", ""], ["node", "php", "python", "static"]),
        (["up", "--type=no"], ["--type=node"]),
        (["up", "--pull", ""], ["always", "missing", "never"]),
        (["up", "--restart", "on"], ["on-failure"]),
        (["up", "--port", ""], ["auto", "none"]),
        (["up", "--cpus", ""], []),
        (["images", "build", "node", "p"], ["php", "python"]),
        (["logs", "--stream", ""], ["stderr", "stdout"]),
        (["status", "--sort", "c"], ["cpu"]),
        (["ps", "--sort", "c"], ["cpu"]),
        (["wait", "--for", "h"], ["healthy", "http", "http="]),
        (["guide", "--format", ""], ["agents", "skill", "text"]),
        (["debug-config", ""], ["jetbrains", "neovim", "vscode"]),
        (["debug-config", "vscode", ""], []),
        (["completion", "p"], ["powershell", "pwsh"]),
        (["schema", "net"], ["network"]),
        (["config", "set", "isol"], ["isolated"]),
        (["config", "set", "isolated", ""], ["false", "true"]),
        (["config", "set", "type", "s"], ["static"]),
        (["config", "set", "nope", ""], []),
        (["config", "set", "--", "isolated", "t"], ["true"]),
        (["config", "set", "shared"], []),
        (["-c", ""], ["default"]),
        (["--context=d"], ["--context=default"]),
        (["rm", "--vol"], ["--volumes"]),
        (["rm", "--volumes", "--vol"], []),
        (["rm", "--nope=", "--vol"], ["--volumes"]),
        (["up", "--no-w"], ["--no-wait"]),
        (["up", "--wait", "--no-w"], []),
        (["up", "-e", "A=1", "--en"], ["--engine", "--env", "--env-file"]),
        (["--vers"], ["--version"]),
        (["up", "--vers"], []),
        ([], sorted([*COMMANDS, "down", "help", "ls", "ps"])),
    ],
)
def test_words_of_the_table(typed: list[str], expected: list[str]) -> None:
    assert words(*typed) == expected


def test_a_command_has_its_help() -> None:
    assert f"stop\t{COMMANDS['stop'][1]}" in list(answer("fish", ["sto"]))
    assert "down\tAs rm." in list(answer("fish", ["down"]))


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (["up", "--env-file", ""], "files"),
        (["up", "--env-file=x"], "files"),
        (["up", "-w", ""], "folders"),
        (["config", "show", "--workspace=x"], "folders"),
        (["exec", "npm"], "files"),
        (["exec", "--workdir", ""], "words"),
        (["run", "--", ""], "files"),
        (["run", "ls", "--typ"], "files"),
        (["up", "-e", "A=1", "npm", ""], "files"),
        (["init", "--from-compose", ""], "files"),
        (["wait", "--for", "log"], "nospace"),
        (["config", "set", "ports"], "nospace"),
        (["rest"], "words"),
    ],
)
def test_what_the_shell_does_with_them(typed: list[str], expected: str) -> None:
    assert first_line(*typed) == expected


def test_each_shell_gets_them_in_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    assert words("up", "--type", "=", "no", shell="bash") == ["node"]
    assert words("up", "--type", "=", shell="bash") == ["node", "php", "python", "static"]
    assert words("up", "--type", '"no', shell="bash") == ["node"]
    assert words("up", "--typ.", shell="powershell") == ["--type"]
    assert words("up", "--type", ".", shell="powershell") == ["node", "php", "python", "static"]
    assert "healthy" in words("wait", "--for", "", shell="zsh")
    several = list(answer("bash", ["st"]))
    assert several[1].startswith("start   (Bring existing projects up")
    assert list(answer("bash", ["sta"]))[1].startswith("start   (")
    monkeypatch.setenv("COMP_TYPE", "42")  # Inserts them all.
    assert list(answer("bash", ["st"])) == ["words", "start", "status", "stop"]
    monkeypatch.setenv("COMP_TYPE", "9")
    monkeypatch.setenv("COLUMNS", "40")
    assert all(len(line) <= 40 for line in answer("bash", ["st"]))
    monkeypatch.setenv("COMP_WORDBREAKS", " ")
    assert words("up", "--type=no", shell="bash") == ["--type=node"]


def test_helps_are_plain_text() -> None:
    assert to_text(completion_table()).isascii()
    assert "\\u" not in to_text(completion_table())


# What an engine has


def container(project: str, state: str = "running", **labels: str) -> dict[str, Any]:
    ours = {"debug-host.managed": "true", "debug-host.project": project, "debug-host.type": "node"}
    more = {f"debug-host.{n}": value for n, value in {"service": "", **labels}.items()}
    return {"Id": project, "State": state, "Labels": ours | more}


CONTAINERS = [
    container("shop", workspace="/home/me/shop"),
    container("shop", service="db", role="service", workspace="/home/me/shop"),
    container("shop", "exited", role="run"),
    container("old", "exited"),
    container("half", "exited"),
    container("half", service="cache", role="service"),
    container("api", "paused", role="main", workspace="/home/me/api"),
    container("one-off", role="run"),
]


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """An engine with these containers, and volumes of one that has no container."""

    def script(method: str, path: str) -> Any:
        assert method == "GET"
        assert "label" in path
        if path.startswith("/volumes"):
            owned = [{"Labels": {"debug-host.project": p}} for p in ("shop", "gone")]
            return 200, {"Volumes": owned}
        return 200, CONTAINERS

    with Server(tmp_path / "engine.sock", script) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("DOCKER_HOST", server.url)
        yield server
        server.shutdown()


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (["status", ""], ["api", "half", "old", "shop"]),
        (["stop", ""], ["api", "half", "shop"]),
        (["start", ""], ["half", "old"]),
        (["stop", "shop", ""], ["api", "half"]),
        (["stop", "-p", "shop", "-p", ""], ["api", "half"]),
        (["stop", "-pshop", ""], ["api", "half"]),
        (["exec", "--project=sh"], ["--project=shop"]),
        (["up", "-p", "o"], ["old"]),
        (["down", "o"], ["old"]),
        (["rename", "-p", "o"], ["old"]),
        (["rename", ""], []),
        (["volumes", "prune", "-p", ""], ["gone"]),
        (["logs", "--service", ""], ["cache", "db"]),
        (["logs", "shop", "--service", ""], ["db"]),
        (["exec", "-p", "half", "--service", ""], ["cache"]),
        (["logs", "old", "--service", ""], []),
        (["shell", "--service=d"], ["--service=db"]),
    ],
)
def test_words_of_an_engine(typed: list[str], expected: list[str]) -> None:
    assert words(*typed) == expected


@pytest.mark.usefixtures("served")
def test_a_project_is_shown_with_its_type_and_state() -> None:
    assert list(answer("fish", ["status", ""])) == [
        "words", "api\tnode, paused", "half\tnode, exited", "old\tnode, exited",
        "shop\tnode, running",
    ]  # fmt: skip


@pytest.mark.usefixtures("served")
def test_services_are_those_of_the_project_of_this_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "shop" / "src"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    monkeypatch.setitem(CONTAINERS[0]["Labels"], "debug-host.workspace", str(here.parent))
    assert words("logs", "--service", "") == ["db"]


HOSTILE = [
    "$(touch /tmp/x)", "`id`", "a;b", "a b", "a\nb", "a'b", 'a"b', "a\x1b[31m", "é", "a|b", "a>b",
    "*", "~", "a\\b", "a&b", "", "a#b", "a!b", "a{b,c}",
]  # fmt: skip


def test_a_hostile_label_is_left_out(served: Server) -> None:
    bad = [container(text, service=text, role="service", type=text) for text in HOSTILE]
    served.script = lambda *_: (200, [*bad, container("ok", type="$(id)", service="db")])
    assert list(answer("fish", ["status", ""])) == ["words", "ok\trunning"]
    assert words("logs", "ok", "--service", "") == ["db"]


def test_a_state_that_no_engine_has_is_shown_as_plain_text(served: Server) -> None:
    served.script = lambda *_: (200, [container("ok", "\x1b[31mrun\tning\n")])
    assert list(answer("fish", ["status", ""]))[1:] == ["ok\tnode, ?[31mrun?ning?"]


def context(folder: Path, name: str, host: str) -> None:
    digest = hashlib.sha256(name.encode()).hexdigest()
    place = folder / "docker/contexts/meta" / digest
    place.mkdir(parents=True)
    meta = {"Name": name, "Endpoints": {"docker": {"Host": host}}}
    (place / "meta.json").write_text(json.dumps(meta))


def test_contexts_and_the_engine_that_is_meant(
    tmp_path: Path, served: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    context(tmp_path, "work", served.url)
    context(tmp_path, "$(id)", served.url)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nothing.sock")
    assert words("-c", "") == ["default", "work"]
    for option in (["-c", "work"], ["--context=work"], ["-cwork"], ["--host", served.url]):
        assert words(*option, "stop", "s") == ["shop"]
        assert words("stop", *option, "s") == ["shop"]
    monkeypatch.delenv("DOCKER_HOST")
    for name in ("DOCKER_CONTEXT", "DEBUGHOST_CONTEXT"):
        monkeypatch.setenv(name, "work")
        assert words("stop", "s") == ["shop"]
        monkeypatch.delenv(name)
    monkeypatch.setenv("DEBUGHOST_HOST", served.url)
    assert words("stop", "s") == ["shop"]


def test_an_engine_on_this_machine_may_be_reached_by_tcp() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                body = json.dumps([container("shop")])
                connection.sendall(f"HTTP/1.0 200 OK\r\n\r\n{body}".encode())

        thread = threading.Thread(target=serve)
        thread.start()
        assert words("-H", f"tcp://127.0.0.1:{listening.getsockname()[1]}", "stop", "") == ["shop"]
        thread.join(5)


# The program itself


def complete(*typed: str, **environ: str) -> tuple[subprocess.CompletedProcess[str], float]:
    """What a script gets, and after how many seconds."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "debughost_cli", "__complete", "fish", *typed],
        capture_output=True, text=True, check=False, cwd=ROOT, env=os.environ | environ,
    )  # fmt: skip
    return done, time.monotonic() - began


@pytest.mark.parametrize(
    "host",
    [
        "unix:///nowhere/engine.sock", "ssh://nobody@192.0.2.1", "tcp://192.0.2.1:2375",
        "https://192.0.2.1:2376", "nonsense", "unix:///dev/null",
    ],
)  # fmt: skip
def test_without_an_engine_the_answer_is_empty(host: str) -> None:
    done, seconds = complete("stop", "", DOCKER_HOST=host)
    assert (done.returncode, done.stdout, done.stderr) == (0, "words\n", "")
    assert seconds < 5  # Connecting to another machine would time out later.


def test_an_unknown_context_is_silent() -> None:
    done, _ = complete("-c", "nowhere", "stop", "")
    assert (done.returncode, done.stdout, done.stderr) == (0, "words\n", "")


def test_an_engine_that_hangs_is_not_waited_for(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "hung.sock"))
        listening.listen()
        done, seconds = complete("stop", "", DOCKER_HOST=f"unix://{tmp_path}/hung.sock")
        assert (done.returncode, done.stdout, done.stderr) == (0, "words\n", "")
        assert seconds < 5


def test_an_answer_that_never_ends_is_not_waited_for(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "drip.sock"))
        listening.listen()

        def drip() -> None:
            connection, _ = listening.accept()
            with connection:
                for _ in range(200):
                    try:
                        connection.sendall(b"HTTP/1.0 200 OK\r\n")
                    except OSError:
                        return
                    time.sleep(0.05)

        thread = threading.Thread(target=drip)
        thread.start()
        done, seconds = complete("stop", "", DOCKER_HOST=f"unix://{tmp_path}/drip.sock")
        assert (done.stdout, done.stderr) == ("words\n", "")
        assert seconds < 5
        thread.join(20)


@pytest.mark.parametrize("answer_", [(500, {"message": "x"}), (200, b"{"), (200, {"a": 1}), None])
def test_an_engine_that_answers_otherwise_is_silent(served: Server, answer_: Any) -> None:
    served.script = lambda *_: answer_
    done, _ = complete("stop", "", DOCKER_HOST=served.url)
    assert (done.returncode, done.stdout, done.stderr) == (0, "words\n", "")


@pytest.mark.parametrize("typed", [[], ["--context"], ["up", "--type", "--", "\udce4"]])
def test_any_line_is_answered(typed: list[str]) -> None:
    done, _ = complete(*typed)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_script_of_an_earlier_version_gets_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "debughost_cli"], capture_output=True, check=False, cwd=ROOT,
        env=os.environ | {"_DEBUGHOST_COMPLETE": "complete_bash"},
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


LOADED = """
import sys
sys.argv[1:] = ["__complete", "fish", {typed}]
from debughost_cli.__main__ import script
script()
print(*sys.modules)
"""


@pytest.mark.parametrize(
    ("typed", "without"),
    [
        ('"st"', {"typer", "msgspec", "socket", "docker", "requests", "http.client"}),
        ('"stop", ""', {"typer", "docker", "requests", "http.client", "rich", "asyncio"}),
        ('"-c", ""', {"typer", "docker", "requests", "socket"}),
    ],
)
def test_completion_loads_no_more_than_it_needs(typed: str, without: set[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED.replace("{typed}", typed)],
        capture_output=True, text=True, cwd=ROOT, check=True,
    )  # fmt: skip
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "debughost_cli.completion.answer" in loaded
    assert not loaded & without
    assert not {m for m in loaded if m.startswith("debughost_cli.cli")}
