"""A worktree's repository is found only where it says itself that the worktree is its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from debughost_cli.project.worktree import Worktree, find_worktree

GIT = ("git", "-c", "user.name=x", "-c", "user.email=x@example.org")


def git(folder: Path, *words: str) -> None:
    subprocess.run([*GIT, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "main"
    folder.mkdir()
    git(folder, "init", "-q")
    git(folder, "commit", "-q", "--allow-empty", "-m", "first")
    return folder


@pytest.fixture
def worktree(repository: Path) -> Path:
    git(repository, "worktree", "add", "-q", "../shop")
    return repository.parent / "shop"


def test_the_repository_is_mounted_where_git_looks_for_it(repository: Path, worktree: Path) -> None:
    common = str(repository / ".git")
    assert find_worktree(worktree) == Worktree(common, common)


def test_a_relative_path_is_followed_from_the_containers_folder(
    repository: Path, worktree: Path
) -> None:
    (worktree / ".git").write_text("gitdir: ../main/.git/worktrees/shop\n")
    assert find_worktree(worktree) == Worktree(str(repository / ".git"), "/main/.git")


def test_a_workspace_of_its_own_is_none(repository: Path, tmp_path: Path) -> None:
    assert find_worktree(repository) is None
    assert find_worktree(tmp_path) is None


def write(text: str) -> Callable[[Path, Path], object]:
    return lambda worktree, repository: (worktree / ".git").write_text(text)


def other_entry(worktree: Path, repository: Path) -> None:
    """As a clone that names the repository of somebody else's worktree."""
    git(repository, "worktree", "add", "-q", "../other")
    (worktree / ".git").write_text(f"gitdir: {repository}/.git/worktrees/other\n")


def forged_common(worktree: Path, repository: Path) -> None:
    """The entry is the workspace's own; the repository that it would give is a home folder."""
    secret = repository.parent / "home"
    (secret / "worktrees" / "x").mkdir(parents=True)
    (secret / "worktrees" / "x" / "gitdir").write_text(f"{worktree}/.git\n")
    (secret / "id_rsa").write_text("SENTINEL")
    (worktree / ".git").write_text(f"gitdir: {secret}/worktrees/x\n")


def entry_by_link(worktree: Path, repository: Path) -> None:
    """A link of the workspace leads to a repository, whose entry is about another worktree."""
    other_entry(worktree, repository)
    (worktree / "link").symlink_to(repository / ".git")
    (worktree / ".git").write_text("gitdir: link/worktrees/other\n")


def backwards_by_link(worktree: Path, repository: Path) -> None:
    """The entry names a link that leads to the workspace's file: the path itself is another one."""
    entry = repository / ".git" / "worktrees" / "shop"
    (entry / "gitdir").write_text(f"{repository}/.git/HEAD\n")


def gone(worktree: Path, repository: Path) -> None:
    shutil.rmtree(repository)


@pytest.mark.parametrize(
    "prepare",
    [
        write("gitdir: /etc/worktrees/x"),
        write("gitdir: /"),
        write("gitdir: ../../../../../../etc"),
        write("gitdir: ../main"),
        write("gitdir: ../main/.git"),
        other_entry,
        forged_common,
        entry_by_link,
        backwards_by_link,
        gone,
    ],
)
def test_nothing_else_is_mounted(
    repository: Path, worktree: Path, prepare: Callable[[Path, Path], object]
) -> None:
    prepare(worktree, repository)
    found = find_worktree(worktree)
    assert found is not None
    assert (found.source, found.target) == ("", "")
    assert "outside the workspace" in found.problem


@pytest.mark.parametrize(
    "text", ["", "gitdir:", "\x00", "gitdir: a\x00b", "x" * 5000, "gitdir: .git2"]
)
def test_what_points_nowhere_is_not_believed(tmp_path: Path, text: str) -> None:
    (tmp_path / ".git").write_text(text)
    (tmp_path / ".git2").mkdir()
    assert find_worktree(tmp_path) is None


def test_a_pipe_is_no_pointer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".git")
    assert find_worktree(tmp_path) is None


def test_nothing_is_mounted_over_a_containers_own_folders(repository: Path, worktree: Path) -> None:
    """Relative to /app, the path leads into /etc."""
    shutil.move(repository, repository.parent / "etc")
    entry = worktree.parent / "etc" / ".git" / "worktrees" / "shop"
    (entry / "gitdir").write_text(f"{worktree}/.git\n")
    (worktree / ".git").write_text("gitdir: ../etc/.git/worktrees/shop\n")
    found = find_worktree(worktree)
    assert found is not None
    assert found.source == ""
