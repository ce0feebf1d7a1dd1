"""The MCP server with the SDK's own client, over the engine in memory."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import jsonschema
import mcp_types as types
import pytest
from fakes import FakeEngine, exits, listens, never_listens
from fakes.fleet import FakeFleet
from mcp import Client
from mcp.shared.exceptions import MCPError
from pydantic import FileUrl

from cli.conftest import App, node_project
from debughost_cli.api import CancelToken, DebugHost, PhaseKind
from debughost_cli.cli.mcp_server.folders import Folders
from debughost_cli.cli.mcp_server.next_calls import next_calls
from debughost_cli.cli.mcp_server.progress import CallProgress
from debughost_cli.cli.mcp_server.server import Service, make_server
from debughost_cli.cli.mcp_server.tools import LEFT_OUT, TOOLS
from debughost_cli.errors import EngineUnavailable, Interrupted
from debughost_cli.render.schema import DATA

Work = Callable[[Client], Awaitable[Any]]


class Server:
    """The server in a workspace, as a client sees it; each ``use`` is a session."""

    def __init__(self, engine: FakeEngine, workspace: Path) -> None:
        self.engine, self.workspace = engine, workspace
        self.read_only = False
        self.make_host = lambda: DebugHost(engine=self.engine)

    def use(self, work: Work, **settings: Any) -> Any:
        async def session() -> Any:
            service = Service(
                self.make_host,
                Folders(self.workspace, []),
                read_only=self.read_only,
            )
            async with Client(make_server(service), **settings) as client:
                return await work(client)

        return asyncio.run(session())

    def __call__(self, tool: str, **given: Any) -> dict[str, Any]:
        """The document of one call."""
        return self.use(lambda client: document(client, tool, given))


async def document(client: Client, tool: str, given: dict[str, Any]) -> dict[str, Any]:
    result = await client.call_tool(tool, given)
    made = result.structured_content
    assert result.is_error is (made["error"] is not None)
    (content,) = result.content
    assert isinstance(content, types.TextContent)
    assert json.loads(content.text) == made
    jsonschema.validate(made, TOOLS[tool].output_schema)
    return made


async def refusal(client: Client, tool: str) -> str:
    """The protocol's error for a call."""
    with pytest.raises(MCPError) as refused:
        await client.call_tool(tool, {})
    return str(refused.value)


async def page(client: Client, uri: str) -> str:
    """The text of a resource."""
    (content,) = (await client.read_resource(uri)).contents
    assert isinstance(content, types.TextResourceContents)
    return content.text


@pytest.fixture
def server(engine: FakeEngine, workspace: Path) -> Server:
    engine.program = listens()
    return Server(engine, workspace)


def test_every_command_is_a_tool_or_left_out_for_a_reason() -> None:
    tools = {tool.command for tool in TOOLS.values()}
    assert tools | set(LEFT_OUT) == set(DATA) | {"mcp"}
    assert not tools & set(LEFT_OUT)


def test_the_tools_are_described(server: Server) -> None:
    listed = server.use(lambda client: client.list_tools()).tools
    assert [t.name for t in listed] == list(TOOLS)
    for tool in listed:
        assert tool.description
        assert not tool.description.startswith(" ")
        jsonschema.Draft202012Validator.check_schema(tool.input_schema)
        jsonschema.Draft202012Validator.check_schema(tool.output_schema)
        assert all(p.get("description") for p in tool.input_schema["properties"].values())
        for risky in ("allow_workspace", "allow_nested", "shared_cache", "env_file", "host"):
            assert risky not in tool.input_schema["properties"]
    hints = {t.name: t.annotations for t in listed}
    assert hints["status"].read_only_hint
    assert hints["rm"].destructive_hint
    assert not hints["rm"].read_only_hint
    assert hints["up"].idempotent_hint
    assert not hints["exec"].idempotent_hint


def test_read_only_serves_what_changes_nothing(server: Server) -> None:
    server.read_only = True
    listed = server.use(lambda client: client.list_tools()).tools
    assert {"status", "logs"} <= {t.name for t in listed}
    assert all(t.annotations.read_only_hint for t in listed)
    assert "no tool 'up'" in server.use(lambda client: refusal(client, "up"))


def test_the_document_is_the_one_of_the_command_line(server: Server, app: App) -> None:
    made = server("up", port=3100, env={"DEBUG": "1"}, memory="1g", cpus=1.5)
    assert made["ok"], made
    assert made["exit_code"] == 0
    assert made["data"]["projects"][0]["url"] == "http://127.0.0.1:3100"
    assert app("up", "--port", "3100", "--json").project["action"] == "unchanged"
    of_tool, of_command = server("status"), app("status", "--json").document
    assert set(of_tool) == set(of_command) | {"exit_code", "next_calls"}
    steady = ("uptime_seconds", "stats")
    for document_ in (of_tool, of_command):
        for key in steady:
            document_["data"]["projects"][0].pop(key)
    assert of_tool["data"] == of_command["data"]
    container = server.engine.container("shop")
    assert container.environment["DEBUG"] == "1"


def test_a_failure_is_the_error_of_the_tool(server: Server) -> None:
    server.engine.program = exits(3, "cannot find module express")
    made = server("up")
    assert (made["ok"], made["exit_code"]) == (False, 7)
    assert made["error"]["code"] == "CRASHED"
    assert made["error"]["hint"]
    assert "express" in json.dumps(made["error"]["details"]["log_tail"])
    assert made["next"][0] == "debughost logs -p shop"
    logs, again = made["next_calls"]
    assert logs == {"tool": "logs", "arguments": {"project": ["shop"]}}
    assert again["tool"] == "up"
    assert server(logs["tool"], **logs["arguments"])["ok"]
    server.engine.program = listens()
    assert server(again["tool"], **again["arguments"])["ok"]


@pytest.mark.parametrize(
    ("line", "call"),
    [
        (
            "debughost wait -p shop --for ready --timeout 120",
            ("wait", {"project": ["shop"], "for": "ready", "timeout": 120.0}),
        ),
        (
            "debughost up -p shop -w '/a b' --port 3001 -- npm run dev",
            ("up", {"project": "shop", "workspace": "/a b", "port": "3001",
                    "command": ["npm", "run", "dev"]}),
        ),
        ("debughost logs -p a -p b --json --after X",
         ("logs", {"project": ["a", "b"], "after": "X"})),
        ("debughost exec -p shop npm run migrate",
         ("exec", {"project": ["shop"], "command": ["npm", "run", "migrate"]})),
        ("debughost volumes prune --yes", ("volumes_prune", {"yes": True})),
        ("debughost stop -p shop --engine build",
         ("stop", {"project": ["shop"], "engine": "build"})),
        ("debughost up -p shop -e SECRET", None),
        ("debughost completion bash", None),
    ],
)  # fmt: skip
def test_a_line_of_next_as_a_call(line: str, call: tuple[str, dict[str, Any]] | None) -> None:
    expected = [] if call is None else [{"tool": call[0], "arguments": call[1]}]
    assert next_calls([line]) == expected
    for made in expected:
        jsonschema.validate(made["arguments"], TOOLS[str(made["tool"])].arguments.schema())


@pytest.mark.parametrize(
    ("tool", "given", "named"),
    [
        ("up", {"bogus": 1}, "bogus"),
        ("up", {"port": [3100]}, "$.port"),
        ("stop", {"project": {"a": 1}}, "$.project"),
        ("config_set", {"key": "port"}, "value"),
        ("up", {"type": "ruby"}, "ruby"),
        ("logs", {"tail": "many"}, "--tail"),
        ("up", {"all": True, "port": 3100}, "--all"),
        ("stop", {"group": True, "project": "shop"}, "--group"),
    ],
)
def test_wrong_arguments_are_an_error_with_a_hint(
    server: Server, tool: str, given: dict[str, Any], named: str
) -> None:
    made = server(tool, **given)
    assert (made["error"]["code"], made["exit_code"]) == ("USAGE", 2)
    assert named in made["error"]["message"]
    assert made["error"]["hint"]


def test_null_stands_for_what_is_not_given(server: Server) -> None:
    assert server("up", port=None, project=None, command=None)["ok"]


def test_an_unknown_tool_is_an_error_of_the_protocol(server: Server) -> None:
    answer = server.use(lambda client: refusal(client, "bogus"))
    assert "no tool 'bogus'; there are: up, " in answer


def test_a_service_is_added_and_shown(server: Server) -> None:
    made = server("config_set", key="services", value=["redis:7"])
    assert made["changed"]
    assert made["next"] == ["debughost up"]
    shown = server("config_show")["data"]["settings"]
    assert {"services.redis.image": "redis:7"}.items() <= {
        s["name"]: s["value"] for s in shown
    }.items()
    assert server("config_validate")["data"]["valid"]
    assert server("config_set", key="port", value=3100)["data"]["value"] == 3100
    assert server("config_set", key="isolated", value=True)["data"]["value"] is True


def test_logs_go_on_at_the_cursor(server: Server) -> None:
    server("up")
    ref = server.engine.container("shop").id
    server.engine.write_log(ref, "one", "two")
    made = server("logs", tail=1)
    assert [line["line"] for line in made["lines"]] == ["two"]
    server.engine.write_log(ref, "three")
    made = server("logs", after=made["data"]["cursor"], project="shop")
    assert [line["line"] for line in made["lines"]] == ["three"]
    server.engine.write_log(ref, *["x" * 1000] * 100)
    made = server("logs", tail="all")
    assert made["data"]["truncated"]
    assert len(json.dumps(made)) < 60_000
    assert server("logs", project="nobody")["lines"] == []


def test_events_end_after_a_time_or_a_number(server: Server) -> None:
    server("up")
    server("stop")
    made = server("events", since="1h", timeout=1)
    assert {"started", "stopped"} <= {line["event"] for line in made["lines"]}
    assert len(server("events", since="1h", timeout=30, limit=1)["lines"]) == 1
    assert len(server("events", since="1h", timeout=0)["lines"]) == 1


def test_exec_has_the_code_of_the_command(server: Server) -> None:
    from debughost_cli.engine.port import ExecResult

    server("up")
    server.engine.execs["ls", "-l"] = ExecResult(3, b"a file\n", b"")
    made = server("exec", command=["ls", "-l"])
    assert made["ok"]
    assert made["data"]["stdout"] == "a file\n"
    assert (made["data"]["exit_code"], made["exit_code"]) == (3, 3)


def test_a_call_names_an_engine_of_the_user(
    engine: FakeEngine, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = FakeFleet("local", "build")
    fleet.write(tmp_path / "config" / "debughost" / "config.toml")
    monkeypatch.setenv("DOCKER_HOST", fleet.url("local"))
    server = Server(engine, workspace)
    server.make_host = lambda: DebugHost(connect=fleet.connect)
    server.engine.program = fleet["build"].program = listens()

    async def work(client: Client) -> list[dict[str, Any]]:
        calls: list[tuple[str, dict[str, Any]]] = [
            ("up", {"engine": "build"}),
            ("status", {"engine": "local"}),
            ("stop", {"project": "shop"}),
            ("events", {"engine": "build", "timeout": 0.1}),
            ("status", {"engine": "ssh://elsewhere"}),
            ("status", {"engine": "build", "all_engines": True}),
        ]
        return [await document(client, tool, given) for tool, given in calls]

    up, none, stopped, events, address, both = server.use(work)
    assert up["engine"]["endpoint"] == events["engine"]["endpoint"] == fleet.url("build")
    assert none["data"]["projects"] == []
    assert stopped["data"]["projects"][0]["engine"] == "build"
    given = [call["arguments"] for call in stopped["next_calls"]]
    assert {"engine": "build", "project": ["shop"]} in given
    assert address["error"]["code"] == "CONTEXT_NOT_FOUND"
    assert both["error"]["code"] == "USAGE"
    without = {t.name for t in TOOLS.values() if not any(a.name == "engine" for a in t.arguments)}
    assert without == {"init", "config_show", "config_validate", "config_set", "engines_ls"}


def test_what_needs_a_yes_takes_it(server: Server) -> None:
    server("up")
    made = server("rm", all=True)
    assert made["error"]["code"] == "CONFIRMATION_REQUIRED"
    assert server("rm", all=True, yes=True)["ok"]


def test_groups(server: Server) -> None:
    for name in ("api", "web"):
        node_project(server.workspace / name)
    (server.workspace / "debughost.workspace.toml").write_text('members = ["api", "web"]')
    made = server("up", all=True)
    assert [p["project"] for p in made["data"]["projects"]] == ["api", "web"], made
    stopped = server("stop", group=True)["data"]["projects"]
    assert [p["state"] for p in stopped] == ["stopped", "stopped"]


def test_progress_is_reported(server: Server) -> None:
    heard: list[tuple[float, str | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, message))

    server.use(lambda client: client.call_tool("up", {}, progress_callback=hear))
    assert [number for number, _ in heard] == list(range(1, len(heard) + 1))
    assert any("Creating container" in text for _, text in heard)


def test_a_cancelled_call_leaves_nothing(server: Server) -> None:
    server.engine.program = never_listens()

    async def work(client: Client) -> None:
        begun = asyncio.Event()

        async def hear(progress: float, total: float | None, message: str | None) -> None:
            if "Waiting until" in (message or ""):
                begun.set()

        call = asyncio.ensure_future(client.call_tool("up", {}, progress_callback=hear))
        await asyncio.wait_for(begun.wait(), 20)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        for _ in range(100):
            found = await document(client, "status", {})
            if not found["data"]["projects"]:
                break
            await asyncio.sleep(0.1)
        assert found["data"]["projects"] == []

    server.use(work)


def test_calls_run_side_by_side(server: Server) -> None:
    for name in ("api", "web", "admin"):
        node_project(server.workspace.parent / name)

    async def work(client: Client) -> None:
        places = [server.workspace / n for n in ("a", "b", "c")]
        for place in places:
            node_project(place)
        ups = [document(client, "up", {"workspace": str(p)}) for p in places]
        reads = [document(client, "status", {}) for _ in range(10)]
        made = await asyncio.gather(*ups, *reads)
        assert all(m["ok"] for m in made)
        assert len((await document(client, "status", {}))["data"]["projects"]) == 3

    server.use(work)


def test_an_engine_that_went_away_and_came_back(server: Server) -> None:
    server("up")

    async def work(client: Client) -> None:
        server.engine.fail("containers.list", EngineUnavailable("gone"), times=1)
        made = await document(client, "status", {})
        assert (made["error"]["code"], made["exit_code"]) == ("ENGINE_UNAVAILABLE", 4)
        assert made["error"]["retryable"]
        assert (await document(client, "status", {}))["ok"]

    server.use(work)


def test_a_defect_does_not_end_the_server(server: Server) -> None:
    async def work(client: Client) -> None:
        server.engine.fail("containers.list", ZeroDivisionError("x"), times=1)
        made = await document(client, "status", {})
        assert (made["error"]["code"], made["exit_code"]) == ("INTERNAL", 1)
        assert (await document(client, "status", {}))["ok"]

    server.use(work)


def test_a_folder_outside_is_refused_whatever_leads_there(server: Server) -> None:
    outside = node_project(server.workspace.parent / "outside")
    (server.workspace / "link").symlink_to(outside)
    for place in (str(outside), "../outside", "link", "/etc"):
        made = server("up", workspace=place)
        assert made["error"]["code"] == "INVALID_WORKSPACE", made
        assert "--root" in made["error"]["hint"]
    assert server.engine.stored_containers == {}
    assert not server("init", workspace=str(outside))["ok"]
    assert not (outside / "debughost.toml").exists()


def test_without_a_folder_ids_will_do(server: Server) -> None:
    server("up")
    server.workspace = Path("/")
    assert server("status")["ok"]
    assert server("stop", project="shop")["ok"]
    made = server("up", project="shop")
    assert made["error"]["code"] == "INVALID_WORKSPACE"
    assert "--root" in made["error"]["hint"]


def test_a_name_that_is_not_text_does_not_end_the_connection(server: Server) -> None:
    folder = Path(os.fsdecode(os.fsencode(server.workspace) + b"/caf\xe9"))
    node_project(folder)
    server.workspace = folder

    async def work(client: Client) -> None:
        made = await document(client, "config_show", {})
        assert "caf" in json.dumps(made)
        assert (await document(client, "status", {}))["ok"]

    server.use(work)


def test_a_build_ends_when_it_is_cancelled_and_its_rollback_does_not() -> None:
    token = CancelToken()
    progress = CallProgress(lambda: None, token, wants_output=True)
    progress.phase(PhaseKind.BUILD, "Building")
    progress.detail("Step 1")
    progress.detail("Step 2")
    assert progress.take() == [(1, "Building"), (2, "Building: Step 2")]
    token.cancel()
    with pytest.raises(Interrupted):
        progress.detail("Step 3")
    progress.phase(PhaseKind.ROLLBACK, "Undoing")
    progress.detail("Removed")
    assert [text for _, text in progress.take()][-1] == "Undoing: Removed"


def test_the_roots_of_the_client_may_be_used(server: Server) -> None:
    outside = node_project(server.workspace.parent / "outside folder")

    async def roots(_: Any) -> types.ListRootsResult:
        return types.ListRootsResult(roots=[types.Root(uri=FileUrl(outside.as_uri()))])

    made = server.use(
        lambda client: document(client, "up", {}), list_roots_callback=roots, mode="legacy"
    )
    assert made["data"]["projects"][0]["workspace"] == str(outside), made


def test_the_guide_is_a_resource(server: Server) -> None:
    async def work(client: Client) -> None:
        listed = [str(r.uri) for r in (await client.list_resources()).resources]
        assert listed == ["debughost://guide", "debughost://errors"]
        assert "debughost up" in await page(client, "debughost://guide")
        codes = json.loads(await page(client, "debughost://errors"))
        assert "NOT_READY" in {row["code"] for row in codes}
        with pytest.raises(MCPError, match="no resource"):
            await client.read_resource("debughost://bogus")

    server.use(work)
    assert "config_set" in server.use(instructions)


def test_calls_at_the_same_moment_wait_for_the_roots(server: Server) -> None:
    outside = node_project(server.workspace.parent / "outside")

    async def roots(_: Any) -> types.ListRootsResult:
        await asyncio.sleep(0.2)
        return types.ListRootsResult(roots=[types.Root(uri=FileUrl(outside.as_uri()))])

    async def work(client: Client) -> None:
        calls = [document(client, "config_show", {}) for _ in range(3)]
        found = {m["data"]["workspace"] for m in await asyncio.gather(*calls)}
        assert found == {str(outside)}

    server.use(work, list_roots_callback=roots, mode="legacy")


async def instructions(client: Client) -> str | None:
    return client.instructions
