"""What the fake engine stores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from debughost_cli.resources import ContainerStatus, ContainerSummary, FileEntry, LogLine
from debughost_cli.specs import ServiceSpec
from fakes.programs import Program


@dataclass
class FakeContainer:
    """A container and all that an engine keeps of it."""

    id: str
    name: str
    spec: ServiceSpec
    image_id: str
    created_at: datetime
    program: Program
    status: str = "created"
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: int = 0
    oom_killed: bool = False
    unreadable: bool = False  # Its mounted folder is gone.
    start_error: str = ""
    health: str | None = None
    restart_count: int = 0
    network_id: str = ""
    further_networks: dict[str, str] = field(default_factory=dict)
    reads: int = 0
    pending: bool = False
    environment: dict[str, str] = field(default_factory=dict)
    image_labels: dict[str, str] = field(default_factory=dict)
    files: dict[str, FileEntry] = field(default_factory=dict)
    written_at: dict[str, datetime] = field(default_factory=dict)
    log: list[LogLine] = field(default_factory=list)

    @property
    def labels(self) -> dict[str, str]:
        """The image's, and over them the container's own."""
        return self.image_labels | dict(self.spec.labels)

    @property
    def is_running(self) -> bool:
        return self.status in ("running", "paused", "restarting")

    def summary(self) -> ContainerSummary:
        """As the list of containers has it."""
        return ContainerSummary(
            id=self.id,
            name=self.name,
            labels=dict(self.labels),
            image=self.spec.image,
            status=ContainerStatus(self.status),
            # The list knows whole seconds only.
            created_at=self.created_at.replace(microsecond=0),
            published_ports=tuple(p.host_port for p in self.spec.ports) if self.is_running else (),
            health=self.health,
            image_id=self.image_id,
            status_text=f"{self.status} since {self.started_at}",
        )


@dataclass
class FakeVolume:
    """A volume with its files."""

    name: str
    labels: dict[str, str]
    created_at: datetime
    size_bytes: int = 4096
    files: dict[str, FileEntry] = field(default_factory=dict)


def carries(labels: Mapping[str, str], required: Sequence[str]) -> bool:
    """Whether every required label is among ``labels``."""
    pairs = [item.partition("=") for item in required]
    return all(k in labels and (not equals or labels[k] == v) for k, equals, v in pairs)
