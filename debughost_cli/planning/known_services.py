"""What is known of the images that services usually run on.

Ports, data folders and variables are those of each image's own documentation on Docker Hub; the
variables for the program are those that clients and frameworks read by themselves: libpq (``PG*``),
``DATABASE_URL`` (Rails, Prisma, Django's and Heroku's convention), Laravel (``DB_*``), the AWS SDKs
(``AWS_*``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from msgspec import Struct, field

DATABASE = "app"
"""The name of the database and of its user, where the image does not have its own."""

_SQL = {
    "DB_HOST": "{host}",
    "DB_PORT": "{port}",
    "DB_NAME": "{database}",
    "DB_DATABASE": "{database}",
    "DB_USER": "{user}",
    "DB_USERNAME": "{user}",
    "DB_PASSWORD": "{password}",
}


class KnownService(Struct, frozen=True):
    """An image that is known, by the last parts of the names under which it is published.

    ``user``, ``database``: its variables for these, empty where it has none; ``passwords``: those
    for a password, the user's first.
    ``environment``: its other variables and their values; ``data``: the folder of its data.
    ``ready``: a command that succeeds once it can be used; without one, that it listens.
    ``variables``: what its clients read, with ``{host}``, ``{port}``, ``{user}``, ``{password}``
    and ``{database}``.
    """

    repositories: tuple[str, ...]
    port: int
    variables: Mapping[str, str]
    data: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    passwords: tuple[str, ...] = ()
    database: str = ""
    command: tuple[str, ...] = ()
    ready: str = ""

    def for_clients(self, host: str, port: int, environment: Mapping[str, str]) -> dict[str, str]:
        """The variables for a program that uses it; ``environment``: the service's own."""
        values = {
            "host": host,
            "port": str(port),
            "user": environment.get(self.user, ""),
            "password": environment.get(next(iter(self.passwords), ""), ""),
            "database": environment.get(self.database, DATABASE),
        }
        in_url = {k: quote(v, safe="") for k, v in values.items()}
        return {
            name: text.format(**(in_url if "://" in text else values))
            for name, text in self.variables.items()
        }


def _mysql(prefix: str, *repositories: str) -> KnownService:
    names = {
        f"MYSQL_{name}": text
        for name, text in {
            "HOST": "{host}",
            "PORT": "{port}",
            "USER": "{user}",
            "PASSWORD": "{password}",
            "DATABASE": "{database}",
            "URL": "mysql://{user}:{password}@{host}:{port}/{database}",
        }.items()
    }
    url = {"DATABASE_URL": names["MYSQL_URL"], "DB_CONNECTION": "mysql"}
    return KnownService(
        repositories,
        3306,
        {**url, **names, **_SQL},
        data="/var/lib/mysql",
        environment={f"{prefix}_USER": DATABASE, f"{prefix}_DATABASE": DATABASE},
        user=f"{prefix}_USER",
        passwords=(f"{prefix}_PASSWORD", f"{prefix}_ROOT_PASSWORD"),
        database=f"{prefix}_DATABASE",
        # While it initialises, its server listens on a socket of the file system alone.
        ready="c=$(command -v mariadb || command -v mysql) && "
        f'MYSQL_PWD="${prefix}_PASSWORD" "$c" -h 127.0.0.1 -u "${prefix}_USER" -e "SELECT 1"',
    )


def _redis(*repositories: str) -> KnownService:
    """Without a password: none but the project reaches it, and tutorials have none."""
    return KnownService(
        repositories,
        6379,
        {
            "REDIS_URL": "redis://{host}:{port}/0",
            "REDIS_HOST": "{host}",
            "REDIS_PORT": "{port}",
        },
        data="/data",
        ready='c=$(command -v valkey-cli || command -v redis-cli) && [ "$("$c" ping)" = PONG ]',
    )


_POSTGRES = KnownService(
    ("postgres", "postgis", "pgvector", "timescaledb", "timescaledb-ha"),
    5432,
    {
        "DATABASE_URL": "postgresql://{user}:{password}@{host}:{port}/{database}",
        "PGHOST": "{host}",
        "PGPORT": "{port}",
        "PGUSER": "{user}",
        "PGPASSWORD": "{password}",
        "PGDATABASE": "{database}",
        "POSTGRES_HOST": "{host}",
        "POSTGRES_PORT": "{port}",
        "POSTGRES_USER": "{user}",
        "POSTGRES_PASSWORD": "{password}",
        "POSTGRES_DB": "{database}",
        "DB_CONNECTION": "pgsql",
        **_SQL,
    },
    data="/var/lib/postgresql/data",
    environment={"POSTGRES_USER": "postgres", "POSTGRES_DB": DATABASE},
    user="POSTGRES_USER",
    passwords=("POSTGRES_PASSWORD",),
    database="POSTGRES_DB",
    # While it initialises, its server listens on a socket of the file system alone.
    ready='pg_isready -q -h 127.0.0.1 -U "$POSTGRES_USER" -d "$POSTGRES_DB"',
)
_MONGO = KnownService(
    ("mongo", "mongodb-community-server"),
    27017,
    dict.fromkeys(
        ("MONGODB_URI", "MONGODB_URL", "MONGO_URI", "MONGO_URL"),
        "mongodb://{user}:{password}@{host}:{port}/{database}?authSource=admin",
    )
    | {"MONGO_HOST": "{host}", "MONGO_PORT": "{port}"},
    data="/data/db",
    environment={"MONGO_INITDB_ROOT_USERNAME": "root", "MONGO_INITDB_DATABASE": DATABASE},
    user="MONGO_INITDB_ROOT_USERNAME",
    passwords=("MONGO_INITDB_ROOT_PASSWORD",),
    database="MONGO_INITDB_DATABASE",
    ready="c=$(command -v mongosh || command -v mongo) && "
    '"$c" --quiet --host 127.0.0.1 --eval "db.adminCommand({ping: 1})"',
)
_MAILPIT = KnownService(
    ("mailpit",),
    1025,
    {
        "SMTP_URL": "smtp://{host}:{port}",
        "MAILER_DSN": "smtp://{host}:{port}",
        **{f"{name}_HOST": "{host}" for name in ("SMTP", "MAIL", "EMAIL")},
        **{f"{name}_PORT": "{port}" for name in ("SMTP", "MAIL", "EMAIL")},
    },
    data="/data",
    environment={"MP_DATABASE": "/data/mailpit.db"},
)
_RABBITMQ = KnownService(
    ("rabbitmq",),
    5672,
    {
        **dict.fromkeys(("AMQP_URL", "RABBITMQ_URL"), "amqp://{user}:{password}@{host}:{port}/"),
        "RABBITMQ_HOST": "{host}",
        "RABBITMQ_PORT": "{port}",
        "RABBITMQ_USER": "{user}",
        "RABBITMQ_PASSWORD": "{password}",
    },
    data="/var/lib/rabbitmq",
    environment={"RABBITMQ_DEFAULT_USER": DATABASE},
    user="RABBITMQ_DEFAULT_USER",
    passwords=("RABBITMQ_DEFAULT_PASS",),
    ready="rabbitmq-diagnostics -q check_port_connectivity",
)
_MINIO = KnownService(
    ("minio",),
    9000,
    {
        **dict.fromkeys(
            ("S3_ENDPOINT", "AWS_ENDPOINT_URL", "MINIO_ENDPOINT"), "http://{host}:{port}"
        ),
        "AWS_ACCESS_KEY_ID": "{user}",
        "AWS_SECRET_ACCESS_KEY": "{password}",
    },
    data="/data",
    environment={"MINIO_ROOT_USER": DATABASE},
    user="MINIO_ROOT_USER",
    passwords=("MINIO_ROOT_PASSWORD",),
    command=("server", "/data", "--console-address", ":9001"),
)
_OPENSEARCH = KnownService(
    ("opensearch",),
    9200,
    {"OPENSEARCH_URL": "http://{host}:{port}", "ELASTICSEARCH_URL": "http://{host}:{port}"},
    data="/usr/share/opensearch/data",
    environment={
        "discovery.type": "single-node",
        # Its own certificates are nobody's; none but the project reaches it.
        "DISABLE_SECURITY_PLUGIN": "true",
        "DISABLE_INSTALL_DEMO_CONFIG": "true",
        "OPENSEARCH_JAVA_OPTS": "-Xms512m -Xmx512m",
    },
    ready="curl -fs -o /dev/null http://127.0.0.1:9200/_cluster/health",
)
_MEMCACHED = KnownService(
    ("memcached",),
    11211,
    {
        **dict.fromkeys(("MEMCACHED_SERVERS", "MEMCACHE_SERVERS"), "{host}:{port}"),
        "MEMCACHED_HOST": "{host}",
        "MEMCACHED_PORT": "{port}",
    },
)
KNOWN: Sequence[KnownService] = (
    _POSTGRES,
    _mysql("MYSQL", "mysql", "mysql-server", "percona"),
    _mysql("MARIADB", "mariadb"),
    _redis("redis", "redis-stack-server"),
    _redis("valkey"),
    _MONGO,
    _MAILPIT,
    _RABBITMQ,
    _MINIO,
    _OPENSEARCH,
    _MEMCACHED,
)


def scheme_of(port: int) -> str:
    """What is spoken on a port, as the clients' URLs have it: ``postgresql``, ``tcp`` for others.

    ``http`` where no known service has it: what people publish is mostly for browsers.
    """
    known = next((k for k in KNOWN if k.port == port), None)
    if known is None:
        return "http"
    urls = (text for text in known.variables.values() if "://" in text)
    return next(urls, "tcp://").partition("://")[0]


def known_service(repository: str) -> KnownService | None:
    """What is known of an image, by the last part of its name."""
    return next((k for k in KNOWN if repository in k.repositories), None)
