"""Servers of files: settings and hidden files stay private, at any depth."""

from __future__ import annotations

import http.client
from pathlib import Path

import pytest

from .harness import Program, write

pytestmark = pytest.mark.once  # the engine has no part in what a server answers

PRIVATE = {
    ".env": "hush\n",
    "sub/.env": "hush\n",
    "sub/.git/config": "hush\n",
    "debughost.toml": "# hush\n",
    "sub/debughost.toml": "# hush\n",
    "pyproject.toml": "# hush\n",
}
PUBLIC = {"style.css": "seen\n", ".well-known/x": "seen\n", "sub/page.txt": "seen\n"}
ROUTER = "<?php if (PHP_SAPI === 'cli-server') return $_SERVER['REQUEST_URI'] === '/' ? 1 : false;"
SITES = {
    "static": {"index.html": "seen\n"},
    "php": {"index.php": "<?php echo 'seen';"},
    "php with a router": {"index.php": ROUTER},
}
SPELLINGS = (
    "/%2eenv", "//.env", "/x/..%2f.env", "/sub/%2e%67it/config", "/debughost.toml/x",
    "/DEBUGHOST.TOML", "/debughost.toml#x", "/%64ebughost.toml", "/pyproject.toml?x",
)  # fmt: skip


def answer(port: int, path: str) -> tuple[int, str]:
    """Status and text of the answer to a path, which is sent as it is."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest("GET", path, skip_accept_encoding=True)
    connection.endheaders()
    response = connection.getresponse()
    text = response.read().decode("utf-8", "replace")
    connection.close()
    return response.status, text


@pytest.mark.parametrize("site", SITES.values(), ids=SITES.keys())
def test_private_files_are_not_served(
    run: Program, project: str, tmp_path: Path, site: dict[str, str]
) -> None:
    folder = write(tmp_path / "site", {**PRIVATE, **PUBLIC, **site})
    type_ = "php" if "index.php" in site else "static"
    port = run("up", "-p", project, "-w", folder, "--type", type_, "--json").project["port"]
    for name in PUBLIC:
        assert answer(port, f"/{name}") == (200, "seen\n")
    for path in (*(f"/{name}" for name in PRIVATE), *SPELLINGS):
        status, text = answer(port, path)
        assert status in (403, 404), path
        assert "hush" not in text, path
