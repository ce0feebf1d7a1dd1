"""Images over docker-py."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from debughost_cli.engine import decode
from debughost_cli.engine.docker.caller import Caller
from debughost_cli.engine.docker.client import ApiClient
from debughost_cli.engine.docker.exceptions import raise_for_status
from debughost_cli.engine.docker.pull_amounts import PullAmounts
from debughost_cli.engine.error_map import build_failed, from_stream, image_unavailable
from debughost_cli.engine.json_values import as_list, as_map, as_str
from debughost_cli.engine.port import Conflict, NotFound, OnText
from debughost_cli.errors import EngineError, InUse
from debughost_cli.planning.log_tail import tail
from debughost_cli.resources import Image

_TAIL = 10
"""Lines of a build or pull that are shown where it fails."""
_LINE_ENDS = re.compile(r"[\r\n]")
_LONGEST_LINE = 4096
_CHUNK = 1024**2
_LOAD_TIMEOUT = 300.0
"""Seconds that an engine may unpack an image that it has got."""


class DockerImages:
    """The part of the port that is about images."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def find(self, ref: str) -> Image | None:
        try:
            return self._caller.read(
                "inspecting an image", lambda c: decode.image(c.inspect_image(ref))
            )
        except NotFound:
            return None

    def list(self, labels: Sequence[str] = ()) -> Sequence[Image]:
        filters = {"label": list(labels)} if labels else None
        return self._caller.read(
            "listing images", lambda c: decode.each(decode.image, c.images(filters=filters))
        )

    def last_step(self, ref: str) -> str:
        return self._caller.read("reading an image's history", lambda c: _last_step(c.history(ref)))

    def remove(self, ref: str) -> None:
        try:
            self._caller.read("removing an image", lambda c: c.remove_image(ref))
        except NotFound:
            return
        except Conflict as exc:
            raise InUse(
                f"image {ref} is in use: {exc.message}",
                hint="Remove the containers and images that need it first",
                details={"image": ref},
            ) from exc

    def save(self, ref: str) -> Iterator[bytes]:
        answer = self._caller.get_raw(f"/images/{ref}/get", {}, "reading an image")
        with self._caller.mapped("reading an image"), answer:
            yield from answer.raw.stream(_CHUNK, False)

    def load(self, data: Iterator[bytes]) -> None:
        def call(client: ApiClient) -> None:
            # docker-py's own method has no time limit of its own for what may take minutes.
            response = client.post(
                client.url("/images/load"), data=data, params={"quiet": 1}, timeout=_LOAD_TIMEOUT
            )
            raise_for_status(response, "loading an image")

        self._caller.read("loading an image", call, extra=None)

    def commit(self, container: str, tag: str, labels: Mapping[str, str]) -> str:
        changes = [f"LABEL {name}={json.dumps(value)}" for name, value in labels.items()]
        return self._caller.read(
            "making an image",
            lambda c: decode.identity(c.commit(container, *_split(tag), changes=changes)),
        )

    def pull(self, ref: str, on_text: OnText) -> None:
        doing, last = f"pulling {ref}", _LastLines(on_text)

        def call(client: ApiClient) -> None:
            _drain(client.pull(*_split(ref), stream=True, decode=True), last, doing)

        try:
            self._caller.read(doing, call, extra=None)
        except EngineError as exc:
            failure = image_unavailable(ref, exc.engine_message or exc.message)
            raise failure.with_context(details={"log_tail": last.tail()}) from exc

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
        doing, last = "building an image", _LastLines(on_text)

        def call(client: ApiClient) -> None:
            stream = client.build(
                path=str(context),
                tag=tags[0],
                labels=dict(labels),
                buildargs={**self._caller.info.proxies, **build_args},
                use_config_proxy=False,
                nocache=no_cache,
                rm=True,
                forcerm=True,
                decode=True,
            )
            _drain(stream, last, doing)
            for tag in tags[1:]:
                client.tag(tags[0], *_split(tag), force=True)

        try:
            self._caller.read(doing, call, extra=None)
        except EngineError as exc:
            failure = build_failed(build_args.get("BASE", ""), exc)
            raise failure.with_context(details={"log_tail": last.tail()}) from exc


def _split(ref: str) -> tuple[str, str | None]:
    """Repository and tag (or digest); ``latest`` where none is given, never every tag."""
    if "@" in ref:
        repository, _, digest = ref.partition("@")
        return repository, digest
    head, colon, tail = ref.rpartition(":")
    return (head, tail) if colon and "/" not in tail else (ref, "latest")


def _last_step(raw: Any) -> str:
    """Of ``GET /images/{ref}/history``, which has the newest first."""
    return as_str(as_map(next(iter(as_list(raw)), None)).get("CreatedBy"))


class _LastLines:
    """Passes progress on, and keeps the end of it for an error; amounts are not worth keeping."""

    def __init__(self, on_text: OnText) -> None:
        self._on_text = on_text
        self._lines: deque[str] = deque(maxlen=_TAIL)
        self._begun = self._shown = ""

    def note(self, line: str, *, is_amount: bool = False) -> None:
        """A whole line."""
        if not line.strip():
            return
        if not is_amount:
            self._lines.append(line)
        if line != self._shown:
            self._shown = line
            self._on_text(line.strip())

    def feed(self, text: str) -> None:
        """What a program of a build wrote, in pieces as they came: lines or parts of them."""
        *lines, begun = _LINE_ENDS.split(self._begun + text)
        self._begun = begun[-_LONGEST_LINE:]
        for line in lines:
            self.note(line)

    def end(self) -> None:
        """Nothing more comes: what has no end of line is a line too."""
        self.note(self._begun)
        self._begun = ""

    def tail(self) -> list[str]:
        """As the last lines of a program are shown."""
        return list(tail(line.encode() for line in self._lines))


def _drain(stream: Iterator[Mapping[str, Any]], last: _LastLines, doing: str) -> None:
    """Reads a progress stream to its end, so that its connection is free again; an error in it is
    raised then, which docker-py does not.
    """
    failure, amounts = "", PullAmounts()
    for message in stream:
        detail = message.get("errorDetail") or {}
        failure = failure or str(detail.get("message") or message.get("error") or "")
        if failure:
            continue
        if "stream" in message:
            last.feed(str(message["stream"]))
        else:
            text = str(amounts) if amounts.note(message) else _status_text(message)
            last.note(text, is_amount=bool(message.get("progress")))
    last.end()
    if failure:
        raise from_stream(failure, doing)


def _status_text(message: Mapping[str, Any]) -> str:
    parts = (message.get("id"), message.get("status"))
    return " ".join(str(p) for p in parts if p)
