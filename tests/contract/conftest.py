"""One world for every engine: the one in memory, and the real one that answers here.

What is made carries a prefix and a label of this run, and is removed after each test and once more
at the end. Set DEBUGHOST_TEST_IMAGE to an image with a shell and perl where the default is missing.
"""

from __future__ import annotations

import gc
import os
import random
import secrets
import socket
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeEngine, Program, exits, ignores_sigterm, listens, make_spec, never_listens
from fakes import command_not_found as not_found
from msgspec.structs import replace

from debughost_cli.container import control_files
from debughost_cli.engine.connect import Address, resolve_address
from debughost_cli.engine.docker.engine import DockerEngine
from debughost_cli.engine.port import Engine, NotFound
from debughost_cli.errors import DebughostError
from debughost_cli.names import STATE_LINK
from debughost_cli.resources import Container, Link
from debughost_cli.specs import Limits, Mount, MountType, ServiceSpec

IMAGE = os.environ.get("DEBUGHOST_TEST_IMAGE", "debughost-base/debian:trixie")
RUN = secrets.token_hex(4)
LABEL = "debughost-test"
SERVER = (
    'use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalAddr => "0.0.0.0", LocalPort => '
    "$ENV{PORT}, Listen => 5, ReuseAddr => 1) or die; while (my $c = $s->accept) { close $c }"
)

SLEEPS = ("sleep", "300")
SERVES = ("perl", "-e", SERVER)
FAILS = ("sh", "-c", "echo one; echo two; echo oops >&2; exit 3")
ENDS = ("sh", "-c", "exit 0")
STUBBORN = ("sh", "-c", "trap '' TERM; while :; do sleep 0.1; done")
UNKNOWN = ("no-such-command-anywhere",)
LONG_LINE = ("perl", "-e", 'print "x" x 40_000, "\\nshort\\n"')

PROGRAMS: dict[tuple[str, ...], Program] = {
    SLEEPS: never_listens(),
    SERVES: listens(),
    FAILS: exits(3, "one", "two"),
    ENDS: exits(0),
    STUBBORN: ignores_sigterm(),
    UNKNOWN: not_found(),
    LONG_LINE: exits(0, "x" * 40_000, "short"),
}


class World:
    """An engine and what a test made on it."""

    def __init__(self, engine: Engine, workspace: Path, subnets: Iterator[str]) -> None:
        self.engine = engine
        self.prefix = f"dbgt-{RUN}-{secrets.token_hex(3)}-"
        self.labels = {LABEL: RUN, "debughost-test-case": self.prefix}
        self.workspace = workspace
        self._subnets = subnets
        self._network = ""

    def name(self, rest: str) -> str:
        return f"{self.prefix}{rest}"

    def subnet(self) -> tuple[str, str]:
        """A subnet that no other test uses, and its gateway."""
        base = next(self._subnets)
        return f"{base}.0/24", f"{base}.1"

    @property
    def network(self) -> str:
        """A network for this test's containers."""
        if not self._network:
            self._network = self.name("net")
            self.engine.networks.create(self._network, *self.subnet(), self.labels)
        return self._network

    def spec(self, command: tuple[str, ...] = SLEEPS, **changes: Any) -> ServiceSpec:
        """A container's specification with small limits."""
        port = changes.pop("port", None) or free_port()
        made = make_spec(
            self.workspace,
            project=self.name("project"),
            image=IMAGE,
            image_id="",
            command=command,
            port=port,
            environment={"PORT": str(port), "TINI_KILL_PROCESS_GROUP": "1"},
            mounts=(Mount(MountType.BIND, str(self.workspace), "/app"),),
            limits=Limits(0.5, 64 * 1024**2, 64),
            user=None,
            network=self.network,
            network_id="",
            aliases=(self.name("alias"),),
            labels=self.labels,
        )
        return replace(made, **changes)

    def image(self, folder: Path, environment: dict[str, str], labels: dict[str, str]) -> str:
        """An image over the usual one, with variables and labels of its own."""
        ref = f"dbgt/{RUN}:{self.prefix}image"
        if isinstance(self.engine, FakeEngine):
            self.engine.add_image(ref, labels=labels, environment=environment)
            return ref
        lines = ["ARG BASE=none", "FROM $BASE", *[f"ENV {k}={v}" for k, v in environment.items()]]
        (folder / "Dockerfile").write_text("\n".join(lines) + "\n")
        self.engine.images.build(
            folder,
            tags=[ref],
            labels=labels,
            build_args={"BASE": IMAGE},
            no_cache=False,
            on_text=lambda _: None,
        )
        return ref

    def remove_image(self, ref: str) -> None:
        """The port has no such method: nothing of ours removes images."""
        if isinstance(self.engine, DockerEngine):
            self.engine._caller.read("removing an image", lambda c: c.remove_image(ref, force=True))

    def create(self, spec: ServiceSpec | None = None, name: str = "one") -> str:
        """A container with the launcher in it, not started."""
        spec = spec or self.spec()
        ref = self.engine.containers.create(self.name(name), spec)
        self.engine.containers.put_files(ref, control_files(spec, None, 0, 0))
        return ref

    def start(self, command: tuple[str, ...] = SLEEPS, name: str = "one", **changes: Any) -> str:
        """A running container."""
        ref = self.create(self.spec(command, **changes), name)
        self.engine.containers.start(ref)
        return ref

    def until(self, condition: Callable[[], Any], seconds: float = 20.0) -> Any:
        """What ``condition`` gives once it gives something."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = condition()
            if found:
                return found
            time.sleep(0.02)
        raise AssertionError(f"not within {seconds} s")

    def ended(self, ref: str) -> Container:
        return self.until(
            lambda: (c := self.engine.containers.inspect(ref)).status == "exited" and c
        )

    def words(self, ref: str, word: str) -> Link:
        """The launcher's state link, once it has ``word``."""
        return self.until(
            lambda: (
                (link := self.engine.containers.read_link(ref, STATE_LINK))
                and word in link.target.split("+")
                and link
            )
        )

    def clean(self) -> None:
        """Takes away what this test made."""
        sweep(self.engine, f"debughost-test-case={self.prefix}", self.prefix)


def sweep(engine: Engine, label: str, prefix: str) -> None:
    """Removes containers by label, volumes and networks by name."""
    for container in engine.containers.list([label]):
        with suppress(NotFound):
            engine.containers.remove(container.id, force=True)
    for volume in engine.volumes.list():
        if volume.name.startswith(prefix):
            engine.volumes.remove(volume.name)
    for network in engine.networks.list():
        if network.name.startswith(prefix):
            engine.networks.remove(network.id)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def subnets() -> Iterator[str]:
    """Rare ones, beginning at a chance place, so that two runs at once seldom meet.

    The workers of one run begin at the same place and take turns, so that they never do.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    first = random.Random(os.environ.get("PYTEST_XDIST_TESTRUNUID")).randrange(250)
    while True:
        for offset in range(worker, 250, workers):
            yield f"10.213.{(first + offset) % 250}"


def why_unusable(address: Address) -> str:
    """What speaks against this engine, asked once and without patience; empty if nothing does."""
    try:
        probe = DockerEngine.connect(address, on_retry=None)
    except DebughostError as exc:
        return exc.message
    probe.close()
    return ""


def collect() -> None:
    """docker-py leaves sockets that it gave up to the garbage collector: here nobody minds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(scope="session")
def real_engine(unavailable: Callable[[str], Any]) -> Iterator[DockerEngine]:
    """The engine that ``debughost`` would use here."""
    address = resolve_address(None, None)
    problem = why_unusable(address)
    collect()
    if problem:
        unavailable(f"an engine: {problem}")
    engine = DockerEngine.connect(address, on_retry=print)
    if engine.images.find(IMAGE) is None:
        engine.close()
        unavailable(f"the image {IMAGE}; name another in DEBUGHOST_TEST_IMAGE")
    yield engine
    sweep(engine, f"{LABEL}={RUN}", f"dbgt-{RUN}-")
    engine.close()


@pytest.fixture(scope="session")
def all_subnets() -> Iterator[str]:
    return subnets()


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.engine)])
def world(
    request: pytest.FixtureRequest, tmp_path: Path, all_subnets: Iterator[str]
) -> Iterator[World]:
    """Each test runs on both engines: the fake is trusted only while they agree."""
    if request.param == "fake":
        engine: Any = FakeEngine()
        engine.add_image(IMAGE)
        engine.commands = PROGRAMS
    else:
        engine = request.getfixturevalue("real_engine")
    # On an engine that maps users, its containers run as others than this one.
    tmp_path.chmod(0o777)
    made = World(engine, tmp_path, all_subnets)
    try:
        yield made
    finally:
        made.clean()
        if request.param == "real":
            collect()
