"""An engine of the tests' own: no test may empty, fill, break or stop the developer's.

It runs in namespaces of its own, so that its bridges, firewall rules, ports, mounts and processes
collide with nothing and all go at once when the first process of its process namespace ends.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from .harness import Eye, Program, eventually

INIT = """\
import fcntl, os, signal, socket, struct
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    fcntl.ioctl(s, 0x8914, struct.pack("16sh", b"lo", 0x49))  # SIOCSIFFLAGS: up, running, loopback
print("up", flush=True)
while True:
    try:
        os.wait()
    except ChildProcessError:
        signal.sigtimedwait([signal.SIGCHLD], 0.2)
"""


def lacks() -> str:
    """What this machine lacks for an engine of one's own; empty where nothing is missing."""
    if os.geteuid() != 0:
        return "root, to run an engine of the tests' own"
    missing = [
        p for p in ("dockerd", "containerd", "unshare", "nsenter", "setpriv") if not shutil.which(p)
    ]
    return f"{', '.join(missing)}, to run an engine of the tests' own" if missing else ""


class Ended(AssertionError):
    """The engine ended by itself."""


@dataclass
class PrivateEngine:
    """A dockerd in ``folder``. ``program`` is the program, turned to it."""

    folder: Path
    installed: Program
    init: subprocess.Popen[bytes] = field(init=False)
    daemon: subprocess.Popen[bytes] | None = None
    cgroup: str = field(init=False)
    namespaces: ClassVar[tuple[str, ...]] = ("--net", "--mount", "--pid")

    def __post_init__(self) -> None:
        self._begin()
        self.cgroup = f"debughost-tests-{self.init.pid}"

    def _begin(self) -> None:
        """Makes the namespaces."""
        flags = (*self.namespaces, "--fork", "--kill-child", "--mount-proc")
        # A test run that is killed takes its engines along.
        die_with_us = ("setpriv", "--pdeathsig", "KILL", "unshare")
        self.init = subprocess.Popen(
            [*die_with_us, *flags, sys.executable, "-I", "-c", INIT], stdout=subprocess.PIPE
        )
        assert self.init.stdout
        assert self.init.stdout.readline() == b"up\n"

    @property
    def url(self) -> str:
        return f"unix://{self.folder}/docker.sock"

    def program(self) -> Program:
        """Runs where the engine publishes its ports."""
        network = f"--net=/proc/{self.init.pid}/ns/net"
        env = {**self.installed.env, "DOCKER_HOST": self.url}
        return replace(self.installed, env=env, prefix=("nsenter", network))

    def _enter(self, command: Sequence[str | Path]) -> list[str | Path]:
        """The words that run ``command`` in the namespaces, whose first process is init's child."""
        (child,) = Path(f"/proc/{self.init.pid}/task/{self.init.pid}/children").read_text().split()
        return ["nsenter", "--target", child, *self.namespaces, *command]

    def inside(self, *command: str | Path) -> None:
        """Runs a command where the engine is."""
        subprocess.run(self._enter(command), check=True, stdin=subprocess.DEVNULL)

    def start(self) -> None:
        """Starts the engine and waits until it answers; as systemd does, again if it gives up.

        After a crash its containerd may wait for what was left too long for the engine.
        """
        try:
            self._start()
        except Ended:
            self._forget()
            self._start()

    def _forget(self) -> None:
        """Takes away what an engine that did not end in order leaves."""
        for name in ("pid", "docker.sock"):
            (self.folder / name).unlink(missing_ok=True)

    def _start(self) -> None:
        place = self.folder
        options: list[str | Path] = [
            "--host", self.url, "--data-root", place / "data", "--exec-root", place / "exec",
            "--pidfile", place / "pid", "--cgroup-parent", f"/{self.cgroup}",
            "--exec-opt", "native.cgroupdriver=cgroupfs", "--config-file", place / "none.json",
            *self._options(),
        ]  # fmt: skip
        (place / "none.json").write_text("{}")
        with (place / "log").open("ab") as log:
            self.daemon = subprocess.Popen(
                self._enter(["dockerd", *options]),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        eventually(self._answers, timeout=40, pause=0.1)

    def _options(self) -> Sequence[str | Path]:
        """What dockerd gets besides."""
        return ()

    def _answers(self) -> bool:
        log = (self.folder / "log").read_text(errors="replace")
        assert self.daemon, "it was not started"
        if self.daemon.poll() is not None:
            raise Ended(f"dockerd ended: {log[-3000:]}")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe, suppress(OSError):
            probe.settimeout(5)
            probe.connect(str(self.folder / "docker.sock"))
            probe.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return probe.recv(100).startswith(b"HTTP/1.0 200")
        return False

    def crash(self) -> None:
        """Ends the engine as a power cut would; its containers' processes stay."""
        assert self.daemon
        with suppress(ProcessLookupError):
            os.killpg(self.daemon.pid, signal.SIGKILL)
        self.daemon.wait()
        self._forget()

    def shut_down(self) -> None:
        """Ends the engine as a package's upgrade does: it stops its containers itself."""
        assert self.daemon
        os.killpg(self.daemon.pid, signal.SIGTERM)
        self.daemon.wait()
        # That was nsenter. The engine takes its pid file away last.
        eventually(lambda: not (self.folder / "pid").exists(), timeout=40)

    def cut_power(self) -> None:
        """Ends the engine and all that runs on it, and forgets what a machine forgets."""
        self._end_namespaces()
        self._forget()
        shutil.rmtree(self.folder / "exec")
        self._begin()

    def _end_namespaces(self) -> None:
        """With every process in them, those of paused containers too."""
        self.init.kill()
        self.init.wait()
        assert self.init.stdout
        self.init.stdout.close()
        if self.daemon:
            self.daemon.wait(20)
        for group in self._groups():
            _thaw(group)
        eventually(lambda: not any(_processes(g) for g in self._groups()))
        self._unmount()

    def end(self) -> None:
        """Takes everything away: the namespaces with all in them, the files, the control groups."""
        self._end_namespaces()
        shutil.rmtree(self.folder, ignore_errors=True)
        deadline = time.monotonic() + 3
        while self._groups() and time.monotonic() < deadline:
            for group in self._groups():
                with suppress(OSError):
                    group.rmdir()
            time.sleep(0.05)

    def _unmount(self) -> None:
        """Where mounts are shared with the machine's namespace after all."""
        libc = ctypes.CDLL(None)
        for line in reversed(Path("/proc/self/mounts").read_text().splitlines()):
            mounted = line.split()[1]
            if mounted.startswith(f"{self.folder}/"):
                libc.umount2(mounted.encode(), 2)

    def _groups(self) -> list[Path]:
        """Our control groups, the innermost first."""
        roots = Path("/sys/fs/cgroup").glob(f"**/{self.cgroup}")
        return sorted({g for root in roots for g in _folders(root)}, reverse=True)


def _folders(root: Path) -> list[Path]:
    return [root, *(p for p in root.rglob("*") if p.is_dir())]


def _thaw(group: Path) -> None:
    """With cgroup v1, a frozen process does not even end by SIGKILL."""
    with suppress(OSError), (group / "freezer.state").open("r+") as state:
        state.write("THAWED")


def _processes(group: Path) -> str:
    """The ids in a control group, one a line; a group that is gone has none."""
    with suppress(OSError):
        return (group / "cgroup.procs").read_text()
    return ""


@dataclass
class Private:
    """What a test gets: the engine, the program turned to it, and a look behind its back."""

    engine: PrivateEngine
    eye: Eye

    @property
    def run(self) -> Program:
        return self.engine.program()

    def networks(self, name: str = "debug-host-network") -> list[dict[str, Any]]:
        return [n for n in self.eye.client.networks() if n["Name"] == name]

    def clear(self) -> None:
        """Takes away all containers, volumes and networks; the images stay."""
        client = self.eye.client
        for container in client.containers(all=True):
            client.remove_container(container["Id"], force=True)
        for volume in client.volumes()["Volumes"] or []:
            client.remove_volume(volume["Name"], force=True)
        client.prune_networks()
        if self.networks():
            # An engine that was killed may take it for used, by a container that is gone.
            self.engine.shut_down()
            self.engine.start()
            client.prune_networks()
        assert not self.networks()

    def world(self) -> tuple[list[str], list[str], list[str]]:
        """Ids and names of all that is on the engine."""
        client = self.eye.client
        return (
            sorted(c["Id"] + c["State"] for c in client.containers(all=True)),
            sorted(v["Name"] for v in client.volumes()["Volumes"] or []),
            sorted(n["Id"] for n in client.networks()),
        )


@contextmanager
def held_ports(private: Private, ports: Iterable[int]) -> Iterator[None]:
    """A process that listens on ports where the engine publishes them."""
    code = (
        "import socket, sys; "
        f"held = [socket.create_server(('127.0.0.1', p)) for p in {list(ports)}]; "
        "print('up', flush=True); sys.stdin.read()"
    )
    command = [*private.run.prefix, sys.executable, "-I", "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"up\n"
        yield
        process.terminate()


def load_image(source: Eye, target: Eye, ref: str) -> None:
    """Copies an image from one engine to the other; there it is the latest of its name."""
    for _ in target.client.load_image(b"".join(source.client.get_image(ref))):
        pass
    target.client.tag(ref, ref.rpartition(":")[0], "latest")
