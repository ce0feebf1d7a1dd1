"""The fake engine: what it stores, and what tests set up."""

from __future__ import annotations

import hashlib
import ipaddress
import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from msgspec.structs import replace

from debughost_cli import names
from debughost_cli.engine.port import ExecResult, NotFound, SwarmMembership
from debughost_cli.engine.port_swarm import Swarm
from debughost_cli.errors import DebughostError, EngineUnavailable, NotAManager
from debughost_cli.models import ProjectType
from debughost_cli.resources import (
    DiskUsage,
    EngineEvent,
    EngineInfo,
    FileEntry,
    Image,
    Network,
    UserMapping,
)
from debughost_cli.services.volume_copies import COPY
from fakes.calls import Fault, reading
from fakes.commands import FakeExec
from fakes.containers import FakeContainers
from fakes.events import FakeEvents
from fakes.images import FakeImages
from fakes.logs import stored_entries
from fakes.networks import FakeNetworks
from fakes.objects import FakeContainer, FakeVolume
from fakes.programs import Program, exits, listens
from fakes.runtime import Runtime
from fakes.specs import make_spec
from fakes.volumes import FakeVolumes


class _NoSwarm:
    """What an engine answers that is in no swarm."""

    def membership(self) -> SwarmMembership:
        return SwarmMembership()

    def __getattr__(self, name: str) -> object:
        raise NotAManager("This node is not a swarm manager")


class FakeEngine:
    """In memory, of one machine, for one test."""

    _numbers = itertools.count(1)

    def __init__(self, **info: Any) -> None:
        number = next(self._numbers)
        facts: dict[str, Any] = {
            "endpoint": f"tcp://localhost:{number}",
            "source": "flag",
            "version": "28.5.2",
            "api_version": "1.51",
            "shares_files": True,
        }
        self.info = EngineInfo(**(facts | info))
        self.hidden: Path | None = None
        """A folder of this machine that the engine does not see."""
        self.memory = 16 * 1024**3
        self.mapping = UserMapping(by_engine=self.info.maps_users)
        self.guard = threading.RLock()
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
        self.commands: dict[tuple[str, ...], Program] = {COPY: exits(0)}
        self.queue: deque[Program] = deque()
        self.happened: list[EngineEvent] = []
        self.execs: dict[tuple[str, ...], ExecResult] = {}
        self.image_steps: dict[str, str] = {}
        self.unknown_packages: set[str] = set()
        self.build_output = ("Step 1/1 : FROM base",)
        self.runtime = Runtime(self)
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

    def require_answer(self) -> None:
        if self._failures_left > 0:
            self._failures_left -= 1
            raise EngineUnavailable(
                f"no engine answers at {self.info.endpoint}: connection refused",
                hint="Start Docker",
                details={"endpoint": self.info.endpoint, "source": self.info.source},
            )

    @contextmanager
    def counting_failures(self) -> Iterator[None]:
        try:
            yield
        except EngineUnavailable:
            self._connection_failures += 1
            raise

    def close(self) -> None:
        """Nothing is held."""

    def identity(self) -> str:
        return f"fake engine at {self.info.endpoint}"

    def memory_bytes(self) -> int:
        return self.memory

    def users(self) -> UserMapping:
        return self.mapping

    def membership(self) -> SwarmMembership:
        return SwarmMembership()

    @property
    def swarm(self) -> Swarm:
        """It is in none: real swarms are in ``tests/e2e/test_swarm.py``."""
        return cast("Swarm", _NoSwarm())

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
        """Something changes, once, just before the next call of ``method``."""
        self._hooks.setdefault(method, []).append(hook)

    def take_hooks(self, method: str) -> list[Callable[[], object]]:
        return self._hooks.pop(method, [])

    def take_fault(self, method: str, args: Any, kwargs: Any) -> Fault | None:
        for fault in self._faults.get(method, []):
            if fault.times > 0 and fault.when(*args, **kwargs):
                fault.times -= 1
                return fault
        return None

    def now(self) -> datetime:
        """Strictly rising, as an engine's nanoseconds are."""
        self._clock = max(datetime.now(UTC), self._clock + timedelta(microseconds=1))
        return self._clock

    def sleep(self, seconds: float) -> None:
        """Time passes on the engine."""
        self._clock = self.now() + timedelta(seconds=seconds)

    def new_id(self) -> str:
        return hashlib.sha256(f"{id(self)}{next(self._numbers)}".encode()).hexdigest()

    def add_image(self, ref: str, *, registry: bool = False, **more: Any) -> Image:
        """An image that is on the engine, or only in the registry."""
        facts: dict[str, Any] = {
            "labels": {},
            "size_bytes": 1000,
            "created_at": self.now(),
            "command": ("sh",),
        }
        image = Image(id=f"sha256:{self.new_id()}", tags=(ref,), **(facts | more))
        (self.registry if registry else self.stored_images)[ref] = image
        return image

    def add_base_images(self, *types: ProjectType) -> None:
        """The base images of today's Dockerfiles."""
        from debughost_cli.services.base_images import default_base, latest, sources_hash, tag_of

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
        """An unmanaged container that publishes a port."""
        spec = make_spec("/", project=name, port=port, labels={}, network="bridge")
        made = FakeContainer(self.new_id(), name, spec, "sha256:0", self.now(), self.program)
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
        container = self.find_container(ref)
        container.status = "paused"
        self.record_event("pause", container)

    def crash(self, ref: str, code: int = 1, *, oom: bool = False) -> None:
        """The program ends by itself."""
        container = self.find_container(ref)
        self.runtime.end(container, code)
        container.oom_killed = oom

    def write_log(self, ref: str, *lines: str, stream: str = "stdout") -> None:
        """The container prints something."""
        container = self.find_container(ref)
        for line in lines:
            stamp = self.now().isoformat(timespec="microseconds").replace("+00:00", "000Z")
            container.log += stored_entries(stream, line.encode("utf-8", "surrogateescape"), stamp)

    def record_event(self, action: str, container: FakeContainer, code: int | None = None) -> None:
        project = container.spec.labels.get(names.PROJECT, "")
        at = self.now().timestamp()
        labels = container.labels
        role = labels.get(names.ROLE) or "main"
        service = labels.get(names.SERVICE, "")
        self.happened.append(EngineEvent(action, container.id, project, at, code, role, service))

    def snapshot(self) -> dict[str, Any]:
        """All that a user would see, to compare the world before and after.

        Shared package caches are left out: they belong to no project, and are kept on purpose.
        """
        with self.guard:
            return {
                "containers": {c.name: c.status for c in self.stored_containers.values()},
                "volumes": sorted(v for v in self.stored_volumes if not names.is_shared_cache(v)),
                "networks": sorted(n.name for n in self.stored_networks.values()),
            }

    def find_container(self, ref: str) -> FakeContainer:
        for container in self.stored_containers.values():
            if ref in (container.id, container.name) or (
                len(ref) >= 4 and container.id.startswith(ref)
            ):
                return container
        raise NotFound(f"No such container: {ref}")

    def write_status(self, found: FakeContainer | str, status: str) -> None:
        """The launcher reports its status: see container/launch.sh."""
        container = self.find_container(found) if isinstance(found, str) else found
        path = names.STATE_LINK
        container.files[path] = FileEntry(path, None, link=status)
        container.written_at[path] = self.now()

    def add_network(self, name: str, subnet: str | None, **more: Any) -> Network:
        """A network, whoever created it."""
        gateway = None
        if subnet:
            gateway = str(ipaddress.ip_network(subnet, strict=False)[1])
        facts: dict[str, Any] = {"driver": "bridge", "gateway": gateway, "created_at": self.now()}
        made = Network(id=self.new_id(), name=name, subnet=subnet, **(facts | more))
        self.stored_networks[made.id] = made
        return made

    @reading
    def disk_usage(self) -> DiskUsage:
        measured = tuple(self.volumes.describe(v, sizes=True) for v in self.stored_volumes.values())
        images = sum(i.size_bytes for i in self.stored_images.values())
        return DiskUsage(images, 0, 0, measured)

    def add_volume(
        self, name: str, labels: Mapping[str, str] | None = None, size: int = 4096
    ) -> None:
        """A volume, whoever created it."""
        self.stored_volumes[name] = FakeVolume(name, dict(labels or {}), self.now(), size)
