"""Containers over docker-py."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from debughost_cli import names
from debughost_cli.engine import decode, encode
from debughost_cli.engine.docker.caller import Caller
from debughost_cli.engine.docker.client import ApiClient
from debughost_cli.engine.docker.exceptions import raise_for_status
from debughost_cli.engine.error_map import image_unavailable
from debughost_cli.engine.port import (
    Conflict,
    ImageMissing,
    LogQuery,
    NotFound,
    NotPaused,
    RemovalInProgress,
)
from debughost_cli.engine.reachability import READ_TIMEOUT
from debughost_cli.errors import EngineError, NameConflict
from debughost_cli.resources import (
    Container,
    ContainerSummary,
    FileEntry,
    Link,
    LogLine,
    StatsSample,
)
from debughost_cli.specs import ServiceSpec

LINK_TRIES = 10
LINK_PAUSE = 0.03
_PART = 256 * 1024
"""Bytes of an archive that are passed on at once."""
"""Seconds; a container that ended is unmounted within 0.1 s."""


class DockerContainers:
    """The part of the port that is about containers."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(self, labels: Sequence[str] = ()) -> Sequence[ContainerSummary]:
        filters = {"label": list(labels)} if labels else None
        return self._caller.read(
            "listing containers",
            lambda c: decode.each(decode.summary, c.containers(all=True, filters=filters)),
        )

    def inspect(self, ref: str) -> Container:
        return self._caller.read(
            "inspecting a container", lambda c: decode.container(c.inspect_container(ref))
        )

    def create(self, name: str, spec: ServiceSpec) -> str:
        body = encode.container(spec)

        def make(client: ApiClient) -> str:
            return decode.identity(client.create_container_from_config(body, name))

        def find() -> str | None:
            try:
                found = self.inspect(name)
            except NotFound:
                return None
            ours = found.labels.get(names.CONFIG_HASH) == spec.labels.get(names.CONFIG_HASH)
            return found.id if ours else None

        try:
            return self._caller.create("creating the container", make, find)
        except ImageMissing as exc:
            raise image_unavailable(spec.image, exc.engine_message) from exc
        except Conflict as exc:
            raise NameConflict(
                f"a container named {name} exists already and is unmanaged",
                hint=f"Inspect it with 'docker inspect {name}'",
                details={"name": name},
            ) from exc

    def start(self, ref: str) -> None:
        self._caller.read("starting the container", lambda c: c.start(ref))

    def stop(self, ref: str, stop_timeout: int) -> None:
        self._caller.read(
            "stopping the container",
            lambda c: c.stop(ref, timeout=stop_timeout),
            extra=stop_timeout,
        )

    def kill(self, ref: str, signal: str) -> None:
        self._caller.read("signalling the container", lambda c: c.kill(ref, signal))

    def unpause(self, ref: str) -> None:
        with suppress(NotPaused):
            self._caller.read("unpausing the container", lambda c: c.unpause(ref))

    def remove(self, ref: str, *, force: bool = False) -> None:
        with suppress(NotFound, RemovalInProgress):
            self._caller.read(
                "removing the container", lambda c: c.remove_container(ref, v=True, force=force)
            )

    def put_files(self, ref: str, entries: Sequence[FileEntry]) -> None:
        data = encode.archive(entries)
        self._caller.read("writing into the container", lambda c: c.put_archive(ref, "/", data))

    def put_archive(self, ref: str, make: Callable[[], Iterable[bytes]]) -> None:
        # Without a limit for the whole: each part has the time of an answer.
        self._caller.read(
            "uploading files",
            lambda c: c.put_archive(ref, "/", iter(make())),
            extra=None,
        )

    def get_archive(self, ref: str, path: str) -> Iterator[bytes]:
        doing = "reading files"
        place = f"/containers/{ref}/archive"
        response = self._caller.get_raw(place, {"path": path}, doing)
        with response, self._caller.mapped(doing):
            yield from response.iter_content(_PART)

    def read_files(self, ref: str, folder: str, limit: int = 65536) -> Mapping[str, bytes]:
        from debughost_cli.engine.docker.archive import plain_files

        doing = "reading from the container"

        def call(client: ApiClient) -> Mapping[str, bytes]:
            url = client.url(f"/containers/{ref}/archive")
            # Closed as soon as enough was read; docker-py's own method reads to the end.
            # Not compressed: what is read from the socket is what counts against the limit.
            headers = {"Accept-Encoding": "identity"}
            with client.get(
                url, params={"path": folder}, headers=headers, stream=True, timeout=READ_TIMEOUT
            ) as response:
                raise_for_status(response, doing)
                return plain_files(response.raw, limit)

        return self._caller.read(doing, call)

    def read_link(self, ref: str, path: str) -> Link | None:
        for _ in range(LINK_TRIES):
            try:
                return self._caller.read(
                    "reading the container's state", lambda c: _link(c, ref, path)
                )
            except EngineError:
                # Its file system is being mounted or unmounted: a moment later the engine answers.
                self._caller.sleep(LINK_PAUSE)
        return None

    def stats(self, ref: str) -> StatsSample:
        return self._caller.read(
            "reading stats",
            lambda c: decode.stats_sample(c.stats(ref, stream=False, one_shot=True)),
        )

    def logs(self, ref: str, query: LogQuery) -> Iterator[LogLine]:
        from debughost_cli.engine.docker.log_stream import lines

        params: dict[str, Any] = {
            "stdout": 1,
            "stderr": 1,
            "timestamps": int(query.stamps),
            "follow": int(query.follow),
            "tail": "all" if query.tail is None else query.tail,
        }
        span = (("since", query.since), ("until", query.until))
        params |= {k: f"{v:.9f}" for k, v in span if v is not None}
        tty = self.inspect(ref).tty
        answer = self._caller.get_raw(f"/containers/{ref}/logs", params, "reading logs")
        with self._caller.mapped("reading logs"), answer:
            yield from lines(answer.raw, query, tty=tty)


def _link(client: ApiClient, ref: str, path: str) -> Link | None:
    doing = "reading the container's state"
    response = client.head(
        client.url(f"/containers/{ref}/archive"), params={"path": path}, timeout=READ_TIMEOUT
    )
    found = decode.link(str(response.headers.get("X-Docker-Container-Path-Stat", "")))
    if found:
        # Podman answers 404 with it where the link's target does not exist.
        return found
    with suppress(NotFound):
        raise_for_status(response, doing)
    return None
