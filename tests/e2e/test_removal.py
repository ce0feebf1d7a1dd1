"""``rm`` and ``volumes``: only what was asked for goes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .harness import UPLOADED, Eye, Program, listing, write
from .workspaces import NODE, PAGE, python


def test_rm_keeps_the_volumes(run: Program, eye: Eye, project: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "n", NODE)
    before = listing(folder)
    run("up", "-p", project, "-w", folder)
    mine = eye.everything(project)[1]
    kinds = (*UPLOADED, "cache", "home", "node_modules")
    assert mine == [f"debug-host-{project}-{name}" for name in kinds]
    gone = run("rm", "-p", project, "--json")
    assert gone.project["action"] == "removed"
    assert gone.project["state"] is None
    assert gone.document["changed"] is True
    containers, volumes = eye.everything(project)
    assert containers == []
    assert set(mine) <= set(volumes)
    assert listing(folder) == before


@pytest.mark.same_machine("its program writes a file for this machine to see")
def test_rm_ends_the_project_gracefully(run: Program, project: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "p", python(
        "def leave(*_): open('left', 'w').close(); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, leave)"
    ))  # fmt: skip
    run("up", "-p", project, "-w", folder)
    run("rm", "-p", project)
    assert (folder / "left").is_file()


def test_a_folder_that_was_there_before_stays(run: Program, project: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "n", NODE | {"node_modules/of-the-host/index.js": "1\n"})
    before = listing(folder)
    run("up", "-p", project, "-w", folder)
    run("rm", "-p", project)
    assert listing(folder) == before


def test_a_dry_run_of_rm_removes_nothing(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    run("up", "-p", project, "-w", write(tmp_path / "n", NODE))
    before = eye.everything(project)
    shown = run("rm", "-p", project, "--volumes", "--dry-run", "--json")
    assert shown.document["changed"] is False
    targets = {s["target"] for s in shown.project["plan"]}
    assert set(before[1]) <= targets
    assert eye.everything(project) == before
    assert eye.inspect(project)["State"]["Running"] is True


def test_rm_works_where_the_workspace_is_gone(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "s", PAGE)
    run("up", "-p", project, "-w", folder)
    folder.rename(tmp_path / "moved")
    assert run("rm", "-p", project, "--json").project["action"] == "removed"
    assert eye.containers(project) == []


def test_volumes_are_listed_with_size_and_use(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    run("up", "-p", project, "-w", write(tmp_path / "n", NODE))
    eye.exec(project, "sh", "-c", "head -c 100000 /dev/zero > node_modules/x")
    listed = run("volumes", "ls", "--json").data["volumes"]
    mine = {v["name"]: v for v in listed if v["project"] == project}
    kinds = (*UPLOADED, "cache", "home", "node_modules")
    assert set(mine) == {f"debug-host-{project}-{n}" for n in kinds}
    for volume in mine.values():
        assert set(volume) >= {"name", "project", "type", "size_bytes", "in_use", "created_at"}
        assert (volume["type"], volume["in_use"]) == ("node", True)
    assert 100_000 <= mine[f"debug-host-{project}-node_modules"]["size_bytes"] < 200_000


def test_volumes_are_listed_for_many_at_once(run: Program) -> None:
    """Engine 20.10 measures them for one client at a time."""
    listed = run.at_once([("volumes", "ls")] * 8)
    assert [r.code for r in listed] == [0] * 8, "\n".join(map(str, listed))


def test_prune_takes_the_volumes_of_projects_without_a_container(
    run: Program, eye: Eye, new_id: Callable[[], str], tmp_path: Path
) -> None:
    gone, kept = new_id(), new_id()
    for project in (gone, kept):
        run("up", "-p", project, "-w", write(tmp_path / project, NODE))
    run("rm", "-p", gone)
    both = ("volumes", "prune", "-p", gone, "-p", kept)

    refused = run(*both, "--json", check=2)
    assert refused.error["code"] == "CONFIRMATION_REQUIRED"
    assert "--yes" in refused.error["hint"]
    assert refused.document["changed"] is False

    shown = run(*both, "--dry-run", "--json")
    assert {v["project"] for v in shown.data["volumes"]} == {gone}
    assert shown.document["changed"] is False
    assert eye.volumes(gone)

    pruned = run(*both, "--yes", "--json")
    assert {v["project"] for v in pruned.data["volumes"]} == {gone}
    assert isinstance(pruned.data["reclaimed_bytes"], int)
    assert pruned.document["changed"] is True
    left = [v["Name"] for v in eye.volumes(gone)]
    assert left == [f"debug-host-{gone}-{name}" for name in UPLOADED]
    assert eye.volumes(kept)
    assert run(*both, "--yes", "--json").document["changed"] is False


def test_rm_all_wants_a_yes_where_nobody_can_be_prompted(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    run("up", "-p", project, "-w", write(tmp_path / "s", PAGE))
    for flags in ((), ("--json",)):
        refused = run("rm", "--all", *flags, check=2)
        assert "--yes" in refused.out + refused.err
    assert eye.inspect(project)["State"]["Running"] is True
