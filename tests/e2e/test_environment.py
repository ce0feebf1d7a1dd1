"""What a project has in its container besides its program: packages, a version of its runtime,
hooks, a home, and git.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .harness import UID, UPLOADED, Eye, Program, body, owner, write
from .test_dependencies import workspace
from .workspaces import NODE, python

BASES = Path(__file__).parents[2] / "scripts" / "bases"
NODE_22 = "node:22-slim"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "p", python())


@pytest.mark.once
def test_packages_are_installed_once_for_a_set(
    run: Program, eye: Eye, project: str, folder: Path
) -> None:
    (folder / "debughost.toml").write_text('packages = ["jq"]\n')
    made = run("up", "-p", project, "-w", folder, "--json", timeout=300).project
    image = made["container"]["image"]
    try:
        assert run("exec", "-p", project, "--", "jq", "-n", "1").out == "1\n"
        assert image in {i["ref"] for i in run("images", "ls", "--json").data["variants"]}
        assert run("up", "-p", project, "-w", folder, "--json").project["action"] == "unchanged"
        (folder / "debughost.toml").write_text('packages = ["jq", "no-such-package"]\n')
        failed = run("up", "-p", project, "-w", folder, "--json", check=2, timeout=300)
        assert failed.error["code"] == "INVALID_CONFIG"
        assert failed.error["details"]["packages"] == ["no-such-package"]
    finally:
        eye.remove(project)
        eye.client.remove_image(image)


@pytest.fixture
def node_22(eye: Eye, tmp_path: Path) -> Iterator[None]:
    """Under its official name: the one that is here already, or one made of PyPI's package."""
    if any(NODE_22 in (i["RepoTags"] or []) for i in eye.client.images()):
        yield
        return
    context = Path(shutil.copytree(BASES / "node", tmp_path / "base"))
    (context / "certs").mkdir()
    bundle = Path("/etc/ssl/certs/ca-certificates.crt")
    if bundle.is_file():
        shutil.copy(bundle, context / "certs" / "ca-bundle.crt")
    file = context / "Dockerfile"
    file.write_text(file.read_text().replace("==24.*", "==22.*"))
    list(eye.client.build(path=str(context), tag=NODE_22, rm=True, decode=True))
    yield
    eye.client.remove_image(NODE_22)


@pytest.mark.once
@pytest.mark.docker_only
@pytest.mark.usefixtures("node_22")
def test_the_version_that_a_file_pins_runs(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "n", NODE | {".nvmrc": "v22.1.0\n"})
    run("up", "-p", project, "-w", folder, timeout=300)
    try:
        said = run("exec", "-p", project, "--", "sh", "-c", "node --version; pnpm --version").out
        assert said.startswith("v22.")
        assert len(said.split()) == 2
        package = (folder / "package.json").read_text()
        (folder / ".nvmrc").unlink()
        engines = package.replace('"private"', '"engines": {"node": ">=20 <23"}, "private"')
        (folder / "package.json").write_text(engines)
        again = run("up", "-p", project, "-w", folder, "--json")
        assert again.project["action"] == "unchanged"
        default = run("up", "-p", project, "-w", folder, "--runtime", "24", "--json")
        assert default.project["why"].startswith("image")
    finally:
        eye.remove(project)
        image = eye.client.inspect_image("debug-host/node:22")["Id"]
        eye.client.remove_image(image, force=True)


def test_hooks_run_as_the_projects_user(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    folder = workspace(tmp_path / "one")
    hooks = '[hooks]\nafter_install = "touch after"\nbefore_start = ["sh", "-c", "echo before"]\n'
    write(folder, {"debughost.toml": hooks})
    made = run("up", "-p", project, "-w", folder, "--json")
    assert body(made.project["url"]) == "1m"
    run.fetch(project)
    assert owner(folder / "after") == owner(folder)
    (folder / "after").unlink()
    run("restart", "-p", project)
    assert eye.logs(project).count("before\n") == 2
    run.fetch(project)
    assert not (folder / "after").exists()
    write(folder, {"debughost.toml": '[hooks]\nbefore_start = "echo no table; exit 9"\n'})
    run("rm", "-p", project)
    failed = run("up", "-p", project, "-w", folder, "--json", check=7)
    assert failed.error["code"] == "START_FAILED"
    assert failed.error["details"]["exit_code"] == 9
    assert "no table" in failed.error["details"]["log_tail"]
    assert run("status", "-p", project, "--json").project["state"] == "crashed"


def test_the_home_stays_and_git_works_in_a_worktree(
    run: Program, project: str, tmp_path: Path
) -> None:
    main, home = tmp_path / "main", tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text("[user]\n\tname = Zoe\n\temail = zoe@example.org\n")
    env = {"HOME": str(home), "XDG_CONFIG_HOME": None}
    for words in (
        ("init", "-q", str(main)),
        ("-C", str(main), "commit", "-q", "--allow-empty", "-m", "first"),
        ("-C", str(main), "worktree", "add", "-q", str(tmp_path / "w")),
    ):
        subprocess.run(["git", *words], check=True, env=dict(os.environ) | {"HOME": str(home)})
    folder = write(tmp_path / "w", python())
    if os.geteuid() == 0:
        for path in (tmp_path, *main.rglob("*"), main):
            os.chown(path, UID, UID)
    run("up", "-p", project, "-w", folder, env=env)
    script = "git config user.email; touch ~/kept"
    assert run("exec", "-p", project, "--", "sh", "-c", script).out == "zoe@example.org\n"
    if not UPLOADED:  # the repository is outside of what is uploaded
        assert run("exec", "-p", project, "--", "git", "log", "--format=%s").out == "first\n"
        refused = run("exec", "-p", project, "--", "touch", str(main / ".git" / "x"), check=1)
        assert "Read-only" in refused.err
    run("rm", "-p", project)
    run("up", "-p", project, "-w", folder, env=env)
    assert run("exec", "-p", project, "--", "sh", "-c", "ls ~/kept").code == 0
    run("rm", "-p", project, "--volumes")
    run("up", "-p", project, "-w", folder, env=env)
    assert run("exec", "-p", project, "--", "sh", "-c", "ls ~/kept", check=False).code != 0
