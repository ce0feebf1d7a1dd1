"""A program that found no database: the line of configuration that gives it one."""

from __future__ import annotations

import json
import re

from debughost_cli.errors import Crashed, NotReady
from debughost_cli.planning.unreachable_service import UnreachableService, find_unreachable
from debughost_cli.project.configuration import CONFIG_FILE
from debughost_cli.project.detect.service_names import IMAGES, base_name
from debughost_cli.project.detect.services import NeededService, find_services
from debughost_cli.project.reader import Folder
from debughost_cli.project.resolve import ResolvedProject
from debughost_cli.services.missing_module import with_manifests

_TITLES = {
    "postgres": "PostgreSQL", "mysql": "MySQL", "mariadb": "MariaDB", "redis": "Redis",
    "valkey": "Valkey", "mongo": "MongoDB", "rabbitmq": "RabbitMQ", "memcached": "Memcached",
    "opensearch": "OpenSearch", "minio": "MinIO", "mailpit": "Mailpit",
}  # fmt: skip
_GIVEN = {
    "postgres": "DATABASE_URL, PGHOST, PGPORT, PGUSER, PGPASSWORD and PGDATABASE",
    "mysql": "DATABASE_URL, MYSQL_HOST, MYSQL_USER, MYSQL_PASSWORD and MYSQL_DATABASE",
    "mariadb": "DATABASE_URL, MYSQL_HOST, MYSQL_USER, MYSQL_PASSWORD and MYSQL_DATABASE",
    "redis": "REDIS_URL", "valkey": "REDIS_URL", "mongo": "MONGODB_URI",
    "rabbitmq": "AMQP_URL and RABBITMQ_URL", "memcached": "MEMCACHED_SERVERS",
    "opensearch": "OPENSEARCH_URL", "minio": "S3_ENDPOINT",
    "mailpit": "SMTP_URL, SMTP_HOST and SMTP_PORT",
}  # fmt: skip
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]{1,60}", re.ASCII)
_ONE_FAMILY = ({"mysql", "mariadb"}, {"redis", "valkey"})


def with_missing(error: Crashed | NotReady, resolved: ResolvedProject) -> Crashed | NotReady:
    """``error``, with what the last lines tell of a missing package or service."""
    return with_services(with_manifests(error, resolved), resolved)


def with_services(error: Crashed | NotReady, resolved: ResolvedProject) -> Crashed | NotReady:
    """``error``, with the line where its last lines tell of a service that is not there."""
    tail = error.details.get("log_tail")
    found = find_unreachable(map(str, tail) if isinstance(tail, list) else ())
    need = _need(found, find_services(Folder(resolved.workspace))) if found else None
    if found is None or need is None:
        return error
    # Of one that does not listen, the reason is this and not where it listens.
    logs = f"see 'debughost logs -p {resolved.project}'"
    rest = logs if isinstance(error, NotReady) else error.hint
    return error.with_context(hint=f"{_advice(found, need, resolved)}; {rest}")


def _need(found: UnreachableService, needs: tuple[NeededService, ...]) -> tuple[str, str] | None:
    """Kind and image: those that the workspace speaks of, else the usual ones."""
    same = [n for n in needs if _is_same(n.kind, found.kind)]
    if same or not found.kind:
        return next(((n.kind, n.image) for n in same or needs), None)
    return found.kind, IMAGES[found.kind]


def _is_same(one: str, other: str) -> bool:
    return one == other or any({one, other} == family for family in _ONE_FAMILY)


def _advice(found: UnreachableService, need: tuple[str, str], resolved: ResolvedProject) -> str:
    kind, image = need
    file = resolved.settings.file
    place = (
        f"at the top of {CONFIG_FILE}"
        if file and file.name == CONFIG_FILE
        else (f"under [tool.debughost] in {file.name}" if file else f"into {CONFIG_FILE}")
    )
    why = (
        f"no {_TITLES[kind]} answers at {found.place}, which is the container itself"
        if found.is_local
        else f"there is no {_TITLES[kind]} at {found.place}"
    )
    return (
        f"{why}: write {_line(found, image)} {place}; the program then gets {_GIVEN[kind]} to "
        "connect with"
    )


def _line(found: UnreachableService, image: str) -> str:
    """Where the program looks for a name of its own, the service gets that name."""
    name = found.host
    if found.is_local or name == base_name(image) or not _BARE_KEY.fullmatch(name):
        return f"services = [{json.dumps(image)}]"
    return f"services.{name} = {json.dumps(image)}"
