"""The user's own configuration file, and what only it can decide."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fakes import FakeEngine

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
    assert app("up", "--json").project["action"] == "recreated"
    monkeypatch.setenv("DEBUGHOST_SHARED_CACHE", "1")
    assert app("up", "--json").project["action"] == "recreated"
    assert names.is_shared_cache(cache_of(engine))


def test_a_container_that_shares_it_is_recreated_and_says_why(app: App) -> None:
    assert app("up", "--shared-cache").code == 0
    (drift,) = app("up", "--dry-run", "--json").project["drift"]
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
