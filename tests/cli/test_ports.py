"""Ports that a project publishes besides its own."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeEngine, listens_on

from cli.conftest import App, Run, node_project
from debughost_cli import names

SHOP_PORT = 3725


def ports(run: Run) -> dict[str, tuple[int, int]]:
    """By name, the host's number and the container's."""
    return {p["name"]: (p["host_port"], p["container_port"]) for p in run.project["ports"]}


@pytest.fixture
def other(app: App, tmp_path: Path) -> Callable[..., Run]:
    """Runs ``up`` for a project called blog."""
    folder = node_project(tmp_path / "blog")
    return lambda *more: app("up", "--json", "-w", str(folder), *more)


def test_they_are_published_beside_the_projects_own(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    (workspace / "debughost.toml").write_text('[ports]\nmail = 8025\nui = "9300:80"\n')
    run = app("up", "--json", "--publish", "9229", "--publish", "9400:9401")
    expected = {
        "http": (SHOP_PORT, SHOP_PORT), "9229": (9229, 9229), "9401": (9400, 9401),
        "mail": (8025, 8025), "ui": (9300, 80),
    }  # fmt: skip
    assert ports(run) == expected
    assert next(iter(ports(run))) == "http"
    assert run.project["ports"][1]["url"] == "http://127.0.0.1:9229"
    status = app("status", "--json")
    assert (ports(status), status.project["drift"]) == (expected, [])
    assert "shop: 9229 at 127.0.0.1:9229, 9401 at 127.0.0.1:9400, mail at" in app("status").out
    assert "running at http://127.0.0.1:3725, 9229 at 127.0.0.1:9229" in app("up").out
    assert app("up", "--json").project["action"] == "unchanged"
    settings = {s["name"]: s for s in app("config", "show", "--json").document["data"]["settings"]}
    assert settings["ports.ui"] == {"name": "ports.ui", "value": "9300:80", "source": "file"}


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (("9229",), ("9230",), {"9229": (9229, 9229), "9230": (9230, 9230)}),
        (("ui=9229",), ("ui=9230",), {"ui": (9230, 9230)}),
        (("9229:80",), ("9300:80", "x=9301"), {"80": (9300, 80), "x": (9301, 9301)}),
    ],
)
def test_flags_add_up_by_name(
    app: App, first: tuple[str, ...], second: tuple[str, ...], expected: Any
) -> None:
    app("up", *(f"--publish={word}" for word in first))
    run = app("up", "--json", *(f"--publish={word}" for word in second))
    assert run.project["action"] == "recreated"
    assert "ports" in run.project["why"]
    assert ports(run) == expected | {"http": (SHOP_PORT, SHOP_PORT)}
    for again in (app("restart", "--json"), app("up", "--json")):
        assert ports(again) == ports(run)
    assert ports(app("up", "--reset", "--json")) == {"http": (SHOP_PORT, SHOP_PORT)}


def test_without_them_nothing_is_recreated_and_nothing_is_left(
    app: App, engine: FakeEngine
) -> None:
    app("up")
    before = engine.container("shop").spec.labels[names.CONFIG_HASH]
    app("up", "--publish", "9229")
    assert engine.container("shop").spec.labels[names.CONFIG_HASH] != before
    app("up", "--reset")
    assert engine.container("shop").spec.labels[names.CONFIG_HASH] == before


def test_a_port_of_another_project_is_in_use_whether_it_runs_or_not(
    app: App, engine: FakeEngine, other: Callable[..., Run]
) -> None:
    app("up", "--publish", "debug=9229")
    for _ in range(2):
        run = other("--publish", "debug=9229")
        assert (run.code, run.error["code"]) == (5, "PORT_IN_USE")
        assert run.error["details"] == {
            "port": 9229, "holder": {"kind": "project", "name": "shop"}, "next_free": 9230,
            "name": "debug", "container_port": 9229,
        }  # fmt: skip
        assert "--publish debug=9230:9229" in run.error["hint"]
        assert run.document["next"][0].endswith(" --publish debug=9230:9229")
        app("stop")
    run = other("--port", "9229")
    assert run.error["details"]["holder"] == {"kind": "project", "name": "shop"}


def test_a_port_of_a_process_is_in_use(workspace: Path) -> None:
    engine = FakeEngine(endpoint="unix:///run/fake.sock")
    engine.add_base_images()
    app = App(engine)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        run = app("up", "--json", "--publish", f"ui={port}")
        assert run.error["code"] == "PORT_IN_USE"
        assert run.error["details"]["holder"]["kind"] == "process"
        assert ports(app("up", "--json", "--publish", f"ui={port}+"))["ui"][0] > port


def test_a_chosen_one_makes_way_and_is_kept(
    app: App, engine: FakeEngine, other: Callable[..., Run]
) -> None:
    app("up", "--publish", "ui=9300")
    run = other("--publish", "ui=9300+", "--port", "9301")
    assert ports(run) == {"http": (9301, 9301), "ui": (9302, 9300)}
    assert ports(other()) == ports(run)
    app("rm")
    assert app("rm", "-p", "blog").code == 0
    assert ports(other("--publish", "ui=9300+"))["ui"] == (9302, 9300)
    assert names.port_note_name("blog") not in engine.stored_volumes


def test_the_projects_own_port_makes_way_unless_it_was_given(app: App) -> None:
    assert ports(app("up", "--json"))["http"] == (SHOP_PORT, SHOP_PORT)
    run = app("up", "--json", "--publish", f"ui={SHOP_PORT}")
    assert ports(run) == {"http": (3726, 3726), "ui": (SHOP_PORT, SHOP_PORT)}
    run = app("up", "--json", "--port", str(SHOP_PORT))
    assert (run.code, run.error["code"]) == (2, "INVALID_PORT")
    run = app("up", "--json", "--publish", "a=9229", "--publish", "b=9229")
    assert (run.code, run.error["code"]) == (2, "INVALID_PORT")


def test_two_may_change_places(app: App) -> None:
    app("up", "--publish", "a=9300:1", "--publish", "b=9301:2")
    run = app("up", "--json", "--publish", "a=9301:1", "--publish", "b=9300:2")
    assert ports(run)["a"] == (9301, 1)
    assert ports(run)["b"] == (9300, 2)


def test_one_that_the_engine_finds_in_use_is_named_or_makes_way(
    app: App, engine: FakeEngine
) -> None:
    engine.taken_ports = {9300}
    run = app("up", "--json", "--publish", "ui=9300", "--publish", "b=9301+")
    assert (run.code, run.error["code"]) == (5, "PORT_IN_USE")
    assert not engine.stored_containers
    run = app("up", "--json", "--publish", "ui=9300+")
    assert run.code == 0
    assert ports(run)["ui"] == (9301, 9300)


def test_what_listens_on_one_of_them_is_not_the_page(app: App, engine: FakeEngine) -> None:
    engine.program = listens_on(9464)
    run = app("up", "--json", "--publish", "metrics=9464", "--wait-timeout", "0.1")
    assert run.error["code"] == "NOT_READY"
    assert run.error["details"]["reason"] == "nothing_listens"
    engine.program = listens_on(3000, 9464)
    run = app("up", "--json", "--publish", "metrics=9464", "--recreate")
    assert ports(run) == {"http": (SHOP_PORT, 3000), "metrics": (9464, 9464)}


def test_a_program_without_a_port_may_have_others(app: App) -> None:
    run = app("up", "--json", "--port", "none", "--publish", "metrics=9464")
    assert run.project["port"] is None
    assert ports(run) == {"metrics": (9464, 9464)}
    assert app("up", "--json").project["action"] == "unchanged"
    assert "shop unchanged, running, with metrics at 127.0.0.1:9464" in app("up").out


@pytest.mark.parametrize("word", ["", "x", "80", "2650", "http=9229", "9229:0", "0.0.0.0:1:2"])
def test_what_cannot_be_published_is_refused(app: App, engine: FakeEngine, word: str) -> None:
    run = app("up", "--json", "--publish", word)
    assert run.code == 2
    assert "--publish" in run.error["message"] or run.error["code"] == "INVALID_PORT"
    assert not engine.stored_containers


def test_a_file_with_a_bad_port_is_not_valid(app: App, workspace: Path) -> None:
    (workspace / "debughost.toml").write_text('[ports]\ndebug = "0.0.0.0:9229:9229"\n')
    run = app("config", "validate", "--json")
    (fault,) = run.error["details"]["faults"]
    assert fault["key"] == "ports"
    assert "127.0.0.1 alone" in fault["message"]
    assert json.loads(fault["value"]) == {"debug": "0.0.0.0:9229:9229"}
