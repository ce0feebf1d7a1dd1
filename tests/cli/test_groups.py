"""Several projects together: ``up --all`` and ``--group``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes import FakeContainer, FakeEngine, exits, listens_on

from cli.conftest import App, node_project
from debughost_cli.api.group import last_first
from debughost_cli.errors import EngineError
from debughost_cli.project.group import find_group
from debughost_cli.services.group_up import GroupProject

FILE = "debughost.workspace.toml"
THREE = """\
[members.web]
depends_on = ["api"]
[members.api]
depends_on = ["worker"]
[members.worker]
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: three projects in folders below it."""
    folder = tmp_path / "all"
    folder.mkdir()
    for name in ("api", "web", "worker"):
        node_project(folder / name)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def app(engine: FakeEngine, root: Path) -> App:
    return App(engine)


def one(engine: FakeEngine, project: str) -> FakeContainer:
    (found,) = engine.all_of(project)
    return found


def order(engine: FakeEngine) -> list[str]:
    specs = [call[2] for call in engine.changes if call[0] == "containers.create"]
    return [spec.project for spec in specs]


def address(engine: FakeEngine, project: str) -> str:
    return f"http://{project}:{one(engine, project).spec.container_port}"


def test_they_come_up_in_the_order_of_their_dependencies(
    app: App, engine: FakeEngine, root: Path
) -> None:
    (root / FILE).write_text(THREE)
    run = app("up", "--all", "--json")
    assert run.code == 0
    assert {p["action"] for p in run.projects.values()} == {"created"}
    assert order(engine) == ["worker", "api", "web"]
    environment = one(engine, "web").spec.environment
    assert environment["API_URL"] == address(engine, "api")
    assert environment["WORKER_URL"] == address(engine, "worker")
    assert one(engine, "worker").spec.environment["WEB_URL"] == address(engine, "web")
    again = app("up", "--all", "--json")
    assert {p["action"] for p in again.projects.values()} == {"unchanged"}
    assert app("up", "-w", "web", "--json").project["action"] == "unchanged"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (FILE, 'members = ["api", "web", "worker"]'),
        (FILE, 'members = ["*"]'),
        ("debughost.toml", '[workspace]\nmembers = ["api", "web", "worker"]'),
        ("debughost.toml", "[workspace.members.api]\n[workspace.members.web]\n"
         "[workspace.members.worker]\n"),
        ("pyproject.toml", '[tool.debughost.workspace]\nmembers = ["api", "worker", "web"]'),
    ],
)  # fmt: skip
def test_members_are_named_in_a_file(app: App, root: Path, file: str, text: str) -> None:
    (root / file).write_text(text)
    assert set(app("up", "--all", "--json").projects) == {"api", "web", "worker"}


def test_without_a_file_they_are_the_programs_that_are_found(app: App, root: Path) -> None:
    assert set(app("up", "--all", "--json").projects) == {"api", "web", "worker"}
    run = app("up", "--json")
    assert "debughost up --all" in run.error["hint"]


def test_commands_take_the_group(
    app: App, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / FILE).write_text(THREE)
    other = node_project(tmp_path / "other")
    assert app("up", "-w", str(other)).code == 0
    assert app("up", "--all").code == 0
    monkeypatch.chdir(root / "web")
    for word in ("status", "restart", "logs", "stop", "rm"):
        run = app(word, "--group", "--json")
        assert run.code == 0, run.out
        if word != "logs":
            assert set(run.projects) == {"api", "web", "worker"}
    assert set(app("status", "--json").projects) == {"other"}
    run = app("stop", "--group", "--json")
    assert (run.code, run.error["code"]) == (3, "PROJECT_NOT_FOUND")
    assert "up --all" in run.error["hint"]


@pytest.mark.parametrize("more", [["-p", "api"], ["api"], ["--all"]])
def test_a_group_and_others_exclude_each_other(app: App, root: Path, more: list[str]) -> None:
    assert app("up", "--all").code == 0
    assert app("stop", "--group", *more, "--json").error["code"] == "USAGE"


def test_what_is_waited_for_is_said(app: App, root: Path) -> None:
    (root / FILE).write_text(THREE)
    said = app("up", "--all").err.splitlines()
    assert "Waiting for api, which web needs" in said
    assert "Waiting for worker, which api needs" in said


def test_a_failure_stops_what_depends_on_it(app: App, engine: FakeEngine, root: Path) -> None:
    (root / FILE).write_text(
        "[members.web]\ndepends_on = ['api']\n[members.api]\n[members.worker]\n"
    )
    engine.programs["api"] = exits(1)
    run = app("up", "--all", "--json")
    assert (run.code, run.error["code"]) == (8, "PARTIAL")
    assert run.error["details"]["failed"] == {"api": "CRASHED", "web": "START_FAILED"}
    assert run.projects["web"]["error"]["details"]["depends_on"] == "api"
    assert run.projects["worker"]["action"] == "created"
    assert engine.all_of("web") == []
    engine.programs.pop("api")
    assert app("up", "--all").code == 0


def test_a_port_that_a_program_chose_itself_reaches_the_others(
    app: App, engine: FakeEngine, root: Path
) -> None:
    engine.programs["web"] = listens_on(4321)
    run = app("up", "--all", "--json")
    assert {p["action"] for p in run.projects.values()} == {"created"}
    assert one(engine, "api").environment["WEB_URL"] == "http://web:4321"
    again = app("up", "--all", "--json")
    assert {p["action"] for p in again.projects.values()} == {"unchanged"}


def test_what_a_project_sets_itself_it_keeps(app: App, engine: FakeEngine, root: Path) -> None:
    (root / "web" / "debughost.toml").write_text('[env]\nAPI_URL = "http://mine"\n')
    (root / "worker" / "debughost.toml").write_text("isolated = true\n")
    assert app("up", "--all").code == 0
    environment = one(engine, "web").spec.environment
    assert environment["API_URL"] == "http://mine"
    assert "WORKER_URL" not in environment
    assert "API_URL" not in one(engine, "worker").spec.environment


def test_members_of_a_package_share_its_folder(app: App, engine: FakeEngine, root: Path) -> None:
    (root / "package.json").write_text(
        json.dumps({"name": "all", "workspaces": ["api", "web"], "scripts": {}})
    )
    run = app("up", "--all", "--json")
    assert {p["workspace"] for p in run.projects.values()} == {str(root)}
    assert one(engine, "web").spec.command[2].startswith("cd web && exec ")
    assert set(app("stop", "--group", "--json").projects) == set(run.projects)


@pytest.mark.parametrize("declared", ["", 'members = ["apps/*"]\n'])
def test_members_of_a_workspace_of_uv_share_its_lock(
    app: App, engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, declared: str
) -> None:
    folder = tmp_path / "uv"
    for name in ("api", "web"):
        made = folder / "apps" / name
        made.mkdir(parents=True)
        (made / "pyproject.toml").write_text(f"[project]\nname = '{name}'\nversion = '0'\n")
        (made / "app.py").write_text("from flask import Flask\napp = Flask(__name__)\n")
    (folder / "pyproject.toml").write_text('[tool.uv.workspace]\nmembers = ["apps/*"]\n')
    (folder / "uv.lock").write_text("version = 1\n")
    if declared:
        (folder / FILE).write_text(declared)
    monkeypatch.chdir(folder)
    run = app("up", "--all", "--json")
    assert {p["workspace"] for p in run.projects.values()} == {str(folder)}
    for name in ("api", "web"):
        container = one(engine, name)
        assert container.spec.command[2].startswith(f"cd apps/{name} && exec ")
        assert container.labels["debug-host.install"] == "uv"
    # Without a lock file each is installed by itself.
    (folder / "uv.lock").unlink()
    group = find_group(folder)
    assert group
    assert {m.folder for m in group.members} == {folder / "apps" / n for n in ("api", "web")}


def test_a_dry_run_changes_nothing(app: App, engine: FakeEngine, root: Path) -> None:
    (root / FILE).write_text(THREE)
    run = app("up", "--all", "--dry-run", "--json")
    assert [p["plan"][-1]["step"] for p in run.projects.values()] == ["wait_ready"] * 3
    assert engine.changes == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "members = 3",
        'members = ["api"]\nother = 1',
        'members = ["../outside"]',
        'members = ["/etc"]',
        'members = ["nothing"]',
        'members = ["link"]',
        'members = ["."]',
        'members = ["api", "api"]',
        "[members.api]\ndepends = ['web']",
        "[members.api]\ndepends_on = ['wbe']\n[members.web]",
        "[members.api]\ndepends_on = ['web']\n[members.web]\ndepends_on = ['api']",
        "[members.api]\ndepends_on = ['api']",
        "[members.api]\npath = 3",
        "members = [",
    ],
)
def test_a_file_that_is_wrong(app: App, root: Path, tmp_path: Path, text: str) -> None:
    node_project(tmp_path / "outside")
    (root / "link").symlink_to(tmp_path / "outside")
    (root / FILE).write_text(text)
    run = app("up", "--all", "--json")
    assert (run.code, run.error["code"]) == (2, "INVALID_CONFIG"), run.out
    assert FILE in run.error["message"]


def test_equal_ids_are_refused(app: App, root: Path) -> None:
    (root / "web" / "debughost.toml").write_text('project = "api"\n')
    run = app("up", "--all", "--json")
    assert (run.code, run.error["code"]) == (2, "INVALID_CONFIG")
    assert "'api'" in run.error["message"]


@pytest.mark.parametrize("more", [["-p", "x"], ["--port", "3100"], ["--", "npm", "start"]])
def test_what_is_meant_for_one_project(app: App, root: Path, more: list[str]) -> None:
    run = app("up", "--all", "--json", *more)
    assert (run.code, run.error["code"]) == (2, "USAGE")


def test_a_folder_without_a_group(app: App, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root / "api")
    run = app("up", "--all", "--json")
    assert (run.code, run.error["code"]) == (2, "USAGE")
    assert FILE in run.error["hint"]


@pytest.mark.parametrize(
    ("word", "call"), [("stop", "containers.stop"), ("rm", "containers.remove")]
)
def test_they_go_after_those_that_depend_on_them(
    app: App, engine: FakeEngine, root: Path, word: str, call: str
) -> None:
    (root / FILE).write_text(THREE)
    assert app("up", "--all").code == 0
    ids = {one(engine, name).id: name for name in ("web", "api", "worker")}
    engine.changes.clear()
    run = app(word, "--group", "--json")
    assert run.code == 0
    assert [ids[c[1]] for c in engine.changes if c[0] == call] == ["web", "api", "worker"]
    assert list(run.projects) == ["web", "api", "worker"]


def test_one_that_does_not_stop_does_not_keep_those_that_it_depends_on(
    app: App, engine: FakeEngine, root: Path
) -> None:
    (root / FILE).write_text(THREE)
    assert app("up", "--all").code == 0
    engine.fail("containers.stop", EngineError("no"))
    run = app("stop", "--group", "--json")
    assert run.code == 8
    assert [p["action"] for p in run.projects.values()] == ["failed", "stopped", "stopped"]


def test_side_by_side_where_nothing_depends_on_another() -> None:
    def project(name: str, *needed: str) -> GroupProject:
        return GroupProject(name, Path(), "", needed)

    diamond = [
        project("db"),
        project("api", "db"),
        project("ui", "db"),
        project("web", "api", "ui"),
    ]
    assert last_first(diamond) == [["web"], ["api", "ui"], ["db"]]
    assert last_first([project("a"), project("b")]) == [["a", "b"]]
    assert last_first([]) == []


@pytest.mark.parametrize(
    ("file", "text", "key"),
    [
        (FILE, 'members = ["nope"]', "nope"),
        (FILE, "members = 3", "members"),
        (FILE, "[members.web]\ndepends_on = ['ap']\n[members.api]\n", "ap"),
        (FILE, "[members.web]\npaht = 'x'\n", "paht"),
        (FILE, "[members", "cannot be read"),
        ("debughost.toml", '[workspace]\nmembers = ["../x"]', "../x"),
    ],
)
def test_a_broken_file_of_a_group_is_not_valid(
    app: App, root: Path, file: str, text: str, key: str
) -> None:
    (root / file).write_text(text)
    error = app("config", "validate", "--json").error
    assert error["code"] == "INVALID_CONFIG"
    assert key in error["message"]
    assert str(root / file) in error["message"]


def test_faults_of_both_files_are_listed(app: App, root: Path) -> None:
    (root / FILE).write_text('members = ["nope"]')
    (root / "debughost.toml").write_text("prot = 1\ncpus = 'x'")
    faults = app("config", "validate", "--json").error["details"]["faults"]
    assert [Path(f["file"]).name for f in faults] == ["debughost.toml", "debughost.toml", FILE]


def test_a_member_that_is_not_valid_makes_its_group_so(app: App, root: Path) -> None:
    (root / FILE).write_text(THREE)
    run = app("config", "validate", "--json")
    assert run.document["data"]["group_file"] == str(root / FILE)
    assert f"{root / FILE} is valid" in app("config", "validate").out
    (root / "api/debughost.toml").write_text("prot = 1")
    assert "prot" in app("config", "validate", "--json").error["message"]
    (root / "api/debughost.toml").write_text("project = 'web'")
    assert "same id" in app("config", "validate", "--json").error["message"]
