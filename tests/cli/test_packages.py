"""Debian packages of a project: an image made for the set, listed, and removed when it is old."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes import FakeEngine
from msgspec.structs import replace

from cli.conftest import App
from debughost_cli import names
from debughost_cli.models import ProjectType
from debughost_cli.services.base_images import latest


def ask_for(workspace: Path, *packages: str, more: str = "") -> None:
    (workspace / "debughost.toml").write_text(f"packages = {json.dumps(packages)}\n{more}")


def image_of(app: App, *args: str) -> str:
    run = app("up", *args, "--json")
    assert run.code == 0, run.err
    return str(run.project["container"]["image"])


def test_an_image_is_made_once_for_a_set(app: App, engine: FakeEngine, workspace: Path) -> None:
    base = image_of(app)
    ask_for(workspace, "ffmpeg", "libpq-dev")
    run = app("up", "--json")
    made = run.project["container"]["image"]
    assert made != base
    assert made.startswith("debug-host/node:")
    assert "with the packages ffmpeg, libpq-dev" in run.err
    assert run.project["action"] == "recreated"
    image = engine.stored_images[made]
    assert image.labels[names.PACKAGES] == "ffmpeg libpq-dev"
    assert image.labels[names.MANAGED] == "true"
    assert app("up", "--json").project["action"] == "unchanged"
    ask_for(workspace, "libpq-dev", "ffmpeg")
    assert image_of(app) == made
    builds = [c for c in engine.changes if c[0] == "images.build"]
    assert len(builds) == 1
    ask_for(workspace, "ffmpeg")
    assert image_of(app) not in (made, base)


def test_it_is_made_again_when_its_base_changes(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    ask_for(workspace, "ffmpeg")
    first = image_of(app)
    rebuilt = replace(engine.stored_images[latest(ProjectType.NODE)], id="sha256:another")
    engine.stored_images |= dict.fromkeys(rebuilt.tags, rebuilt)
    assert image_of(app) != first


def test_it_is_made_of_an_image_that_is_named(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    engine.add_image("shop/base:1", user="app")
    ask_for(workspace, "ffmpeg", more='image = "shop/base:1"')
    made = image_of(app)
    assert made.startswith("debug-host/node:")
    assert app("up", "--json").project["action"] == "unchanged"


def test_the_plan_names_it(app: App, engine: FakeEngine, workspace: Path) -> None:
    ask_for(workspace, "ffmpeg")
    before = len(engine.changes)
    plan = app("up", "--dry-run", "--json").project["plan"]
    assert plan[0]["step"] == "build_image"
    assert plan[0]["reason"] == "with the packages ffmpeg"
    assert len(engine.changes) == before


@pytest.mark.parametrize("packages", [["nope"], ["ffmpeg", "no-such-thing", "not-there"]])
def test_a_package_that_does_not_exist_is_named(
    app: App, engine: FakeEngine, workspace: Path, packages: list[str]
) -> None:
    engine.unknown_packages = set(packages) - {"ffmpeg"}
    ask_for(workspace, *packages)
    run = app("up", "--json")
    assert (run.code, run.error["code"]) == (2, "INVALID_CONFIG")
    for name in engine.unknown_packages:
        assert name in run.error["message"]
    assert run.error["details"]["packages"] == packages[-len(engine.unknown_packages) :]
    assert engine.stored_containers == {}


@pytest.mark.parametrize(
    "packages",
    [
        ["libc6-"],
        ["ffmpeg; rm -rf /"],
        ["$(id)"],
        ["a"],
        ["../x"],
        ["ffmpeg\nUSER root"],
        ["-o=APT::x"],
        ["Ffmpeg"],
        ["ffmpeg/unstable"],
        ["ffmpeg=$(id)"],
        ["ffmpeg=1-1 other"],
        [""],
        ["x" * 300],
        ["python3.*"],
        [f"p{i}" for i in range(101)],
        [3],
    ],
)
def test_nothing_but_names_of_packages_is_taken(
    app: App, engine: FakeEngine, workspace: Path, packages: list[object]
) -> None:
    (workspace / "debughost.toml").write_text(f"packages = {json.dumps(packages)}")
    run = app("up", "--json")
    assert (run.code, run.error["code"]) == (2, "INVALID_CONFIG")
    assert engine.changes == []


def test_the_list_shows_them_beside_the_base_images(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    ask_for(workspace, "ffmpeg", "g++")
    made = image_of(app)
    data = app("images", "ls", "--json").document["data"]
    assert [i["type"] for i in data["images"]] == ["node", "python", "php", "static"]
    (found,) = data["variants"]
    assert (found["ref"], found["packages"], found["current"]) == (made, ["ffmpeg", "g++"], True)
    assert "ffmpeg g++" in app("images", "ls").out


# prune


def test_prune_takes_what_no_container_uses(app: App, engine: FakeEngine, workspace: Path) -> None:
    ask_for(workspace, "ffmpeg")
    old = image_of(app)
    ask_for(workspace, "g++")
    new = image_of(app)
    shown = app("images", "prune", "--dry-run", "--json").document
    assert [i["ref"] for i in shown["data"]["images"]] == [old]
    assert shown["changed"] is False
    assert old in engine.stored_images
    run = app("images", "prune", "--yes", "--json")
    assert [i["ref"] for i in run.document["data"]["images"]] == [old]
    assert run.document["changed"] is True
    assert old not in engine.stored_images
    assert {new, latest(ProjectType.NODE)} <= engine.stored_images.keys()
    assert app("images", "prune", "--json").document["data"]["images"] == []
    app("rm")
    again = app("images", "prune", "--yes", "--json").document["data"]["images"]
    assert [i["ref"] for i in again] == [new]


@pytest.mark.parametrize("tags", [("debug-host/node:0123456789ab",), ()])
def test_prune_takes_base_images_of_another_build(
    app: App, engine: FakeEngine, tags: tuple[str, ...]
) -> None:
    newest = engine.stored_images[latest(ProjectType.NODE)]
    old = replace(newest, id="sha256:old", tags=tags)
    engine.stored_images |= dict.fromkeys(tags or (old.id,), old)
    found = app("images", "prune", "--yes", "--json").document["data"]["images"]
    assert [i["id"] for i in found] == [old.id]
    assert engine.stored_images[latest(ProjectType.NODE)].id == newest.id


def test_prune_takes_base_images_of_another_version(app: App, engine: FakeEngine) -> None:
    found = engine.stored_images[latest(ProjectType.PHP)]
    old = replace(found, labels=dict(found.labels) | {names.SOURCES: "of another version"})
    engine.stored_images |= dict.fromkeys(old.tags, old)
    app("images", "prune", "--yes")
    assert not set(old.tags) & engine.stored_images.keys()


@pytest.mark.parametrize("tags", [("shop/web:1",), ("debug-host/node:0123456789ab", "mine:1"), ()])
def test_prune_leaves_what_others_made_of_an_image_of_ours(
    app: App, engine: FakeEngine, tags: tuple[str, ...]
) -> None:
    """An image has the labels of the one that it is made of."""
    newest = engine.stored_images[latest(ProjectType.NODE)]
    labels = dict(newest.labels) | {names.SOURCES: "old", names.PACKAGES: "ffmpeg"}
    theirs = replace(newest, id="sha256:theirs", tags=tags, labels=labels)
    engine.image_steps[theirs.id] = "/bin/sh -c #(nop)  CMD [debug-host. LABEL]"
    engine.stored_images |= dict.fromkeys(tags or (theirs.id,), theirs)
    assert app("images", "prune", "--yes", "--json").document["data"]["images"] == []
    assert theirs in engine.stored_images.values()


def test_prune_asks_first(app: App, engine: FakeEngine, workspace: Path) -> None:
    ask_for(workspace, "ffmpeg")
    made = image_of(app)
    app("rm")
    run = app("images", "prune", "--json")
    assert (run.code, run.error["code"]) == (2, "CONFIRMATION_REQUIRED")
    assert made in engine.stored_images
