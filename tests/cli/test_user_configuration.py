"""The user's own configuration file, and what only it can decide."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fakes import FakeEngine, make_spec
from msgspec.structs import replace

from cli.conftest import App, node_project
from debughost_cli import names

OWN = "debug-host-shop-cache"
Configure = Callable[[str], Path]


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    """Writes the user's file."""

    def write(text: str) -> Path:
        path = tmp_path / "config" / "debughost" / "config.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write


def cache_of(engine: FakeEngine, project: str = "shop") -> str:
    mounts = engine.container(project).spec.mounts
    return next(m.source for m in mounts if m.target == names.CACHE_DIR)


# The package cache


def test_every_project_has_a_package_cache_of_its_own(
    app: App, engine: FakeEngine, tmp_path: Path
) -> None:
    other = node_project(tmp_path / "api")
    assert app("up").code == 0
    assert app("up", "-w", str(other)).code == 0
    assert (cache_of(engine), cache_of(engine, "api")) == (OWN, "debug-host-api-cache")
    labels = engine.stored_volumes[OWN].labels
    assert (labels[names.PROJECT], labels[names.ROLE]) == ("shop", "cache")
    listed = app("volumes", "ls", "--json").document["data"]["volumes"]
    assert (OWN, "shop", "cache") in [(v["name"], v["project"], v["role"]) for v in listed]


def test_it_is_kept_and_removed_with_the_dependency_volume(app: App, engine: FakeEngine) -> None:
    assert app("up").code == 0
    assert app("rm").code == 0
    assert OWN in engine.stored_volumes
    assert app("up").code == 0
    assert app("rm", "--volumes").code == 0
    assert OWN not in engine.stored_volumes
    assert app("up").code == 0
    assert app("rm").code == 0
    run = app("volumes", "prune", "--yes", "--json")
    assert OWN in [v["name"] for v in run.document["data"]["volumes"]]
    assert OWN not in engine.stored_volumes


@pytest.mark.parametrize("file", ["debughost.toml", "pyproject.toml"])
@pytest.mark.parametrize("key", ["shared_cache", "shared-cache"])
@pytest.mark.parametrize("value", ["true", "false", '"x"'])
def test_no_file_of_a_workspace_shares_it(
    app: App, engine: FakeEngine, workspace: Path, file: str, key: str, value: str
) -> None:
    section = "" if file == "debughost.toml" else "[tool.debughost]\n"
    (workspace / file).write_text(f"{section}{key} = {value}\n")
    run = app("up", "--json")
    assert (run.code, run.error["code"]) == (2, "INVALID_CONFIG")
    assert "only you can set it" in run.error["message"]
    assert "--shared-cache" in run.error["hint"]
    assert engine.changes == []
    assert app("config", "validate", "--json").error["details"]["faults"][0]["key"] == key


def test_the_users_file_shares_it(app: App, engine: FakeEngine, configure: Configure) -> None:
    configure("shared_cache = true\n")
    assert app("up").code == 0
    assert names.is_shared_cache(cache_of(engine))
    shown = app("config", "show", "--json").document["data"]["settings"]
    assert {"name": "shared_cache", "value": True, "source": "user"} in shown
    assert app("up", "--no-shared-cache", "--json").project["action"] == "recreated"
    assert cache_of(engine) == OWN
    assert app("restart", "--json").project["action"] == "restarted"


def test_a_variable_and_a_flag_share_it(
    app: App, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert app("up", "--shared-cache").code == 0
    assert names.is_shared_cache(cache_of(engine))
    assert app("restart", "--json").project["action"] == "restarted"
    assert app("up", "--json").project["action"] == "unchanged"
    assert app("up", "--reset", "--json").project["action"] == "recreated"
    monkeypatch.setenv("DEBUGHOST_SHARED_CACHE", "1")
    assert app("up", "--json").project["action"] == "recreated"
    assert names.is_shared_cache(cache_of(engine))


def test_a_container_that_shares_it_is_recreated_and_says_why(app: App) -> None:
    assert app("up", "--shared-cache").code == 0
    (drift,) = app("up", "--reset", "--dry-run", "--json").project["drift"]
    assert drift["field"] == "mounts"
    assert any("debug-host-cache" in mount for mount in drift["have"])
    assert any(OWN in mount for mount in drift["want"])


def test_init_does_not_suggest_what_a_workspace_cannot_set(app: App, workspace: Path) -> None:
    assert "shared_cache" not in app("init", "--json").document["data"]["content"]


# The file


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("shared_cache = 3", "shared_cache in"),
        ("shared_cach = true", "shared_cach in"),
        ("[limits]\nprojects = 0", "limits.projects"),
        ("[limits]\nprojects = true", "limits.projects"),
        ('[limits]\nnode = "many"', "limits.node"),
        ("[limits]\nruby = 1", "limits.ruby"),
        ("limits = 3", "limits in"),
        ("= broken", "cannot be read"),
        ("# \N{LATIN SMALL LETTER E WITH ACUTE}" + "x" * (1 << 20), "larger than 1 MiB"),
    ],
)
def test_a_fault_in_the_users_file(
    app: App, engine: FakeEngine, configure: Configure, text: str, words: str
) -> None:
    path = configure(text)
    run = app("up", "--json")
    assert (run.code, run.error["code"]) == (2, "INVALID_CONFIG")
    assert words in run.error["message"]
    assert run.error["details"]["file"] == str(path)
    assert engine.changes == []
    assert app("config", "validate", "--json").error["code"] == "INVALID_CONFIG"


def test_the_limits_are_shown(app: App, configure: Configure) -> None:
    configure("[limits]\nprojects = 4\nnode = 2\n")
    shown = app("config", "show", "--json").document["data"]["settings"]
    assert {"name": "limits.projects", "value": 4, "source": "user"} in shown
    assert {"name": "limits.node", "value": 2, "source": "user"} in shown


def test_a_relative_place_would_be_in_the_workspace(
    app: App, engine: FakeEngine, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", ".config")
    (workspace / ".config" / "debughost").mkdir(parents=True)
    (workspace / ".config" / "debughost" / "config.toml").write_text("shared_cache = true\n")
    assert app("up").code == 0
    assert cache_of(engine) == OWN


# How many projects run


@pytest.fixture
def others(app: App, tmp_path: Path) -> list[str]:
    """Two projects that run, the one of Node.js, the other static."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "index.html").write_text("<p>hello")
    assert app("up", "-w", str(node_project(tmp_path / "api"))).code == 0
    assert app("up", "-w", str(site)).code == 0
    return ["api", "site"]


@pytest.mark.parametrize("limit", ["projects = 2", "node = 1", "projects = 9\nnode = 1"])
@pytest.mark.parametrize("argv", [["up"], ["up", "--dry-run"]])
def test_no_more_projects_run_than_the_user_allows(
    app: App, engine: FakeEngine, others: list[str], configure: Configure, limit: str,
    argv: list[str],
) -> None:  # fmt: skip
    file = configure(f"[limits]\n{limit}\n")
    before, changes = engine.snapshot(), len(engine.changes)
    run = app(*argv, "--json")
    error = run.error
    assert (run.code, error["code"]) == (5, "LIMIT_REACHED")
    started = engine.container("api").started_at.isoformat()[:19]
    assert f"api (node) since {started}" in error["message"]
    assert "debughost stop -p api" in error["hint"]
    assert str(file) in error["hint"]
    assert error["details"]["running"][0]["project"] == "api"
    assert error["details"]["running"][0]["started_at"][:19] == started
    assert engine.snapshot() == before
    assert engine.changes[changes:] == []


@pytest.mark.parametrize("limit", ["projects = 3", "node = 2", "static = 1", "python = 1"])
@pytest.mark.usefixtures("others")
def test_below_the_limit_another_one_runs(app: App, configure: Configure, limit: str) -> None:
    configure(f"[limits]\n{limit}\n")
    assert app("up").code == 0


@pytest.mark.usefixtures("others")
def test_what_runs_already_is_not_one_more(app: App, configure: Configure) -> None:
    assert app("up").code == 0
    configure("[limits]\nprojects = 1\n")
    assert app("up", "--json").project["action"] == "unchanged"
    assert app("up", "--recreate", "--json").project["action"] == "recreated"
    assert app("restart", "--json").project["action"] == "restarted"
    assert app("stop").code == 0
    assert app("restart", "--json").error["code"] == "LIMIT_REACHED"
    assert app("stop", "-p", "api").code == 0
    assert app("up", "--json").error["code"] == "LIMIT_REACHED"
    assert app("stop", "-p", "site").code == 0
    assert app("up", "--json").project["action"] == "started"


def test_of_several_commands_at_once_no_more_go_on_than_the_limit_allows(
    app: App, engine: FakeEngine, configure: Configure, tmp_path: Path
) -> None:
    """The other one, which was first, has created its container and not started it yet."""
    configure("[limits]\nprojects = 1\n")
    spec = make_spec(str(tmp_path / "api"), project="api")
    labels = {
        **spec.labels,
        names.MANAGED: "true",
        names.PROJECT: "api",
        names.OWNER: f"{'e' * 32}:1:1.0",
    }
    image = next(iter(engine.stored_images))
    engine.before(
        "containers.create",
        lambda: engine.containers.create("first", replace(spec, image=image, labels=labels)),
    )
    before = engine.snapshot()
    run = app("up", "--json")
    assert (run.code, run.error["code"]) == (5, "LIMIT_REACHED")
    engine.containers.remove("first")
    assert engine.snapshot() | {"networks": []} == before | {"networks": []}


# What a workspace asks for


@pytest.mark.parametrize("setting", ["memory", "shm_size"])
def test_a_workspace_asks_for_no_more_memory_than_there_is(
    app: App, engine: FakeEngine, workspace: Path, setting: str
) -> None:
    engine.memory = 4 * 1024**3
    (workspace / "debughost.toml").write_text(f'{setting} = "64g"\n')
    for argv in (["up"], ["up", "--dry-run"]):
        run = app(*argv, "--json")
        assert (run.code, run.error["code"]) == (2, "INVALID_CONFIG")
        assert "64 GiB" in run.error["message"]
        assert str(4 * 1024**3) in run.error["message"]
        assert run.error["details"]["available"] == 4 * 1024**3
    assert engine.changes == []
    flag = f"--{setting.replace('_', '-')}"
    assert app("up", flag, "64g").code == 0
    engine.memory = 0
    assert app("up").code == 0


def test_what_a_workspace_raises_is_named(app: App, workspace: Path) -> None:
    file = workspace / "debughost.toml"
    file.write_text('cpus = 3\nmemory = "3g"\npids = 1000\nshm_size = "256m"\n')
    for argv in (["up", "--dry-run"], ["up"], ["restart"]):
        (warning,) = app(*argv, "--json").document["warnings"]
        assert warning["code"] == "LIMITS_RAISED"
        for words in (
            "cpus is 3.0 instead of 2.0",
            "memory is 3 GiB instead of 2 GiB",
            "pids is 1000 instead of 512",
            "shm_size is 256 MiB instead of 64 MiB",
        ):
            assert words in warning["message"]
    file.write_text('cpus = 1\nmemory = "1g"\npids = 100\nshm_size = "64m"\n')
    assert app("up", "--json").document["warnings"] == []


def test_what_the_user_raises_is_not_named(app: App) -> None:
    assert app("up", "--memory", "3g", "--pids", "600", "--json").document["warnings"] == []


@pytest.mark.parametrize(
    "line",
    [
        "privileged = true",
        'cap_add = ["SYS_ADMIN"]',
        'devices = ["/dev/kvm"]',
        'security_opt = ["seccomp=unconfined"]',
        'volumes = ["/:/host"]',
        'user = "0"',
        'network = "host"',
        'pid = "host"',
        'allow_workspace = "/"',
        'host = "tcp://evil:2375"',
    ],
)
def test_a_workspace_asks_for_no_privileges(
    app: App, engine: FakeEngine, workspace: Path, line: str
) -> None:
    (workspace / "debughost.toml").write_text(f"{line}\n")
    run = app("up", "--json")
    assert (run.code, run.error["code"]) == (2, "INVALID_CONFIG")
    assert engine.changes == []
