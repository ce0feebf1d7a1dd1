"""The steps that ``--dry-run`` shows are the steps that ``up`` carries out."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes import FakeEngine
from msgspec.structs import replace

from debughost_cli import names
from debughost_cli.models import Action, ProjectType, PullPolicy
from debughost_cli.planning.up import ConvergeOptions, StepKind
from debughost_cli.project.resolve import ResolvedProject, resolve_project
from debughost_cli.project.settings import Flags
from debughost_cli.services.lifecycle import LifecycleService
from debughost_cli.services.progress import NullProgress
from debughost_cli.services.removal import RemovalService
from debughost_cli.services.up import UpService
from debughost_cli.services.up_state import UpOptions

CHANGED = Flags(cpus="1")
OUTDATED = "debug-host/static:old"
RECREATE = UpOptions(ConvergeOptions(recreate=True))


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeEngine:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    made = FakeEngine()
    made.add_base_images()
    made.add_image("debian:trixie-slim", registry=True)
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "shop"
    made.mkdir()
    (made / "index.html").write_text("hello")
    return made


def resolved(folder: Path, flags: Flags | None = None) -> ResolvedProject:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("DEBUGHOST")}
    return resolve_project(folder, flags or Flags(), environ)


def nothing(engine: FakeEngine, folder: Path) -> None:
    """A fresh engine."""


def up(engine: FakeEngine, folder: Path) -> None:
    UpService(engine, NullProgress()).run(resolved(folder), UpOptions())


def stopped(engine: FakeEngine, folder: Path) -> None:
    up(engine, folder)
    LifecycleService(engine, NullProgress()).stop("shop", 1)


def removed_on_another_port(engine: FakeEngine, folder: Path) -> None:
    """The port is remembered in a volume until the project has a container again."""
    flags = Flags(port="4321")
    UpService(engine, NullProgress()).run(resolved(folder, flags), UpOptions())
    RemovalService(engine, NullProgress()).remove("shop", 1, volumes=False)


def image_outdated(engine: FakeEngine, folder: Path) -> None:
    """The image of the type was built from an older Dockerfile, and the project uses it."""
    up(engine, folder)
    for tag, image in engine.stored_images.items():
        if image.labels.get(names.TYPE) == ProjectType.STATIC:
            labels = dict(image.labels) | {names.SOURCES: "older"}
            tags = (f"debug-host/{ProjectType.STATIC}:latest", OUTDATED)
            engine.stored_images[tag] = replace(image, labels=labels, tags=tags)
    (container,) = engine.stored_containers.values()
    container.spec = replace(container.spec, image=OUTDATED)


def leftover(engine: FakeEngine, folder: Path) -> None:
    """A run was killed after it had created a container and before it started it."""
    up(engine, folder)
    spec = engine.container("shop").spec
    ended = "0" * 32 + ":1:1.00"
    spec = replace(spec, labels=dict(spec.labels) | {names.OWNER: ended})
    engine.containers.create("debug-host-shop-20200101T000000000Z", spec)
    for container in engine.all_of("shop"):
        container.created_at = container.created_at.replace(year=2020)


@pytest.mark.parametrize(
    ("before", "flags", "options", "action"),
    [
        (nothing, None, UpOptions(), Action.CREATED),
        (removed_on_another_port, None, UpOptions(), Action.CREATED),
        (up, None, UpOptions(), Action.UNCHANGED),
        (up, None, UpOptions(ConvergeOptions(wait=False)), Action.UNCHANGED),
        (up, None, UpOptions(ConvergeOptions(restart=True)), Action.RESTARTED),
        (up, CHANGED, UpOptions(), Action.RECREATED),
        (up, None, RECREATE, Action.RECREATED),
        (stopped, None, UpOptions(), Action.STARTED),
        (stopped, CHANGED, UpOptions(), Action.RECREATED),
        (leftover, None, UpOptions(), Action.UNCHANGED),
        (image_outdated, None, UpOptions(), Action.RECREATED),
        (nothing, Flags(image="debian:trixie-slim"), UpOptions(), Action.CREATED),
        (up, Flags(image="debian:trixie-slim"), UpOptions(), Action.RECREATED),
        (nothing, None, UpOptions(pull=PullPolicy.ALWAYS), Action.CREATED),
    ],
)
def test_the_steps_that_are_shown_are_the_steps_that_are_executed(
    engine: FakeEngine,
    folder: Path,
    before: Callable[[FakeEngine, Path], None],
    flags: Flags | None,
    options: UpOptions,
    action: Action,
) -> None:
    before(engine, folder)
    service = UpService(engine, NullProgress())
    changes = len(engine.changes)
    shown = service.dry_run(resolved(folder, flags), options)
    assert engine.changes[changes:] == []
    executed = service.run(resolved(folder, flags), options)
    assert (shown.action, executed.action) == (action, action)
    assert shown.plan is not None
    assert executed.executed == shown.plan.steps


def test_the_image_is_part_of_the_plan_and_comes_first(engine: FakeEngine, folder: Path) -> None:
    image_outdated(engine, folder)
    plan = UpService(engine, NullProgress()).dry_run(resolved(folder), UpOptions()).plan
    assert plan is not None
    assert plan.steps[0].kind is StepKind.BUILD_IMAGE
    assert [s.kind for s in plan.steps[-2:]] == [StepKind.WAIT_READY, StepKind.REMOVE_CONTAINER]
