"""An engine in memory that keeps the promises of ``debughost_cli.engine.port``.

What a container does once it is started is a ``Program``; a test orders what goes wrong with
``fail``, ``lose_answer``, ``before`` and ``go_away``. The suite in ``contract/`` runs on this
engine and on real ones: where they disagree, this one is wrong.
"""

from fakes.engine import FakeEngine
from fakes.objects import FakeContainer, FakeVolume
from fakes.programs import (
    Program,
    command_not_found,
    crash_loops,
    exits,
    ignores_sigterm,
    install_fails,
    installing,
    listens,
    listens_on,
    loopback_only,
    never_listens,
    refused,
    volume_not_writable,
)
from fakes.ready import start_shop, usable_engine
from fakes.specs import make_container, make_spec

__all__ = [
    "FakeContainer",
    "FakeEngine",
    "FakeVolume",
    "Program",
    "command_not_found",
    "crash_loops",
    "exits",
    "ignores_sigterm",
    "install_fails",
    "installing",
    "listens",
    "listens_on",
    "loopback_only",
    "make_container",
    "make_spec",
    "never_listens",
    "refused",
    "start_shop",
    "usable_engine",
    "volume_not_writable",
]
