"""A project that has only a devcontainer.json, brought up from it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .harness import Eye, Program, fetch, write
from .workspaces import NODE

DEVCONTAINER = """\
// For format details, see https://aka.ms/devcontainer.json.
{
	"name": "Node.js",
	"image": "mcr.microsoft.com/devcontainers/javascript-node:1-24-bookworm",
	"forwardPorts": [%d],
	"containerEnv": { "GREETING": "from ${containerWorkspaceFolder}", },
	"postCreateCommand": "npm install && node --version > version.txt",
	"postStartCommand": { "a": "echo $GREETING > greeting.txt # note", "b": ["touch", "b c"] },
	"customizations": { "vscode": { "extensions": [ "dbaeumer.vscode-eslint", ] } },
}
"""


@pytest.mark.once
def test_it_comes_up_on_its_port_after_its_commands(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    port = run("up", "--dry-run", "-p", project, "--json", cwd=write(tmp_path / "p", NODE))
    number = port.project["port"]
    files = NODE | {".devcontainer/devcontainer.json": DEVCONTAINER % number}
    folder = write(tmp_path / project, files)
    made = run("init", "--from-devcontainer", "--json", cwd=folder)
    assert [w["message"] for w in made.document["warnings"]] == [
        "postCreateCommand: 'npm install' is not needed: dependencies are installed anyway",
        "postCreateCommand runs before each start: nothing is installed here",
    ]
    up = run("up", "--json", cwd=folder).project
    assert (up["project"], up["port"]) == (project, number)
    assert fetch(up["url"])[0] == 200
    run.fetch(project)
    assert (folder / "version.txt").read_text().startswith("v24.")
    assert (folder / "greeting.txt").read_text() == "from /app\n"
    assert (folder / "b c").is_file()
    variables = eye.inspect(project)["Config"]["Env"]
    assert "GREETING=from /app" in variables
    assert json.loads(run("config", "show", "--json", cwd=folder).out)["ok"]
