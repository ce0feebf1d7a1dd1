"""Values of variables: in the container's environment, and nowhere else."""

from __future__ import annotations

import os
import secrets
import stat
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from .harness import Eye, Program, Result, write
from .workspaces import PAGE

pytestmark = pytest.mark.once  # what is written where does not depend on the engine

UMASK_0 = ("sh", "-c", 'umask 0; exec "$@"', "sh")
"""Goes before the program, so that its own modes are seen and not the umask's."""


@dataclass
class Watcher:
    """Looks again and again at the words of all processes, and at what is written where."""

    places: tuple[Path, ...] = ()
    commands: set[bytes] = field(default_factory=set)
    files: dict[Path, int] = field(default_factory=dict)
    contents: set[bytes] = field(default_factory=set)
    looks: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        me = os.getpid()
        for entry in os.scandir("/proc"):
            if entry.name.isdigit() and int(entry.name) != me:
                with suppress(OSError):
                    self.commands.add(Path(entry.path, "cmdline").read_bytes())
        for path in (p for place in self.places for p in place.rglob("*")):
            with suppress(OSError):
                self.files[path] = path.lstat().st_mode
                if path.is_file():
                    self.contents.add(path.read_bytes())
        self.looks += 1

    def run(self) -> None:
        while not self._over.is_set():
            self.look()
            time.sleep(0.02)

    def __enter__(self) -> Watcher:
        self._thread = threading.Thread(target=self.run)
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._over.set()
        self._thread.join()

    def said(self) -> bytes:
        return b"\n".join(self.commands | self.contents)


@pytest.fixture
def secret() -> str:
    return f"hush{secrets.token_hex(12)}"


Give = Callable[[Path, str], tuple[tuple[str | Path, ...], dict[str, str]]]


def by_name(folder: Path, secret: str) -> tuple[tuple[str | Path, ...], dict[str, str]]:
    return ("--env", "KEY"), {"KEY": secret}


def by_file(folder: Path, secret: str) -> tuple[tuple[str | Path, ...], dict[str, str]]:
    path = folder.parent / "variables"
    path.write_text(f"KEY={secret}\n")
    return ("--env-file", path), {}


def by_name_in_file(folder: Path, secret: str) -> tuple[tuple[str | Path, ...], dict[str, str]]:
    path = folder.parent / "variables"
    path.write_text("KEY\n")
    return ("--env-file", path), {"KEY": secret}


def by_table(folder: Path, secret: str) -> tuple[tuple[str | Path, ...], dict[str, str]]:
    (folder / "debughost.toml").write_text(f'[env]\nKEY = "{secret}"\n')
    return (), {}


def by_file_of_the_configuration(
    folder: Path, secret: str
) -> tuple[tuple[str | Path, ...], dict[str, str]]:
    (folder / "debughost.toml").write_text('env_file = ".env"\n')
    (folder / ".env").write_text(f"KEY='{secret}'\n")
    return (), {}


WAYS = [by_name, by_file, by_name_in_file, by_table, by_file_of_the_configuration]


def words(*results: Result) -> bytes:
    return b"\n".join(r.stdout + r.stderr for r in results)


@pytest.mark.parametrize("give", WAYS, ids=lambda g: g.__name__)
def test_a_value_is_in_the_environment_and_nowhere_else(
    run: Program, eye: Eye, project: str, tmp_path: Path, secret: str, give: Give
) -> None:
    folder = write(tmp_path / "site", PAGE)
    flags, env = give(folder, secret)
    state = Path(run.env["XDG_STATE_HOME"])
    up = ("up", "-p", project, "-w", folder, *flags)
    with Watcher((state,)) as watcher:
        said = [
            run(*up, "--dry-run", "-v", env=env),
            run(*up, "--verbose", env=env),
            run(*up, "--json", "-v", env=env),
            run("config", "show", cwd=folder, env=env),
            run("config", "show", "--json", cwd=folder, env=env),
            run("config", "validate", "--json", cwd=folder, env=env),
            run("status", "-p", project, "-v", env=env),
            run("status", "-p", project, "--json", env=env),
            run("restart", "-p", project, "-v", "--json", env=env),
            run("logs", "-p", project, "-v", "--json", env=env),
        ]
    assert watcher.looks > 10
    assert any(b"debughost\0up" in c for c in watcher.commands)
    assert secret.encode() not in words(*said)
    assert secret.encode() not in watcher.said()
    found = eye.inspect(project)
    assert f"KEY={secret}" in found["Config"]["Env"]
    labels = [found["Config"]["Labels"], *(v["Labels"] for v in eye.volumes(project))]
    assert secret not in str(labels)
    assert secret not in found["Name"] + str(found["Args"])


def test_a_change_of_a_value_is_seen_and_not_shown(
    run: Program, project: str, tmp_path: Path, secret: str
) -> None:
    folder = write(tmp_path / "site", PAGE | {"debughost.toml": f"[env]\nKEY = '{secret}'\n"})
    run("up", "-p", project, "-w", folder)
    (folder / "debughost.toml").write_text(f"[env]\nKEY = '{secret}2'\n")
    reported = run("status", "-p", project, "--json")
    assert reported.project["drift"] == [{"field": "env.KEY", "want": "set", "have": "other"}]
    plan = run("up", "-p", project, "-w", folder, "--dry-run")
    assert "env.KEY" in plan.out
    again = run("up", "-p", project, "-w", folder, "--json")
    assert again.project["action"] == "recreated"
    assert secret.encode() not in words(reported, plan, again)


def test_no_label_distinguishes_values(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    """What differs with a short secret can be guessed back, however it was digested."""
    folder = write(tmp_path / "site", PAGE)
    seen = []
    for pin in ("0000", "1234"):
        run("up", "-p", project, "-w", folder, "-e", f"PIN={pin}")
        labels = eye.inspect(project)["Config"]["Labels"]
        varying = ("debug-host.created", "debug-host.owner")
        seen.append({k: v for k, v in labels.items() if k not in varying})
    assert seen[0] == seen[1]
    assert seen[0]["debug-host.config-hash"]


@pytest.mark.parametrize(
    "content", ["KEY={}\0\n", "KEY='{}\n", "no name = {}\n", "={}\n", "KEY={}\udcff\n"]
)
def test_what_is_wrong_with_a_file_is_reported_without_its_content(
    run: Program, eye: Eye, project: str, tmp_path: Path, secret: str, content: str
) -> None:
    path = tmp_path / "variables"
    path.write_bytes(content.format(secret).encode("utf-8", "surrogateescape"))
    folder = write(tmp_path / "site", PAGE)
    for more in (("--json",), ("--verbose",)):
        failed = run("up", "-p", project, "-w", folder, "--env-file", path, *more, check=2)
        assert str(path).encode() in words(failed)
        assert secret.encode() not in words(failed)
    assert eye.everything(project) == ([], [])


@pytest.mark.parametrize("what", ["value", "project", "command"])
def test_a_failure_does_not_tell_values(
    run: Program, project: str, tmp_path: Path, secret: str, what: str
) -> None:
    """That of the engine, of the project and of a command that does not exist."""
    folder = write(tmp_path / "site", PAGE)
    env = {"KEY": secret + "x" * 140_000 if what == "value" else secret}
    flags = {"value": ("--env-file", str(tmp_path / "variables")), "project": ("-e", "KEY"),
             "command": ("-e", "KEY")}[what]  # fmt: skip
    (tmp_path / "variables").write_text(f"KEY={env['KEY']}\n")
    command = {"value": (), "project": ("--", "false"), "command": ("--", "no-such-command")}[what]
    env = {} if what == "value" else env
    options = ("-v", "--json", *command)
    args = ("up", "-p", project, "-w", str(folder), *flags, *options)
    failed = run(*args, check=False, env=env)
    assert failed.code != 0
    status = run("status", "-p", project, check=False)
    assert secret.encode() not in words(failed, status)


def test_only_the_user_can_read_what_is_written(run: Program, project: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "site", PAGE)
    places = {"HOME": tmp_path / "home", "TMPDIR": tmp_path / "tmp"}
    for place in places.values():
        place.mkdir()
    env = {name: str(place) for name, place in places.items()}
    here = ("-p", project)
    with Watcher(tuple(places.values())) as watcher:
        for args in (
            ("up", *here, "-w", folder), ("status", *here), ("restart", *here), ("images", "ls"),
            ("rm", *here), ("init", "-w", folder),
        ):  # fmt: skip
            run(*args, env=env | {"XDG_STATE_HOME": None}, prefix=UMASK_0)
    made = watcher.files
    written = folder / "debughost.toml"
    made[written] = written.stat().st_mode
    assert {".lock", ".json"} <= {p.suffix for p in made}
    ours = {p: m for p, m in made.items() if "debughost" in str(p.relative_to(tmp_path))}
    wrong = {
        str(path): oct(mode) for path, mode in ours.items()
        if stat.S_IMODE(mode) != (0o700 if stat.S_ISDIR(mode) else 0o600)
    }  # fmt: skip
    assert wrong == {}
    assert {m for p, m in made.items() if stat.S_ISREG(m)} == {stat.S_IFREG | 0o600}
