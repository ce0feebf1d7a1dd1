"""One engine, clients of several machines, and containers of other roles."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from fakes import FakeEngine
from msgspec.structs import replace

from cli.conftest import App
from debughost_cli import names
from debughost_cli.models import ProjectType
from debughost_cli.services.base_images import sources_hash

ELSEWHERE = "f" * 32


@pytest.fixture
def relabelled(engine: FakeEngine, app: App) -> FakeEngine:
    """The project shop, as another machine created it."""
    assert app("up").code == 0
    relabel(engine, **{names.HOST: ELSEWHERE})
    return engine


def relabel(engine: FakeEngine, **labels: str | None) -> None:
    container = engine.container("shop")
    merged = dict(container.spec.labels) | labels
    kept = {k: v for k, v in merged.items() if v is not None}
    container.spec = replace(container.spec, labels=kept)


def test_a_project_of_another_machine_is_not_taken_over(
    relabelled: FakeEngine, app: App, workspace: Path
) -> None:
    """Its folder does not exist here, which means nothing: it may well exist there."""
    relabel(relabelled, **{names.WORKSPACE: "/srv/on/the/other/machine"})
    before = relabelled.snapshot()
    run = app("up", "--json")
    assert (run.code, run.error["code"]) == (5, "WORKSPACE_CONFLICT")
    assert "another machine" in run.error["message"]
    assert run.error["details"]["same_machine"] is False
    assert relabelled.snapshot() == before


def test_the_same_path_on_another_machine_is_another_workspace(
    relabelled: FakeEngine, app: App
) -> None:
    assert app("up", "--json").error["code"] == "WORKSPACE_CONFLICT"
    assert app("restart", "--json").error["code"] == "WORKSPACE_CONFLICT"
    assert app("status", "--json").document["warnings"] == []
    assert app("stop", "-p", "shop").code == 0
    assert app("rm", "-p", "shop").code == 0


def test_a_workspace_that_is_gone_on_this_machine_gives_its_id_away(
    engine: FakeEngine, app: App, workspace: Path, tmp_path: Path
) -> None:
    assert app("up", "-p", "one").code == 0
    moved = tmp_path / "moved"
    shutil.move(workspace, moved)
    run = app("up", "-p", "one", "-w", str(moved), "--json")
    assert run.project["action"] == "recreated"


def test_a_container_of_0_1_0_names_no_machine(engine: FakeEngine, app: App) -> None:
    """Its workspace counts as this machine's only while it is the same path."""
    assert app("up").code == 0
    relabel(engine, **{names.HOST: None, names.ROLE: None})
    assert app("up", "--json").project["action"] == "unchanged"
    relabel(engine, **{names.WORKSPACE: "/gone/with/the/old/version"})
    assert app("up", "--json").error["code"] == "WORKSPACE_CONFLICT"


def companion(engine: FakeEngine) -> str:
    """A running database of the project that somebody else added to it."""
    spec = engine.container("shop").spec
    labels = dict(spec.labels) | {names.ROLE: "service", names.SERVICE: "db"}
    del labels[names.CONFIG_HASH]
    spec = replace(spec, labels=labels, ports=())
    ref = engine.containers.create("debug-host-shop-db-20261123T101500000Z", spec)
    engine.containers.put_files(ref, [])
    engine.stored_containers[ref].status = "running"
    return ref


@pytest.mark.parametrize(
    "argv",
    [
        ["up"],
        ["up", "--recreate"],
        ["restart"],
        ["stop"],
        ["rm"],
        ["rm", "--volumes"],
        ["rm", "--all", "--yes"],
    ],
)
def test_a_companion_service_survives(engine: FakeEngine, app: App, argv: list[str]) -> None:
    assert app("up").code == 0
    ref = companion(engine)
    run = app(*argv)
    assert run.code == 0, run.err
    assert engine.containers.inspect(ref).is_running
    assert [c[0] for c in engine.changes if ref in c] == ["containers.put_files"]


def test_status_lists_companion_services_with_their_project(engine: FakeEngine, app: App) -> None:
    assert app("up").code == 0
    ref = companion(engine)
    project = app("status", "--json").project
    assert project["container"]["id"] != ref
    (service,) = project["services"]
    assert (service["name"], service["state"]) == ("db", "running")
    assert service["container"]["id"] == ref
    (port,) = project["ports"]
    assert port == {
        "name": "http",
        "container_port": project["port"],
        "host_port": project["port"],
        "url": project["url"],
    }


def test_the_data_of_companion_services_is_never_pruned_nor_removed(
    engine: FakeEngine, app: App
) -> None:
    assert app("up").code == 0
    labels = {names.MANAGED: "true", names.PROJECT: "shop", names.SERVICE: "db"}
    engine.add_volume("debug-host-shop-db-data", labels)
    assert app("rm", "--volumes").code == 0
    assert app("volumes", "prune", "--yes").code == 0
    assert "debug-host-shop-db-data" in engine.stored_volumes
    assert "debug-host-shop-node_modules" not in engine.stored_volumes


@pytest.mark.parametrize(
    "label",
    [
        names.CA_BUNDLE,
        names.WORKSPACE_INODE,
        names.MOUNTPOINT,
        names.SERVICE,
        names.PORTS,
        names.DEBUG,
    ],
)
def test_a_container_takes_no_label_of_ours_from_its_image(
    engine: FakeEngine, app: App, label: str
) -> None:
    """With the label of other certificates, each "up" would recreate it."""
    engine.add_image("evil:latest", labels={label: "made", names.ROLE: "service"})
    line = ("up", "--image", "evil:latest", "--json", "--", "serve")
    assert app(*line).code == 0
    assert app(*line).project["action"] == "unchanged"
    assert engine.container("shop").labels[label] != "made" or label == names.MOUNTPOINT


def test_an_image_has_no_folder_of_a_workspace_removed(
    engine: FakeEngine, app: App, workspace: Path
) -> None:
    engine.add_image("evil:latest", labels={names.MOUNTPOINT: "made"})
    (workspace / "node_modules").mkdir()
    assert app("up", "--image", "evil:latest", "--type", "node", "--", "serve").code == 0
    assert app("rm").code == 0
    assert (workspace / "node_modules").is_dir()


@pytest.mark.parametrize("registry", ["", "docker.io/", "index.docker.io/"])
@pytest.mark.parametrize("options", [[], ["--pull", "always"]])
def test_no_workspace_has_a_base_image_pulled(
    engine: FakeEngine, app: App, workspace: Path, registry: str, options: list[str]
) -> None:
    """The name may be anybody's in a registry; what is here under it is for all projects."""
    ref = f"{registry}debug-host/php:latest"
    del engine.stored_images["debug-host/php:latest"]
    engine.add_image(ref, registry=True, labels={names.SOURCES: sources_hash(ProjectType.PHP)})
    (workspace / "debughost.toml").write_text(f'image = "{ref}"\ncommand = "serve"\n')
    run = app("up", "--json", *options)
    assert (run.code, run.error["code"]) == (3, "IMAGE_NOT_FOUND")
    assert "never pulled" in run.error["message"]
    assert ref not in engine.stored_images


def test_a_base_image_that_is_here_can_be_named(engine: FakeEngine, app: App) -> None:
    line = ("up", "--image", "debug-host/php:latest", "--pull", "always", "--", "serve")
    assert app(*line).code == 0
