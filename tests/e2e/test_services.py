"""Databases beside a program: projects as tutorials have them, on servers that are real."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .harness import Eye, Program, eventually, fetch, write
from .workspaces import PAGE

pytestmark = pytest.mark.once

SETTINGS = """\
import os

SECRET_KEY = "development"
DEBUG = True
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "shop.urls"
INSTALLED_APPS = ["guests"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["PGDATABASE"],
        "USER": os.environ["PGUSER"],
        "PASSWORD": os.environ["PGPASSWORD"],
        "HOST": os.environ["PGHOST"],
        "PORT": os.environ["PGPORT"],
    }
}
"""
MANAGE = """\
import os
import sys

from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
execute_from_command_line(sys.argv)
"""
URLS = """\
from django.http import HttpResponse
from django.urls import path

from guests.models import Guest


def index(request):
    Guest.objects.create()
    return HttpResponse(f"guests: {Guest.objects.count()}")


urlpatterns = [path("", index)]
"""
MODELS = """\
from django.db import models


class Guest(models.Model):
    seen = models.DateTimeField(auto_now_add=True)
"""
MIGRATION = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel(
            "Guest",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("seen", models.DateTimeField(auto_now_add=True)),
            ],
        )
    ]
"""
DJANGO = {
    "requirements.txt": "Django>=5.2,<6\npsycopg[binary]>=3.2,<4\n",
    "manage.py": MANAGE,
    "shop/__init__.py": "",
    "shop/settings.py": SETTINGS,
    "shop/urls.py": URLS,
    "guests/__init__.py": "",
    "guests/models.py": MODELS,
    "guests/migrations/__init__.py": "",
    "guests/migrations/0001_initial.py": MIGRATION,
}
MIGRATE_AND_SERVE = (
    'command = "python manage.py migrate && python manage.py runserver 0.0.0.0:$PORT"\n'
)
EXPRESS = {
    "package.json": '{"name": "visits", "scripts": {"start": "node server.js"}, '
    '"dependencies": {"express": "^4.21.0", "redis": "^4.7.0"}}',
    "server.js": """\
const express = require('express')
const { createClient } = require('redis')

const app = express()
const client = createClient({ url: process.env.REDIS_URL })
client.on('error', (err) => console.log('Redis Client Error', err))

app.get('/', async (req, res) => {
  const visits = await client.incr('visits')
  res.send('visits: ' + visits)
})

client.connect().then(() => app.listen(process.env.PORT))
""",
}


def page(project: dict[str, Any]) -> str:
    """The text of a project's page."""
    status, text = fetch(project["url"])
    assert status == 200, text
    return text


def states(project: dict[str, Any]) -> dict[str, str]:
    return {s["name"]: s["state"] for s in project["services"]}


def test_django_and_express_side_by_side_with_databases_of_one_name(
    run: Program,
    eye: Eye,
    new_id: Callable[[], str],
    tmp_path: Path,
    postgres_image: str,
    redis_image: str,
) -> None:
    django, express = new_id(), new_id()
    line = f'services.db = "{postgres_image}"\n'
    shop = write(tmp_path / "shop", {**DJANGO, "debughost.toml": line + MIGRATE_AND_SERVE})
    line = f'services.db = "{redis_image}"\n'
    visits = write(tmp_path / "visits", {**EXPRESS, "debughost.toml": line})
    ups: list[list[str | Path]] = [
        ["up", "-p", django, "-w", shop],
        ["up", "-p", express, "-w", visits],
    ]

    def both() -> tuple[dict[str, Any], dict[str, Any]]:
        results = run.at_once(ups)
        assert [r.code for r in results] == [0, 0], [str(r) for r in results]
        return results[0].project, results[1].project

    first, second = both()
    assert states(first) == states(second) == {"db": "running"}
    assert [page(first), page(first)] == ["guests: 1", "guests: 2"]
    assert page(second) == "visits: 1"
    run("rm", "-p", django, "-p", express)
    first, second = both()
    assert page(first) == "guests: 3", "the data outlives the containers"
    assert page(second) == "visits: 2"
    assert not connects(run, express, address_of(eye, django, "db"), 5432)
    assert connects(run, express, "db", 6379)


def address_of(eye: Eye, project: str, service: str) -> str:
    """The address of a project's service in the project's own network."""
    (found,) = [
        c for c in eye.containers(project) if c["Labels"].get("debug-host.service") == service
    ]
    (network,) = found["NetworkSettings"]["Networks"].values()
    return str(network["IPAddress"])


def connects(run: Program, project: str, host: str, port: int) -> bool:
    """Whether a connection from the project's container is accepted."""
    code = (
        f"const s = require('net').connect({{ host: '{host}', port: {port}, timeout: 1000 }});"
        "s.on('connect', () => process.exit(0));"
        "for (const e of ['timeout', 'error']) s.on(e, () => process.exit(3));"
    )
    done = run("exec", "-p", project, "--", "node", "-e", code, check=False)
    assert done.code in (0, 3), str(done)
    return done.code == 0


def test_mariadb_keeps_its_data_and_its_password(
    run: Program, project: str, tmp_path: Path, mariadb_image: str
) -> None:
    folder = write(tmp_path / "w", {**PAGE, "debughost.toml": f'services = ["{mariadb_image}"]\n'})

    def query(sql: str) -> str:
        """By the user and the password that the program gets."""
        line = 'mariadb -h 127.0.0.1 -u"$MARIADB_USER" -p"$MARIADB_PASSWORD" "$MARIADB_DATABASE"'
        command = ["--service", "mariadb", "--", "sh", "-c", f'{line} -Ne "{sql}"']
        return run("exec", "-p", project, *command).out.strip()

    run("up", "-p", project, "-w", folder)
    query("create table t (a int); insert into t values (42)")
    run("rm", "-p", project)
    assert run("up", "-p", project, "-w", folder, "--json").project["action"] == "created"
    assert query("select a from t") == "42"
    run("rm", "-p", project, "--volumes", "--data")


def test_a_service_that_crashes_is_explained(
    run: Program, project: str, tmp_path: Path, redis_image: str
) -> None:
    text = f'[services.cache]\nimage = "{redis_image}"\ncommand = "--no-such-option 1"\n'
    folder = write(tmp_path / "w", {**PAGE, "debughost.toml": text})
    error = run("up", "-p", project, "-w", folder, "--json", check=7).error
    assert error["code"] == "CRASHED"
    assert f"the service cache of {project}" in error["message"]
    assert any("no-such-option" in line for line in error["details"]["log_tail"])
    write(folder, {"debughost.toml": f'services.cache = "{redis_image}"\n'})
    run("up", "-p", project, "-w", folder)
    run("exec", "-p", project, "--service", "cache", "--", "redis-cli", "shutdown", check=False)

    def ended() -> Any:
        (cache,) = run("status", "-p", project, "--json").project["services"]
        return cache if cache["state"] != "running" else None

    cache = eventually(ended)
    assert cache["state"] == "completed"
    again = run("up", "-p", project, "-w", folder, "--json")
    assert states(again.project) == {"cache": "running"}
