"""The engine's event stream over docker-py."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from debughost_cli import names
from debughost_cli.engine import decode
from debughost_cli.engine.docker.caller import Caller
from debughost_cli.errors import EngineTimeout
from debughost_cli.resources import EngineEvent


class DockerEvents:
    """The part of the port that is about events."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def read(self, since: float | None, until: float | None = None) -> Iterator[EngineEvent]:
        filters = {"type": ["container"], "label": [f"{names.MANAGED}=true"]}
        params: dict[str, Any] = {"filters": json.dumps(filters)}
        params |= {k: f"{v:.9f}" for k, v in (("since", since), ("until", until)) if v}
        answer = self._caller.get_raw("/events", params, "reading events")
        try:
            with self._caller.mapped("reading events"), answer:
                for line in answer.iter_lines(chunk_size=None):
                    event = decode.event(line)
                    if event:
                        yield event
        except EngineTimeout:
            # 30 s without a byte is what an idle engine sends; the caller opens the stream again.
            return
