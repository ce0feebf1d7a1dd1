"""Companion services: with the project they start, stop, are shown and go; their data stays."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeContainer, FakeEngine, exits
from msgspec.structs import replace

from cli.conftest import App
from debughost_cli import names
from debughost_cli.engine.port import ExecResult
from debughost_cli.errors import StartFailed
from debughost_cli.planning.known_services import known_service

POSTGRES = 'services = ["postgres:17"]\n'
NAMED = '[services]\ndb = "postgres:17"\ncache = "redis:8"\n'
DATA = "debug-host-shop-db-data"
SECRET = "debug-host-shop-db-secret"


@pytest.fixture(autouse=True)
def images(engine: FakeEngine) -> None:
    engine.add_image("postgres:17", volumes=("/var/lib/postgresql/data",))
    engine.add_image("redis:8", volumes=("/data",))
    engine.add_image("node:22")
    for repository in ("postgres", "redis"):
        known = known_service(repository)
        assert known
        engine.execs[("/bin/sh", "-c", known.ready)] = ExecResult(0, b"", b"")


def configure(workspace: Path, text: str) -> None:
    (workspace / "debughost.toml").write_text(text)


def service(engine: FakeEngine, name: str) -> FakeContainer:
    (found,) = [c for c in engine.all_of("shop") if c.labels.get(names.SERVICE) == name]
    return found


def program(engine: FakeEngine) -> FakeContainer:
    (found,) = [c for c in engine.all_of("shop") if c.labels[names.ROLE] == "main"]
    return found


def test_services_are_made_as_the_contract_says(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    configure(workspace, NAMED)
    run = app("up", "--json")
    assert run.project["action"] == "created"
    assert [(s["name"], s["state"]) for s in run.project["services"]] == [
        ("cache", "running"),
        ("db", "running"),
    ]
    db = service(engine, "db")
    assert db.name.startswith("debug-host-shop-db-")
    assert db.spec.aliases == ("db", "db.shop")
    assert program(engine).spec.links == ("db.shop:db", "cache.shop:cache")
    assert db.spec.network == "debug-host-shop-network"
    assert db.labels[names.ROLE] == "service"
    assert db.labels[names.WORKSPACE] == str(workspace)
    assert db.labels[names.HOST]
    assert {(m.source, m.target) for m in db.spec.mounts} == {
        (DATA, "/var/lib/postgresql/data"),
        (SECRET, names.SECRET_DIR),
    }
    assert set(program(engine).further_networks) == {"debug-host-shop-network"}
    assert program(engine).spec.network == names.NETWORK
    labels = engine.stored_volumes[DATA].labels
    assert (labels[names.SERVICE], labels[names.ROLE]) == ("db", "data")
    assert app("up", "--json").project["action"] == "unchanged"
    assert app("status", "--json").project["drift"] == []


def test_wait_shows_them(app: App, workspace: Path) -> None:
    configure(workspace, NAMED)
    assert app("up").code == 0
    found = app("wait", "--for", "ready", "--json").project["services"]
    assert [(s["name"], s["state"]) for s in found] == [("cache", "running"), ("db", "running")]


def test_the_program_gets_what_clients_read(app: App, engine: FakeEngine, workspace: Path) -> None:
    configure(workspace, NAMED)
    assert app("up").code == 0
    password = service(engine, "db").environment["POSTGRES_PASSWORD"]
    assert len(password) == 32
    given = program(engine).environment
    assert given["DATABASE_URL"] == f"postgresql://postgres:{password}@db:5432/app"
    assert (given["PGHOST"], given["PGPASSWORD"]) == ("db", password)
    assert given["REDIS_URL"] == "redis://cache:6379/0"
    assert given["DB_HOST"] == "db"
    for container in engine.all_of("shop"):
        assert password not in str(container.labels)


def test_what_the_user_set_is_not_changed(app: App, engine: FakeEngine, workspace: Path) -> None:
    configure(
        workspace,
        '[env]\nDATABASE_URL = "mine"\n[services.db]\nimage = "postgres:17"\n'
        'env = {POSTGRES_PASSWORD = "a b", POSTGRES_DB = "shop"}\n',
    )
    assert app("up").code == 0
    given = program(engine).environment
    assert given["DATABASE_URL"] == "mine"
    assert (given["PGPASSWORD"], given["PGDATABASE"]) == ("a b", "shop")
    assert SECRET not in engine.stored_volumes
    assert app("up", "--json").project["action"] == "unchanged"


def test_a_password_lives_as_long_as_its_data(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    configure(workspace, NAMED)
    assert app("up").code == 0
    password = service(engine, "db").environment["POSTGRES_PASSWORD"]
    run = app("rm", "--volumes")
    assert run.code == 0
    assert f"({DATA}" in run.err
    assert {DATA, SECRET} <= set(engine.stored_volumes)
    assert engine.all_of("shop") == []
    listed = app("volumes", "ls", "--json").document["data"]["volumes"]
    assert [v["role"] for v in listed if v["name"] in (DATA, SECRET)] == ["data"]
    assert app("volumes", "prune", "--yes", "--all").code == 0
    assert app("up").code == 0
    assert service(engine, "db").environment["POSTGRES_PASSWORD"] == password
    assert app("rm", "--volumes", "--data").code == 0
    assert not {DATA, SECRET} & set(engine.stored_volumes)
    assert app("up").code == 0
    assert service(engine, "db").environment["POSTGRES_PASSWORD"] != password


def test_they_start_before_the_program_and_stop_after_it(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    configure(workspace, NAMED)
    assert app("up").code == 0
    db, cache, main = service(engine, "db"), service(engine, "cache"), program(engine)
    starts = [c[1] for c in engine.changes if c[0] == "containers.start"]
    assert starts == [db.id, cache.id, main.id]
    assert app("stop", "--json").project["action"] == "stopped"
    stops = [c[1] for c in engine.changes if c[0] == "containers.stop"]
    assert stops[0] == main.id
    assert set(stops[1:]) == {db.id, cache.id}
    shown = app("status", "--json").project
    assert {s["state"] for s in shown["services"]} == {"stopped"}
    assert app("up", "--json").project["action"] == "started"
    assert db.is_running
    assert app("restart", "--json").project["action"] == "restarted"


def test_one_that_is_missing_or_stopped_is_brought_up_again(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    configure(workspace, NAMED)
    assert app("up").code == 0
    engine.containers.stop(service(engine, "db").id, 1)
    engine.containers.remove(service(engine, "cache").id, force=True)
    plan = app("up", "--dry-run", "--json").project["plan"]
    assert [(s["step"], s["target"]) for s in plan][:4] == [
        ("start_service", "db"),
        ("create_service", "cache"),
        ("start_service", "cache"),
        ("wait_services", "db, cache"),
    ]
    main = program(engine).id
    assert app("up", "--json").project["action"] == "started"
    assert service(engine, "db").is_running
    assert service(engine, "cache").is_running
    assert program(engine).id == main


def test_a_changed_service_is_recreated_with_its_data(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    configure(workspace, POSTGRES)
    assert app("up").code == 0
    before = service(engine, "postgres")
    configure(workspace, '[services.postgres]\nimage = "postgres:17"\nmemory = "1g"\n')
    assert app("up").code == 0
    after = service(engine, "postgres")
    assert after.id != before.id
    assert after.spec.limits.memory_bytes == 1024**3
    assert after.environment["POSTGRES_PASSWORD"] == before.environment["POSTGRES_PASSWORD"]
    assert after.spec.mounts == before.spec.mounts


def test_one_that_is_not_configured_any_more_goes(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    configure(workspace, NAMED)
    assert app("up").code == 0
    configure(workspace, '[services]\ncache = "redis:8"\n')
    assert app("up").code == 0
    assert {c.labels.get(names.SERVICE) for c in engine.all_of("shop")} == {"", "cache"}
    assert DATA in engine.stored_volumes
    configure(workspace, "")
    assert app("up").code == 0
    assert len(engine.all_of("shop")) == 1
    assert "debug-host-shop-network" not in {n.name for n in engine.stored_networks.values()}
    assert "DATABASE_URL" not in program(engine).environment


@pytest.mark.parametrize("code", [1, 137])
def test_one_that_ends_is_explained_and_nothing_is_left(
    app: App, engine: FakeEngine, workspace: Path, code: int
) -> None:
    configure(workspace, '[services.db]\nimage = "postgres:17"\ncommand = "bad"\n')
    engine.commands[("bad",)] = exits(code, "FATAL: no room")
    before = engine.snapshot()
    run = app("up", "--json")
    assert run.code == 7
    assert run.error["code"] == "CRASHED"
    assert "the service db of shop" in run.error["message"]
    assert run.error["details"]["log_tail"] == ["FATAL: no room"]
    after = engine.snapshot()
    assert after["containers"] == before["containers"]
    assert DATA not in after["volumes"]


def test_one_that_is_never_ready_is_not_waited_for_forever(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    configure(workspace, '[services.db]\nimage = "postgres:17"\nready = "false"\n')
    run = app("up", "--json", "--wait-timeout", "0.3")
    assert run.code == 6
    assert run.error["code"] == "NOT_READY"
    assert run.error["details"]["service"] == "db"
    assert engine.all_of("shop") == []


def test_a_failed_recreation_restores_what_ran(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    configure(workspace, POSTGRES)
    assert app("up").code == 0
    before = service(engine, "postgres")
    configure(workspace, '[services.postgres]\nimage = "postgres:17"\ncommand = "bad"\n')
    engine.commands[("bad",)] = exits(2)
    assert app("up").code == 7
    assert service(engine, "postgres").id == before.id
    assert before.is_running


def test_one_that_crashes_later_is_shown_with_its_reason(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    configure(workspace, NAMED)
    assert app("up").code == 0
    engine.write_log(service(engine, "db").id, "PANIC: could not write")
    engine.crash(service(engine, "db").id, 2)
    (cache, db) = app("status", "--json").project["services"]
    assert (cache["state"], db["state"]) == ("running", "crashed")
    assert db["exit"]["reason"] == "crashed"
    assert db["exit"]["log_tail"][-1] == "PANIC: could not write"
    text = app("status").out
    assert "shop/db" in text
    assert "shop/db: ended by itself with exit code 2" in text
    assert app("status", "--check").code == 7
    assert app("status", "--json").document["next"] == [
        "debughost logs -p shop --service db",
        f"debughost up -p shop -w {workspace}",
    ]
    assert app("up", "--json").project["action"] == "started"
    assert app("status", "--check").code == 0


def test_commands_and_logs_of_a_service(app: App, engine: FakeEngine, workspace: Path) -> None:
    configure(workspace, NAMED)
    assert app("up").code == 0
    engine.write_log(service(engine, "db").id, "ready to accept")
    assert "ready to accept" in app("logs", "--service", "db").out
    assert "ready to accept" not in app("logs").out
    assert app("exec", "--service", "db", "echo", "hello").out == "hello\n"
    assert [c[1] for c in engine.changes if c[0] == "exec.start"] == [service(engine, "db").id]
    for argv in (("logs", "--service", "nope"), ("exec", "--service", "nope", "true")):
        run = app("--json", *argv) if argv[0] == "exec" else app(*argv)
        assert run.code == 3
    assert app("exec", "--json", "--service", "nope", "true").error["details"]["services"] == [
        "cache",
        "db",
    ]


def test_data_of_another_workspace_is_not_used(
    app: App, engine: FakeEngine, workspace: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    engine.add_volume(
        DATA,
        {
            names.MANAGED: "true",
            names.PROJECT: "shop",
            names.SERVICE: "db",
            names.WORKSPACE: str(other),
        },
    )
    configure(workspace, NAMED)
    assert app("up", "--json").error["code"] == "WORKSPACE_CONFLICT"
    engine.stored_volumes[DATA].labels.clear()
    assert app("up", "--json").error["code"] == "NAME_CONFLICT"


def test_a_published_port_that_is_taken_is_named(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    configure(workspace, '[services.db]\nimage = "postgres:17"\npublish = 15432\n')
    assert app("up", "--json").project["services"][0]["ports"] == [
        {
            "name": "db",
            "container_port": 5432,
            "host_port": 15432,
            "url": "postgresql://127.0.0.1:15432",
        }
    ]
    assert app("rm").code == 0
    engine.add_foreign("other", 15432)
    run = app("up", "--json")
    assert (run.code, run.error["code"]) == (5, "PORT_IN_USE")
    assert run.error["details"]["service"] == "db"


def test_what_an_interrupted_run_left_is_used_or_removed(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    configure(workspace, NAMED)
    assert app("up").code == 0
    db = service(engine, "db").id
    engine.containers.remove(program(engine).id, force=True)
    assert app("up", "--json").project["action"] == "created"
    assert service(engine, "db").id == db
    engine.containers.remove(program(engine).id, force=True)
    planned = app("rm", "--volumes", "--dry-run", "--json").project["plan"]
    assert engine.all_of("shop")
    assert {(s["step"], s["target"]) for s in planned} >= {
        ("stop_service", "db"),
        ("remove_container", service(engine, "db").name),
        ("remove_network", "debug-host-shop-network"),
    }
    assert app("rm", "--volumes").code == 0
    assert engine.all_of("shop") == []
    assert set(engine.stored_volumes) == {DATA, SECRET, "debug-host-shop-cache-data"}
    assert app("rm").code == 3
    assert app("rm", "--dry-run").code == 3
    planned = app("rm", "--volumes", "--data", "--dry-run", "--json").project["plan"]
    assert {s["target"] for s in planned} == set(engine.stored_volumes)
    assert app("rm", "--volumes", "--data").code == 0
    assert not engine.stored_volumes


def test_an_isolated_project_has_one_network_for_all(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    configure(workspace, "isolated = true\n" + POSTGRES)
    assert app("up").code == 0
    assert [n.name for n in engine.stored_networks.values()] == ["debug-host-shop-network"]
    assert not program(engine).further_networks
    assert app("up", "--json").project["action"] == "unchanged"


def test_the_images_of_services_are_pulled(app: App, engine: FakeEngine, workspace: Path) -> None:
    engine.add_image("mailpit:1", registry=True)
    configure(workspace, '[services.mail]\nimage = "mailpit:1"\nready = "true"\n')
    engine.execs[("/bin/sh", "-c", "true")] = ExecResult(0, b"", b"")
    steps = app("up", "--dry-run", "--json").project["plan"]
    assert {"step": "pull_image", "target": "mailpit:1", "reason": "it is not here"} in steps
    assert app("up").code == 0
    assert program(engine).environment["SMTP_HOST"] == "mail"


def test_a_failed_start_of_the_program_removes_new_services(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    configure(workspace, NAMED)
    error = StartFailed("no", hint="x")
    engine.fail(
        "containers.start", error, when=lambda ref: bool(engine.stored_containers[ref].spec.port)
    )
    before: Any = engine.snapshot()
    assert app("up").code == 7
    after = engine.snapshot()
    assert after["containers"] == before["containers"]


def test_data_without_volumes_is_refused(app: App) -> None:
    assert app("rm", "--data", "--json").error["code"] == "USAGE"


def test_their_settings_are_shown_without_secrets(app: App, workspace: Path) -> None:
    configure(
        workspace,
        '[services.db]\nimage = "postgres:17"\npublish = 15432\nenv = {POSTGRES_PASSWORD = "x1"}\n'
        'memory = "1g"\nshm_size = "128m"\n',
    )
    run = app("config", "show", "--json")
    shown = {s["name"]: s["value"] for s in run.document["data"]["settings"]}
    assert shown["services.db.image"] == "postgres:17"
    assert shown["services.db.publish"] == 15432
    assert shown["services.db.env.POSTGRES_PASSWORD"] == "(set)"
    assert shown["services.db.memory"] == 1024**3
    assert shown["services.db.shm_size"] == 128 * 1024**2
    assert "services.db.cpus" not in shown
    configure(workspace, '[services.db]\nimage = "postgres:17"\nenv = {POSTGRES_PASSWORD = ["x1"]}')
    for argv in (("config", "validate", "--json"), ("up", "--json")):
        run = app(*argv)
        assert run.code == 2
        assert "x1" not in run.out + run.err


def test_one_that_is_killed_after_an_earlier_stop_has_crashed(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    configure(workspace, NAMED)
    assert app("up").code == 0
    assert app("stop").code == 0
    engine.sleep(5)
    assert app("up").code == 0
    engine.sleep(5)
    engine.crash(service(engine, "db").id, 137)
    states = {s["name"]: s["state"] for s in app("status", "--json").project["services"]}
    assert states == {"cache": "running", "db": "crashed"}


def test_a_rollback_never_lets_two_write_to_the_same_data(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    configure(workspace, POSTGRES)
    assert app("up").code == 0
    before = service(engine, "postgres")
    other: list[str] = []

    def another_client() -> None:
        labels = dict(before.spec.labels)
        other.append(engine.containers.create("another", replace(before.spec, labels=labels)))
        engine.containers.start(other[0])

    text = '[services.postgres]\nimage = "postgres:17"\nmemory = "1g"\nready = "false"\n'
    configure(workspace, text)
    engine.before("exec.run", another_client)
    assert app("up", "--wait-timeout", "0.3").code == 6
    assert engine.containers.inspect(other[0]).is_running
    assert not before.is_running


@pytest.mark.parametrize(
    "line",
    [
        "FATAL:  database files are incompatible with server",
        "# Can't handle RDB format version 12",
        "[ERROR] [MY-014061] Invalid MySQL server upgrade: Cannot upgrade from 80400 to 90500.",
    ],
)
def test_data_of_another_version_is_recognised(
    app: App, engine: FakeEngine, workspace: Path, line: str
) -> None:
    configure(workspace, '[services.db]\nimage = "postgres:17"\ncommand = "bad"\n')
    engine.commands[("bad",)] = exits(1, line)
    assert "of another version" in app("up", "--json").error["hint"]


def test_a_file_does_not_raise_the_limits_of_services_unseen(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    configure(workspace, '[services.db]\nimage = "postgres:17"\npids = 4096\n')
    run = app("up", "--json")
    (warning,) = [w for w in run.document["warnings"] if w["code"] == "LIMITS_RAISED"]
    assert "services.db.pids is 4096 instead of 512" in warning["message"]
    for key in ("memory", "shm_size"):
        configure(workspace, f'[services.db]\nimage = "postgres:17"\n{key} = "8000g"\n')
        run = app("up", "--json")
        assert run.error["code"] == "INVALID_CONFIG"
        assert run.error["details"]["setting"] == f"services.db.{key}"


def test_a_dry_run_and_a_status_change_nothing_to_learn_a_password(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    configure(workspace, NAMED)
    assert app("up").code == 0
    main = program(engine)
    engine.containers.remove(service(engine, "db").id, force=True)
    engine.changes.clear()
    plan = app("up", "--dry-run", "--json").project
    assert [s["step"] for s in plan["plan"]][:2] == ["create_service", "start_service"]
    assert plan["action"] == "started"
    assert app("status", "--json").project["drift"] == []
    assert engine.changes == []
    # What is done is what was planned: the password is the kept one.
    assert app("up", "--json").project["action"] == "started"
    assert program(engine).id == main.id


def test_what_a_killed_command_read_a_password_with_is_removed(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    configure(workspace, NAMED)
    assert app("up").code == 0
    engine.containers.remove(service(engine, "db").id, force=True)
    read: list[str] = []

    def killed() -> None:
        (helper,) = [c for c in engine.all_of("shop") if c.labels[names.ROLE] == "run"]
        labels = dict(helper.spec.labels) | {names.OWNER: "another:1:1.0"}
        old = engine.now() - timedelta(hours=1)
        ref = engine.containers.create("left", replace(helper.spec, labels=labels))
        engine.stored_containers[ref].created_at = old
        read.append(ref)

    engine.before("containers.read_files", killed)
    assert app("up").code == 0
    assert read
    assert {c.labels[names.ROLE] for c in engine.all_of("shop")} == {"main", "service"}
    assert [s["name"] for s in app("status", "--json").project["services"]] == ["cache", "db"]
    assert app("rm", "--volumes", "--data").code == 0
    assert engine.all_of("shop") == []
    assert SECRET not in engine.stored_volumes


@pytest.mark.parametrize("options", [(), ("--volumes",)])
def test_data_that_is_kept_is_in_the_warnings(
    app: App, engine: FakeEngine, workspace: Path, options: tuple[str, ...]
) -> None:
    configure(workspace, NAMED)
    assert app("up").code == 0
    (warning,) = app("rm", *options, "--json").document["warnings"]
    assert warning["code"] == "DATA_KEPT"
    assert DATA in warning["message"]


@pytest.mark.parametrize(("data", "codes"), [((), ["DATA_KEPT"]), (("--data",), [])])
def test_data_that_services_without_their_project_leave(
    app: App, engine: FakeEngine, workspace: Path, data: tuple[str, ...], codes: list[str]
) -> None:
    configure(workspace, NAMED)
    assert app("up").code == 0
    engine.containers.remove(program(engine).id, force=True)
    run = app("rm", "--volumes", *data, "--json")
    assert [w["code"] for w in run.document["warnings"]] == codes


def test_without_services_nothing_is_said_of_data(app: App, workspace: Path) -> None:
    assert app("up").code == 0
    assert app("rm", "--volumes", "--json").document["warnings"] == []


@pytest.mark.parametrize(
    ("service", "url"),
    [
        ('image = "redis:8"\npublish = 6379', "redis://127.0.0.1:6379"),
        ('image = "mariadb:11"\npublish = 13306', "mysql://127.0.0.1:13306"),
        ('image = "memcached:1"\npublish = 11211', "tcp://127.0.0.1:11211"),
        ('image = "mailpit:1"\npublish = "8025:8025"', "http://127.0.0.1:8025"),
        ('image = "mailpit:1"\npublish = "1025:1025"', "smtp://127.0.0.1:1025"),
        ('image = "minio:1"\npublish = 9000', "http://127.0.0.1:9000"),
        (
            'image = "our/own-postgres:1"\nport = 5432\npublish = 5433',
            "postgresql://127.0.0.1:5433",
        ),
        ('image = "adminer:1"\nport = 8080\npublish = 8081', "http://127.0.0.1:8081"),
    ],
)
def test_a_port_has_the_scheme_of_what_is_spoken_there(
    app: App, engine: FakeEngine, workspace: Path, service: str, url: str
) -> None:
    engine.add_image(service.split('"')[1])
    configure(workspace, f'[services.s]\nready = "true"\n{service}\n')
    engine.execs[("/bin/sh", "-c", "true")] = ExecResult(0, b"", b"")
    assert app("up", "--json").project["services"][0]["ports"][0]["url"] == url
    assert app("status", "--json").project["services"][0]["ports"][0]["url"] == url


def test_a_database_beside_the_program_in_its_container_has_no_page(app: App) -> None:
    assert app("up", "--publish", "db=15432:5432", "--publish", "ui=9000:8081").code == 0
    urls = {p["name"]: p["url"] for p in app("status", "--json").project["ports"]}
    assert urls["db"] == "postgresql://127.0.0.1:15432"
    assert urls["ui"] == "http://127.0.0.1:9000"
    assert urls["http"].startswith("http://127.0.0.1:")
