"""Copies volumes from one engine to another, as a stream through this machine.

On either side a container that is never started has the volume; the files, their owners and links
go from the one to the other as the engines pack and unpack them.
"""

from __future__ import annotations

import posixpath
import secrets
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from msgspec import Struct

from debughost_cli import __version__, names
from debughost_cli.engine.port import Engine
from debughost_cli.models import ProjectType, RestartPolicy
from debughost_cli.services.archive_stream import open_archive
from debughost_cli.services.owner_process import OwnerProcess
from debughost_cli.specs import Limits, Mount, MountType, Role, ServiceSpec

_PLACE = "/volume"


class Side(Struct, frozen=True):
    """An engine, and an image that it has: any will do."""

    engine: Engine
    image: str


def copy_volume(source: Side, target: Side, volume: str, project: str, owner: OwnerProcess) -> None:
    """Copies what is in it into the volume of that name over there, which exists.

    Raises what either engine raises.
    """
    with _held(source, volume, project, owner) as here, _held(target, volume, project, owner) as to:
        target.engine.containers.put_archive(
            to, lambda: source.engine.containers.get_archive(here, _PLACE)
        )


def list_volume(
    side: Side, volume: str, project: str, owner: OwnerProcess, without: Iterable[str] = ()
) -> dict[str, tarfile.TarInfo]:
    """What is in a volume, by its path; ``without``: names at its top. Files are read in passing.

    Raises what the engine raises.
    """
    left_out = frozenset(without)
    found: dict[str, tarfile.TarInfo] = {}
    with (
        _held(side, volume, project, owner) as ref,
        open_archive(side.engine.containers.get_archive(ref, _PLACE)) as tar,
    ):
        for member in tar:
            path = posixpath.relpath(member.name, _PLACE.strip("/"))
            if path != "." and path.partition("/")[0] not in left_out:
                found[path] = member
    return found


@contextmanager
def _held(side: Side, volume: str, project: str, owner: OwnerProcess) -> Iterator[str]:
    """The id of a container that has the volume; as a one-off container, it is removed by a later
    command should this one be killed.
    """
    labels = names.base_labels(__version__, datetime.now(UTC)) | {
        names.PROJECT: project,
        names.ROLE: Role.RUN.value,
        names.OWNER: str(owner),
    }
    spec = ServiceSpec(
        project=project, type=ProjectType.STATIC, workspace="", image=side.image, image_id="",
        command=("/never-started",), ports=(), environment={}, limits=Limits(), user=None,
        labels=labels, mounts=(Mount(MountType.VOLUME, volume, _PLACE),),
        restart=RestartPolicy(), network="none", network_id="", aliases=(), role=Role.SERVICE,
    )  # fmt: skip
    name = f"debug-host-{project}-copy-{secrets.token_hex(4)}"
    try:
        yield side.engine.containers.create(name, spec)
    finally:
        # By its name: the creation may have been interrupted.
        side.engine.containers.remove(name, force=True)
