"""Every shell block of README.md and ``docs/`` is run, on an engine of its own.

There it meets no project of the developer's: pages may name theirs ``shop``, and remove all.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from functools import reduce
from pathlib import Path
from typing import NoReturn

import docker
import pytest

from .documentation import PAGES, ROOT, Command, Shell, blocks, guide_commands, is_run
from .harness import Eye, Program, check_document, program
from .private_engine import Private, PrivateEngine, lacks
from .uplink import uplink

pytestmark = pytest.mark.once
TYPES = ("node", "python", "php", "static")
SERVICES = {"postgres": "postgres:17", "redis": "redis:8"}
"""Images from Debian's packages, under the names that pages use."""
NOT_RUN = {
    "README.md": 3,
    "docs/agents.md": 1,
    "docs/company-network.md": 1,
    "docs/observing.md": 1,
    "docs/releasing.md": 3,
    "docs/remote-engines.md": 2,
    "docs/remote-workspace.md": 4,
    "docs/swarm.md": 1,
    "docs/tutorials/php.md": 1,
}
"""How many blocks of a page are not run; the reason is in a comment before each."""


@pytest.fixture(scope="module")
def engine(
    run: Program,
    eye: Eye,
    service_image: Callable[[str], str],
    unavailable: Callable[[str], NoReturn],
) -> Iterator[Private]:
    """An engine with all images, that reaches the registries of packages."""
    missing = lacks() or ", ".join(p for p in ("ip", "iptables", "curl") if not shutil.which(p))
    if missing:
        unavailable(missing)
    tags = {ref: f"{ref.rpartition(':')[0]}:latest" for ref in map(run.image, TYPES)}
    tags |= {service_image(name): tag for name, tag in SERVICES.items()}
    private = PrivateEngine(Path(tempfile.mkdtemp(prefix="dh-", dir="/var/tmp")), run)
    try:
        private.start()
        client = docker.APIClient(base_url=private.url, version="auto", timeout=300)
        _copy_images(eye.client, client, tags)
        with uplink(private.init.pid):
            yield Private(private, Eye(client))
        client.close()
    finally:
        private.end()


def _copy_images(source: docker.APIClient, target: docker.APIClient, tags: dict[str, str]) -> None:
    """All in one archive, in which a layer of several is once."""
    url = source._url("/images/get")
    with source._get(url, params={"names": list(tags)}, stream=True) as archive:
        for _ in target.load_image(archive.iter_content(1 << 20)):
            pass
    for ref, tag in tags.items():
        name, _, version = tag.rpartition(":")
        target.tag(ref, name, version)


@pytest.fixture
def shell(engine: Private, tmp_path: Path) -> Iterator[Shell]:
    """In an empty home folder, with the program first in the path."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    found = engine.run
    paths = (str(program().parent), "/usr/local/bin", "/usr/bin", "/usr/sbin", "/bin")
    env = {**found.env, "HOME": str(home), "PATH": ":".join(paths), "REPOSITORY": str(ROOT)}
    with Shell(found.prefix, env, home) as made:
        yield made
    engine.clear()


@pytest.mark.parametrize("page", [page for page in PAGES if is_run(page)])
def test_the_shell_blocks_of_a_page_run_as_shown(shell: Shell, page: str) -> None:
    for block in blocks(page):
        if not block.not_run:
            shell.run(block)


def test_few_blocks_are_not_run_and_each_says_why() -> None:
    left_out = [b for path in PAGES for b in blocks(path) if b.kind != "file" and b.not_run]
    assert Counter(b.page for b in left_out) == NOT_RUN
    assert all(len(b.not_run.split()) > 3 for b in left_out)


BEFORE_GUIDE = """
for folder in shop api; do cp -r "$REPOSITORY/examples/node" $folder; done
mkdir all && cp -r shop all/backend && cp -r "$REPOSITORY/examples/static" all/frontend
cd shop
"""
BEFORE = {
    "debughost rm shop api --volumes --json": "debughost up -w ~/api",
    "debughost debug-config --json": "debughost up --debug",
    "debughost up --all --json": "cd ~/all",
    "debughost exec --service postgres psql -U postgres app": (
        "cd ~/shop && sed -i '1i services = [\"postgres:17\"]' debughost.toml && debughost up"
    ),
}
"""What the guide's text around a command tells to do before."""
PLACES = {"CMD...": "node --version", "COMMAND": "up", "events": "events --since 1h"}


def test_every_command_of_the_guide_runs(shell: Shell) -> None:
    said = list(guide_commands())
    assert len(said) >= 20
    assert set(BEFORE) <= set(said)
    shell.execute(Command(BEFORE_GUIDE))
    for command in said:
        code, printed = shell.execute(Command(BEFORE.get(command, "true")))
        assert code == 0, f"before {command}: {printed}"
        typed = reduce(lambda line, place: line.replace(*place), PLACES.items(), command)
        # A stream is ended as its reader would.
        shown = ("...", "^C") if " events " in typed else ()
        code, printed = shell.execute(Command(typed, shown))
        assert code == (130 if shown else 0), f"{command}: {printed}"
        if "--json" in command:
            check_document("\n".join(line for line in printed if line.startswith("{")), code)
