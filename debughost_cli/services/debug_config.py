"""``debug-config``: where a project's debugger is, as an editor needs it."""

from __future__ import annotations

import re

from debughost_cli import names
from debughost_cli.engine.port import Engine, NotFound
from debughost_cli.errors import Usage
from debughost_cli.models import ProjectType
from debughost_cli.planning.debug_config import (
    DebugConfig,
    DebugTarget,
    Editor,
    make_debug_config,
)
from debughost_cli.resources import Container
from debughost_cli.services.projects import get_instance, not_found, url_of
from debughost_cli.specs import DEBUG, as_port

_CLIENT_PORT = re.compile(r"\bclient_port=([0-9]{1,5})\b")


def debug_config(engine: Engine, project: str, editor: str) -> DebugConfig:
    """The configuration for ``editor``. Raises Usage, ProjectNotFound."""
    if editor not in set(Editor):
        raise Usage(f"there is no configuration for {editor[:40]!r}", hint=f"Use {_editors()}")
    try:
        container = engine.containers.inspect(get_instance(engine, project).main.id)
    except NotFound:
        raise not_found(project, []) from None
    port = _port(container)
    if not port:
        raise Usage(
            f"{project} was started without a debugger",
            hint=f"Start it with one: debughost up -p {project} --debug",
            details={"project": project},
        )
    target = DebugTarget(
        project=project,
        type=ProjectType(container.labels[names.TYPE]),
        port=port,
        workspace=container.labels.get(names.WORKSPACE, ""),
        url=url_of(container.port) or "",
    )
    return make_debug_config(Editor(editor), target)


def _editors() -> str:
    *some, last = Editor
    return f"{', '.join(some)} or {last}"


def _port(container: Container) -> int:
    """Of the host; Xdebug connects to another one where its own variable says so."""
    if container.labels.get(names.TYPE) != ProjectType.PHP:
        found = (p.host_port for p in container.extra_ports if p.name == DEBUG)
        return next(found, 0) if container.labels.get(names.DEBUG) else 0
    given = _CLIENT_PORT.search(container.environment.get("XDEBUG_CONFIG", ""))
    port = as_port(container.labels.get(names.DEBUG))
    return int(given[1]) if given and port else port
