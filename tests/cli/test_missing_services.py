"""A database that a project needs: proposed by ``init``, and to a program that does not find it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from fakes import FakeEngine
from fakes.programs import exits, never_listens

from debughost_cli.engine.port import ExecResult
from debughost_cli.planning.known_services import known_service

from .conftest import App

REFUSED = "Error: connect ECONNREFUSED 127.0.0.1:5432"


def uncommented(text: str) -> dict[str, object]:
    """The configuration when the line with services is put into force."""
    return tomllib.loads(text.replace("\n# services = ", "\nservices = "))


@pytest.mark.parametrize(
    ("files", "services", "reason"),
    [
        ({"package.json": '{"dependencies": {"express": "5", "pg": "8"}}'}, ["postgres:17"],
         "pg in package.json"),
        ({"compose.yaml": "x:\n  image: mariadb:10.11\n", "requirements.txt": "redis"},
         ["mariadb:10.11", "redis:8"], "mariadb:10.11 in compose.yaml, redis in requirements.txt"),
        ({"prisma/schema.prisma": 'provider = "mysql"'}, ["mysql:8.4"], "mysql in prisma/schema"),
        ({}, ["postgres:17"], ""),
    ],
)  # fmt: skip
def test_init_proposes_what_the_workspace_seems_to_need(
    app: App, workspace: Path, files: dict[str, str], services: list[str], reason: str
) -> None:
    for name, text in files.items():
        (workspace / name).parent.mkdir(exist_ok=True)
        (workspace / name).write_text(text)
    content = app("init", "--json").document["data"]["content"]
    assert uncommented(content)["services"] == services
    assert "services" not in tomllib.loads(content), "nothing is started unasked"
    assert reason in content
    assert ("seems to need" in content) is bool(reason)


def test_init_writes_no_settings_that_stand_in_the_name_of_a_file(
    app: App, workspace: Path
) -> None:
    (workspace / 'a\nimage = "evil"\n#.py').write_text("redis://")
    (workspace / "b\nimage = 'evil'\n#").mkdir()
    (workspace / "b\nimage = 'evil'\n#" / "requirements.txt").write_text("redis")
    assert "evil" not in app("init", "--json").document["data"]["content"]


@pytest.mark.parametrize(
    ("output", "files", "expected"),
    [
        (REFUSED, {}, 'services = ["postgres:17"] into debughost.toml'),
        (REFUSED, {"compose.yaml": "x:\n  image: postgis/postgis:16-3.4\n"},
         'services = ["postgis/postgis:16-3.4"]'),
        (REFUSED, {"debughost.toml": "cpus = 1\n"}, "at the top of debughost.toml"),
        (REFUSED, {"pyproject.toml": "[tool.debughost]\n"}, "under [tool.debughost] in pyproject"),
        ("redis.exceptions.ConnectionError: Error 111 connecting to localhost:6379.", {},
         'services = ["redis:8"]'),
        ("Error: getaddrinfo ENOTFOUND db", {"requirements.txt": "mysqlclient"},
         'services.db = "mysql:8.4"'),
        ("Error -2 connecting to cache:6379. Name or service not known.",
         {"requirements.txt": "valkey"}, 'services.cache = "valkey/valkey:8"'),
        ("getaddrinfo ENOTFOUND mongo", {}, 'services = ["mongo:8"]'),
    ],
)  # fmt: skip
def test_a_program_that_finds_no_database_is_answered_with_the_line(
    app: App, engine: FakeEngine, workspace: Path, output: str, files: dict[str, str], expected: str
) -> None:
    for name, text in files.items():
        (workspace / name).write_text(text)
    engine.program = exits(1, output)
    error = app("up", "--json").error
    assert error["code"] == "CRASHED"
    assert expected in error["hint"]
    assert "debughost logs -p shop" in error["hint"]


def test_the_variables_that_it_then_gets_are_named(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    engine.program = exits(1, REFUSED)
    hint = app("up", "--json").error["hint"]
    assert "127.0.0.1:5432, which is the container itself" in hint
    assert "DATABASE_URL" in hint
    assert "PGPASSWORD" in hint


def test_a_program_that_goes_on_without_its_database_is_answered_as_well(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    engine.program = never_listens(output=("pymongo: localhost:27017: [Errno 111] Connection r",))
    error = app("up", "--wait-timeout", "0.2", "--json").error
    assert error["code"] == "NOT_READY"
    assert 'services = ["mongo:8"]' in error["hint"]


@pytest.fixture
def services(engine: FakeEngine) -> None:
    """The images of services that are ready at once."""
    for image in ("postgres:17", "redis:8"):
        engine.add_image(image)
        known = known_service(image.partition(":")[0])
        assert known
        engine.execs[("/bin/sh", "-c", known.ready)] = ExecResult(0, b"", b"")


REDIS = "Error 111 connecting to localhost:6379."


@pytest.mark.usefixtures("services")
@pytest.mark.parametrize(
    ("configuration", "output", "expected"),
    [
        ('services = ["postgres:17"]\n', REFUSED, "at host postgres: connect with the variables"),
        ('services.db = "postgres:17"\n', REFUSED, "is the container itself; its PostgreSQL is at "
         "host db"),
        ('services = ["redis:8"]\n', REDIS, "REDIS_URL, REDIS_HOST and REDIS_PORT"),
        ('services = ["postgres:17"]\n', "getaddrinfo ENOTFOUND db", "there is no host 'db'; its "
         "PostgreSQL is at host postgres"),
        ('services = ["redis:8"]\n', "Error 111 connecting to redis:6379.", "--service redis"),
        ('services = ["redis:8"]\n[env]\nREDIS_URL = "redis://localhost"\n', REDIS,
         "leave out your own REDIS_URL"),
        ('services = ["postgres:17"]\n', REDIS, 'services = ["postgres:17", "redis:8"] into'),
        ('services.db = "postgres:17"\n', REDIS, 'redis = "redis:8" under [services]'),
        ('services = ["postgres:17"]\n', "Error -2 connecting to cache:6379.",
         'cache = "redis:8" under [services]'),
    ],
)  # fmt: skip
def test_a_project_that_has_services_is_told_how_to_reach_them(
    app: App, engine: FakeEngine, workspace: Path, configuration: str, output: str, expected: str
) -> None:
    (workspace / "debughost.toml").write_text(configuration)
    engine.commands[("bad",)] = exits(1, output)
    error = app("up", "--json", "--", "bad").error
    assert error["code"] == "CRASHED"
    assert expected in error["hint"]


@pytest.mark.parametrize(
    "output",
    [
        "Error: getaddrinfo ENOTFOUND api.example.com",
        "Error: getaddrinfo ENOTFOUND db",
        "Error: connect ECONNREFUSED 127.0.0.1:8081",
    ],
)
def test_what_may_be_anything_is_not_guessed(
    app: App, engine: FakeEngine, workspace: Path, output: str
) -> None:
    engine.program = exits(1, output)
    assert "services" not in app("up", "--json").error["hint"]
