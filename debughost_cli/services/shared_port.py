"""Of several programs that a project starts, one may have failed although another is ready."""

from __future__ import annotations

import posixpath

from debughost_cli.engine.port import Engine
from debughost_cli.planning.failure_hints import taken_port
from debughost_cli.project.resolve import ResolvedProject
from debughost_cli.project.starters import STARTERS
from debughost_cli.resources import Container
from debughost_cli.services.progress import Progress
from debughost_cli.services.projects import log_tail


def warn_if_port_is_shared(
    engine: Engine, resolved: ResolvedProject, container: Container, progress: Progress
) -> None:
    """Where one has said so by now; its output is read only where there may be several."""
    words = {posixpath.basename(word) for word in resolved.command}
    if resolved.detection.several or words & STARTERS:
        text = taken_port(log_tail(engine, container))
        if text:
            progress.warn("PORT_SHARED", text)
