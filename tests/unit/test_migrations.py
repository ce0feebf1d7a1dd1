"""Which migrations a project has, and what a program says where they were not applied."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from debughost_cli.models import ProjectType
from debughost_cli.planning.missing_tables import missing_tables
from debughost_cli.project.detect.migrations import Migrations, find_migrations
from debughost_cli.project.reader import Folder

NODE, PYTHON, PHP = ProjectType.NODE, ProjectType.PYTHON, ProjectType.PHP
SCHEMA = 'datasource db {\n provider = "sqlite"\n url = %s\n}\n'
PRISMA = {"dependencies": {"@prisma/client": "6"}, "scripts": {"dev": "next dev"}}


def write(folder: Path, files: dict[str, object]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))


@pytest.mark.parametrize(
    ("type_", "files", "command", "expected"),
    [
        (PYTHON, {"manage.py": "import django"}, "python manage.py runserver",
         Migrations("manage.py", ("python", "manage.py", "migrate"))),
        (PYTHON, {"backend/manage.py": "import django"}, "gunicorn shop.wsgi",
         Migrations("backend/manage.py", ("python", "backend/manage.py", "migrate"))),
        (PYTHON, {"manage.py": "import django"}, "sh -c 'python manage.py migrate && run'", None),
        (PYTHON, {"migrations/env.py": "", "requirements.txt": "Flask-Migrate\n"},
         "flask --app shop run", Migrations("migrations/env.py",
                                            ("flask", "--app", "shop", "db", "upgrade"))),
        (PYTHON, {"migrations/env.py": "", "requirements.txt": "flask\n"}, "flask run", None),
        (PYTHON, {"alembic.ini": "[alembic]\nsqlalchemy.url = sqlite:///./data/shop.db\n"},
         "uvicorn main:app", Migrations("alembic.ini", ("alembic", "upgrade", "head"),
                                        "data/shop.db")),
        (PYTHON, {"alembic.ini": "sqlalchemy.url = sqlite:////srv/shop.db\n"}, "uvicorn main:app",
         Migrations("alembic.ini", ("alembic", "upgrade", "head"))),
        (NODE, {"package.json": PRISMA, "prisma/schema.prisma": SCHEMA % '"file:./dev.db"',
                "prisma/migrations/1/migration.sql": ""}, "npm run dev",
         Migrations("prisma/schema.prisma",
                    ("npm", "exec", "--no", "--", "prisma", "migrate", "deploy"), "prisma/dev.db")),
        (NODE, {"package.json": PRISMA, "prisma/schema.prisma": SCHEMA % 'env("DATABASE_URL")',
                ".env": 'DATABASE_URL="file:../dev.db?connection_limit=1"', "pnpm-lock.yaml": ""},
         "pnpm run dev", Migrations("prisma/schema.prisma",
                                    ("env", "PNPM_CONFIG_VERIFY_DEPS_BEFORE_RUN=false",
                                     "PNPM_CONFIG_PM_ON_FAIL=ignore", "pnpm", "exec", "prisma",
                                     "db", "push"), "dev.db")),
        (NODE, {"package.json": PRISMA | {"scripts": {"predev": "prisma db push", "dev": "n"}},
                "prisma/schema.prisma": SCHEMA % '"file:./dev.db"'}, "npm run dev", None),
        (NODE, {"package.json": {"devDependencies": {"knex": "3"}}, "knexfile.js": ""}, "node a.js",
         Migrations("knexfile.js", ("npm", "exec", "--no", "--", "knex", "migrate:latest"))),
        (NODE, {"package.json": {"devDependencies": {"knex": "3"}}}, "node a.js", None),
        (PHP, {"artisan": "", "composer.json": {}, "database/migrations/1.php": "",
               ".env": "APP=1\nDB_CONNECTION=sqlite\n"}, "php artisan serve",
         Migrations("database/migrations", ("php", "artisan", "migrate"),
                    "database/database.sqlite")),
        (PHP, {"bin/console": "", "composer.json":
               {"require": {"doctrine/doctrine-migrations-bundle": "3"}}}, "php -S 0.0.0.0:8080",
         Migrations("migrations", ("php", "bin/console", "doctrine:migrations:migrate",
                                   "--no-interaction"))),
        (ProjectType.STATIC, {"alembic.ini": ""}, "serve-static", None),
    ],
)  # fmt: skip
def test_the_migrations_of_a_project(
    tmp_path: Path,
    type_: ProjectType,
    files: dict[str, object],
    command: str,
    expected: Migrations | None,
) -> None:
    write(tmp_path, files)
    assert find_migrations(Folder(tmp_path), type_, command.split()) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("You have 18 unapplied migration(s). Your project may not work properly until you apply "
         "the migrations for app(s): admin, auth, contenttypes, sessions.",
         "18 migrations (admin, auth, contenttypes, sessions) are not applied"),
        ("You have 1 unapplied migration(s). Your project", "1 migration is not applied"),
        ("django.db.utils.OperationalError: no such table: auth_user",
         "its database lacks a table (no such table: auth_user)"),
        ('ERROR:  relation "shop.orders" does not exist at character 15', 'relation "shop.orders"'),
        ("SQLSTATE[42S02]: Base table or view not found: 1146 Table 'shop.sessions' doesn't exist",
         "Table 'shop.sessions' doesn't exist"),
        ("The table `main.User` does not exist in the current database.", "`main.User`"),
        ("ERROR:  relation does not matter", ""),
        ("There is no such table in the restaurant", ""),
    ],
)  # fmt: skip
def test_what_a_program_says_of_missing_tables(line: str, expected: str) -> None:
    found = missing_tables(["before", line, "after"])
    assert expected in found
    assert bool(found) is bool(expected)
