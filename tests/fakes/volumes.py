"""Volumes of the fake engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from debughost_cli.errors import InUse
from debughost_cli.resources import Volume
from debughost_cli.specs import MountType
from fakes.calls import Part, changing, reading
from fakes.objects import FakeVolume, carries


class FakeVolumes(Part):
    """Volumes."""

    name = "volumes"

    @reading
    def list(self, labels: Sequence[str] = ()) -> Sequence[Volume]:
        return [
            self.describe(v)
            for v in self.engine.stored_volumes.values()
            if carries(v.labels, labels)
        ]

    @changing
    def create(self, name: str, labels: Mapping[str, str]) -> Volume:
        if name not in self.engine.stored_volumes:
            self.engine.add_volume(name, labels)
        return self.describe(self.engine.stored_volumes[name])

    @changing
    def remove(self, name: str) -> None:
        if name not in self.engine.stored_volumes:
            return
        users = self._users(name)
        if users:
            raise InUse(
                f"volume {name} is in use: {users}",
                hint="Remove what uses it first",
                details={"volume": name},
            )
        del self.engine.stored_volumes[name]

    def describe(self, volume: FakeVolume, sizes: bool = False) -> Volume:
        """As the port has it, measured or not."""
        return Volume(
            name=volume.name,
            labels=dict(volume.labels),
            created_at=volume.created_at.replace(microsecond=0),
            size_bytes=volume.size_bytes if sizes else None,
            in_use=bool(self._users(volume.name)) if sizes else None,
        )

    def _users(self, volume: str) -> Sequence[str]:
        return [
            c.id
            for c in self.engine.stored_containers.values()
            if any(m.type is MountType.VOLUME and m.source == volume for m in c.spec.mounts)
        ]
