"""Twelve tasks of an agent that has never seen the program, with what its answers say to do next.

What is called is named by the guide, or by the answer before it (``hint``, ``next``).
"""

from __future__ import annotations

import json
import shlex
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from .harness import Program, Result, fetch, write

MOST_CALLS = 40
SHOP = {
    "package.json": json.dumps(
        {
            "name": "shop",
            "private": True,
            "type": "module",
            "scripts": {
                "dev": "node --watch server.js",
                "test": "node --test",
                "migrate": "node migrate.js",
            },
            "dependencies": {"pg": "^8"},
        }
    ),
    "server.js": """\
import http from "node:http";
import { price } from "./price.js";
http.createServer((request, response) => {
  if (request.url === "/order") console.error("ERROR order 17 has no price");
  response.end(`price ${price(2)}`);
}).listen(process.env.PORT, "0.0.0.0");
""",
    "price.js": "export const prize = (n) => n * 3;\n",
    "price.test.js": """\
import test from "node:test";
import assert from "node:assert";
import { price } from "./price.js";
test("price", () => assert.equal(price(2), 6));
""",
    "migrate.js": """\
import pg from "pg";
const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
await client.connect();
await client.query("create table orders (id int)");
await client.end();
""",
}
API = {
    "package.json": '{"name": "api", "private": true, "scripts": {"dev": "node server.js"}}\n',
    "server.js": """\
require("http").createServer((request, response) => {
  fetch(process.env.SHOP_URL).then((answer) => answer.text()).then((text) => response.end(text));
}).listen(process.env.PORT, "0.0.0.0");
""",
}


@dataclass
class Agent:
    """Calls the program in a folder, and counts."""

    program: Program
    folder: Path
    calls: list[str] = field(default_factory=list)

    def __call__(self, *args: str | Path, code: int = 0, cwd: Path | None = None) -> Result:
        self.calls.append(" ".join(map(str, args)))
        return self.program(*args, check=code, cwd=cwd or self.folder, timeout=300)

    def follow(self, answer: Result, number: int = 0) -> Result:
        """The command that an answer suggests, as a program would read it."""
        program, *words = shlex.split(answer.document["next"][number])
        assert program == "debughost"
        return self(*words, "--json")


@pytest.mark.once
def test_twelve_tasks_in_few_calls(
    run: Program, new_id: Callable[[], str], tmp_path: Path, postgres_image: str
) -> None:
    shop, api, orders = new_id(), new_id(), new_id()
    folder = write(tmp_path / shop, SHOP)
    agent = Agent(run, folder)
    assert "debughost up --json" in agent("guide").out

    # 1 bring a project up, 2 find out why it crashes
    failed = agent("up", "--json", code=6)
    assert "does not provide an export named 'price'" in str(failed.error["details"]["log_tail"])
    write(folder, {"price.js": SHOP["price.js"].replace("prize", "price")})
    url = agent("up", "--json").project["url"]
    assert fetch(url)[1] == "price 6"

    # 3 change its port, 12 recover from one that is in use
    with socket.create_server(("127.0.0.1", 0)) as taken:
        busy = agent("up", "--port", str(taken.getsockname()[1]), "--json", code=5)
        assert busy.error["code"] == "PORT_IN_USE"
        moved = agent.follow(busy).project
    assert moved["port"] == busy.error["details"]["next_free"]

    # 4 add a database, and look into it
    write(folder, {"debughost.toml": f"services = [{json.dumps(postgres_image)}]\n"})
    assert [s["name"] for s in agent("up", "--json").project["services"]] == ["postgres"]
    look = ("exec", "--service", "postgres", "psql", "-U", "postgres", "app", "-tAc")
    assert agent(*look, "select 6 * 7").out == "42\n"

    # 5 run a migration once
    agent("run", "npm", "run", "migrate")
    assert agent(*look, "select count(*) from orders").out == "0\n"

    # 6 wait for an error in its output
    fetch(f"{moved['url']}/order")
    found = agent("logs", "--grep", "ERROR", "--json")
    assert [line["line"] for line in found.lines[:-1]] == ["ERROR order 17 has no price"]

    # 7 run its tests, 8 limit its memory
    assert "pass 1" in agent("exec", "npm", "test").out
    assert agent("up", "-m", "512m", "--json").project["memory_limit_bytes"] == 512 * 1024**2

    # 9 a second project beside it, which calls the first
    beside = write(tmp_path / api, API)
    shop_url = f"SHOP_URL=http://{shop}:{moved['port']}"
    second = agent("up", "-e", shop_url, "--json", cwd=beside).project
    assert fetch(second["url"])[1] == "price 6"

    # 10 rename it
    renamed = agent("rename", orders, "--json", cwd=beside)
    # What comes next is to wait, unless it listens already.
    assert renamed.project["ready"] or agent.follow(renamed).project["ready"]

    # 11 clean up
    agent("rm", shop, orders, "--volumes", "--data", "--json")
    agent("volumes", "prune", "-p", api, "--yes", "--json")
    left = agent("volumes", "ls", "--json").data["volumes"]
    assert not [v for v in left if v["project"] in (shop, api, orders)]
    assert agent("status", shop, "--json", code=3).error["code"] == "PROJECT_NOT_FOUND"

    assert len(agent.calls) <= MOST_CALLS / 2, agent.calls
