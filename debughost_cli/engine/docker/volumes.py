"""Named volumes over docker-py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from debughost_cli.engine import decode
from debughost_cli.engine.docker.caller import Caller
from debughost_cli.engine.port import NotFound
from debughost_cli.errors import InUse
from debughost_cli.resources import Volume


class DockerVolumes:
    """The part of the port that is about volumes."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(self, labels: Sequence[str] = ()) -> Sequence[Volume]:
        filters = {"label": list(labels)} if labels else None
        return self._caller.read("listing volumes", lambda c: decode.volumes(c.volumes(filters)))

    def create(self, name: str, labels: Mapping[str, str]) -> Volume:
        return self._caller.read(
            "creating a volume",
            lambda c: decode.volume(c.create_volume(name, labels=dict(labels))),
        )

    def remove(self, name: str) -> None:
        try:
            self._caller.read("removing a volume", lambda c: c.remove_volume(name))
        except NotFound:
            return
        except InUse as exc:
            raise exc.with_context(
                hint=f"'docker ps -a --filter volume={name}' lists what uses it",
                details={"volume": name},
            ) from exc
