"""The words by which services are known: images, drivers, schemes and variables."""

from __future__ import annotations

from collections.abc import Mapping

from debughost_cli.project.companions import repository_of

IMAGES: Mapping[str, str] = {
    "postgres": "postgres:17",
    "mysql": "mysql:8.4",
    "mariadb": "mariadb:11.8",
    "redis": "redis:8",
    "valkey": "valkey/valkey:8",
    "mongo": "mongo:8",
    "rabbitmq": "rabbitmq:4",
    "memcached": "memcached:1.6",
    "opensearch": "opensearchproject/opensearch:3",
    "minio": "minio/minio:latest",
    "mailpit": "axllent/mailpit:latest",
}
"""Kinds of services, each with the image that is proposed where the workspace names none."""

TITLES: Mapping[str, str] = {
    "postgres": "PostgreSQL", "mysql": "MySQL", "mariadb": "MariaDB", "redis": "Redis",
    "valkey": "Valkey", "mongo": "MongoDB", "rabbitmq": "RabbitMQ", "memcached": "Memcached",
    "opensearch": "OpenSearch", "minio": "MinIO", "mailpit": "Mailpit",
}  # fmt: skip
"""Their names for people."""

_SAME_IMAGES: Mapping[str, str] = {
    "postgis": "postgres", "pgvector": "postgres", "timescaledb": "postgres",
    "timescaledb-ha": "postgres", "mysql-server": "mysql", "percona": "mysql",
    "redis-stack-server": "redis", "mongodb-community-server": "mongo",
    **{kind: kind for kind in IMAGES},
}  # fmt: skip
_LIKE_IMAGES: Mapping[str, str] = {
    "postgresql": "postgres", "redis-stack": "redis", "redis-server": "redis",
    "mongodb": "mongo", "mailhog": "mailpit", "maildev": "mailpit",
}  # fmt: skip
"""Other images of the same service, which take other variables and folders."""
_OTHER_PUBLISHERS = frozenset({"bitnami", "bitnamilegacy", "bitnamisecure"})
"""Whose images are made otherwise, whatever they are called."""


def kind_of_image(image: str) -> tuple[str, bool]:
    """The kind of an image, empty for others, and whether it may be used as it is."""
    publisher = image.rpartition("/")[0].rpartition("/")[2]
    name = repository_of(image).lower()
    is_other = publisher in _OTHER_PUBLISHERS
    if name in _SAME_IMAGES:
        return _SAME_IMAGES[name], not is_other
    return _LIKE_IMAGES.get(name, ""), False


SCHEMES: Mapping[str, str] = {
    "postgresql": "postgres", "postgres": "postgres", "postgis": "postgres",
    "mysql2": "mysql", "mysql": "mysql", "mariadb": "mariadb",
    "rediss": "redis", "redis": "redis", "valkey": "valkey",
    "mongodb": "mongo", "amqps": "rabbitmq", "amqp": "rabbitmq", "memcached": "memcached",
}  # fmt: skip
"""Of addresses of services."""

VARIABLES_READ: Mapping[str, str] = {
    "PGHOST": "postgres", "POSTGRES_HOST": "postgres", "POSTGRES_URL": "postgres",
    "MYSQL_HOST": "mysql", "REDIS_URL": "redis", "REDIS_HOST": "redis",
    "MONGODB_URI": "mongo", "MONGO_URI": "mongo", "MONGO_URL": "mongo",
    "AMQP_URL": "rabbitmq", "RABBITMQ_URL": "rabbitmq", "MEMCACHED_SERVERS": "memcached",
}  # fmt: skip
"""Variables that say by their names what they lead to."""


def _drivers(**kinds: str) -> Mapping[str, str]:
    """Each of the words of a kind, separated by blanks, with its kind."""
    return {name: kind for kind, names in kinds.items() for name in names.split()}


DRIVERS_PYTHON = _drivers(
    postgres="psycopg psycopg2 psycopg2-binary psycopg-binary psycopg-c asyncpg aiopg pg8000"
    " pgvector sqlalchemy[postgresql]",
    mysql="mysqlclient pymysql mysql-connector-python aiomysql asyncmy",
    mariadb="mariadb",
    redis="redis aioredis django-redis channels-redis flask-redis rq django-rq arq hiredis"
    " celery[redis] kombu[redis] redis-om",
    valkey="valkey valkey-glide",
    mongo="pymongo motor mongoengine beanie flask-pymongo odmantic",
    rabbitmq="pika aio-pika aiormq faststream[rabbit]",
    memcached="pymemcache python-memcached pylibmc aiomcache",
    opensearch="opensearch-py",
    minio="minio",
)
"""Distributions, or ``name[extra]``, with the service that they connect to."""

DRIVERS_NODE = _drivers(
    postgres="pg postgres pg-promise pg-native slonik @prisma/adapter-pg",
    mysql="mysql mysql2",
    mariadb="mariadb",
    redis="redis ioredis @redis/client connect-redis bull bullmq bee-queue @keyv/redis",
    valkey="iovalkey @valkey/valkey-glide",
    mongo="mongodb mongoose @typegoose/typegoose connect-mongo monk",
    rabbitmq="amqplib amqp-connection-manager rhea rabbitmq-client",
    memcached="memcached memjs",
    opensearch="@opensearch-project/opensearch",
    minio="minio",
)

DRIVERS_PHP = _drivers(
    postgres="ext-pgsql ext-pdo_pgsql",
    mysql="ext-mysqli ext-pdo_mysql",
    redis="predis/predis ext-redis",
    mongo="mongodb/mongodb mongodb/laravel-mongodb jenssegers/mongodb ext-mongodb",
    rabbitmq="php-amqplib/php-amqplib ext-amqp symfony/amqp-messenger",
    memcached="ext-memcached",
    opensearch="opensearch-project/opensearch-php",
)
