"""An engine on which a project can be started at once, and a project that was."""

from __future__ import annotations

from debughost_cli import names
from debughost_cli.resources import FileEntry
from fakes.engine import FakeEngine
from fakes.programs import Program
from fakes.specs import make_spec


def usable_engine() -> FakeEngine:
    """With base images and the network."""
    made = FakeEngine()
    made.add_base_images()
    made.add_network(names.NETWORK, names.SUBNET)
    return made


def start_shop(engine: FakeEngine, program: Program) -> str:
    """The container of shop, which runs this program."""
    engine.program = program
    labels = {names.MANAGED: "true", names.PROJECT: "shop"}
    spec = make_spec("/", image=next(iter(engine.stored_images)), labels=labels)
    ref = str(engine.containers.create("debug-host-shop-1", spec))
    engine.containers.put_files(ref, [FileEntry(names.LAUNCHER, b"")])
    engine.containers.start(ref)
    return ref
