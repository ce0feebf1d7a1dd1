"""What the projects of all tests share on an engine, removed by the last worker that uses it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import docker
from docker.errors import APIError
from filelock import FileLock

from .harness import UID

NAMES = ("debug-host-network", f"debug-host-cache-{UID}")
"""The network, and the package cache of the files' owner."""


@contextmanager
def removed_at_the_end(client: docker.APIClient, folder: Path) -> Iterator[None]:
    """Removes the shared resources that did not exist when the first worker began.

    ``folder`` is the same one for all workers of a run. What existed belongs to somebody else. A
    worker that is killed is counted for ever, and then nothing is removed.
    """
    record = folder / "shared-resources.json"
    lock = FileLock(folder / "shared-resources.lock")
    with lock:
        workers, found = _read(record) or (0, sorted(_existing(client)))
        record.write_text(json.dumps([workers + 1, found]))
    try:
        yield
    finally:
        with lock:
            workers, found = _read(record) or (1, list(NAMES))
            record.write_text(json.dumps([workers - 1, found]))
            if workers == 1:
                record.unlink()
                _remove(client, found)


def _read(record: Path) -> tuple[int, list[str]] | None:
    """How many workers use the resources, and which of these existed before."""
    if not record.exists():
        return None
    workers, found = json.loads(record.read_text())
    return workers, found


def _remove(client: docker.APIClient, kept: list[str]) -> None:
    """Removes the shared resources but for those ``kept``, and those that others use by now."""
    for name, remove in _existing(client).items():
        if name not in kept:
            with suppress(APIError):
                remove()


def _existing(client: docker.APIClient) -> dict[str, Callable[[], None]]:
    """The shared resources on the engine, each with how to remove it."""
    networks = {n["Name"]: partial(client.remove_network, n["Id"]) for n in client.networks()}
    volumes = {
        v["Name"]: partial(client.remove_volume, v["Name"])
        for v in client.volumes()["Volumes"] or []
    }
    return {k: v for k, v in (networks | volumes).items() if k in NAMES}
