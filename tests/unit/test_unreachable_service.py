"""What programs say that find no database, from the drivers that people use."""

from __future__ import annotations

import pytest

from debughost_cli.planning.unreachable_service import find_unreachable

PSYCOPG = """\
OperationalError: connection to server at "127.0.0.1", port 5432 failed: Connection refused
\tIs the server running on that host and accepting TCP/IP connections?"""
PSYCOPG2_OLD = """\
psycopg2.OperationalError: could not connect to server: Connection refused
\tIs the server running on host "localhost" (127.0.0.1) and accepting
\tTCP/IP connections on port 5432?"""
POOL = """\
    at /app/node_modules/pg-pool/index.js:45:11
Error: getaddrinfo ENOTFOUND db
    at GetAddrInfoReqWrap.onlookupall [as oncomplete] (node:dns:122:26) {"""


@pytest.mark.parametrize(
    ("text", "kind", "place"),
    [
        ("Error: connect ECONNREFUSED 127.0.0.1:5432", "postgres", "127.0.0.1:5432"),
        ("AggregateError [ECONNREFUSED]:\n [errors]: [ Error: connect ECONNREFUSED ::1:5432\n",
         "postgres", "::1:5432"),
        ("connect ECONNREFUSED 172.28.0.9:3306", "mysql", "172.28.0.9:3306"),
        ("MongooseServerSelectionError: connect ECONNREFUSED 127.0.0.1:27017", "mongo",
         "127.0.0.1:27017"),
        ("[ioredis] Unhandled error event: Error: connect ECONNREFUSED 127.0.0.1:6379", "redis",
         "127.0.0.1:6379"),
        ("Error: connect ECONNREFUSED db-postgres:5999", "postgres", "db-postgres:5999"),
        (PSYCOPG, "postgres", "127.0.0.1:5432"),
        (PSYCOPG2_OLD, "postgres", "localhost:5432"),
        ('connection to server at "db" (172.18.0.2), port 5432 failed: No route to host',
         "postgres", "db:5432"),
        ('connection to server on socket "/var/run/postgresql/.s.PGSQL.5432" failed: No such',
         "postgres", "localhost"),
        ('could not translate host name "db" to address: Name or service not known', "postgres",
         "db"),
        ("psycopg.OperationalError: failed to resolve host 'database': [Errno -2] Name or",
         "postgres", "database"),
        ("ConnectionRefusedError: [Errno 111] Connect call failed ('127.0.0.1', 5432)", "postgres",
         "127.0.0.1:5432"),
        ("OSError: Multiple exceptions: [Errno 111] Connect call failed ('::1', 5432, 0, 0), [",
         "postgres", "::1:5432"),
        ('(2003, "Can\'t connect to MySQL server on \'localhost\' ([Errno 111] Connection refu',
         "mysql", "localhost"),
        ("(2003, \"Can't connect to MySQL server on '127.0.0.1:3306' (111)\")", "mysql",
         "127.0.0.1:3306"),
        ("(2002, \"Can't connect to local server through socket '/run/mysqld/mysqld.sock' (2)\")",
         "mysql", "localhost"),
        ("(2005, \"Unknown server host 'mariadb' (-2)\")", "mariadb", "mariadb"),
        ("redis.exceptions.ConnectionError: Error 111 connecting to localhost:6379. Connection re",
         "redis", "localhost:6379"),
        ("Error -2 connecting to cache:6379. Name or service not known.", "redis", "cache:6379"),
        ("pymongo.errors.ServerSelectionTimeoutError: mongo:27017: [Errno -2] Name or service",
         "mongo", "mongo:27017"),
        ("localhost:27017: [Errno 111] Connection refused (configured timeouts: connect", "mongo",
         "localhost:27017"),
        ("P1001: Can't reach database server at `localhost:5432`", "postgres", "localhost:5432"),
        ("Can't reach database server at `db`:`3306`", "mysql", "db:3306"),
        ("consumer: Cannot connect to amqp://guest:**@127.0.0.1:5672//: [Errno 111] Connection",
         "rabbitmq", "127.0.0.1:5672"),
        ("pika.adapters.utils: AMQPConnectorSocketConnectError: ConnectionRefusedError(111, 'C",
         "rabbitmq", "localhost"),
        ("SQLSTATE[08006] [7] connection to server at \"127.0.0.1\", port 5432 failed: Connection "
         "refused", "postgres", "127.0.0.1:5432"),
        ("SQLSTATE[HY000] [2002] Connection refused (Connection: mysql, SQL: select", "mysql",
         "localhost"),
        ("Connection refused [tcp://127.0.0.1:6379]", "redis", "127.0.0.1:6379"),
        ("getaddrinfo ENOTFOUND redis", "redis", "redis"),
        ("getaddrinfo EAI_AGAIN postgres", "postgres", "postgres"),
        (POOL, "postgres", "db"),
        ("Error: getaddrinfo ENOTFOUND db", "", "db"),
    ],
)  # fmt: skip
def test_a_service_that_is_not_there_is_recognised(text: str, kind: str, place: str) -> None:
    found = find_unreachable(["before", *text.splitlines(), "after"])
    assert found is not None
    assert (found.kind, found.place) == (kind, place)


@pytest.mark.parametrize(
    "text",
    [
        "Error: getaddrinfo ENOTFOUND api.example.com",
        "Error: getaddrinfo ENOTFOUND api",
        "npm error request to https://registry.npmjs.org/pg failed, EAI_AGAIN",
        "redis is fine\nError: connect ECONNREFUSED 127.0.0.1:3001",
        'server at "db.example.com" (192.0.2.1), port 5432 failed: Connection refused',
        'connection to server at "db.example.com", port 5432 failed: Connection refused',
        'connection to server at "db", port 5432 failed: FATAL: password authentication failed',
        "Connected to postgres://localhost:5432",
        "",
    ],
)
def test_other_failures_are_not_taken_for_it(text: str) -> None:
    assert find_unreachable(text.splitlines()) is None
