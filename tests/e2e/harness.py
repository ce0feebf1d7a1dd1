"""Running the installed program, and looking at the engine and the pages behind its back."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import docker
from contract_codes import EXITS
from docker.errors import APIError, NotFound

T = TypeVar("T")

UID = 12345
"""Owns workspaces where the tests run as root: nobody of the machine, and nobody of an image."""
PROJECT = "debug-host.project"
USUAL_START = 0.2
"""Seconds that ``debughost --version`` takes at most where nothing else runs."""
ENVELOPE = {
    "schema_version", "ok", "command", "changed", "data", "warnings", "error", "next", "engine",
    "duration_ms",
}  # fmt: skip
ERROR = {"code", "message", "hint", "retryable", "details"}
P = {
    "project", "type", "state", "ready", "health", "url", "port", "ports", "services", "workspace",
    "command", "container", "created_at", "started_at", "uptime_seconds", "restart_count", "stats",
    "exit", "drift", "drift_unknown", "dependencies", "flags", "memory_limit_bytes", "not_ready",
    "sync", "swarm", "engine", "url_host",
}  # fmt: skip
UPLOADED = ("app",) if os.environ.get("DEBUGHOST_TEST_SOCKET") else ()
"""The volume of a workspace that the engine does not see, as on that of scripts/engine-beside."""
SSH = str(Path(shutil.which("ssh") or "/usr/bin/ssh").parent)
"""For the PATH of a user who has little else: the engine may be behind it."""
EXEC_REFUSED = (125, 126, 127)
"""As ``docker exec`` ends where the command could not be run."""


def program() -> Path:
    """The installed program: ``DEBUGHOST_BIN``, else the one beside this Python."""
    named = os.environ.get("DEBUGHOST_BIN")
    return Path(named) if named else Path(sys.executable).with_name("debughost")


def environment(state: Path) -> dict[str, str]:
    """The user's environment without what steers the program, and with locks of our own.

    Containers trust what this machine trusts, so that the tests work behind a company's proxy.
    """
    kept = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith(("DEBUGHOST_", "PYTHON", "PYTEST_", "COV_"))
        and k not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")
    }
    bundle = os.environ.get("DEBUGHOST_CA_BUNDLE", "/etc/ssl/certs/ca-certificates.crt")
    if Path(bundle).is_file():
        kept["DEBUGHOST_CA_BUNDLE"] = bundle
    return kept | {"XDG_STATE_HOME": str(state)}


@dataclass(frozen=True)
class Result:
    """What one run of the program came to."""

    args: tuple[str, ...]
    code: int
    stdout: bytes
    stderr: bytes
    seconds: float
    is_json: bool = False

    @property
    def out(self) -> str:
        return self.stdout.decode()

    @property
    def err(self) -> str:
        return self.stderr.decode()

    @cached_property
    def lines(self) -> list[dict[str, Any]]:
        """A stream's documents, each on a line of its own."""
        return [json.loads(line) for line in self.out.splitlines()]

    @cached_property
    def document(self) -> dict[str, Any]:
        """The one document, checked against the contract's envelope."""
        return check_document(self.out, self.code)

    @property
    def own_seconds(self) -> float:
        """What it took by the program's own clock, whatever else this machine is busy with."""
        return self.document["duration_ms"] / 1000

    @property
    def data(self) -> dict[str, Any]:
        return self.document["data"]

    @property
    def project(self) -> dict[str, Any]:
        """The only project of the answer."""
        (found,) = self.data["projects"]
        return found

    @property
    def error(self) -> dict[str, Any]:
        found = self.document["error"]
        assert found is not None, f"no error: {self}"
        return found

    def __str__(self) -> str:
        return f"debughost {' '.join(self.args)} -> {self.code}\n{self.out}\n{self.err}"


def check_document(text: str, code: int) -> dict[str, Any]:
    """Exactly one document on stdout, with just the contract's keys, and fitting ``code``."""
    lines = text.splitlines()
    assert lines, f"nothing on stdout (exit {code})"
    made = json.loads(lines[-1])
    if made.pop("type", None) != "result":
        made = json.loads(text)
    assert set(made) == ENVELOPE
    assert made["schema_version"] == 1
    assert made["ok"] is (made["error"] is None)
    assert isinstance(made["duration_ms"], int)
    if made["engine"] is not None:
        assert set(made["engine"]) == {"endpoint", "source", "version"}
    assert all(set(w) == {"code", "message"} for w in made["warnings"])
    if made["error"] is not None:
        check_error(made["error"], code)
    for project in made["data"].get("projects", []):
        if isinstance(project, dict):
            assert set(project) >= P
    return made


def check_error(error: dict[str, Any], code: int) -> None:
    """All keys, a code that belongs to the exit code, and a way out."""
    assert set(error) == ERROR
    interrupted = code in (130, 143)
    assert code in EXEC_REFUSED or error["code"] in EXITS[130 if interrupted else code]
    assert error["message"]
    assert isinstance(error["details"], dict)
    assert isinstance(error["retryable"], bool)
    if not interrupted:
        assert error["hint"], f"no hint: {error}"


@dataclass(frozen=True)
class Program:
    """The program with the environment that it is run in. ``prefix`` goes before it (nsenter)."""

    env: Mapping[str, str]
    prefix: tuple[str, ...] = ()

    def __call__(
        self,
        *args: str | Path,
        check: bool | int = True,
        env: Mapping[str, str | None] | None = None,
        cwd: Path | None = None,
        prefix: Sequence[str] = (),
        timeout: float = 120,
        validate: bool = True,
    ) -> Result:
        """Runs it. ``check``: True for exit code 0, a number for that one, False for any."""
        words = tuple(map(str, args))
        own = words[: words.index("--")] if "--" in words else words
        variables = self._environment(env)
        began = time.monotonic()
        done = subprocess.run(
            [*prefix, *self.prefix, program(), *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=variables,
            cwd=cwd,
            timeout=timeout,
            check=False,
        )
        is_json = "--json" in own or variables.get("DEBUGHOST_OUTPUT") == "json"
        took = time.monotonic() - began
        result = Result(words, done.returncode, done.stdout, done.stderr, took, is_json)
        if check is not False:
            assert result.code == (0 if check is True else int(check)), str(result)
        assert b"Traceback" not in result.stderr, str(result)
        if is_json and validate:
            assert result.document
        return result

    def start(
        self,
        *args: str | Path,
        env: Mapping[str, str | None] | None = None,
        cwd: Path | None = None,
    ) -> subprocess.Popen[bytes]:
        """Starts it without waiting."""
        return subprocess.Popen(
            [*self.prefix, program(), *map(str, args)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PYTHONFAULTHANDLER": "1", **self._environment(env)},
            cwd=cwd,
        )

    def at_once(self, runs: Sequence[Sequence[str | Path]]) -> list[Result]:
        """Several runs at the same time, each with --json."""
        began = time.monotonic()
        started = [(args, self.start(*args, "--json")) for args in runs]
        results = []
        for args, process in started:
            out, err = process.communicate(timeout=120)
            words = tuple(map(str, args))
            took = time.monotonic() - began
            results.append(Result(words, process.returncode, out, err, took, True))
        return results

    def send(self, project: str) -> None:
        """What was saved in the workspace is in the container then, where that does not see it."""
        if UPLOADED:
            self("sync", "--once", "-p", project)

    def fetch(self, project: str) -> None:
        """What was written in the container is in the workspace then, where it was not at once."""
        if UPLOADED:
            self("pull", "-p", project)

    def image(self, type_: str) -> str:
        """The base image of a type."""
        images = self("images", "ls", "--json").data["images"]
        return next(str(i["ref"]) for i in images if i["type"] == type_)

    def slow(self, seconds: float) -> float:
        """What ``seconds`` of an idle machine are on this one, as busy as it is now."""
        began = time.monotonic()
        subprocess.run(
            [program(), "--version"], env=dict(self.env), capture_output=True, check=True
        )
        opening_ssh = 0.5 if UPLOADED else 0.0
        return (seconds + opening_ssh) * max(1.0, (time.monotonic() - began) / USUAL_START)

    def _environment(self, extra: Mapping[str, str | None] | None) -> dict[str, str]:
        merged = {**self.env, **(extra or {})}
        return {k: v for k, v in merged.items() if v is not None}


@dataclass
class Eye:
    """The engine seen without the program."""

    client: docker.APIClient

    def containers(self, project: str) -> list[dict[str, Any]]:
        """A project's containers, whatever their state."""
        return self.client.containers(all=True, filters={"label": f"{PROJECT}={project}"})

    def inspect(self, project: str) -> dict[str, Any]:
        """The project's only container."""
        (found,) = self.containers(project)
        return self.client.inspect_container(found["Id"])

    def volumes(self, project: str) -> list[dict[str, Any]]:
        found = self.client.volumes(filters={"label": f"{PROJECT}={project}"})
        return found["Volumes"] or []

    def everything(self, project: str) -> tuple[list[str], list[str]]:
        """Names of all that a project has on the engine."""
        containers = sorted(c["Id"] for c in self.containers(project))
        return containers, sorted(v["Name"] for v in self.volumes(project))

    def exec(self, project: str, *command: str) -> tuple[int, str]:
        """Runs a command in the container as its user; its code and output.

        docker-py's own ``exec_start`` now and then loses the first bytes: it has the connection
        upgraded, and reads past what came together with the answer's head.
        """
        made = self.client.exec_create(self.inspect(project)["Id"], list(command))["Id"]
        url = self.client._url("/exec/{0}/start", made)
        frames = self.client._post_json(url, {"Detach": False, "Tty": False}).content
        out = b""
        while frames:
            end = 8 + int.from_bytes(frames[4:8], "big")
            out, frames = out + frames[8:end], frames[end:]
        return self.client.exec_inspect(made)["ExitCode"], out.decode()

    def read(self, project: str, *command: str) -> bytes:
        """What a command in the only container of a project prints."""
        (found,) = self.containers(project)
        made = self.client.exec_create(found["Id"], list(command))
        return bytes(self.client.exec_start(made))

    def touch(self, project: str, file: Path) -> None:
        """An empty file at the top of the workspace that the program sees at once."""
        if not UPLOADED:
            file.touch()
            return
        made = self.client.exec_create(self.inspect(project)["Id"], ["touch", f"/app/{file.name}"])
        self.client.exec_start(made["Id"], detach=True)

    def logs(self, project: str) -> str:
        return self.client.logs(self.inspect(project)["Id"]).decode()

    def remove(self, project: str) -> None:
        """Takes away all of a project."""
        for container in self.containers(project):
            with suppress(APIError, NotFound):
                self.client.remove_container(container["Id"], force=True, v=True)
        for volume in self.volumes(project):
            with suppress(APIError, NotFound):
                self.client.remove_volume(volume["Name"], force=True)
        for network in self.client.networks(filters={"label": f"{PROJECT}={project}"}):
            with suppress(APIError, NotFound):
                self.client.remove_network(network["Id"])

    def sweep(self, prefix: str) -> None:
        """Takes away all projects whose id begins with ``prefix``."""
        listed = self.client.containers(all=True, filters={"label": PROJECT})
        labels = [c["Labels"] or {} for c in listed]
        found = self.client.volumes(filters={"label": PROJECT})["Volumes"] or []
        labels += [v["Labels"] or {} for v in found]
        for project in {v[PROJECT] for v in labels}:
            if project.startswith(prefix):
                self.remove(project)


def is_desktop(client: docker.APIClient) -> bool:
    """True for engines that map users by themselves: rootless ones and Docker Desktop."""
    info = client.info()
    options = " ".join(info.get("SecurityOptions") or [])
    return "rootless" in options or "Docker Desktop" in info.get("OperatingSystem", "")


def fetch(url: str, timeout: float = 5) -> tuple[int, str]:
    """Status and body of a page."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code, exc.read().decode()


def body(url: str) -> str:
    """The page's text; empty where nobody answers soon."""
    try:
        return fetch(url, timeout=2)[1]
    except OSError:
        return ""


def eventually(look: Callable[[], T], timeout: float = 10, pause: float = 0.05) -> T:
    """The first true answer of ``look``; fails after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"did not come true within {timeout} s"
        time.sleep(pause)


def write(folder: Path, files: Mapping[str, str]) -> Path:
    """A workspace with ``files``, owned by UID where that can be arranged."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    own(folder)
    return folder


def own(folder: Path) -> None:
    """Gives a folder and all that is in it to UID."""
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.lchown(path, UID, UID)


def owner(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_uid, found.st_gid


def listing(folder: Path) -> dict[str, tuple[int, int, int, bytes]]:
    """All that is in a folder: owner, group, mode and content of each entry."""
    return {
        str(p.relative_to(folder)): (
            *owner(p), p.lstat().st_mode, p.read_bytes() if p.is_file() else b"",
        )
        for p in (folder, *folder.rglob("*"))
    }  # fmt: skip


@contextmanager
def listener(port: int = 0) -> Iterator[int]:
    """This very process listens on a port of 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port))
        server.listen()
        yield server.getsockname()[1]


def free_port(first: int, last: int) -> int:
    """A port of a range that nobody listens on now, chosen at random."""
    import random

    for port in random.sample(range(first, last + 1), 200):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port")


def finish(process: subprocess.Popen[bytes], timeout: float = 60) -> tuple[int, str, str]:
    """Waits for a started program; its exit code and what it still had to say."""
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        # Python's fault handler then writes where each thread is.
        process.send_signal(signal.SIGABRT)
        out, err = process.communicate()
        said = f"{out.decode()}\n{err.decode()}"
        raise AssertionError(f"{process.args!r} did not end in {timeout} s:\n{said}") from None
    return process.returncode, out.decode(), err.decode()
