"""The MCP server as a client starts it, on a real engine, through tools alone."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

from .harness import Eye, Program, body, program, write
from .private_engine import Private
from .workspaces import NODE

Work = Callable[[Client], Awaitable[Any]]


class Session:
    """The installed server in a folder; each ``use`` starts it and ends it."""

    def __init__(self, run: Program, folder: Path) -> None:
        self._environment, self._folder = dict(run.env), folder
        self._prefix = run.prefix
        self.heard: list[str] = []

    def use(self, work: Work, *options: str) -> Any:
        words = [*self._prefix, str(program()), "mcp", *options]

        async def session() -> Any:
            server = StdioServerParameters(
                command=words[0], args=words[1:],
                env=self._environment, cwd=self._folder,
            )  # fmt: skip
            async with Client(server) as client:
                return await asyncio.wait_for(work(client), 240)

        return asyncio.run(session())

    async def hear(self, progress: float, total: float | None, message: str | None) -> None:
        """Keeps what is reported."""
        self.heard.append(message or "")


async def call(client: Client, tool: str, **given: Any) -> dict[str, Any]:
    """The document; the client checks it against the tool's schema."""
    result = await client.call_tool(tool, given)
    return dict(result.structured_content or {})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "shop", NODE)


@pytest.fixture
def session(run: Program, folder: Path) -> Session:
    return Session(run, folder)


def test_a_project_is_brought_up_broken_explained_and_mended_by_tools_alone(
    session: Session, eye: Eye, folder: Path, project: str, redis_image: str
) -> None:
    async def work(client: Client) -> None:
        heard = session.hear
        result = await client.call_tool("up", {"project": project}, progress_callback=heard)
        made = result.structured_content or {}
        assert made["ok"], made
        (found,) = made["data"]["projects"]
        assert body(found["url"]) == "hello\n"
        assert any("Creating container" in text for text in session.heard)

        (folder / "server.js").write_text('throw new Error("no such table: users");\n')
        made = await call(client, "restart", project=project)
        assert (made["ok"], made["exit_code"]) == (False, 7)
        error = made["data"]["projects"][0]["error"]
        assert error["code"] == "CRASHED"
        assert "no such table" in "".join(error["details"]["log_tail"])
        lines = (await call(client, "logs", project=project, grep="no such table"))["lines"]
        assert lines

        write(folder, NODE)
        made = await call(client, "config_set", key="services", value=[redis_image])
        assert made["ok"], made
        made = await call(client, "up", project=project)
        assert made["ok"], made
        (service,) = made["data"]["projects"][0]["services"]
        assert service["state"] == "running"
        made = await call(client, "exec", project=project, command=["printenv", "REDIS_URL"])
        assert made["data"]["stdout"].startswith("redis://")

        made = await call(client, "rm", project=project, volumes=True, data=True)
        assert made["data"]["projects"][0]["action"] == "removed"

    session.use(work)
    assert eye.everything(project) == ([], [])


@pytest.mark.alone
def test_a_second_status_takes_milliseconds(session: Session, run: Program, project: str) -> None:
    async def work(client: Client) -> list[float]:
        assert (await call(client, "up", project=project))["ok"]
        await call(client, "status", project=project)
        took = []
        for _ in range(15):
            began = time.monotonic()
            found = (await call(client, "status", project=project))["data"]["projects"][0]
            took.append(time.monotonic() - began)
            assert found["stats"]["memory_bytes"] > 0
        return took

    took = session.use(work)
    assert min(took) < run.slow(0.05), took


def test_a_cancelled_up_leaves_nothing(
    session: Session, eye: Eye, folder: Path, project: str
) -> None:
    (folder / "server.js").write_text("setInterval(() => {}, 1000);\n")

    async def work(client: Client) -> None:
        begun = asyncio.Event()

        async def hear(progress: float, total: float | None, message: str | None) -> None:
            if "Waiting until" in (message or ""):
                begun.set()

        up = client.call_tool("up", {"project": project}, progress_callback=hear)
        calling = asyncio.ensure_future(up)
        await asyncio.wait_for(begun.wait(), 60)
        assert eye.containers(project)
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        await until(lambda: eye.everything(project) == ([], []))
        assert (await call(client, "network_inspect"))["ok"]

    session.use(work)


def test_a_cancelled_command_ends(session: Session, eye: Eye, project: str) -> None:
    script = "echo $$ >/tmp/pid; exec sleep 987"

    def runs() -> bool:
        return eye.exec(project, "sh", "-c", "kill -0 $(cat /tmp/pid)")[0] == 0

    async def work(client: Client) -> None:
        assert (await call(client, "up", project=project))["ok"]
        given = {"project": project, "command": ["sh", "-c", script]}
        calling = asyncio.ensure_future(client.call_tool("exec", given))
        await until(runs)
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        await until(lambda: not runs())

    session.use(work)


def test_a_client_that_goes_away_leaves_nothing(
    session: Session, eye: Eye, folder: Path, project: str
) -> None:
    (folder / "server.js").write_text("setInterval(() => {}, 1000);\n")

    async def work(client: Client) -> None:
        calling = asyncio.ensure_future(client.call_tool("up", {"project": project}))
        await until(lambda: bool(eye.containers(project)))
        calling.cancel()

    session.use(work)
    asyncio.run(until(lambda: eye.everything(project) == ([], [])))


async def until(holds: Callable[[], bool], seconds: float = 30) -> None:
    """Waits for a condition."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


def test_without_an_engine_each_call_says_so(session: Session) -> None:
    async def work(client: Client) -> None:
        for _ in range(2):
            made = await call(client, "status")
            assert (made["error"]["code"], made["exit_code"]) == ("ENGINE_UNAVAILABLE", 4)
        assert (await call(client, "config_show"))["ok"]

    session.use(work, "--host", "tcp://127.0.0.1:9")


def test_an_engine_that_restarts_is_used_again(private: Private, folder: Path) -> None:
    async def work(client: Client) -> None:
        assert (await call(client, "network_ensure"))["ok"]
        for _ in range(2):
            private.engine.crash()
            made = await call(client, "status")
            assert made["error"]["code"] in ("ENGINE_UNAVAILABLE", "ENGINE_TIMEOUT"), made
            assert made["exit_code"] == 4
            private.engine.start()
            assert (await call(client, "status"))["ok"]
            assert (await call(client, "network_inspect"))["ok"]

    Session(private.run, folder).use(work)


HELLO = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18", "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stdout_is_the_protocol_alone_and_a_signal_ends_it(
    run: Program, folder: Path, number: signal.Signals
) -> None:
    server = subprocess.Popen(
        [program(), "mcp", "--json", "--verbose"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**run.env, "DEBUGHOST_OUTPUT": "json"}, cwd=folder, text=True,
    )  # fmt: skip
    assert server.stdin
    assert server.stdout
    for message in (
        HELLO,
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "status"}},
    ):
        server.stdin.write(json.dumps(message) + "\n")
        server.stdin.flush()
    answers = [json.loads(server.stdout.readline()) for _ in range(2)]
    assert {a["id"] for a in answers} == {1, 2}
    server.send_signal(number)
    out, err = server.communicate(timeout=20)
    assert (server.returncode, out) == (128 + number, ""), err
    assert "Traceback" not in err
