"""An editor's debugger stops in the program, reads a variable, and does so again after a reload."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from .debug_clients import Dbgp, DebugAdapter, Inspector, attached
from .harness import UPLOADED, Program, body, write

NODE = {
    "package.json": '{"name": "d", "private": true, "scripts": {"dev": "node --watch server.js"}}',
    "server.js": """\
const http = require("http");
function answer(request, response) {
  const found = { path: request.url, answer: 42 };
  response.end(JSON.stringify(found));
}
http.createServer(answer).listen(process.env.PORT, "0.0.0.0");
""",
}
PYTHON = {
    "requirements.txt": "uvicorn\n",
    "main.py": """\
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    found = {"path": scope["path"], "answer": 42}
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(found).encode()})
""",
}

PHP = {
    "index.php": """\
<?php
$found = ["path" => $_SERVER["REQUEST_URI"], "answer" => 42];
echo $found["path"];
""",
}


def edit(file: Path, first_line: str) -> None:
    """With one more line, for which its program is reloaded."""
    file.write_text(f"{first_line}\n{file.read_text()}")


@pytest.mark.once  # the debugger is the language's own on every engine
def test_nodes_inspector_is_that_of_the_program_under_its_watcher(
    run: Program, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "w", NODE)
    up = run("up", "-p", project, "-w", folder, "--debug", "--json", timeout=200).project
    port = run("debug-config", "-p", project, "--json").data["config"]["port"]

    def ask() -> str:
        return body(f"{up['url']}/page")

    with attached(Inspector(port)) as editor:
        url = "file:///app/server.js"
        assert editor.value_at(url, 4, ask, "`${found.path} ${found.answer}`") == "/page 42"
        # Like an editor, it is still attached when the program is reloaded.
        edit(folder / "server.js", "// edited")
        run.send(project)
        with pytest.raises((EOFError, OSError)):
            editor.until(lambda message: False)
    with attached(Inspector(port)) as editor:
        assert editor.value_at(url, 5, ask, "found.answer") == 42


@pytest.mark.once
def test_debugpy_is_that_of_the_program_under_its_reloader(
    run: Program, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "w", PYTHON)
    up = run(
        "up", "-p", project, "-w", folder, "--debug", "--json", "--",
        "sh", "-c", "exec uvicorn main:app --host 0.0.0.0 --port $PORT --reload", timeout=200,
    ).project  # fmt: skip
    port = run("debug-config", "-p", project, "--json").data["config"]["port"]
    file = folder / "main.py"

    def ask() -> str:
        return body(f"{up['url']}/page")

    with attached(DebugAdapter(port, folder)) as editor:
        assert editor.value_at(file, 5, ask, "found['path']") == "'/page'"
        edit(file, "# edited")
        run.send(project)
        editor.event("terminated")
    with attached(DebugAdapter(port, folder)) as editor:
        assert editor.value_at(file, 6, ask, "found['answer']") == "42"
    mountpoint = [] if UPLOADED else [".venv"]
    names = sorted(path.name for path in folder.iterdir())
    assert names == [*mountpoint, "main.py", "requirements.txt"]


@pytest.mark.once
def test_xdebug_comes_to_the_editor(run: Program, project: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "w", PHP)
    with closing(Dbgp()) as editor:
        up = run(
            "up", "-p", project, "-w", folder, "--debug", "-e",
            f"XDEBUG_CONFIG=client_port={editor.port}", "--json", timeout=300,
        ).project  # fmt: skip
        config = run("debug-config", "-p", project, "--json").data["config"]
        assert (config["request"], config["port"]) == ("listen", editor.port)
        for expression, value in (("$found['path']", "L3BhZ2U="), ("$found['answer']", "42")):
            found = editor.value_at(
                "/app/index.php", 3, lambda: body(f"{up['url']}/page"), expression
            )
            assert found == value
    assert body(f"{up['url']}/other") == "/other", "nobody is waited for"
