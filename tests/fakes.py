"""An engine in memory that keeps the promises of ``debughost_cli.engine.port``.

What a container does once it is started is a ``Program``; what goes wrong on the way is told with
``fail``, ``lose_answer`` and ``before``. The suite in ``contract/`` runs on this engine and on real
ones: where they disagree, this one is wrong.
"""

from __future__ import annotations

import functools
import hashlib
import ipaddress
import itertools
import posixpath
import shlex
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from debughost_cli import names
from debughost_cli.engine.port import Conflict, ExecResult, LogQuery, NotFound
from debughost_cli.errors import (
    DebughostError,
    EngineUnavailable,
    ImageNotFound,
    InUse,
    InvalidWorkspace,
    NameConflict,
    NetworkConflict,
    PortInUse,
    StartFailed,
)
from debughost_cli.models import ProjectType
from debughost_cli.planning.log_lines import joined
from debughost_cli.resources import (
    Container,
    ContainerStatus,
    ContainerSummary,
    DiskUsage,
    EngineEvent,
    EngineInfo,
    FileEntry,
    Image,
    Link,
    LogFragment,
    LogLine,
    Network,
    StatsSample,
    Volume,
)
from debughost_cli.specs import HTTP, Limits, MountType, PortBinding, ServiceSpec, User

if TYPE_CHECKING:
    from debughost_cli.engine.port import ExecSpec, OnOutput, OnText

MIB = 1024**2
ENTRY = 16 * 1024
"""The longest entry of a container's log in bytes."""


@dataclass(frozen=True)
class Program:
    """What a started container does.

    ``phase``: how far the launcher comes. ``exit_code``: ends with it at once.
    ``sigterm_code``: how it answers SIGTERM, None to ignore it. ``installs``: the launcher installs
    before it runs. ``restarts``: how often the restart policy has started it again by then.
    ``refused``: the engine's words on why it cannot be started at all. ``late``: reads of its state
    before it is where the other fields say.
    """

    ready: bool = False
    loopback: bool = False
    phase: str = "running"
    exit_code: int | None = None
    oom: bool = False
    sigterm_code: int | None = 143
    installs: bool = False
    restarts: int = 0
    refused: str = ""
    health: str | None = None
    output: tuple[str, ...] = ()
    late: int = 0


def listens(**more: Any) -> Program:
    """Becomes ready."""
    return Program(ready=True, installs=True, **more)


def never_listens(**more: Any) -> Program:
    """Runs, and that is all."""
    return Program(**more)


def loopback_only() -> Program:
    """Listens for itself alone."""
    return Program(loopback=True)


def exits(code: int, *output: str, **more: Any) -> Program:
    """Ends by itself at once."""
    return Program(exit_code=code, output=output, **more)


def installing() -> Program:
    """Is busy with its dependencies for ever."""
    return Program(phase="installing")


def install_fails(code: int = 1, *output: str) -> Program:
    """Its package manager gives up."""
    return Program(phase="install_failed", exit_code=code, output=output)


def volume_not_writable() -> Program:
    """Its user cannot write to the dependency volume."""
    return Program(phase="volume_not_writable", exit_code=1)


def command_not_found() -> Program:
    """The image has no such command."""
    return Program(phase="command_not_found", exit_code=127)


def ignores_sigterm() -> Program:
    """Ready, and ended by SIGKILL alone."""
    return replace(listens(), sigterm_code=None)


def crash_loops(code: int = 1, restarts: int = 3) -> Program:
    """Ends again and again, and a restart policy starts it each time."""
    return Program(exit_code=code, restarts=restarts)


def refused(words: str = "OCI runtime create failed: exec format error") -> Program:
    """The engine cannot start it."""
    return Program(refused=words)


@dataclass
class FakeContainer:
    """A container and all that an engine keeps of it."""

    id: str
    name: str
    spec: ServiceSpec
    image_id: str
    created_at: datetime
    program: Program
    status: str = "created"
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: int = 0
    oom_killed: bool = False
    start_error: str = ""
    health: str | None = None
    restart_count: int = 0
    network_id: str = ""
    reads: int = 0
    pending: bool = False
    environment: dict[str, str] = field(default_factory=dict)
    image_labels: dict[str, str] = field(default_factory=dict)
    files: dict[str, FileEntry] = field(default_factory=dict)
    written_at: dict[str, datetime] = field(default_factory=dict)
    log: list[LogLine] = field(default_factory=list)

    @property
    def labels(self) -> dict[str, str]:
        """The image's, and over them the container's own."""
        return self.image_labels | dict(self.spec.labels)

    @property
    def is_running(self) -> bool:
        return self.status in ("running", "paused", "restarting")


@dataclass
class FakeVolume:
    """A volume with its files."""

    name: str
    labels: dict[str, str]
    created_at: datetime
    size_bytes: int = 4096
    files: dict[str, FileEntry] = field(default_factory=dict)


class FakeExecution:
    """A command that has ended by the time anybody looks."""

    def __init__(self, result: ExecResult, process: int | None) -> None:
        self._result = result
        self._process = process

    def pump(self, stdin: int | None, on_output: OnOutput) -> None:
        if self._process is not None:
            on_output("stdout", memoryview(b"debughost %d\n" % self._process))
        for stream in ("stdout", "stderr"):
            data = getattr(self._result, stream)
            if data:
                on_output(stream, memoryview(data))

    def resize(self, rows: int, columns: int) -> None:
        """Nobody looks."""

    def wait(self) -> int:
        return self._result.exit_code

    def close(self) -> None:
        """Nothing is held."""


@dataclass
class Fault:
    """What goes wrong, when, and how often."""

    error: BaseException
    times: int
    after: bool
    when: Callable[..., bool]


def _call(changes: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """One request: recorded, under the engine's lock, with the faults that were ordered for it."""

    def decorate(method: Callable[..., Any]) -> Callable[..., Any]:

        @functools.wraps(method)
        def request(self: FakeEngine | Part, *args: Any, **kwargs: Any) -> Any:
            engine, name = (
                (self.engine, f"{self.name}.{method.__name__}")
                if isinstance(self, Part)
                else (self, method.__name__)
            )
            with engine._guard:
                for hook in engine._take_hooks(name):
                    hook()
                engine.calls.append((name, *args))
                with engine._counting():
                    engine._require_answer()
                    fault = engine._take_fault(name, args, kwargs)
                    if fault and not fault.after:
                        raise fault.error
                    if changes:
                        engine.changes.append((name, *args))
                    result = method(self, *args, **kwargs)
                    if fault:
                        raise fault.error
                    return result

        return request

    return decorate


reading = _call(changes=False)
changing = _call(changes=True)


class Part:
    """A part of the port; what it holds is its engine's."""

    name = ""

    def __init__(self, engine: FakeEngine) -> None:
        self.engine = engine


class FakeContainers(Part):
    """Containers, as the port has them."""

    name = "containers"

    @reading
    def list(self, labels: Sequence[str] = ()) -> Sequence[ContainerSummary]:
        found = [c for c in self.engine.stored_containers.values() if _carries(c.labels, labels)]
        found.sort(key=lambda c: c.created_at, reverse=True)
        return [self.engine._summary(c) for c in found]

    @reading
    def inspect(self, ref: str) -> Container:
        found = self.engine._container(ref)
        spec = found.spec
        return Container(
            id=found.id,
            name=found.name,
            labels=dict(found.labels),
            image=spec.image,
            image_id=found.image_id,
            command=spec.command,
            environment=found.environment,
            mounts=spec.mounts,
            limits=spec.limits,
            user=str(spec.user or ""),
            restart=spec.restart,
            network_ids={spec.network: found.network_id},
            status=ContainerStatus(found.status),
            created_at=found.created_at,
            started_at=found.started_at,
            finished_at=found.finished_at,
            exit_code=found.exit_code,
            oom_killed=found.oom_killed,
            start_error=found.start_error,
            health=found.health,
            restart_count=found.restart_count,
            pid=4242 if found.status == "running" else 0,
            ports=spec.ports,
        )

    @changing
    def create(self, name: str, spec: ServiceSpec) -> str:
        image = self.engine.stored_images.get(spec.image) or self.engine._image_by_id(spec.image)
        if image is None:
            raise ImageNotFound(
                f"image {spec.image} is not here and cannot be had (unknown)",
                hint="Check the name and tag",
                details={"image": spec.image, "reason": "unknown"},
            )
        if any(c.name == name for c in self.engine.stored_containers.values()):
            raise NameConflict(f"a container named {name} exists already and is not ours")
        for mount in spec.mounts:
            if mount.type is MountType.BIND and not Path(mount.source).exists():
                raise InvalidWorkspace(f"bind source path does not exist: {mount.source}")
            if mount.type is MountType.VOLUME and mount.source not in self.engine.stored_volumes:
                self.engine.stored_volumes[mount.source] = FakeVolume(
                    mount.source, {}, self.engine._now()
                )
        made = FakeContainer(
            id=self.engine._id(),
            name=name,
            spec=spec,
            image_id=image.id,
            created_at=self.engine._now(),
            program=self.engine.program,
            # The container's own come first, and what only the image has after them.
            environment=dict(spec.environment) | dict(image.environment) | dict(spec.environment),
            image_labels=dict(image.labels),
        )
        self.engine.stored_containers[made.id] = made
        return made.id

    @changing
    def start(self, ref: str) -> None:
        found = self.engine._container(ref)
        if found.status == "paused":
            raise Conflict("cannot start a paused container, try unpause instead")
        if found.is_running:
            return
        found.network_id = found.network_id or self.engine._network_id(found.spec.network)
        if found.network_id not in self.engine.stored_networks and found.spec.network != "none":
            raise self.engine._not_started(found, NotFound(f"network {found.network_id} not found"))
        if self.engine._port_is_taken(found):
            words = f"Bind for 127.0.0.1:{found.spec.port} failed: port is already allocated"
            raise self.engine._not_started(found, PortInUse(words, details={"engine": words}))
        program = self.engine._program_of(found)
        if program.refused:
            error = StartFailed(
                f"the engine could not start the container: {program.refused}",
                hint="The image must have /bin/sh",
            )
            raise self.engine._not_started(found, error)
        self.engine._run(found, program)

    @changing
    def stop(self, ref: str, stop_timeout: int) -> None:
        found = self.engine._container(ref)
        if not found.is_running:
            return
        was_paused = found.status == "paused"
        self.engine._signal(found, "SIGTERM", frozen=was_paused)
        if found.is_running:
            self.engine._end(found, 137)

    @changing
    def kill(self, ref: str, signal: str) -> None:
        found = self.engine._container(ref)
        if not found.is_running:
            raise Conflict(f"Cannot kill container: {ref}: Container {found.id} is not running")
        self.engine._signal(found, signal)

    @changing
    def unpause(self, ref: str) -> None:
        found = self.engine._container(ref)
        if found.status == "paused":
            found.status = "running"
            self.engine._tell_event("unpause", found)

    @changing
    def remove(self, ref: str, *, force: bool = False) -> None:
        try:
            found = self.engine._container(ref)
        except NotFound:
            return
        if found.is_running and not force:
            raise Conflict(f"You cannot remove a running container {found.id}")
        if found.is_running:
            self.engine._end(found, 137)
        del self.engine.stored_containers[found.id]
        self.engine._tell_event("destroy", found)

    @changing
    def put_files(self, ref: str, entries: Sequence[FileEntry]) -> None:
        found = self.engine._container(ref)
        for entry in entries:
            store, path = self.engine._place(found, entry.path)
            store[path] = entry
            found.written_at[entry.path] = self.engine._now().replace(microsecond=0)

    @reading
    def read_files(self, ref: str, folder: str, limit: int = 65536) -> Mapping[str, bytes]:
        found = self.engine._container(ref)
        store, path = self.engine._place(found, folder)
        exact = store.get(path)
        if exact is not None and exact.data is not None:
            return {posixpath.basename(path): exact.data[:limit]}
        inside = {
            posixpath.basename(p): e.data[:limit]
            for p, e in store.items()
            if e.data is not None and posixpath.dirname(p) == path
        }
        if not inside and exact is None:
            raise NotFound(f"Could not find the file {folder} in container {found.id}")
        return inside

    @reading
    def read_link(self, ref: str, path: str) -> Link | None:
        try:
            found = self.engine._container(ref)
        except NotFound:
            return None
        self.engine._advance(found)
        entry = found.files.get(path)
        if entry is None or not entry.link:
            return None
        return Link(posixpath.basename(entry.link), found.written_at[path])

    @reading
    def stats(self, ref: str) -> StatsSample:
        found = self.engine._container(ref)
        if found.status != "running":
            return StatsSample(0, 0, 0, 0, 0, 0, 0, 0, 0)
        now = time.time_ns()
        return StatsSample(
            read_ns=now,
            cpu_ns=now // 4,
            system_ns=now,
            online_cpus=4,
            memory_bytes=16 * MIB,
            memory_limit_bytes=found.spec.limits.memory_bytes,
            pids=3,
            net_rx_bytes=1000,
            net_tx_bytes=2000,
        )

    def logs(self, ref: str, query: LogQuery) -> Iterator[LogLine]:
        entries = chain(self._logs(ref, query), self._written_later(ref, query))
        yield from _shaped(entries, query)

    def _written_later(self, ref: str, query: LogQuery) -> Iterator[LogLine]:
        seen = len(self.engine._container(ref).log)
        while query.follow and ref in self.engine.stored_containers:
            self.engine._require_answer()
            is_last_look = not self.engine.stored_containers[ref].is_running
            lines = self.engine.stored_containers[ref].log
            yield from lines[seen:]
            seen = len(lines)
            if is_last_look:
                return
            time.sleep(0.01)

    @reading
    def _logs(self, ref: str, query: LogQuery) -> Sequence[LogLine]:
        """As engines do: the last ones are counted first, and their time is looked at after."""
        lines = self.engine._container(ref).log
        if query.tail is not None:
            lines = lines[len(lines) - min(query.tail, len(lines)) :]
        return [line for line in lines if _in_span(line, query)]


class FakeExec(Part):
    """Commands in containers."""

    name = "exec"

    @changing
    def start(self, ref: str, spec: ExecSpec) -> FakeExecution:
        """Knows the commands in ``execs``, and the wrapper that ``exec`` puts around its own."""
        self.engine._running(ref)
        is_wrapped = len(spec.command) > 5 and spec.command[3] == "debughost"
        command = spec.command[6:] if is_wrapped else spec.command
        return FakeExecution(self.engine._result_of(command), 42 if is_wrapped else None)

    @changing
    def run(
        self, ref: str, command: Sequence[str], *, user: str = "", workdir: str = ""
    ) -> ExecResult:
        self.engine._running(ref)
        return self.engine._result_of(tuple(command))


class FakeEvents(Part):
    """The event stream."""

    name = "events"

    def read(self, since: float | None, until: float | None = None) -> Iterator[EngineEvent]:
        yield from self._read(since, until)
        if until is None:
            # As an engine that has nothing to say.
            time.sleep(0.02)

    @reading
    def _read(self, since: float | None, until: float | None) -> list[EngineEvent]:
        span = (since or 0.0, until or float("inf"))
        return [e for e in self.engine.happened if span[0] <= e.at <= span[1]]


class FakeNetworks(Part):
    """Networks."""

    name = "networks"

    @reading
    def find(self, name: str) -> Sequence[Network]:
        return [
            self.engine._with_endpoints(n)
            for n in self.engine.stored_networks.values()
            if n.name == name
        ]

    @reading
    def list(self) -> Sequence[Network]:
        return list(self.engine.stored_networks.values())

    @changing
    def create(self, name: str, subnet: str, gateway: str, labels: Mapping[str, str]) -> str:
        if any(n.name == name for n in self.engine.stored_networks.values()):
            raise Conflict(f"network with name {name} already exists")
        requested = ipaddress.ip_network(subnet)
        taken = {
            n.subnet for n in self.engine.stored_networks.values() if n.subnet
        } | self.engine.routes
        if any(requested.overlaps(ipaddress.ip_network(t, strict=False)) for t in taken):
            words = "Pool overlaps with other one on this address space"
            raise NetworkConflict(words, details={"engine": words})
        return self.engine.add_network(name, subnet, gateway=gateway, labels=dict(labels)).id

    @changing
    def remove(self, ref: str) -> None:
        found = self.engine.stored_networks.get(ref)
        if found is None:
            return
        if self.engine._with_endpoints(found).containers:
            raise InUse(
                f"the network is in use: network {found.name} has active endpoints",
                hint="Remove what is attached to it first",
            )
        del self.engine.stored_networks[ref]


class FakeVolumes(Part):
    """Volumes."""

    name = "volumes"

    @reading
    def list(self, labels: Sequence[str] = ()) -> Sequence[Volume]:
        return [
            self.engine._volume(v)
            for v in self.engine.stored_volumes.values()
            if _carries(v.labels, labels)
        ]

    @changing
    def create(self, name: str, labels: Mapping[str, str]) -> Volume:
        if name not in self.engine.stored_volumes:
            self.engine.add_volume(name, labels)
        return self.engine._volume(self.engine.stored_volumes[name])

    @changing
    def remove(self, name: str) -> None:
        if name not in self.engine.stored_volumes:
            return
        users = self.engine._users(name)
        if users:
            raise InUse(
                f"volume {name} is in use: {users}",
                hint="Remove what uses it first",
                details={"volume": name},
            )
        del self.engine.stored_volumes[name]


class FakeImages(Part):
    """Images."""

    name = "images"

    @reading
    def find(self, ref: str) -> Image | None:
        whole = ref if ":" in ref.rpartition("/")[2] or "@" in ref else f"{ref}:latest"
        return self.engine.stored_images.get(whole) or self.engine._image_by_id(ref)

    @reading
    def list(self, labels: Sequence[str] = ()) -> Sequence[Image]:
        unique = {i.id: i for i in self.engine.stored_images.values()}
        return [i for i in unique.values() if _carries(i.labels, labels)]

    @changing
    def pull(self, ref: str, on_text: OnText) -> None:
        if self.engine.pull_error:
            raise self.engine.pull_error
        if ref not in self.engine.registry:
            raise ImageNotFound(
                f"image {ref} is not here and cannot be had (unknown)",
                hint="Check the name and tag",
                details={"image": ref, "reason": "unknown"},
            )
        on_text(f"Pulling from {ref}")
        self.engine.stored_images[ref] = self.engine.registry[ref]

    @changing
    def build(
        self,
        context: Path,
        *,
        tags: Sequence[str],
        labels: Mapping[str, str],
        build_args: Mapping[str, str],
        no_cache: bool,
        on_text: OnText,
    ) -> None:
        assert (context / "Dockerfile").is_file()
        base = build_args.get("BASE", "")
        if base not in self.engine.stored_images and base not in self.engine.registry:
            raise ImageNotFound(
                f"image {base} is not here and cannot be had (unknown)",
                details={"image": base, "reason": "unknown"},
            )
        for line in self.engine.build_output:
            on_text(line)
        made = Image(
            id=f"sha256:{self.engine._id()}",
            tags=tuple(tags),
            labels=dict(labels),
            size_bytes=2000,
            created_at=self.engine._now(),
        )
        for tag in tags:
            old = self.engine.stored_images.get(tag)
            if old:
                kept = replace(old, tags=tuple(t for t in old.tags if t != tag))
                self.engine.stored_images |= dict.fromkeys(kept.tags, kept)
            self.engine.stored_images[tag] = made


class FakeEngine:
    """In memory, of one machine, for one test."""

    _numbers = itertools.count(1)

    def __init__(self, **info: Any) -> None:
        number = next(self._numbers)
        facts: dict[str, Any] = {
            "endpoint": f"tcp://fake-{number}:2376",
            "source": "flag",
            "version": "28.5.2",
            "api_version": "1.51",
        }
        self._info = EngineInfo(**(facts | info))
        self._guard = threading.RLock()
        self._connection_failures = 0
        self._failures_left: float = 0
        self._faults: dict[str, list[Fault]] = {}
        self._hooks: dict[str, list[Callable[[], object]]] = {}
        self._clock = datetime.now(UTC)
        self.calls: list[tuple[Any, ...]] = []
        self.changes: list[tuple[Any, ...]] = []
        self.stored_containers: dict[str, FakeContainer] = {}
        self.stored_networks: dict[str, Network] = {}
        self.stored_volumes: dict[str, FakeVolume] = {}
        self.stored_images: dict[str, Image] = {}
        self.registry: dict[str, Image] = {}
        self.pull_error: DebughostError | None = None
        self.taken_ports: set[int] = set()
        self.routes: set[str] = set()
        self.program = listens()
        self.programs: dict[str, Program] = {}
        self.commands: dict[tuple[str, ...], Program] = {}
        self.queue: deque[Program] = deque()
        self.happened: list[EngineEvent] = []
        self.execs: dict[tuple[str, ...], ExecResult] = {}
        self.build_output = ("Step 1/1 : FROM base",)
        self.containers = FakeContainers(self)
        self.exec = FakeExec(self)
        self.events = FakeEvents(self)
        self.networks = FakeNetworks(self)
        self.volumes = FakeVolumes(self)
        self.images = FakeImages(self)

    # What tests set up

    @property
    def connection_failures(self) -> int:
        return self._connection_failures

    @reading
    def ping(self) -> None:
        """Answers unless it is away."""

    def go_away(self, calls: int | None = None) -> None:
        """An outage: every call raises EngineUnavailable, and what is streamed breaks off.

        ``calls``: that many fail, then it is back; None: until ``come_back``.
        """
        self._failures_left = float("inf") if calls is None else calls

    def come_back(self) -> None:
        """The end of an outage. What ran before still runs, as with live restore."""
        self._failures_left = 0

    def _require_answer(self) -> None:
        if self._failures_left > 0:
            self._failures_left -= 1
            raise EngineUnavailable(
                f"no engine answers at {self._info.endpoint}: connection refused",
                hint="Start Docker",
                details={"endpoint": self._info.endpoint, "source": self._info.source},
            )

    @contextmanager
    def _counting(self) -> Iterator[None]:
        try:
            yield
        except EngineUnavailable:
            self._connection_failures += 1
            raise

    def close(self) -> None:
        """Nothing is held."""

    @property
    def info(self) -> EngineInfo:
        return self._info

    def identity(self) -> str:
        return f"fake engine at {self._info.endpoint}"

    def fail(
        self,
        method: str,
        error: BaseException,
        *,
        times: int = 1,
        when: Callable[..., bool] = lambda *a, **k: True,
    ) -> None:
        """The next calls of ``method`` (for which ``when`` holds) raise, and do nothing."""
        self._faults.setdefault(method, []).append(Fault(error, times, False, when))

    def lose_answer(
        self,
        method: str,
        error: BaseException | None = None,
        *,
        times: int = 1,
        when: Callable[..., bool] = lambda *a, **k: True,
    ) -> None:
        """The next calls of ``method`` do what they should, and then raise."""
        lost = error or EngineUnavailable("the connection was lost")
        self._faults.setdefault(method, []).append(Fault(lost, times, True, when))

    def before(self, method: str, hook: Callable[[], object]) -> None:
        """The world moves, once, just before the next call of ``method``."""
        self._hooks.setdefault(method, []).append(hook)

    def _take_hooks(self, method: str) -> list[Callable[[], object]]:
        return self._hooks.pop(method, [])

    def _take_fault(self, method: str, args: Any, kwargs: Any) -> Fault | None:
        for fault in self._faults.get(method, []):
            if fault.times > 0 and fault.when(*args, **kwargs):
                fault.times -= 1
                return fault
        return None

    def _now(self) -> datetime:
        """Strictly rising, as an engine's nanoseconds are."""
        self._clock = max(datetime.now(UTC), self._clock + timedelta(microseconds=1))
        return self._clock

    def _id(self) -> str:
        return hashlib.sha256(f"{id(self)}{next(self._numbers)}".encode()).hexdigest()

    def add_image(self, ref: str, *, registry: bool = False, **more: Any) -> Image:
        """An image that is on the engine, or only in the registry."""
        facts: dict[str, Any] = {
            "labels": {},
            "size_bytes": 1000,
            "created_at": self._now(),
            "command": ("sh",),
        }
        image = Image(id=f"sha256:{self._id()}", tags=(ref,), **(facts | more))
        (self.registry if registry else self.stored_images)[ref] = image
        return image

    def add_base_images(self, *types: ProjectType) -> None:
        """The base images of today's Dockerfiles."""
        from debughost_cli.services.images import default_base, latest, sources_hash, tag_of

        for type_ in types or tuple(ProjectType):
            base = default_base(type_)
            labels = {
                names.MANAGED: "true",
                names.TYPE: type_.value,
                names.SOURCES: sources_hash(type_),
                names.BASE: base,
            }
            image = self.add_image(tag_of(type_, base), labels=labels)
            image = replace(image, tags=(tag_of(type_, base), latest(type_)))
            self.stored_images |= dict.fromkeys(image.tags, image)

    def add_foreign(self, name: str, port: int, *, running: bool = True) -> FakeContainer:
        """A container of somebody else that publishes a port."""
        spec = make_spec("/", project=name, port=port, labels={}, network="bridge")
        made = FakeContainer(self._id(), name, spec, "sha256:0", self._now(), self.program)
        made.status = "running" if running else "exited"
        self.stored_containers[made.id] = made
        return made

    def container(self, project: str) -> FakeContainer:
        """The only container of a project."""
        (found,) = self.all_of(project)
        return found

    def all_of(self, project: str) -> list[FakeContainer]:
        return [
            c
            for c in self.stored_containers.values()
            if c.spec.labels.get(names.PROJECT) == project
        ]

    def pause(self, ref: str) -> None:
        container = self._container(ref)
        container.status = "paused"
        self._tell_event("pause", container)

    def crash(self, ref: str, code: int = 1, *, oom: bool = False) -> None:
        """The program ends by itself."""
        container = self._container(ref)
        self._end(container, code)
        container.oom_killed = oom

    def write_log(self, ref: str, *lines: str, stream: str = "stdout") -> None:
        """The container prints something."""
        container = self._container(ref)
        for line in lines:
            stamp = self._now().isoformat(timespec="microseconds").replace("+00:00", "000Z")
            container.log += _entries(stream, line.encode("utf-8", "surrogateescape"), stamp)

    def _tell_event(self, action: str, container: FakeContainer, code: int | None = None) -> None:
        project = container.spec.labels.get(names.PROJECT, "")
        at = self._now().timestamp()
        self.happened.append(EngineEvent(action, container.id, project, at, code))

    def snapshot(self) -> dict[str, Any]:
        """All that a user would see, to compare the world before and after.

        Package caches are left out: they belong to no project, and are kept on purpose.
        """
        with self._guard:
            return {
                "containers": {c.name: c.status for c in self.stored_containers.values()},
                "volumes": sorted(v for v in self.stored_volumes if not names.is_cache(v)),
                "networks": sorted(n.name for n in self.stored_networks.values()),
            }

    def _container(self, ref: str) -> FakeContainer:
        for container in self.stored_containers.values():
            if ref in (container.id, container.name) or (
                len(ref) >= 4 and container.id.startswith(ref)
            ):
                return container
        raise NotFound(f"No such container: {ref}")

    def _summary(self, container: FakeContainer) -> ContainerSummary:
        return ContainerSummary(
            id=container.id,
            name=container.name,
            labels=dict(container.labels),
            image=container.spec.image,
            status=ContainerStatus(container.status),
            # The list knows whole seconds only.
            created_at=container.created_at.replace(microsecond=0),
            published_ports=tuple(p.host_port for p in container.spec.ports)
            if container.is_running
            else (),
            health=container.health,
        )

    def _program_of(self, container: FakeContainer) -> Program:
        if self.queue:
            return self.queue.popleft()
        by_command = self.commands.get(tuple(container.spec.command))
        return by_command or self.programs.get(container.spec.project, self.program)

    def _network_id(self, name: str) -> str:
        return next((n.id for n in self.stored_networks.values() if n.name == name), name)

    def _port_is_taken(self, container: FakeContainer) -> bool:
        others = {c.spec.port for c in self.stored_containers.values() if c.is_running}
        return container.spec.port in others | self.taken_ports

    def _not_started(self, container: FakeContainer, error: DebughostError) -> DebughostError:
        container.start_error = error.message
        container.exit_code = container.exit_code or 128
        return error

    def _run(self, container: FakeContainer, program: Program) -> None:
        """The launcher's beginning: marks of an earlier run go away."""
        container.program, container.status, container.start_error = program, "running", ""
        # The end of the run before stays on record until this one ends.
        container.started_at = self._now()
        container.exit_code, container.oom_killed, container.restart_count = 0, False, 0
        container.reads, container.pending = 0, True
        container.health = program.health
        self._tell_event("start", container)
        if names.LAUNCHER not in container.files:
            self.write_log(container.id, f"cannot open {names.LAUNCHER}", stream="stderr")
            self._end(container, 2)
            return
        installs = f"{names.CONTROL_DIR}/dependencies" in container.files
        self.write_status(container, "installing" if installs else "running")
        if not program.late:
            self._arrive(container)

    def _arrive(self, container: FakeContainer) -> None:
        """The program is where its fields say."""
        program, container.pending = container.program, False
        words = [program.phase]
        if program.phase == "running":
            words += self._installed(container) if program.installs else []
            words += [mark for mark in ("ready", "loopback") if getattr(program, mark)]
        self.write_status(container, "+".join(words))
        self.write_log(container.id, *program.output)
        container.restart_count = program.restarts
        if program.exit_code is not None:
            self._end(container, program.exit_code)
            container.oom_killed = program.oom
            if program.restarts:
                container.status = "restarting"

    def write_status(self, found: FakeContainer | str, status: str) -> None:
        """The launcher reports its status: see container/launch.sh."""
        container = self._container(found) if isinstance(found, str) else found
        path = names.STATE_LINK
        container.files[path] = FileEntry(path, None, link=status)
        container.written_at[path] = self._now()

    def _installed(self, container: FakeContainer) -> list[str]:
        """What launch.sh does with the fingerprint of the dependencies."""
        given = container.files.get(f"{names.CONTROL_DIR}/dependencies")
        if given is None or given.data is None:
            return []
        values = dict(
            part.split("=", 1) for part in shlex.split(given.data.decode().replace("\n", " "))
        )
        text = values["identity"] + "\n"
        for name in values["files"].split():
            file = Path(container.spec.workspace, name)
            if file.is_file():
                text += f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {name}\n"
        return [f"deps-{hashlib.sha256(text.encode()).hexdigest()}"]

    def _end(self, container: FakeContainer, code: int) -> None:
        container.status, container.exit_code = "exited", code
        container.finished_at, container.pending = self._now(), False
        self._tell_event("die", container, code)

    def _advance(self, container: FakeContainer) -> None:
        if container.pending and container.status == "running":
            container.reads += 1
            if container.reads > container.program.late:
                self._arrive(container)

    def _signal(self, container: FakeContainer, signal: str, *, frozen: bool = False) -> None:
        if signal in ("SIGKILL", "KILL", "9"):
            self._end(container, 137)
        elif signal in ("SIGTERM", "TERM", "15") and not frozen:
            self.write_status(container, container.files[names.STATE_LINK].link + "+term")
            if container.program.sigterm_code is not None:
                self._end(container, container.program.sigterm_code)

    def _place(self, container: FakeContainer, path: str) -> tuple[dict[str, FileEntry], str]:
        """Where a path of a container really lies: in a volume, or in the container itself."""
        for mount in container.spec.mounts:
            inside = path == mount.target or path.startswith(f"{mount.target}/")
            if mount.type is MountType.VOLUME and inside and mount.source in self.stored_volumes:
                return self.stored_volumes[mount.source].files, path.removeprefix(
                    mount.target
                ) or "/"
        return container.files, path

    def _running(self, ref: str) -> None:
        found = self._container(ref)
        if found.status != "running":
            raise Conflict(f"Container {found.id} is not running")

    def _result_of(self, command: tuple[str, ...]) -> ExecResult:
        if command in self.execs:
            return self.execs[command]
        word, *rest = command
        if word == "echo":
            return ExecResult(0, " ".join(rest).encode() + b"\n", b"")
        return ExecResult({"true": 0, "false": 1}.get(word, 127), b"", b"")

    def _with_endpoints(self, network: Network) -> Network:
        ids = [
            c.id
            for c in self.stored_containers.values()
            if c.is_running and c.network_id == network.id
        ]
        return replace(network, containers=tuple(sorted(ids)))

    def add_network(self, name: str, subnet: str | None, **more: Any) -> Network:
        """A network, made by whoever."""
        gateway = None
        if subnet:
            gateway = str(ipaddress.ip_network(subnet, strict=False)[1])
        facts: dict[str, Any] = {"driver": "bridge", "gateway": gateway, "created_at": self._now()}
        made = Network(id=self._id(), name=name, subnet=subnet, **(facts | more))
        self.stored_networks[made.id] = made
        return made

    def _users(self, volume: str) -> list[str]:
        return [
            c.id
            for c in self.stored_containers.values()
            if any(m.type is MountType.VOLUME and m.source == volume for m in c.spec.mounts)
        ]

    @reading
    def disk_usage(self) -> DiskUsage:
        measured = tuple(self._volume(v, sizes=True) for v in self.stored_volumes.values())
        images = sum(i.size_bytes for i in self.stored_images.values())
        return DiskUsage(images, 0, 0, measured)

    def _volume(self, volume: FakeVolume, sizes: bool = False) -> Volume:
        return Volume(
            name=volume.name,
            labels=dict(volume.labels),
            created_at=volume.created_at.replace(microsecond=0),
            size_bytes=volume.size_bytes if sizes else None,
            in_use=bool(self._users(volume.name)) if sizes else None,
        )

    def add_volume(
        self, name: str, labels: Mapping[str, str] | None = None, size: int = 4096
    ) -> None:
        """A volume, made by whoever."""
        self.stored_volumes[name] = FakeVolume(name, dict(labels or {}), self._now(), size)

    def _image_by_id(self, ref: str) -> Image | None:
        return next((i for i in self.stored_images.values() if i.id == ref), None)


def _carries(labels: Mapping[str, str], required: Sequence[str]) -> bool:
    pairs = [item.partition("=") for item in required]
    return all(k in labels and (not equals or labels[k] == v) for k, equals, v in pairs)


def _in_span(line: LogLine, query: LogQuery) -> bool:
    whole = datetime.fromisoformat(f"{line.ts[:19]}+00:00").timestamp()
    moment = Decimal(int(whole)) + Decimal(f"0{line.ts[19:-1]}")
    since, until = query.since, query.until
    return (since is None or moment >= since) and (until is None or moment <= until)


def _shaped(entries: Iterable[LogLine], query: LogQuery) -> Iterator[LogLine]:
    """Entries as the query requests them: joined to lines, or as they are stored."""
    if query.fragments and not query.stamps:
        for entry in entries:
            end = b"" if isinstance(entry, LogFragment) else b"\n"
            yield LogFragment(entry.stream, entry.data + end)
        return
    shown = entries if query.stamps else (replace(entry, ts="") for entry in entries)
    yield from shown if query.fragments else joined(shown)


def _entries(stream: str, data: bytes, stamp: str) -> Iterator[LogLine]:
    """A line as engines store it: cut at 16 KiB, each part with the stamp of the first."""
    while len(data) > ENTRY:
        yield LogFragment(stream, data[:ENTRY], stamp)
        data = data[ENTRY:]
    yield LogLine(stream, data, stamp)


def make_spec(workspace: str | Path, **changes: Any) -> ServiceSpec:
    """A container's specification with everything in it, to be changed field by field.

    ``port`` stands for the one port binding that has this number inside and outside.
    """
    if "port" in changes:
        port = changes.pop("port")
        changes["ports"] = (PortBinding(HTTP, port, port),)
    spec = ServiceSpec(
        project="shop",
        type=ProjectType.NODE,
        workspace=str(workspace),
        image="debug-host/node:abc",
        image_id="sha256:" + "1" * 64,
        command=("npm", "run", "dev"),
        ports=(PortBinding(HTTP, 3000, 3000),),
        environment={"PORT": "3000", "PROJECT_ID": "shop", "DEBUG_HOST": "true"},
        mounts=(),
        limits=Limits(),
        user=User(1000, 1000),
        restart="no",
        network=names.NETWORK,
        network_id="net1",
        aliases=("shop", "project-shop"),
        labels={names.MANAGED: "true", names.PROJECT: "shop", names.TYPE: "node"},
        config_hash="hash",
    )
    return replace(spec, **changes)


def make_container(spec: ServiceSpec | None = None, **changes: Any) -> Container:
    """A running container as the engine would describe it, made from ``spec``."""
    spec = spec or make_spec("/srv/shop")
    now = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)
    labels = dict(spec.labels) | {
        names.WORKSPACE: spec.workspace,
        names.PORT: str(spec.port),
        names.CONFIG_HASH: spec.config_hash,
    }
    container = Container(
        id="c" * 64,
        name="debug-host-shop-20261123T101500000Z",
        labels=labels,
        image=spec.image,
        image_id=spec.image_id,
        command=spec.command,
        environment=dict(spec.environment),
        mounts=spec.mounts,
        limits=spec.limits,
        user=str(spec.user or ""),
        restart=spec.restart,
        network_ids={spec.network: spec.network_id},
        status=ContainerStatus.RUNNING,
        created_at=now,
        started_at=now,
        finished_at=None,
        exit_code=0,
        oom_killed=False,
        start_error="",
        health=None,
        restart_count=0,
        ports=spec.ports,
    )
    return replace(container, **changes)
