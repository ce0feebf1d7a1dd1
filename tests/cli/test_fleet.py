"""Several engines of the user's own file: names, lookups, and commands on all of them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.fleet import FakeFleet

from cli.conftest import App, node_project
from debughost_cli.api import DebugHost

NAMES = ("local", "build", "spare")


def up_on(fleet: FakeFleet, *engines: str) -> None:
    """The project of the current folder, on each of them."""
    for engine in engines:
        DebugHost(engine=fleet[engine]).up()


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeFleet]:
    """Three engines; the first is the one that is used where nothing else is said."""
    made = FakeFleet(*NAMES)
    made.write(tmp_path / "config" / "debughost" / "config.toml")
    monkeypatch.setenv("DOCKER_HOST", made.url("local"))
    yield made
    made.release()


@pytest.fixture
def app(fleet: FakeFleet, workspace: Path) -> App:
    return App(None, fleet.connect)


def configure(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config" / "debughost" / "config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def projects(fleet: FakeFleet, name: str) -> set[str]:
    containers = fleet[name].stored_containers.values()
    return {c.spec.labels["debug-host.project"] for c in containers}


# Names


def test_a_flag_names_an_engine(app: App, fleet: FakeFleet) -> None:
    run = app("up", "--engine", "build", "--json")
    assert run.code == 0
    assert run.document["engine"]["endpoint"] == fleet.url("build")
    assert run.document["engine"]["source"] == "flag"
    assert [projects(fleet, n) for n in NAMES] == [set(), {"shop"}, set()]
    assert app("--engine=build", "logs").code == 0


def test_a_variable_names_an_engine(
    app: App, fleet: FakeFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEBUGHOST_ENGINE", "build")
    run = app("up", "--json")
    assert run.document["engine"]["source"] == "DEBUGHOST_ENGINE"
    assert projects(fleet, "build") == {"shop"}
    assert app("status", "--engine", "spare", "--json").projects == {}


@pytest.mark.parametrize("file", ["debughost.toml", "pyproject.toml"])
def test_the_configuration_of_a_folder_names_one_for_every_command_there(
    app: App, fleet: FakeFleet, workspace: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    section = "" if file == "debughost.toml" else "[tool.debughost]\n"
    (workspace / file).write_text(f"{section}engine = 'build'\n")
    assert app("up").code == 0
    assert projects(fleet, "build") == {"shop"}
    inner = workspace / "lib" / "deep"
    inner.mkdir(parents=True)
    for folder in (workspace, inner):
        monkeypatch.chdir(folder)
        run = app("status", "--json")
        assert run.document["engine"] == {
            "endpoint": fleet.url("build"), "source": file, "version": "28.5.2",
        }  # fmt: skip
    shown = app("config", "show", "-w", str(workspace), "--json").document["data"]["settings"]
    assert {"name": "engine", "value": "build", "source": "file"} in shown
    assert set(fleet.asked[-2:]) == {"build"}


def test_the_workspace_of_up_names_it_and_not_the_current_folder(
    app: App, fleet: FakeFleet, workspace: Path, tmp_path: Path
) -> None:
    (workspace / "debughost.toml").write_text("engine = 'build'\n")
    other = node_project(tmp_path / "api")
    (other / "debughost.toml").write_text("engine = 'spare'\n")
    assert app("up", "-w", str(other)).code == 0
    assert [projects(fleet, n) for n in NAMES] == [set(), set(), {"api"}]


def test_a_project_inside_the_folder_of_another_has_an_engine_of_its_own(
    app: App, fleet: FakeFleet, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workspace / "debughost.toml").write_text("engine = 'build'\n")
    monkeypatch.chdir(node_project(workspace / "api"))
    assert app("status", "--json").document["engine"]["endpoint"] == fleet.url("local")


@pytest.mark.parametrize(
    "value", ["ssh://evil@host", "tcp://10.0.0.1:2375", "unix:///run/docker.sock", "10.0.0.1:2375"]
)
def test_no_file_of_a_workspace_gives_an_address(
    app: App, fleet: FakeFleet, workspace: Path, value: str
) -> None:
    (workspace / "debughost.toml").write_text(f"engine = '{value}'\n")
    run = app("up", "--json")
    assert (run.code, run.error["code"]) == (2, "INVALID_CONFIG")
    assert all(projects(fleet, n) == set() for n in NAMES)
    assert app("config", "validate", "--json").error["details"]["faults"][0]["key"] == "engine"


@pytest.mark.parametrize("given", [("--engine", "nope"), ()])
def test_an_unknown_name_is_an_error_that_lists_the_known_ones(
    app: App, workspace: Path, given: tuple[str, ...]
) -> None:
    if not given:
        (workspace / "debughost.toml").write_text("engine = 'nope'\n")
    run = app("up", *given, "--json")
    assert (run.code, run.error["code"]) == (3, "CONTEXT_NOT_FOUND")
    assert "local, build, spare" in run.error["hint"]
    assert run.error["details"]["known"] == [*NAMES, "default"]


@pytest.mark.parametrize(
    "options", [("--host", "tcp://a:1"), ("--context", "a"), ("-H", "tcp://a:1", "-c", "b")]
)
def test_one_engine_is_named_in_one_way(app: App, options: tuple[str, ...]) -> None:
    run = app("status", "--engine", "build", *options, "--json")
    assert (run.code, run.error["code"]) == (2, "USAGE")
    assert "--engine" in run.error["message"]


# The user's own file


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("engines = 1", "engines"),
        ('[engines]\nbuild = 3', "engines.build"),
        ('[engines]\nbuild = "me@build"', "engines.build.host"),
        ('[engines]\nbuild = "context:"', "engines.build.context"),
        ('[engines]\n"a/b" = "ssh://b"', "engines.a/b"),
        ('[engines]\nauto = "ssh://b"', "engines.auto"),
        ('[engines.b]\ncapacity = 3', "engines.b"),
        ('[engines.b]\nhost = "ssh://b"\ncontext = "b"', "engines.b"),
        ('[engines.b]\nhost = "ssh://b"\ncapacity = 0', "engines.b.capacity"),
        ('[engines.b]\nhost = "ssh://b"\ncapacity = true', "engines.b.capacity"),
        ('[engines.b]\nhost = "tcp://b:1"\ntls = "certs"', "engines.b.tls"),
        ('[engines.b]\ncontext = "b"\ntls = "/certs"', "engines.b.tls"),
        ('[engines.b]\nhost = "ssh://b"\nport = 1', "engines.b.port"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_the_file_is_named(app: App, tmp_path: Path, text: str, key: str) -> None:
    configure(tmp_path, text)
    for argv in (("config", "validate"), ("engines", "ls"), ("up", "--engine", "build")):
        run = app(*argv, "--json")
        assert (run.code, run.error["code"]) == (2, "INVALID_CONFIG"), argv
        assert run.error["details"]["key"] == key


def test_an_address_that_is_none_is_an_error_where_it_is_used(app: App, tmp_path: Path) -> None:
    configure(tmp_path, "[engines]\nbuild = 'ssh://'\n")
    run = app("status", "--engine", "build", "--json")
    assert (run.code, run.error["code"]) == (2, "INVALID_CONFIG")
    assert "engines.build" in run.error["message"]


# A project that is on another engine


@pytest.mark.parametrize(
    "argv",
    [
        ("stop", "shop"), ("restart", "shop"), ("start", "shop"), ("rm", "shop"), ("logs", "shop"),
        ("status", "shop"), ("wait", "shop"), ("exec", "-p", "shop", "--", "true"),
        ("rm", "shop", "--dry-run"), ("rm", "shop", "--if-exists"), ("pull", "-p", "shop"),
        ("sync", "-p", "shop", "--once"), ("run", "-p", "shop", "--", "true"),
        ("open", "shop", "--print"), ("rename", "store", "-p", "shop"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_project_is_found_on_the_engine_that_has_it(
    app: App, fleet: FakeFleet, argv: tuple[str, ...]
) -> None:
    assert app("up", "--engine", "build").code == 0
    run = app(*argv)
    assert run.code == 0, run.err
    assert "shop is on engine build" in run.err
    assert projects(fleet, "local") == set()
    if argv[:2] == ("rm", "shop") and "--dry-run" not in argv:
        assert projects(fleet, "build") == set()


@pytest.fixture
def in_another_shop(
    app: App, fleet: FakeFleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The current folder is called as a project of another folder, which is on engine build."""
    assert app("up", "--engine", "build").code == 0
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(node_project(tmp_path / "other" / "shop"))


@pytest.mark.usefixtures("in_another_shop")
@pytest.mark.parametrize(
    "argv",
    [
        ("stop",), ("rm", "--volumes"), ("restart",), ("rename", "store"), ("sync", "--once"),
        ("pull",), ("logs",), ("exec", "--", "true"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_folder_is_not_about_the_project_of_another_one_elsewhere(
    app: App, fleet: FakeFleet, argv: tuple[str, ...]
) -> None:
    run = app(argv[0], "--json", *argv[1:])
    error = json.loads(run.out.splitlines()[-1])["error"]
    assert (run.code, error["code"]) == (5, "WORKSPACE_CONFLICT")
    assert fleet["build"].container("shop").is_running


@pytest.mark.usefixtures("in_another_shop")
@pytest.mark.parametrize("argv", [("stop",), ("rm", "--volumes")], ids=" ".join)
def test_all_engines_is_about_the_folder_s_own_project(
    app: App, fleet: FakeFleet, argv: tuple[str, ...]
) -> None:
    run = app(argv[0], "--all-engines", "--json", *argv[1:])
    assert (run.code, run.error["code"]) == (3, "PROJECT_NOT_FOUND")
    assert fleet["build"].container("shop").is_running
    assert app("up", "--engine", "spare").code == 0
    assert app(argv[0], "--all-engines", *argv[1:]).code == 0
    assert fleet["build"].container("shop").is_running
    assert not any(c.is_running for c in fleet["spare"].stored_containers.values())


def test_members_of_a_group_that_name_several_engines_are_refused(
    app: App, fleet: FakeFleet, workspace: Path
) -> None:
    for name, engine in (("api", "build"), ("web", "spare")):
        (node_project(workspace / name) / "debughost.toml").write_text(f"engine = '{engine}'\n")
    (workspace / "debughost.workspace.toml").write_text('members = ["api", "web"]\n')
    run = app("up", "--all", "--json")
    assert (run.code, run.error["code"]) == (2, "USAGE")
    assert "api on build, web on spare" in run.error["message"]
    assert all(projects(fleet, name) == set() for name in NAMES)
    (workspace / "web/debughost.toml").write_text("engine = 'build'\n")
    assert app("up", "--all").code == 0
    assert projects(fleet, "build") == {"api", "web"}
    assert app("stop", "--group").code == 0


def test_the_result_names_the_engine(app: App, fleet: FakeFleet) -> None:
    assert app("up", "--engine", "build").code == 0
    run = app("stop", "shop", "--json")
    assert run.project["engine"] == "build"
    assert run.document["engine"]["endpoint"] == fleet.url("build")
    assert all("--engine build" in command for command in run.document["next"])


def test_of_several_projects_each_is_found(app: App, fleet: FakeFleet, tmp_path: Path) -> None:
    for name, engine in (("api", "local"), ("web", "build"), ("docs", "spare")):
        folder = str(node_project(tmp_path / name))
        assert app("up", "-w", folder, "--engine", engine).code == 0
    for argv in (("status",), ("stop",), ("logs",)):
        run = app(*argv, "web", "api", "docs", "--json")
        assert run.code == 0, run.out
    run = app("status", "web", "api", "docs")
    assert [line.split()[-1] for line in run.out.splitlines()[:4]] == [
        "ENGINE",
        "-",
        "spare",
        "build",
    ]
    run = app("rm", "web", "nobody", "api", "--json")
    assert run.code == 8
    assert [p["action"] for p in run.projects.values()] == ["removed", "failed", "removed"]


def test_nobody_is_asked_while_the_project_is_here(app: App, fleet: FakeFleet) -> None:
    assert app("up", "--engine", "local").code == 0
    fleet.asked.clear()
    for argv in (("up",), ("status", "shop"), ("stop",), ("rm",)):
        assert app(*argv).code == 0
    assert set(fleet.asked) == {"local"}


def test_an_engine_that_was_named_is_the_only_one_asked(app: App, fleet: FakeFleet) -> None:
    assert app("up", "--engine", "build").code == 0
    fleet.asked.clear()
    run = app("stop", "shop", "--engine", "spare", "--json")
    assert (run.code, run.error["code"]) == (3, "PROJECT_NOT_FOUND")
    assert set(fleet.asked) == {"spare"}


@pytest.mark.parametrize(
    "argv", [("stop", "shop"), ("logs", "shop"), ("status", "shop"), ("exec", "-p", "shop", "true")]
)
def test_a_project_on_two_engines_is_an_error_that_names_both(
    app: App, fleet: FakeFleet, argv: tuple[str, ...]
) -> None:
    up_on(fleet, "build", "spare")
    run = app("--json", *argv)
    assert run.code == 5
    error = run.lines[-1]["error"] if argv[0] == "logs" else run.error
    assert error["code"] == "WORKSPACE_CONFLICT"
    assert error["details"]["engines"] == ["build", "spare"]
    assert app("stop", "shop", "--engine", "spare").code == 0


def test_two_names_of_one_engine_are_one(app: App, fleet: FakeFleet, tmp_path: Path) -> None:
    url = fleet.url("build")
    configure(tmp_path, f"[engines]\na = '{url}'\nb = '{url}'\n")
    assert app("up", "--engine", "a").code == 0
    assert app("stop", "shop", "--json").project["engine"] == "a"
    run = app("status", "--all-engines", "--json")
    assert len(run.document["data"]["projects"]) == 1


# On all engines


@pytest.fixture
def spread(app: App, tmp_path: Path, fleet: FakeFleet) -> App:
    """A project on each engine."""
    for name, engine in (("api", "local"), ("web", "build"), ("docs", "spare")):
        folder = str(node_project(tmp_path / name))
        assert app("up", "-w", folder, "--engine", engine).code == 0
    return app


def test_the_status_of_all_engines(spread: App) -> None:
    run = spread("status", "--all-engines", "--json")
    assert run.code == 0
    assert {p: its["engine"] for p, its in run.projects.items()} == {
        "api": "local", "web": "build", "docs": "spare",
    }  # fmt: skip
    assert run.document["data"]["engines"][1] == {
        "name": "build", "endpoint": "ssh://build", "ok": True, "error": None,
    }  # fmt: skip
    assert "ENGINE" in spread("status", "--all-engines").out
    assert "ENGINE" not in spread("status").out
    run = spread("status", "web", "--all-engines", "--json")
    assert set(run.projects) == {"web"}
    run = spread("status", "nobody", "--all-engines", "--json")
    assert (run.code, run.error["code"]) == (3, "PROJECT_NOT_FOUND")


def test_an_engine_that_does_not_answer_has_a_row_and_a_warning(
    spread: App, fleet: FakeFleet
) -> None:
    fleet.refused.add("build")
    fleet.mute.add("spare")
    began = time.monotonic()
    run = spread("status", "--all-engines", "--json")
    assert time.monotonic() - began < 3.4
    assert (run.code, run.error["code"]) == (8, "PARTIAL")
    assert set(run.projects) == {"api"}
    engines = {e["name"]: e for e in run.document["data"]["engines"]}
    assert [engines[n]["ok"] for n in NAMES] == [True, False, False]
    assert engines["build"]["error"]["code"] == "ENGINE_UNAVAILABLE"
    assert engines["spare"]["error"]["code"] == "ENGINE_TIMEOUT"
    assert [w["code"] for w in run.document["warnings"]] == ["ENGINE_NOT_ANSWERING"] * 2
    fleet.mute.clear()
    fleet.refused.add("spare")
    run = spread("status", "--all-engines")
    assert ["no answer" in line for line in run.out.splitlines()].count(True) == 2
    fleet.refused.add("local")
    run = spread("status", "--all-engines", "--json")
    assert (run.code, run.error["code"]) == (4, "ENGINE_UNAVAILABLE")


@pytest.mark.parametrize(("command", "action"), [("stop", "stopped"), ("rm", "removed")])
def test_what_is_on_any_engine_is_stopped_or_removed(
    spread: App, fleet: FakeFleet, command: str, action: str
) -> None:
    run = spread(command, "web", "docs", "--all-engines", "--json")
    assert run.code == 0
    assert {p: (its["engine"], its["action"]) for p, its in run.projects.items()} == {
        "web": ("build", action), "docs": ("spare", action),
    }  # fmt: skip
    fleet.refused.add("spare")
    more = ("--yes",) if command == "rm" else ()
    run = spread(command, "--all", "--all-engines", *more, "--json")
    assert (run.code, run.error["code"]) == (8, "PARTIAL")
    assert run.projects["api"]["action"] == action
    assert [e["ok"] for e in run.document["data"]["engines"]] == [True, True, False]


def test_the_same_project_on_two_engines_is_stopped_on_both(app: App, fleet: FakeFleet) -> None:
    up_on(fleet, "build", "spare")
    run = app("stop", "--all-engines", "--json")
    assert run.code == 0
    found = run.document["data"]["projects"]
    assert [(p["engine"], p["action"]) for p in found] == [
        ("build", "stopped"),
        ("spare", "stopped"),
    ]


def test_what_no_engine_has_is_not_found_once(spread: App) -> None:
    run = spread("stop", "nobody", "--all-engines", "--json")
    assert (run.code, run.error["code"]) == (3, "PROJECT_NOT_FOUND")
    assert len(run.document["data"]["projects"]) == 1
    assert spread("rm", "nobody", "--all-engines", "--if-exists").code == 0


def test_the_output_of_projects_on_all_engines_is_merged(spread: App, fleet: FakeFleet) -> None:
    for project, engine in (("web", "build"), ("api", "local"), ("docs", "spare")):
        fleet[engine].write_log(fleet[engine].container(project).id, f"from {project}")
    run = spread("logs", "web", "api", "--all-engines", "--json")
    assert run.code == 0
    assert {line["line"] for line in run.lines[:-1]} == {"from web", "from api"}
    fleet.refused.add("spare")
    run = spread("logs", "web", "--all-engines", "--json")
    assert (run.code, run.lines[-1]["error"]["code"]) == (8, "PARTIAL")
    assert run.lines[0]["line"] == "from web"
    run = spread("logs", "docs", "--all-engines", "--json")
    assert run.lines[-1]["error"]["code"] == "PROJECT_NOT_FOUND"
    assert "spare" in run.lines[-1]["error"]["hint"]


@pytest.mark.parametrize("command", ["status", "logs", "stop", "rm"])
@pytest.mark.parametrize("other", [("--engine", "build"), ("-c", "a"), ("-H", "tcp://a:1")])
def test_all_engines_excludes_one(app: App, command: str, other: tuple[str, ...]) -> None:
    run = app(command, "--all-engines", *other)
    assert run.code == 2
    assert "--all-engines" in run.err


@pytest.mark.parametrize("command", ["status", "logs", "stop", "rm"])
def test_without_engines_the_file_is_named(app: App, tmp_path: Path, command: str) -> None:
    configure(tmp_path, "")
    run = app(command, "--all-engines")
    assert run.code == 2
    assert "config.toml" in run.err


def test_the_engines_are_listed(spread: App, fleet: FakeFleet, tmp_path: Path) -> None:
    fleet.write(tmp_path / "config" / "debughost" / "config.toml", build="capacity = 5")
    fleet["build"].memory = 8 * 1024**3
    fleet.refused.add("spare")
    run = spread("engines", "ls", "--json")
    assert run.code == 0
    found = {e["name"]: e for e in run.document["data"]["engines"]}
    assert found["build"] == {
        "name": "build", "endpoint": "ssh://build", "ok": True, "error": None,
        "version": "28.5.2", "memory_bytes": 8 * 1024**3, "memory_free_bytes": 6 * 1024**3,
        "projects": 1, "running": 1, "capacity": 5,
    }  # fmt: skip
    assert (found["spare"]["ok"], found["spare"]["projects"]) == (False, None)
    shown = spread("engines", "ls").out
    assert "6 GiB of 8 GiB" in shown
    assert "1, 1 of 5 run" in shown


# Where up puts a project


def test_a_project_stays_on_the_engine_that_has_it(app: App, fleet: FakeFleet) -> None:
    assert app("up", "--engine", "build").code == 0
    run = app("up", "-e", "A=1", "--json")
    assert run.code == 0
    assert run.document["engine"]["endpoint"] == fleet.url("build")
    assert run.project["action"] == "recreated"
    assert projects(fleet, "local") == set()
    assert "on engine build" in app("up", "--dry-run").err


def test_the_same_project_is_not_brought_up_on_two_engines(app: App, fleet: FakeFleet) -> None:
    assert app("up", "--engine", "build").code == 0
    run = app("up", "--engine", "spare", "--json")
    assert (run.code, run.error["code"]) == (5, "WORKSPACE_CONFLICT")
    assert "engine build" in run.error["message"]
    assert projects(fleet, "spare") == set()


def test_another_folder_may_have_the_same_id_elsewhere(
    app: App, fleet: FakeFleet, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    assert app("up", "--engine", "build").code == 0
    assert app("up", "-w", str(node_project(other / "shop"))).code == 0
    assert (projects(fleet, "local"), projects(fleet, "build")) == ({"shop"}, {"shop"})


GIB = 1024**3


@pytest.fixture
def sized(fleet: FakeFleet) -> FakeFleet:
    """Engines with different amounts of memory."""
    for name, size in (("local", 4), ("build", 16), ("spare", 8)):
        fleet[name].memory = size * GIB
    return fleet


def test_the_engine_with_most_free_memory_is_chosen(
    app: App, sized: FakeFleet, workspace: Path
) -> None:
    run = app("up", "--engine", "auto", "--json")
    assert run.code == 0
    assert run.project["engine"] == "build"
    placement = run.project["placement"]
    assert placement["chosen"] == "build"
    assert placement["reason"] == "most memory free: 16.0 GiB of 16.0 GiB"
    found = {c["name"]: c for c in placement["candidates"]}
    assert found["spare"]["reason"] == "less memory free: 8.0 GiB"
    assert found["spare"]["memory_free_bytes"] == 8 * GIB
    assert "goes to engine build" in run.err
    assert projects(sized, "build") == {"shop"}


def test_the_limits_of_what_runs_count(app: App, sized: FakeFleet, tmp_path: Path) -> None:
    for name in ("a", "b"):
        folder = str(node_project(tmp_path / name))
        assert app("up", "-w", folder, "--engine", "build", "-m", "5g").code == 0
    run = app("up", "--engine", "auto", "--json")
    assert run.project["placement"]["chosen"] == "spare"
    assert app("rm", "shop").code == 0
    assert app("stop", "a").code == 0
    assert app("up", "--engine", "auto", "--json").project["engine"] == "build"


def test_a_project_is_not_moved_by_auto(
    app: App, sized: FakeFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert app("up", "--engine", "local").code == 0
    monkeypatch.setenv("DEBUGHOST_ENGINE", "auto")
    run = app("up", "--json")
    assert (run.project["action"], run.project["engine"]) == ("unchanged", "local")
    assert run.project["placement"]["reason"] == "the project is there already"
    assert app("stop", "shop").code == 0


def test_those_that_do_not_answer_and_those_that_are_full_are_left_out(
    app: App, sized: FakeFleet, tmp_path: Path
) -> None:
    sized.write(tmp_path / "config" / "debughost" / "config.toml", spare="capacity = 1")
    assert app("up", "-w", str(node_project(tmp_path / "a")), "--engine", "spare").code == 0
    sized.refused.add("build")
    run = app("up", "--engine", "auto", "--dry-run", "--json")
    assert run.project["placement"]["chosen"] == "local"
    why = {c["name"]: c["reason"] for c in run.project["placement"]["candidates"]}
    assert why["spare"] == "1 of 1 projects run"
    assert why["build"].startswith("no answer: ")
    sized.refused.add("local")
    run = app("up", "--engine", "auto", "--json")
    assert (run.code, run.error["code"]) == (5, "LIMIT_REACHED")
    sized.refused.add("spare")
    run = app("up", "--engine", "auto", "--json")
    assert (run.code, run.error["code"]) == (4, "ENGINE_UNAVAILABLE")


def test_too_little_memory_everywhere_is_a_warning(app: App, sized: FakeFleet) -> None:
    run = app("up", "--engine", "auto", "-m", "15g", "--json")
    assert "MEMORY_SHORT" not in [w["code"] for w in run.document["warnings"]]
    assert app("rm").code == 0
    sized["build"].memory = GIB
    run = app("up", "--engine", "auto", "-m", "7g", "--json")
    assert run.project["placement"]["chosen"] == "spare"
    assert app("rm").code == 0
    sized["spare"].memory = GIB
    run = app("up", "--engine", "auto", "-m", "4g", "-e", "A=1", "--dry-run", "--json")
    assert run.project["placement"]["chosen"] == "local"
    run = app("up", "--engine", "auto", "-m", "5g", "--dry-run", "--json")
    assert "MEMORY_SHORT" in [w["code"] for w in run.document["warnings"]]


@pytest.mark.parametrize("argv", [("status",), ("stop", "shop"), ("up", "--all"), ("logs",)])
def test_auto_is_for_up(app: App, argv: tuple[str, ...]) -> None:
    run = app(*argv, "--engine", "auto")
    assert run.code == 2
    assert "auto" in run.err
