"""Containers over docker-py."""

from __future__ import annotations

import io
import posixpath
import tarfile
import time
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from debughost_cli import names
from debughost_cli.engine import decode, encode
from debughost_cli.engine.docker import log_stream
from debughost_cli.engine.docker.connection import ApiClient, Connection
from debughost_cli.engine.error_map import (
    READ_TIMEOUT,
    from_answer,
    image_unavailable,
    mapped,
)
from debughost_cli.engine.port import Conflict, LogQuery, NotFound
from debughost_cli.errors import EngineError, NameConflict
from debughost_cli.resources import (
    Container,
    ContainerSpec,
    ContainerSummary,
    FileEntry,
    Link,
    LogLine,
    StatsSample,
)

LINK_TRIES = 10
LINK_PAUSE = 0.03
"""Seconds; a container that ended is taken down within 0.1 s."""


class DockerContainers:
    """The part of the port that is about containers."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self, labels: Sequence[str] = ()) -> Sequence[ContainerSummary]:
        filters = {"label": list(labels)} if labels else None
        return self._connection.read(
            "listing containers",
            lambda c: decode.each(decode.summary, c.containers(all=True, filters=filters)),
        )

    def inspect(self, ref: str) -> Container:
        return self._connection.read(
            "inspecting a container", lambda c: decode.container(c.inspect_container(ref))
        )

    def create(self, name: str, spec: ContainerSpec) -> str:
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
            return self._connection.create("creating the container", make, find)
        except NotFound as exc:
            if "image" not in exc.message.lower():
                # The network, for example, which somebody removed meanwhile.
                raise
            raise image_unavailable(spec.image, exc.message) from exc
        except Conflict as exc:
            raise NameConflict(
                f"a container named {name} exists already and is not ours",
                hint=f"Look at it with 'docker inspect {name}'",
                details={"name": name},
            ) from exc

    def start(self, ref: str) -> None:
        self._connection.read("starting the container", lambda c: c.start(ref))

    def stop(self, ref: str, stop_timeout: int) -> None:
        self._connection.read(
            "stopping the container",
            lambda c: c.stop(ref, timeout=stop_timeout),
            extra=stop_timeout,
        )

    def kill(self, ref: str, signal: str) -> None:
        self._connection.read("signalling the container", lambda c: c.kill(ref, signal))

    def unpause(self, ref: str) -> None:
        try:
            self._connection.read("unpausing the container", lambda c: c.unpause(ref))
        except EngineError as exc:
            if "not paused" not in exc.message:
                raise

    def remove(self, ref: str, *, force: bool = False) -> None:
        try:
            self._connection.read(
                "removing the container", lambda c: c.remove_container(ref, v=True, force=force)
            )
        except NotFound:
            return
        except Conflict as exc:
            # Another client is at it already: the end is the same.
            if "already in progress" not in exc.message:
                raise

    def put_files(self, ref: str, entries: Sequence[FileEntry]) -> None:
        data = encode.archive(entries)
        self._connection.read("writing into the container", lambda c: c.put_archive(ref, "/", data))

    def read_files(self, ref: str, folder: str, limit: int = 65536) -> Mapping[str, bytes]:
        def call(client: ApiClient) -> bytes:
            chunks, _ = client.get_archive(ref, folder)
            return b"".join(chunks)

        data = self._connection.read("reading from the container", call)
        with mapped(self._connection.info, "reading from the container"):
            return _plain_files(data, limit)

    def read_link(self, ref: str, path: str) -> Link | None:
        for _ in range(LINK_TRIES):
            try:
                return self._connection.read(
                    "reading the container's state", lambda c: _link(c, ref, path)
                )
            except EngineError:
                # Its file system is just being taken down, or put up: a moment later it answers.
                time.sleep(LINK_PAUSE)
        return None

    def stats(self, ref: str) -> StatsSample:
        return self._connection.read(
            "reading stats",
            lambda c: decode.stats_sample(c.stats(ref, stream=False, one_shot=True)),
        )

    def logs(self, ref: str, query: LogQuery) -> Iterator[LogLine]:
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
        answer = self._connection.get_raw(f"/containers/{ref}/logs", params, "reading logs")
        with mapped(self._connection.info, "reading logs"), answer:
            yield from log_stream.lines(answer.raw, query, tty=tty)


def _link(client: ApiClient, ref: str, path: str) -> Link | None:
    answer = client.head(
        f"{client.base_url}/v{client.api_version}/containers/{ref}/archive",
        params={"path": path},
        timeout=READ_TIMEOUT,
    )
    if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise from_answer(answer.status_code, answer.reason, "reading the container's state")
    if answer.status_code >= HTTPStatus.BAD_REQUEST:
        return None
    return decode.link(str(answer.headers.get("X-Docker-Container-Path-Stat", "")))


def _plain_files(data: bytes, limit: int) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for member in tar:
            handle = tar.extractfile(member) if member.isreg() else None
            if handle and posixpath.dirname(member.name).count("/") == 0:
                found[posixpath.basename(member.name)] = handle.read(limit)
    return found
