"""The engine port over docker-py: networks, volumes and images; containers in their own module."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from debughost_cli.engine import decode, encode
from debughost_cli.engine.connect import Address
from debughost_cli.engine.docker.connection import ApiClient, Connection
from debughost_cli.engine.docker.containers import DockerContainers
from debughost_cli.engine.docker.events import DockerEvents
from debughost_cli.engine.docker.exec import DockerCommands
from debughost_cli.engine.error_map import disk_full, image_unavailable
from debughost_cli.engine.port import Conflict, NotFound, OnText
from debughost_cli.engine.retry import Retrier
from debughost_cli.errors import (
    DebughostError,
    DiskFull,
    EngineError,
    EngineTimeout,
    EngineUnavailable,
    ImageNotFound,
    InUse,
)
from debughost_cli.resources import DiskUsage, EngineInfo, Image, Network, Volume

MEASURED_AGAIN = 0.1
"""Seconds between two looks whether another client's measuring is done."""


class DockerNetworks:
    """The part of the port that is about networks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, name: str) -> Sequence[Network]:
        # The engine's name filter matches parts of names: the exact ones are picked here.
        listed = self._connection.read(
            "listing networks", lambda c: decode.each(decode.network, c.networks(names=[name]))
        )
        found = [self._inspect_network(n.id) for n in listed if n.name == name]
        return [n for n in found if n is not None]

    def _inspect_network(self, ref: str) -> Network | None:
        try:
            return self._connection.read(
                "inspecting a network", lambda c: decode.network(c.inspect_network(ref))
            )
        except NotFound:
            return None

    def list(self) -> Sequence[Network]:
        return self._connection.read(
            "listing networks", lambda c: decode.each(decode.network, c.networks())
        )

    def create(self, name: str, subnet: str, gateway: str, labels: Mapping[str, str]) -> str:
        body = encode.network(name, subnet, gateway, dict(labels))

        def make(client: ApiClient) -> str:
            made = client.create_network(
                name,
                driver=body["Driver"],
                ipam=body["IPAM"],
                labels=body["Labels"],
                check_duplicate=body["CheckDuplicate"],
            )
            return decode.identity(made)

        def find() -> str | None:
            return next((n.id for n in self.find(name) if n.labels == labels), None)

        return self._connection.create("creating the network", make, find)

    def remove(self, ref: str) -> None:
        try:
            self._connection.read("removing the network", lambda c: c.remove_network(ref))
        except NotFound:
            return
        except EngineError as exc:
            if "active endpoints" not in exc.message and not isinstance(exc, Conflict):
                raise
            raise InUse(
                f"the network is in use: {exc.message}",
                hint="Remove what is attached to it first; 'debughost network inspect' lists it",
            ) from exc


class DockerVolumes:
    """The part of the port that is about volumes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self, labels: Sequence[str] = ()) -> Sequence[Volume]:
        filters = {"label": list(labels)} if labels else None
        return self._connection.read(
            "listing volumes", lambda c: decode.volumes(c.volumes(filters))
        )

    def create(self, name: str, labels: Mapping[str, str]) -> Volume:
        return self._connection.read(
            "creating a volume",
            lambda c: decode.volume(c.create_volume(name, labels=dict(labels))),
        )

    def remove(self, name: str) -> None:
        try:
            self._connection.read("removing a volume", lambda c: c.remove_volume(name))
        except NotFound:
            return
        except Conflict as exc:
            raise InUse(
                f"volume {name} is in use: {exc.message}",
                hint=f"'docker ps -a --filter volume={name}' lists what uses it",
                details={"volume": name},
            ) from exc


def _still_measuring(exc: EngineError) -> EngineTimeout:
    return EngineTimeout(
        f"the engine measures its disk for somebody else, and that takes long: {exc.message}",
        hint="Try again in a moment; 'docker system df' and the like are what it is busy with",
    )


class DockerImages:
    """The part of the port that is about images."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, ref: str) -> Image | None:
        try:
            return self._connection.read(
                "inspecting an image", lambda c: decode.image(c.inspect_image(ref))
            )
        except NotFound:
            return None

    def list(self, labels: Sequence[str] = ()) -> Sequence[Image]:
        filters = {"label": list(labels)} if labels else None
        return self._connection.read(
            "listing images", lambda c: decode.each(decode.image, c.images(filters=filters))
        )

    def pull(self, ref: str, on_text: OnText) -> None:
        try:
            self._connection.read(
                f"pulling {ref}",
                lambda c: _drain(c.pull(*_split(ref), stream=True, decode=True), on_text),
                extra=None,
            )
        except (DiskFull, EngineUnavailable, ImageNotFound):
            raise
        except EngineError as exc:
            raise image_unavailable(ref, exc.message) from exc

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
        def call(client: ApiClient) -> None:
            stream = client.build(
                path=str(context),
                tag=tags[0],
                labels=dict(labels),
                buildargs=dict(build_args),
                nocache=no_cache,
                rm=True,
                forcerm=True,
                decode=True,
            )
            _drain(stream, on_text)
            for tag in tags[1:]:
                client.tag(tags[0], *_split(tag), force=True)

        try:
            self._connection.read("building an image", call, extra=None)
        except EngineError as exc:
            raise _build_error(exc, build_args.get("BASE", "")) from exc


def _split(ref: str) -> tuple[str, str | None]:
    """Repository and tag (or digest); ``latest`` where none is given, never every tag."""
    if "@" in ref:
        repository, _, digest = ref.partition("@")
        return repository, digest
    head, colon, tail = ref.rpartition(":")
    return (head, tail) if colon and "/" not in tail else (ref, "latest")


def _drain(stream: Iterator[Mapping[str, Any]], on_text: OnText) -> None:
    """Reads a progress stream to its end, so that its connection is free again; an error in it is
    raised then, which docker-py does not.
    """
    failure = ""
    for message in stream:
        detail = message.get("errorDetail") or {}
        failure = failure or str(detail.get("message") or message.get("error") or "")
        text = message.get("stream") or _status_text(message)
        if text and text.strip() and not failure:
            on_text(text.strip())
    if failure:
        raise _stream_error(failure)


def _stream_error(words: str) -> DebughostError:
    if "no space left" in words.lower() or "quota exceeded" in words.lower():
        return disk_full(words)
    return EngineError(words)


def _status_text(message: Mapping[str, Any]) -> str:
    parts = (message.get("id"), message.get("status"), message.get("progress"))
    return " ".join(str(p) for p in parts if p)


def _build_error(exc: EngineError, base: str) -> DebughostError:
    low = exc.message.lower()
    ref_words = (
        "manifest",
        "pull access denied",
        "not found",
        "dial tcp",
        "registry",
        "repository",
    )
    if isinstance(exc, NotFound) or (
        "returned a non-zero code" not in low and any(w in low for w in ref_words)
    ):
        return image_unavailable(base, exc.message)
    return EngineError(
        f"the image could not be built: {exc.message[:500]}",
        hint="Run 'debughost images build --verbose' to see each step",
    )


class DockerEngine:
    """An engine reached over docker-py; raises as the port says."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.containers = DockerContainers(connection)
        self.exec = DockerCommands(connection)
        self.events = DockerEvents(connection)
        self.networks = DockerNetworks(connection)
        self.volumes = DockerVolumes(connection)
        self.images = DockerImages(connection)

    @classmethod
    def connect(
        cls,
        address: Address,
        *,
        on_retry: Callable[[str], None] | None,
        trace: Callable[[str], None] = lambda _: None,
        timeout: float | None = None,
    ) -> DockerEngine:
        """The engine at ``address``, once it has answered; ``timeout``: seconds for an answer.

        Raises EngineUnavailable, EngineTimeout, EnginePermissionDenied, EngineTooOld.
        """
        return cls(Connection(address, Retrier(on_retry), trace, timeout))

    @property
    def info(self) -> EngineInfo:
        return self._connection.info

    @property
    def connection_failures(self) -> int:
        return self._connection.connection_failures

    def ping(self) -> None:
        self._connection.ping()

    def close(self) -> None:
        """Gives the sockets back."""
        self._connection.close()

    def disk_usage(self) -> DiskUsage:
        """Engine 20.10 measures for one client at a time, and refuses the others meanwhile."""
        deadline = time.monotonic() + self._connection.limit
        while True:
            try:
                return self._connection.read(
                    "measuring the disk", lambda c: decode.disk_usage(c.df())
                )
            except EngineError as exc:
                if "already running" not in exc.message:
                    raise
                if time.monotonic() >= deadline:
                    raise _still_measuring(exc) from exc
            time.sleep(MEASURED_AGAIN)
