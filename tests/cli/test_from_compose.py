"""``init --from-compose``: a configuration that is valid, and a list of what is not in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from debughost_cli.project.configuration import load_settings
from debughost_cli.project.settings import Flags

from .conftest import App

COMPOSE = """\
services:
  web:
    build: .
    ports: ["3100:3100", "9229:9229"]
    environment:
      DATABASE_URL: postgres://u:p@db:5432/shop
      QUOTES: "a \\"b\\" \\\\ \\u007f ü"
    healthcheck: {test: curl localhost}
  db:
    image: postgres:16
    environment: [POSTGRES_PASSWORD=p, POSTGRES_USER=u, "POSTGRES_DB=shop", 'x.y z=1']
  search:
    image: typesense/typesense:27
    command: --data-dir /data
    ports: ["8108:8108"]
    volumes: ["search:/data", "./x:/y"]
"""


def test_the_file_that_is_written_says_what_the_compose_file_says(
    app: App, workspace: Path
) -> None:
    (workspace / "compose.yaml").write_text(COMPOSE)
    run = app("init", "--from-compose", "--json")
    assert run.code == 0, run.out
    assert run.document["changed"]
    notes = [w["message"] for w in run.document["warnings"]]
    assert {w["code"] for w in run.document["warnings"]} == {"COMPOSE_NOT_TRANSLATED"}
    assert notes[0] == "search: volume ./x:/y is not mounted"
    assert notes[1].startswith("web: healthcheck is not needed")
    assert app("config", "validate", "--json").code == 0
    settings = load_settings(workspace, Flags(), {})
    assert (settings.project, settings.type, settings.port) == ("shop", "node", 3100)
    assert settings.env["QUOTES"] == 'a "b" \\ \x7f ü'
    assert [r.container_port for r in settings.ports.values()] == [9229]
    db, search = settings.services
    assert (db.name, db.image, db.env["POSTGRES_USER"]) == ("db", "postgres:16", "u")
    assert (search.port, search.volume) == (8108, "/data")
    assert search.command == ("--data-dir", "/data")


def test_what_is_left_out_is_said_on_stderr(app: App, workspace: Path) -> None:
    (workspace / "docker-compose.yml").write_text(COMPOSE)
    run = app("init", "--from-compose")
    assert "volume ./x:/y is not mounted" in run.err
    assert "not mounted" not in run.out


def test_another_file_can_be_named(app: App, workspace: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yml"
    other.write_text("services:\n  cache: {image: redis}\n")
    assert app("init", "--from-compose", str(other), "--json").code == 0
    assert '[services.cache]\nimage = "redis"' in (workspace / "debughost.toml").read_text()


def test_nothing_of_the_host_is_taken(
    app: App, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "secret-of-the-host")
    text = (
        "services:\n  a:\n    image: redis\n    environment: {A: '${TOKEN}', B: $TOKEN, TOKEN: }\n"
    )
    (workspace / "compose.yaml").write_text(text)
    (workspace / ".env").write_text("TOKEN=other-secret\n")
    run = app("init", "--from-compose", "--json")
    assert "secret" not in run.out
    assert len(run.document["warnings"]) == 4


def test_a_hostile_name_writes_no_setting(app: App, workspace: Path) -> None:
    text = (
        'services:\n  "a]\\nimage = \\"evil\\"\\n[b":\n    image: redis\n'
        '  ok:\n    image: redis\n    environment: {"A\\"\\nimage = \\"evil\\"": b}\n'
    )
    (workspace / "compose.yaml").write_text(text)
    run = app("init", "--from-compose", "--json")
    assert run.code == 0
    assert '\nimage = "evil"' not in (workspace / "debughost.toml").read_text()
    assert load_settings(workspace, Flags(), {}).image is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("services: [", "INVALID_CONFIG"), ("a: b", "INVALID_CONFIG"),
        ("x" * 300_000, "INVALID_CONFIG"),
    ],
)  # fmt: skip
def test_what_cannot_be_translated_writes_nothing(
    app: App, workspace: Path, text: str, code: str
) -> None:
    (workspace / "compose.yaml").write_text(text)
    assert app("init", "--from-compose", "--json").error["code"] == code
    assert not (workspace / "debughost.toml").exists()


def test_without_a_compose_file(app: App, workspace: Path) -> None:
    assert app("init", "--from-compose", "--json").error["code"] == "INVALID_CONFIG"
    assert app("init", "--from-compose", "gone.yml", "--json").error["code"] == "INVALID_CONFIG"
    assert app("init", "compose.yaml", "--json").error["code"] == "USAGE"


def test_a_link_that_leads_out_is_no_compose_file(
    app: App, workspace: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret.yml").write_text(COMPOSE)
    (workspace / "compose.yaml").symlink_to(tmp_path / "secret.yml")
    assert app("init", "--from-compose", "--json").error["code"] == "INVALID_CONFIG"
