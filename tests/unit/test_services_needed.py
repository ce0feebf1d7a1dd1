"""Which services a workspace seems to need, and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from debughost_cli.project.detect.services import find_services
from debughost_cli.project.reader import Folder

SETTINGS = 'DATABASES = {"default": {"ENGINE": "django.db.backends.%s"}}\n'
MANAGE = 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "%s")\n'


def needed(tmp_path: Path, files: dict[str, str]) -> list[tuple[str, str]]:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return [(n.image, n.reason) for n in find_services(Folder(tmp_path))]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("requirements.txt", "Django>=5\npsycopg[binary]\n", "postgres:17 psycopg"),
        ("requirements.txt", "psycopg2-binary==2.9\n", "postgres:17 psycopg2-binary"),
        ("requirements.txt", "asyncpg\n", "postgres:17 asyncpg"),
        ("requirements.txt", "mysqlclient\n", "mysql:8.4 mysqlclient"),
        ("requirements.txt", "PyMySQL\n", "mysql:8.4 pymysql"),
        ("requirements.txt", "celery[redis]\n", "redis:8 celery[redis]"),
        ("requirements.txt", "pika\n", "rabbitmq:4 pika"),
        ("pyproject.toml", '[project]\nname = "a"\ndependencies = ["motor"]\n', "mongo:8 motor"),
        ("Pipfile", '[packages]\nredis = "*"\n', "redis:8 redis"),
        ("package.json", '{"dependencies": {"pg": "^8"}}', "postgres:17 pg"),
        ("package.json", '{"dependencies": {"mongoose": "^8"}}', "mongo:8 mongoose"),
        ("package.json", '{"dependencies": {"mysql2": "^3"}}', "mysql:8.4 mysql2"),
        ("package.json", '{"dependencies": {"bullmq": "^5"}}', "redis:8 bullmq"),
        ("package.json", '{"dependencies": {"amqplib": "^0.10"}}', "rabbitmq:4 amqplib"),
        ("composer.json", '{"require": {"predis/predis": "^2"}}', "redis:8 predis/predis"),
        ("composer.json", '{"require": {"ext-pdo_pgsql": "*"}}', "postgres:17 ext-pdo_pgsql"),
    ],
)  # fmt: skip
def test_a_driver_shows_it(tmp_path: Path, name: str, text: str, expected: str) -> None:
    image, driver = expected.split(" ")
    assert needed(tmp_path, {name: text}) == [(image, f"{driver} in {name}")]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"compose.yaml": "services:\n  db:\n    image: postgres:16-alpine\n"},
         [("postgres:16-alpine", "postgres:16-alpine in compose.yaml")]),
        ({"docker-compose.yml": 'services:\n  c:\n    image: "redis:${REDIS:-7.4}"  # cache\n'},
         [("redis:7.4", "redis:7.4 in docker-compose.yml")]),
        ({"docker-compose.yaml": "x:\n  image: postgis/postgis:16-3.4\n  m:\n    image: nginx\n"},
         [("postgis/postgis:16-3.4", "postgis/postgis:16-3.4 in docker-compose.yaml")]),
        ({"compose.yml": "a:\n  image: bitnami/postgresql:16\nb:\n  image: mailhog/mailhog\n"},
         [("postgres:17", "bitnami/postgresql:16 in compose.yml"),
          ("axllent/mailpit:latest", "mailhog/mailhog in compose.yml")]),
        ({"compose.yml": "a:\n  image: mysql:$VERSION\n"},
         [("mysql:8.4", "mysql:$VERSION in compose.yml")]),
        ({"prisma/schema.prisma": 'datasource db {\n  provider = "postgresql"\n}\n'},
         [("postgres:17", "postgresql in prisma/schema.prisma")]),
        ({"prisma/schema.prisma": 'datasource db {\n  provider = "mongodb"\n}\n'},
         [("mongo:8", "mongodb in prisma/schema.prisma")]),
        ({"manage.py": MANAGE % "shop.settings", "shop/settings.py": SETTINGS % "postgresql"},
         [("postgres:17", "postgresql in shop/settings.py")]),
        ({"api/manage.py": MANAGE % "conf.settings.local",
          "api/conf/settings/local.py": "from .base import *",
          "api/conf/settings/base.py": SETTINGS % "mysql"},
         [("mysql:8.4", "mysql in api/conf/settings/base.py")]),
        ({".env.example": "DATABASE_URL=postgres://u:p@localhost/db\nREDIS_URL='redis://x'\n"},
         [("postgres:17", "DATABASE_URL in .env.example"),
          ("redis:8", "REDIS_URL in .env.example")]),
        ({".env.sample": "export DB=postgresql+asyncpg://localhost/a\n"},
         [("postgres:17", "DB in .env.sample")]),
        ({".env.example": "DB_CONNECTION=pgsql\nDB_HOST=127.0.0.1\nCACHE_STORE=redis\n"},
         [("postgres:17", "DB_CONNECTION=pgsql in .env.example"),
          ("redis:8", "CACHE_STORE=redis in .env.example")]),
        ({"app.py": 'e = create_engine("mysql+pymysql://root@localhost/a")\n'},
         [("mysql:8.4", "mysql:// in app.py")]),
        ({"server.js": "createClient({ url: process.env.REDIS_URL })\n"},
         [("redis:8", "REDIS_URL in server.js")]),
        ({"server/package.json": '{"dependencies": {"mongoose": "^8"}}'},
         [("mongo:8", "mongoose in server/package.json")]),
    ],
)  # fmt: skip
def test_other_files_show_it(
    tmp_path: Path, files: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    assert needed(tmp_path, files) == expected


def test_one_of_a_family_is_enough_and_the_best_reason_counts(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "services:\n  db:\n    image: mariadb:10.11\n",
        "requirements.txt": "mysqlclient\nredis\n",
    }
    assert needed(tmp_path, files) == [
        ("mariadb:10.11", "mariadb:10.11 in compose.yaml"),
        ("redis:8", "redis in requirements.txt"),
    ]


@pytest.mark.parametrize(
    "files",
    [
        {"package.json": '{"dependencies": {"express": "^5"}}', "server.js": "listen(3000)"},
        {"manage.py": MANAGE % "a.settings", "a/settings.py": SETTINGS % "sqlite3"},
        {"a/settings.py": "# " + SETTINGS % "postgresql"},
        # Laravel's own, with variables of all that it knows.
        {".env.example": "DB_CONNECTION=sqlite\nREDIS_HOST=127.0.0.1\nCACHE_STORE=database\n"},
        {".env.example": "MONGODB_URI=mongodb+srv://u:p@cluster0.mongodb.net/a\n"},
        {"node_modules/package.json": '{"dependencies": {"pg": "^8"}}'},
        {"compose.yaml": "image: postgres"},
        {"package.json": "{", "pyproject.toml": "["},
    ],
)
def test_nothing_is_needed(tmp_path: Path, files: dict[str, str]) -> None:
    assert needed(tmp_path, files) == []


def test_an_unreadable_manifest_does_not_hide_the_others(tmp_path: Path) -> None:
    files = {"package.json": "{", "requirements.txt": "redis\n"}
    assert needed(tmp_path, files) == [("redis:8", "redis in requirements.txt")]


def test_what_a_link_leads_to_outside_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("redis\n")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "requirements.txt").symlink_to(tmp_path / "outside")
    assert find_services(Folder(tmp_path / "in")) == ()
