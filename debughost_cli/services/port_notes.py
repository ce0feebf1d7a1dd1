"""A project's port outlives its container: it is noted in the labels of an empty volume."""

from __future__ import annotations

from datetime import UTC, datetime

from debughost_cli import __version__, names
from debughost_cli.engine.port import Engine
from debughost_cli.resources import Container
from debughost_cli.services.volumes import remove_owned
from debughost_cli.specs import bindings_text


def note_port(engine: Engine, container: Container, project: str) -> None:
    """The next container of ``project`` gets the ports of this one. Raises DiskFull."""
    labels = names.base_labels(__version__, datetime.now(UTC)) | {
        names.PROJECT: project,
        names.TYPE: container.labels.get(names.TYPE, ""),
        names.ROLE: "port",
        names.PORT: str(container.port),
        names.PORTS: bindings_text(container.extra_ports),
    }
    engine.volumes.create(names.port_note_name(project), labels)


def forget_port(engine: Engine, project: str) -> None:
    """Removes the note, if there is one of ours."""
    remove_owned(engine, names.port_note_name(project))
