"""The home of a project's user, git in the container, and the proxies that docker would set."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from fakes import FakeEngine

from cli.conftest import App
from debughost_cli import names
from debughost_cli.engine.connect import resolve_address

HOME = "debug-host-shop-home"


# Home


def test_the_home_is_a_volume_of_the_project(app: App, engine: FakeEngine) -> None:
    app("up")
    mounts = {m.target: m for m in engine.container("shop").spec.mounts}
    assert (mounts["/.debughost/home"].source, mounts["/.debughost/home"].type) == (HOME, "volume")
    assert engine.stored_volumes[HOME].labels[names.ROLE] == "home"
    assert app("up", "--json").project["action"] == "unchanged"
    app("up", "--recreate")
    app("rm")
    assert HOME in engine.stored_volumes


def test_it_is_removed_with_the_volumes(app: App, engine: FakeEngine) -> None:
    app("up")
    app("rm", "--volumes")
    assert HOME not in engine.stored_volumes


def test_prune_leaves_it_while_the_project_has_a_container(app: App, engine: FakeEngine) -> None:
    app("up")
    app("stop")
    app("volumes", "prune", "--yes")
    assert HOME in engine.stored_volumes
    app("rm")
    app("volumes", "prune", "--yes")
    assert HOME not in engine.stored_volumes


def test_it_is_listed_by_its_role(app: App) -> None:
    app("up")
    rows = app("volumes", "ls", "--json").document["data"]["volumes"]
    assert {r["name"]: r["role"] for r in rows}[HOME] == "home"


def test_it_has_one_entry_with_the_users_rights(app: App, engine: FakeEngine) -> None:
    app("up")
    (put,) = (c for c in engine.changes if c[0] == "containers.put_files")
    assert [e.path for e in put[2]].count("/.debughost/home") == 1


# git


@pytest.fixture
def identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own settings, with a name that has to be quoted."""
    folder = tmp_path / "me"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("GIT_CONFIG_GLOBAL", raising=False)
    text = '[user]\n\tname = "Zoë \\"Z\\" # Doe"\n\temail = zoe@example.org\n'
    (folder / ".gitconfig").write_text(text)
    return folder


def git_file(engine: FakeEngine) -> str:
    return (engine.container("shop").files["/.debughost/gitconfig"].data or b"").decode()


def in_file(path: Path, text: str, key: str) -> str:
    path.write_text(text)
    words = ["git", "config", "--file", str(path), key]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout.rstrip("\n")


@pytest.mark.usefixtures("identity")
def test_git_knows_the_user_and_trusts_the_workspace(
    app: App, engine: FakeEngine, tmp_path: Path
) -> None:
    app("up")
    text = git_file(engine)
    read = tmp_path / "read"
    assert in_file(read, text, "user.name") == 'Zoë "Z" # Doe'
    assert in_file(read, text, "user.email") == "zoe@example.org"
    assert in_file(read, text, "safe.directory") == "*"
    variables = engine.container("shop").spec.environment
    assert variables["GIT_CONFIG_SYSTEM"] == "/.debughost/gitconfig"


@pytest.mark.usefixtures("identity")
def test_no_setting_of_the_workspace_is_read(
    app: App, engine: FakeEngine, workspace: Path, tmp_path: Path
) -> None:
    subprocess.run(["git", "init", "-q", str(workspace)], check=True, capture_output=True)
    mark = tmp_path / "mark"
    with (workspace / ".git" / "config").open("a") as config:
        config.write(f"[user]\n\tname = evil\n[core]\n\tfsmonitor = touch {mark}\n")
    app("up")
    assert "evil" not in git_file(engine)
    assert not mark.exists()


def test_a_user_without_a_name_has_none(app: App, engine: FakeEngine, identity: Path) -> None:
    (identity / ".gitconfig").unlink()
    app("up")
    assert "[user]" not in git_file(engine)


@pytest.mark.usefixtures("identity")
def test_it_is_switched_off(app: App, engine: FakeEngine, workspace: Path) -> None:
    (workspace / "debughost.toml").write_text("git = false")
    app("up")
    assert "/.debughost/gitconfig" not in engine.container("shop").files
    assert "GIT_CONFIG_SYSTEM" not in engine.container("shop").spec.environment


@pytest.mark.parametrize("off", [False, True])
def test_a_repository_that_is_elsewhere_is_warned_of(app: App, workspace: Path, off: bool) -> None:
    (workspace / ".git").write_text("gitdir: /etc/worktrees/x\n")
    (workspace / "debughost.toml").write_text("git = false" if off else "")
    run = app("up", "--json")
    found = [w["code"] for w in run.document["warnings"] if w["code"] == "REPOSITORY_ELSEWHERE"]
    assert found == ([] if off else ["REPOSITORY_ELSEWHERE"])


# Proxies

PROXIES = {
    "default": {"httpProxy": "http://proxy:3128", "noProxy": "localhost,.example.org"},
    "tcp://other:2375": {"httpsProxy": "http://other:1"},
}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "unix:///var/run/docker.sock",
            {
                "HTTP_PROXY": "http://proxy:3128",
                "http_proxy": "http://proxy:3128",
                "NO_PROXY": "localhost,.example.org",
                "no_proxy": "localhost,.example.org",
            },
        ),
        ("tcp://other:2375", {"HTTPS_PROXY": "http://other:1", "https_proxy": "http://other:1"}),
    ],
)
def test_the_proxies_of_dockers_configuration(
    tmp_path: Path, url: str, expected: dict[str, str]
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"proxies": PROXIES}))
    environ = {"DOCKER_CONFIG": str(tmp_path)}
    assert resolve_address(url, None, environ).proxies == expected


@pytest.mark.parametrize(
    "content", ["", "[]", '{"proxies": 3}', '{"proxies": {"default": []}}',
                '{"proxies": {"default": {"httpProxy": 3, "noProxy": "", "x": "y"}}}'],
)  # fmt: skip
def test_what_is_no_proxy_is_left_out(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.json").write_text(content)
    assert resolve_address("tcp://x:1", None, {"DOCKER_CONFIG": str(tmp_path)}).proxies == {}


def test_containers_have_them_and_the_users_own_win(workspace: Path) -> None:
    proxies = {"HTTP_PROXY": "http://p:1", "http_proxy": "http://p:1", "NO_PROXY": "a"}
    engine = FakeEngine(proxies=proxies)
    engine.add_base_images()
    app = App(engine)
    app("up", "-e", "http_proxy=http://mine:1")
    found = engine.container("shop").spec.environment
    assert found["http_proxy"] == "http://mine:1"
    assert "HTTP_PROXY" not in found
    assert found["NO_PROXY"] == "a"
    assert app("up", "--json").project["action"] == "unchanged"
