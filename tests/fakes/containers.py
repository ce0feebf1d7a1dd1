"""Containers of the fake engine."""

from __future__ import annotations

import io
import posixpath
import tarfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

from debughost_cli.engine.port import Conflict, LogQuery, NotFound
from debughost_cli.errors import (
    DebughostError,
    ImageNotFound,
    InvalidWorkspace,
    NameConflict,
    PortInUse,
    StartFailed,
)
from debughost_cli.resources import (
    Container,
    ContainerStatus,
    ContainerSummary,
    FileEntry,
    Link,
    LogLine,
    StatsSample,
)
from debughost_cli.specs import MountType, ServiceSpec
from fakes.calls import Part, changing, reading
from fakes.logs import in_span, shaped
from fakes.objects import FakeContainer, FakeVolume, carries

MIB = 1024**2


class _Unpacked(FileEntry, frozen=True):
    """With the time that was in the archive."""

    mtime: float = 0.0


class FakeContainers(Part):
    """Containers, as the port has them."""

    name = "containers"

    @reading
    def list(self, labels: Sequence[str] = ()) -> Sequence[ContainerSummary]:
        found = [c for c in self.engine.stored_containers.values() if carries(c.labels, labels)]
        found.sort(key=lambda c: c.created_at, reverse=True)
        return [c.summary() for c in found]

    @reading
    def inspect(self, ref: str) -> Container:
        found = self.engine.find_container(ref)
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
            network_ids={spec.network: found.network_id, **found.further_networks},
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
        image = self.engine.stored_images.get(spec.image) or self.engine.images.by_id(spec.image)
        if image is None:
            raise ImageNotFound(
                f"image {spec.image} is not here and cannot be had (unknown)",
                hint="Check the name and tag",
                details={"image": spec.image, "reason": "unknown"},
            )
        if any(c.name == name for c in self.engine.stored_containers.values()):
            raise NameConflict(f"a container named {name} exists already and is not ours")
        for mount in spec.mounts:
            if mount.type is MountType.BIND and not self._sees(mount.source):
                raise InvalidWorkspace(f"bind source path does not exist: {mount.source}")
            if mount.type is MountType.VOLUME and mount.source not in self.engine.stored_volumes:
                self.engine.stored_volumes[mount.source] = FakeVolume(
                    mount.source, {}, self.engine.now()
                )
        made = FakeContainer(
            id=self.engine.new_id(),
            name=name,
            spec=spec,
            image_id=image.id,
            created_at=self.engine.now(),
            program=self.engine.program,
            # The container's own come first, and what only the image has after them.
            environment=dict(spec.environment) | dict(image.environment) | dict(spec.environment),
            image_labels=dict(image.labels),
        )
        self.engine.stored_containers[made.id] = made
        return made.id

    @changing
    def start(self, ref: str) -> None:
        found = self.engine.find_container(ref)
        if found.status == "paused":
            raise Conflict("cannot start a paused container, try unpause instead")
        if found.is_running:
            return
        found.network_id = found.network_id or self.engine.networks.network_id(found.spec.network)
        if found.network_id not in self.engine.stored_networks and found.spec.network != "none":
            raise _not_started(found, NotFound(f"network {found.network_id} not found"))
        taken = self._taken_port(found)
        if taken:
            words = f"Bind for 127.0.0.1:{taken} failed: port is already allocated"
            raise _not_started(found, PortInUse(words, details={"engine": words}))
        program = self.engine.runtime.program_of(found)
        if program.refused:
            error = StartFailed(
                f"the engine could not start the container: {program.refused}",
                hint="The image must have /bin/sh",
            )
            raise _not_started(found, error)
        self.engine.runtime.run(found, program)

    @changing
    def stop(self, ref: str, stop_timeout: int) -> None:
        found = self.engine.find_container(ref)
        if not found.is_running:
            return
        was_paused = found.status == "paused"
        self.engine.runtime.signal(found, "SIGTERM", frozen=was_paused)
        if found.is_running:
            self.engine.runtime.end(found, 137)

    @changing
    def kill(self, ref: str, signal: str) -> None:
        found = self.engine.find_container(ref)
        if not found.is_running:
            raise Conflict(f"Cannot kill container: {ref}: Container {found.id} is not running")
        self.engine.runtime.signal(found, signal)

    @changing
    def unpause(self, ref: str) -> None:
        found = self.engine.find_container(ref)
        if found.status == "paused":
            found.status = "running"
            self.engine.record_event("unpause", found)

    @changing
    def remove(self, ref: str, *, force: bool = False) -> None:
        try:
            found = self.engine.find_container(ref)
        except NotFound:
            return
        if found.is_running and not force:
            raise Conflict(f"You cannot remove a running container {found.id}")
        if found.is_running:
            self.engine.runtime.end(found, 137)
        del self.engine.stored_containers[found.id]
        self.engine.record_event("destroy", found)

    @changing
    def put_files(self, ref: str, entries: Sequence[FileEntry]) -> None:
        found = self.engine.find_container(ref)
        for entry in entries:
            store, path = self._place(found, entry.path)
            store[path] = entry
            found.written_at[entry.path] = self.engine.now().replace(microsecond=0)

    @changing
    def put_archive(self, ref: str, make: Callable[[], Iterable[bytes]]) -> None:
        found = self.engine.find_container(ref)
        data = io.BytesIO(b"".join(make()))
        with tarfile.open(fileobj=data, encoding="utf-8", errors="surrogateescape") as tar:
            for member in tar:
                handle = tar.extractfile(member) if member.isreg() else None
                store, path = self._place(found, f"/{member.name}")
                store[path] = _Unpacked(
                    f"/{member.name}",
                    handle.read() if handle else None,
                    member.uid,
                    member.gid,
                    member.mode,
                    member.linkname,
                    member.mtime,
                )

    @reading
    def get_archive(self, ref: str, path: str) -> Iterator[bytes]:
        found = self.engine.find_container(ref)
        store, top = self._place(found, path)
        name = posixpath.basename(path)
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w") as tar:
            for place, entry in sorted(store.items()):
                if place != top and not place.startswith(f"{top.rstrip('/')}/"):
                    continue
                info = tarfile.TarInfo(f"{name}{place.removeprefix(top.rstrip('/'))}")
                info.uid, info.gid, info.mode = entry.uid, entry.gid, entry.mode
                info.mtime = entry.mtime if isinstance(entry, _Unpacked) else 0
                info.type, info.linkname = tarfile.DIRTYPE, entry.link
                if entry.data is not None:
                    info.type, info.size = tarfile.REGTYPE, len(entry.data)
                elif entry.link:
                    info.type = tarfile.SYMTYPE
                tar.addfile(info, io.BytesIO(entry.data or b""))
        return iter([data.getvalue()])

    @reading
    def read_files(self, ref: str, folder: str, limit: int = 65536) -> Mapping[str, bytes]:
        found = self.engine.find_container(ref)
        shown = self._of_this_machine(found, folder)
        if shown is not None:
            return {shown.name: shown.read_bytes()[:limit]}
        store, path = self._place(found, folder)
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
            found = self.engine.find_container(ref)
        except NotFound:
            return None
        self.engine.runtime.advance(found)
        entry = None if found.unreadable else found.files.get(path)
        if entry is None or not entry.link:
            return None
        return Link(posixpath.basename(entry.link), found.written_at[path])

    @reading
    def stats(self, ref: str) -> StatsSample:
        found = self.engine.find_container(ref)
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
        yield from shaped(entries, query)

    def _written_later(self, ref: str, query: LogQuery) -> Iterator[LogLine]:
        seen = len(self.engine.find_container(ref).log)
        while query.follow and ref in self.engine.stored_containers:
            self.engine.require_answer()
            is_last_look = not self.engine.stored_containers[ref].is_running
            lines = self.engine.stored_containers[ref].log
            yield from lines[seen:]
            seen = len(lines)
            if is_last_look:
                return
            time.sleep(0.01)

    @reading
    def _logs(self, ref: str, query: LogQuery) -> Sequence[LogLine]:
        """As engines do: the last ones are counted first, and their time is compared after that."""
        lines = self.engine.find_container(ref).log
        if query.tail is not None:
            lines = lines[len(lines) - min(query.tail, len(lines)) :]
        return [line for line in lines if in_span(line, query)]

    def _taken_port(self, container: FakeContainer) -> int:
        """The first of its ports that is in use, 0 for none."""
        running = [c for c in self.engine.stored_containers.values() if c.is_running]
        others = {port.host_port for c in running for port in c.spec.ports}
        own = (port.host_port for port in container.spec.ports)
        return next((port for port in own if port in others | self.engine.taken_ports), 0)

    def _sees(self, path: str) -> bool:
        hidden = self.engine.hidden
        return Path(path).exists() and not (hidden and Path(path).is_relative_to(hidden))

    def _of_this_machine(self, container: FakeContainer, path: str) -> Path | None:
        """A plain file of a folder that is mounted."""
        for mount in container.spec.mounts:
            if mount.type is MountType.BIND and path.startswith(f"{mount.target}/"):
                found = Path(mount.source) / path.removeprefix(f"{mount.target}/")
                return found if found.is_file() else None
        return None

    def _place(self, container: FakeContainer, path: str) -> tuple[dict[str, FileEntry], str]:
        """Where a path of a container really is: in a volume, or in the container itself."""
        volumes = self.engine.stored_volumes
        for mount in sorted(container.spec.mounts, key=lambda m: -len(m.target)):
            inside = path == mount.target or path.startswith(f"{mount.target}/")
            if mount.type is MountType.VOLUME and inside and mount.source in volumes:
                return volumes[mount.source].files, path.removeprefix(mount.target) or "/"
        return container.files, path


def _not_started(container: FakeContainer, error: DebughostError) -> DebughostError:
    container.start_error = error.message
    container.exit_code = container.exit_code or 128
    return error
