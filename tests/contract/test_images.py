"""Images and events, on every engine."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from contract.conftest import (
    ENDS,
    IMAGE,
    LABEL,
    RUN,
    World,
)
from debughost_cli import names
from debughost_cli.engine.port import Conflict, NotFound
from debughost_cli.errors import (
    EngineError,
    ImageNotFound,
)

# docker-py leaves the rest of a stream that reported an error to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


# Images


def test_an_image_that_is_here(world: World) -> None:
    found = world.engine.images.find(IMAGE)
    assert IMAGE in found.tags
    assert found.id.startswith("sha256:")
    assert found.size_bytes > 0
    assert world.engine.images.find(found.id).id == found.id
    assert found.id in {i.id for i in world.engine.images.list()}


def test_an_image_that_is_not_here(world: World) -> None:
    assert world.engine.images.find("dbgt/no-such-image:1") is None
    assert world.engine.images.list(["debughost-test=no-such-run"]) == []


def test_an_image_is_built_with_its_labels_and_tags(world: World, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("ARG BASE=nope\nFROM $BASE\nENV DBGT=1\n")
    tags = [f"dbgt/{RUN}:{world.prefix}", f"dbgt/{RUN}:latest"]
    lines: list[str] = []
    build(world, tmp_path, tags, IMAGE, lines.append)
    try:
        found = world.engine.images.find(tags[0])
        assert found.labels.items() >= world.labels.items()
        assert world.engine.images.find(tags[1]).id == found.id
        assert any("FROM" in line for line in lines)
        assert found.id in {i.id for i in world.engine.images.list([f"{LABEL}={RUN}"])}
    finally:
        for tag in tags:
            world.remove_image(tag)


def build(world: Any, folder: Any, tags: Any, base: Any, on_text: Any = lambda _: None) -> None:
    world.engine.images.build(
        folder,
        tags=tags,
        labels=world.labels,
        build_args={"BASE": base},
        no_cache=False,
        on_text=on_text,
    )


def test_a_build_on_a_base_that_is_not_to_be_had(world: World, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("ARG BASE=nope\nFROM $BASE\n")
    with pytest.raises(ImageNotFound) as caught:
        build(world, tmp_path, ["dbgt/never:1"], "127.0.0.1:1/dbgt/no-such-base:1")
    assert caught.value.details["reason"] in {"unknown", "registry_unreachable"}
    assert world.engine.images.find("dbgt/never:1") is None


def test_a_pull_of_what_is_not_to_be_had(world: World) -> None:
    with pytest.raises(ImageNotFound) as caught:
        world.engine.images.pull("127.0.0.1:1/dbgt/no-such-image:1", lambda _: None)
    assert caught.value.details["reason"] in {"unknown", "registry_unreachable"}


# Events


def test_what_happens_to_containers_of_ours_is_reported(world: World) -> None:
    labels = world.labels | {names.MANAGED: "true", names.PROJECT: world.name("project")}
    since = time.time() - 1
    ref = world.start(ENDS, labels=labels)
    world.ended(ref)
    world.engine.containers.remove(ref)
    until = time.time() + 1

    def happened() -> Any:
        found = [e for e in world.engine.events.read(since, until) if e.container == ref]
        actions = [e.action for e in found]
        return found if {"start", "die", "destroy"} <= set(actions) else None

    found = world.until(happened)
    by_action = {e.action: e for e in found}
    assert by_action["die"].exit_code == 0
    assert by_action["start"].project == world.name("project")
    assert since <= by_action["start"].at <= by_action["die"].at <= by_action["destroy"].at


def test_errors_of_the_port_are_the_engines() -> None:
    assert issubclass(NotFound, EngineError)
    assert issubclass(Conflict, EngineError)
