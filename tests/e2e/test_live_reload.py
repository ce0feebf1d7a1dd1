"""The connection by which a page hears of edits, through the published port."""

from __future__ import annotations

import base64
import json
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .harness import Program, body, write

VITE = {
    "package.json": '{"name": "page", "private": true, "type": "module", '
    '"scripts": {"dev": "vite"}, "devDependencies": {"vite": "^7.1.0"}}\n',
    "index.html": '<script type="module" src="/main.js"></script>\n',
    "main.js": 'document.title = "one"\nimport.meta.hot?.accept()\n',
}
TOKEN = re.compile(r'wsToken = "([^"]+)"')


def messages(port: int, token: str) -> Iterator[dict[str, Any]]:
    """What Vite sends to a page, first of all that it is connected."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        key = base64.b64encode(os.urandom(16)).decode()
        connection.sendall(
            f"GET /?token={token} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"Origin: http://127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: vite-hmr\r\n\r\n".encode()
        )
        stream = connection.makefile("rb")
        assert b" 101 " in stream.readline()
        while stream.readline().strip():
            pass
        while head := stream.read(2):
            length = head[1]
            if length == 126:  # The two bytes that follow have it.
                length = int.from_bytes(stream.read(2))
            data = stream.read(length)
            if head[0] & 15 == 1:
                yield json.loads(data)


@pytest.mark.once  # what the engine publishes is seen by other tests
def test_a_page_of_vite_hears_of_an_edit(run: Program, project: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "w", VITE)
    up = run("up", "-p", project, "-w", folder, "--json", timeout=200)
    url, port = up.project["url"], up.project["port"]
    found = TOKEN.search(body(f"{url}/@vite/client"))
    assert found
    heard = messages(port, found[1])
    assert next(heard)["type"] == "connected"
    assert "one" in body(f"{url}/main.js")
    (folder / "main.js").write_text(VITE["main.js"].replace("one", "two"))
    run.send(project)
    update = next(message for message in heard if message["type"] == "update")
    assert [changed["path"] for changed in update["updates"]] == ["/main.js"]
    assert "two" in body(f"{url}/main.js?t={update['updates'][0]['timestamp']}")
