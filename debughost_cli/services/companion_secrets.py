"""The generated passwords of companion services: kept on the engine, beside their data.

A database knows its first password for as long as its data lives, which may be longer than any
container. It is a file in a volume of its own, for everyone can read a label.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from datetime import UTC, datetime

from debughost_cli import __version__, names
from debughost_cli.engine.port import Engine, NotFound
from debughost_cli.models import ProjectType, RestartPolicy
from debughost_cli.resources import FileEntry
from debughost_cli.services.owner_process import OwnerProcess
from debughost_cli.specs import Limits, Mount, MountType, Role, ServiceSpec


class CompanionSecrets:
    """Reads and writes them through containers that are never started."""

    def __init__(self, engine: Engine, owner: OwnerProcess) -> None:
        self._containers = engine.containers
        self._owner = owner

    def generate(self) -> str:
        """A new password: 128 bits, in characters that need no quoting in URLs."""
        return secrets.token_hex(16)

    def read(self, project: str, volume: str, image: str) -> str:
        """The password in ``volume``; empty where there is none. ``image``: any that is there."""
        # As a one-off container, it is removed by a later command should this one be killed.
        labels = names.base_labels(__version__, datetime.now(UTC)) | {
            names.PROJECT: project,
            names.ROLE: Role.RUN.value,
            names.OWNER: str(self._owner),
        }
        spec = ServiceSpec(
            project=project, type=ProjectType.STATIC, workspace="", image=image, image_id="",
            command=(), ports=(), environment={}, limits=Limits(), user=None, labels=labels,
            mounts=(Mount(MountType.VOLUME, volume, names.SECRET_DIR, read_only=True),),
            restart=RestartPolicy(), network="none", network_id="", aliases=(),
            role=Role.RUN,
        )  # fmt: skip
        ref = self._containers.create(f"{volume}-{secrets.token_hex(4)}", spec)
        try:
            with suppress(NotFound):
                found = self._containers.read_files(ref, names.SECRET_FILE, limit=1024)
                return next(iter(found.values()), b"").decode("ascii", "replace").strip()
            return ""
        finally:
            self._containers.remove(ref, force=True)


def write_secret(engine: Engine, ref: str, secret: str) -> None:
    """Keeps the password in the volume that the container ``ref`` has for it."""
    entry = FileEntry(names.SECRET_FILE, secret.encode(), mode=0o400)
    engine.containers.put_files(ref, [entry])
