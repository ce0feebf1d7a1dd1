"""The program, the engine, and projects that are gone when their test is done."""

from __future__ import annotations

import os
import secrets
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import docker
import pytest

from .harness import Eye, Program, environment, program, write
from .lab import ROOT, Host, Lab
from .lab import lacks as lab_lacks
from .private_engine import Private, PrivateEngine, lacks, load_image
from .service_images import mariadb_image as mariadb_image
from .service_images import postgres_image as postgres_image
from .service_images import redis_image as redis_image
from .service_images import service_image as service_image
from .shared_resources import removed_at_the_end
from .workspaces import PAGE

HERE = Path(__file__).parent
RUN = f"t{secrets.token_hex(3)}-"
"""Begins the id of every project of this run; no other container is ever touched."""


# Programs that are started here end by SIGHUP, also where this one was started with nohup.
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


OWN_ENGINES = ("test_documentation", "test_full_disk", "test_reaching_the_engine")
"""Files whose tests bring or look for engines without these fixtures."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of these need a real engine. A private one is the machine's own dockerd every time."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.engine)
            fixtures = getattr(item, "fixturenames", ())
            if item.path.stem in OWN_ENGINES or {"private_session", "lab_session"} & set(fixtures):
                item.add_marker(pytest.mark.own_engine)


@pytest.fixture(scope="session")
def installed(
    unavailable: Callable[[str], NoReturn], tmp_path_factory: pytest.TempPathFactory
) -> Program:
    """The program, whether or not there is an engine."""
    if not program().is_file():
        unavailable(f"{program()} (install the wheel, or set DEBUGHOST_BIN)")
    return Program(environment(tmp_path_factory.mktemp("state")))


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this run share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def eye(
    installed: Program, run_folder: Path, unavailable: Callable[[str], NoReturn]
) -> Iterator[Eye]:
    """The engine that the program finds by itself. What is left of this run goes at the end."""
    answer = installed("status", "--no-stats", "--json", check=False)
    if answer.code == 4:
        unavailable(f"a Docker Engine: {answer.error['message']}")
    assert answer.code == 0, str(answer)
    # docker-py would need paramiko for an engine behind ssh.
    behind = os.environ.get("DEBUGHOST_TEST_SOCKET")
    endpoint = f"unix://{behind}" if behind else answer.document["engine"]["endpoint"]
    client = docker.APIClient(base_url=endpoint, version="auto")
    found = Eye(client)
    try:
        with removed_at_the_end(client, run_folder):
            yield found
            found.sweep(RUN)
    finally:
        client.close()


@pytest.fixture(scope="session")
def engine_socket(installed: Program, eye: Eye) -> Path:
    """Where the engine listens, for what stands between it and the program."""
    behind = os.environ.get("DEBUGHOST_TEST_SOCKET")
    endpoint = installed("status", "--json").document["engine"]["endpoint"]
    return Path(behind or endpoint.removeprefix("unix://"))


@pytest.fixture(scope="session")
def run(installed: Program, eye: Eye, unavailable: Callable[[str], NoReturn]) -> Program:
    """The program with an engine that has the base images."""
    for image in installed("images", "ls", "--json").data["images"]:
        if not (image["present"] and image["current"]):
            unavailable(f"today's {image['ref']} (make it: debughost images build)")
    return installed


@pytest.fixture
def new_id(eye: Eye) -> Iterator[Callable[[], str]]:
    """Makes project ids; everything of theirs is taken away after the test."""
    made: list[str] = []

    def make() -> str:
        made.append(f"{RUN}{secrets.token_hex(3)}")
        return made[-1]

    yield make
    for project in made:
        eye.remove(project)


@pytest.fixture
def project(new_id: Callable[[], str]) -> str:
    """A project's id."""
    return new_id()


@pytest.fixture(scope="session")
def private_session(
    run: Program, eye: Eye, unavailable: Callable[[str], NoReturn]
) -> Iterator[Private]:
    """An engine of this run's own, with the image for static sites. See ``private``."""
    missing = lacks()
    if missing:
        unavailable(missing)
    engine = PrivateEngine(Path(tempfile.mkdtemp(prefix="dh-", dir="/var/tmp")), run)
    try:
        engine.start()
        client = docker.APIClient(base_url=engine.url, version="auto")
        found = Private(engine, Eye(client))
        ref = run.image("static")
        load_image(eye, found.eye, ref)
        yield found
        client.close()
    finally:
        engine.end()


@pytest.fixture
def private(private_session: Private) -> Iterator[Private]:
    """The private engine, empty but for its images. Anything may be done to it."""
    yield private_session
    private_session.clear()


@pytest.fixture(scope="session")
def lab_session(
    run: Program, eye: Eye, run_folder: Path, unavailable: Callable[[str], NoReturn]
) -> Iterator[Lab]:
    """Hosts of this run's own. See ``lab``."""
    missing = lab_lacks()
    if missing:
        unavailable(missing)
    place = Path(tempfile.mkdtemp(prefix="dh-", dir="/var/tmp"))
    found = Lab(place, run, eye, hidden=(run_folder, ROOT))
    try:
        yield found
    finally:
        found.end()


@pytest.fixture
def lab(lab_session: Lab) -> Iterator[Lab]:
    """Hosts without containers, see the module; they are started when they are first used."""
    yield lab_session
    lab_session.clear()


@pytest.fixture
def far(lab: Lab) -> Host:
    """A host with the image for static sites."""
    host = lab.host("a")
    host.load("static")
    return host


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The workspace of a static site."""
    return write(tmp_path / "shop", PAGE)
