"""Images of databases, and of another Python, from Debian's packages, for machines that reach no
registry.

They behave as the images that people use: the same variables, data folders, users, ports and stop
signals. Each is built once per engine and stays on it; its tag changes with its files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import docker
import pytest
from docker.errors import ImageNotFound
from filelock import FileLock

from .harness import Eye

FOLDER = Path(__file__).parent / "services"
VERSIONS = {"mariadb": "11.8", "postgres": "17", "python": "3.11", "redis": "8"}
"""Those of Debian 13; Python is that of Debian 12, for Debian 13 has the default one."""
BASES = ("debughost-base/debian:trixie", "debian:trixie-slim")
"""The first is made by ``scripts/base-images``; the second is pulled."""
LABEL = "debughost-test.image"


@pytest.fixture(scope="session")
def service_image(eye: Eye, run_folder: Path) -> Callable[[str], str]:
    """Makes an image if it is missing; one worker at a time, the others find it."""

    def find(name: str) -> str:
        with FileLock(run_folder / f"image-{name}.lock"):
            return _found_or_built(eye.client, name)

    return find


@pytest.fixture(scope="session")
def postgres_image(service_image: Callable[[str], str]) -> str:
    """The name of an image of PostgreSQL."""
    return service_image("postgres")


@pytest.fixture(scope="session")
def mariadb_image(service_image: Callable[[str], str]) -> str:
    """The name of an image of MariaDB."""
    return service_image("mariadb")


@pytest.fixture(scope="session")
def redis_image(service_image: Callable[[str], str]) -> str:
    """The name of an image of Redis."""
    return service_image("redis")


def _found_or_built(client: docker.APIClient, name: str) -> str:
    folder = FOLDER / name
    tag = f"debughost-test/{name}:{VERSIONS[name]}-{_hash(folder)}"
    if not _is_present(client, tag):
        base = BASES[0] if _is_present(client, BASES[0]) else BASES[1]
        said = list(
            client.build(
                path=str(folder), tag=tag, rm=True, decode=True,
                buildargs={"BASE": base}, labels={LABEL: name},
            )
        )  # fmt: skip
        assert _is_present(client, tag), said[-20:]
    return tag


def _hash(folder: Path) -> str:
    """Of the names and the content of all files that an image is made of."""
    made = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        made.update(f"{path.name}\0".encode() + path.read_bytes() + b"\0")
    return made.hexdigest()[:12]


def _is_present(client: docker.APIClient, ref: str) -> bool:
    try:
        client.inspect_image(ref)
    except ImageNotFound:
        return False
    return True
