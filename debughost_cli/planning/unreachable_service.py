"""What a program says that found no database, cache or queue where it looked for one."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

PORTS = {
    5432: "postgres", 3306: "mysql", 6379: "redis", 27017: "mongo", 5672: "rabbitmq",
    11211: "memcached", 1025: "mailpit",
}  # fmt: skip
_NAMES = {
    "postgres": "postgres", "postgresql": "postgres", "pg": "postgres", "pgsql": "postgres",
    "postgis": "postgres", "mysql": "mysql", "mariadb": "mariadb", "redis": "redis",
    "valkey": "valkey", "mongo": "mongo", "mongodb": "mongo", "rabbitmq": "rabbitmq",
    "rabbit": "rabbitmq", "memcached": "memcached", "minio": "minio", "opensearch": "opensearch",
    "mailpit": "mailpit", "mailhog": "mailpit",
}  # fmt: skip
"""Names that people give to services, each with the kind."""

_HOST = r"[\w:.-]{1,100}?"
_REFUSED = r"(?:connection refused|cannot assign requested address|no route to host)"
_UNKNOWN = (
    r"(?:name or service not known|temporary failure in name resolution"
    r"|no address associated with hostname)"
)
_ADDRESSES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # Node.js, whatever the driver
        rf"connect E(?:CONNREFUSED|HOSTUNREACH) (?P<host>{_HOST}):(?P<port>\d{{2,5}})\b",
        # libpq: of version 14 and later, and before
        rf"connection to server at \"(?P<host>{_HOST})\"(?: \([^)]{{1,60}}\))?, "
        rf"port (?P<port>\d{{2,5}}) failed: {_REFUSED}",
        rf"running on host \"(?P<host>{_HOST})\"(?: \([^)]{{1,60}}\))? and accepting\s+"
        r"TCP/IP connections on port (?P<port>\d{2,5})",
        # asyncio
        rf"Connect call failed \('(?P<host>{_HOST})', (?P<port>\d{{2,5}})",
        # redis-py
        rf"Error (?:111|99|-2|-3|-5) connecting to (?P<host>{_HOST}):(?P<port>\d{{2,5}})\.",
        # pymongo
        rf"(?P<host>{_HOST}):(?P<port>\d{{2,5}}): \[Errno (?:111|99|-2|-3|-5)\]",
        # Prisma
        rf"Can't reach database server at `(?P<host>{_HOST})`?:`?(?P<port>\d{{2,5}})`",
        # kombu, predis
        rf"(?:amqps?|rediss?)://(?:[^@\s]{{0,60}}@)?(?P<host>{_HOST}):(?P<port>\d{{2,5}})/"
        r"[^\s]{0,60}: (?:\[Errno 111\]|Error)",
        rf"{_REFUSED} \[tcp://(?P<host>{_HOST}):(?P<port>\d{{2,5}})\]",
        # Go
        rf"dial tcp (?P<host>{_HOST}):(?P<port>\d{{2,5}}): connect: connection refused",
        # MySQL and MariaDB, with a port
        rf"Can't connect to (?:MySQL )?server on '(?P<host>{_HOST}):(?P<port>\d{{2,5}})'",
    )
)
_KNOWN = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("postgres", rf"could not translate host name \"(?P<host>{_HOST})\" to address"),
        ("postgres", r"connection to server on socket \"[^\"]{1,100}\.s\.PGSQL\.\d+\" failed"),
        ("postgres", rf"failed to resolve host '(?P<host>{_HOST})'"),
        ("postgres", r"SQLSTATE\[HY000\] \[2002\] [^\n]{1,200}\(Connection: pgsql"),
        ("mysql", rf"Unknown (?:MySQL )?server host '(?P<host>{_HOST})'"),
        ("mysql", rf"Can't connect to (?:MySQL )?server on '(?P<host>{_HOST})'"),
        ("mysql", r"Can't connect to local (?:MySQL )?server through socket"),
        ("mysql", r"SQLSTATE\[HY000\] \[2002\]"),
        ("redis", r"RedisException: (?:Connection refused|php_network_getaddresses)"),
        ("rabbitmq", r"AMQPConnectorSocketConnectError: \w*(?:ConnectionRefused|gai)"),
    )
)
"""Messages of one kind's own drivers; some name no host."""
_HOSTS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"getaddrinfo (?:ENOTFOUND|EAI_AGAIN) (?P<host>{_HOST})(?![\w.-])",
        rf"getaddrinfo for (?P<host>{_HOST}) failed",
        rf"lookup (?P<host>{_HOST})(?: on [^\s]{{1,60}})?: (?:no such host|server misbehaving)",
        rf"host=['\"](?P<host>{_HOST})['\"][^\n]{{0,200}}{_UNKNOWN}",
    )
)
_SURROUNDINGS = (
    ("postgres", re.compile(r"psycopg|asyncpg|postgres|pg-pool|node_modules/pg/", re.IGNORECASE)),
    ("mysql", re.compile(r"mysql|mariadb", re.IGNORECASE)),
    ("mongo", re.compile(r"mongo", re.IGNORECASE)),
    ("redis", re.compile(r"redis", re.IGNORECASE)),
    ("rabbitmq", re.compile(r"amqp|rabbit|pika", re.IGNORECASE)),
)
"""What stands around a message that names neither a known port nor a telling host."""
_GENERIC = frozenset({"db", "database", "cache", "queue", "broker"})
"""Names that say what a service is for and not what it is: its kind is then left open."""
_LOCAL = ("localhost", "127.0.0.1", "::1", "0.0.0.0", "::", "")


class UnreachableService(Struct, frozen=True):
    """``kind``: such as ``postgres``, empty where only a host such as ``db`` is known.

    ``host`` and ``port``: where it was looked for; empty and 0 where that is not said.
    """

    kind: str
    host: str = ""
    port: int = 0

    @property
    def is_local(self) -> bool:
        """Whether the program looked for it in its own container."""
        return self.host in _LOCAL or self.host.startswith("127.")

    @property
    def place(self) -> str:
        """Where it was looked for, in a few characters."""
        return ":".join(str(part) for part in (self.host or "localhost", self.port) if part)


def find_unreachable(lines: Iterable[str]) -> UnreachableService | None:
    """The service that the last lines of a program complain about; None where there is none.

    A name with a dot is no service of a project but somebody's server.
    """
    text = "\n".join(lines)
    found = (*_by_address(text), *_by_driver(text), *_by_host(text))
    return next(filter(_may_be_service, found), None)


def _may_be_service(found: UnreachableService) -> bool:
    is_near = found.is_local or "." not in found.host or _is_address(found.host)
    return is_near and bool(found.kind or found.host in _GENERIC)


def _by_address(text: str) -> Iterable[UnreachableService]:
    for pattern in _ADDRESSES:
        for found in pattern.finditer(text):
            host, port = found["host"], int(found["port"])
            kind = PORTS.get(port) or _kind_of(host, text, found)
            yield UnreachableService(kind, host, port)


def _by_driver(text: str) -> Iterable[UnreachableService]:
    for kind, pattern in _KNOWN:
        for found in pattern.finditer(text):
            host = found.groupdict().get("host") or ""
            named = _kind_of_host(host)
            is_same = {kind, named} == {"mysql", "mariadb"}
            yield UnreachableService(named if is_same else kind, host)


def _by_host(text: str) -> Iterable[UnreachableService]:
    for pattern in _HOSTS:
        for found in pattern.finditer(text):
            host = found["host"]
            yield UnreachableService(_kind_of(host, text, found), host)


def _kind_of_host(host: str) -> str:
    """From names such as ``redis``, ``my-postgres`` or ``redis_cache``."""
    words = re.split(r"[-_\d]+", host.lower())
    return next((_NAMES[word] for word in words if word in _NAMES), "")


def _kind_of(host: str, text: str, found: re.Match[str]) -> str:
    """By the host's name, or by what is around it where that is a name without a meaning."""
    near = _around(text, found) if host.lower() in _GENERIC else ""
    return _kind_of_host(host) or near


def _around(text: str, found: re.Match[str]) -> str:
    """The kind that the lines before and behind a message speak of."""
    near = text[max(0, found.start() - 2000) : found.end() + 1000]
    return next((kind for kind, pattern in _SURROUNDINGS if pattern.search(near)), "")


def _is_address(host: str) -> bool:
    return re.fullmatch(r"[\d.]+|[\da-f:]+", host) is not None
