"""A group of three comes up with one command, in order, each sees the others, and goes down."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .harness import Eye, Program, write

SERVER = """\
const http = require("http");
const needed = process.env.NEEDED && process.env[process.env.NEEDED];
const serve = () => http.createServer((q, s) => s.end(process.env.PROJECT_ID))
  .listen(Number(process.env.PORT), "0.0.0.0");
// What it needs is there from the start, or it ends.
if (needed) http.get(needed, serve).on("error", () => process.exit(1));
else serve();
"""


def member(folder: Path, project: str, needs: str = "") -> None:
    settings = f'project = "{project}"\n' + (f'[env]\nNEEDED = "{needs}"\n' if needs else "")
    package = '{"private": true, "scripts": {"dev": "node server.js"}}\n'
    write(folder, {"package.json": package, "server.js": SERVER, "debughost.toml": settings})


def test_three_with_dependencies(
    run: Program, eye: Eye, new_id: Callable[[], str], tmp_path: Path
) -> None:
    root = tmp_path / "shop"
    ids = {name: new_id() for name in ("web", "api", "worker")}
    member(root / "web", ids["web"], "API_URL")
    member(root / "api", ids["api"], "WORKER_URL")
    member(root / "worker", ids["worker"])
    (root / "debughost.workspace.toml").write_text(
        "[members.web]\ndepends_on = ['api']\n[members.api]\ndepends_on = ['worker']\n"
        "[members.worker]\n"
    )
    up = run("up", "--all", "--json", cwd=root)
    assert {p["project"]: p["action"] for p in up.data["projects"]} == dict.fromkeys(
        ids.values(), "created"
    )
    created = {name: eye.inspect(project)["State"]["StartedAt"] for name, project in ids.items()}
    assert sorted(created, key=lambda name: created[name]) == ["worker", "api", "web"]
    again = run("up", "--all", "--json", cwd=root)
    assert {p["action"] for p in again.data["projects"]} == {"unchanged"}
    stopped = run("stop", "--group", "--json", cwd=root / "web")
    assert {p["action"] for p in stopped.data["projects"]} == {"stopped"}
    run("rm", "--group", "--json", cwd=root)
    assert [eye.containers(project) for project in ids.values()] == [[], [], []]
