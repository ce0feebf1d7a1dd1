"""The server: the SDK on one side, calls in threads of their own on the other."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from contextlib import suppress

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError
from msgspec import Struct

from debughost_cli import __version__
from debughost_cli.api import CancelToken, DebugHost, preload
from debughost_cli.cli.guide import TEXT
from debughost_cli.cli.mcp_server.call import Call
from debughost_cli.cli.mcp_server.folders import Folders
from debughost_cli.cli.mcp_server.progress import CallProgress
from debughost_cli.cli.mcp_server.tools import TOOLS, Tool
from debughost_cli.cli.output import Document
from debughost_cli.errors import Interrupted
from debughost_cli.render.json import dumps, pretty
from debughost_cli.render.schema import errors_table

Context = ServerRequestContext

_MOST_CALLS = 32
"""At the same time; more wait for one to end."""
_PAUSE = 0.1
"""Seconds between two progress notifications of one call."""
_ROOTS_TIMEOUT = 5.0
INSTRUCTIONS = """\
debughost runs a project in a development container on a Docker Engine. 'up' installs, starts and
waits until the program listens; it returns the URL, or why it failed: read ok, then
data.projects[0], or error.code, error.hint and error.details.log_tail. "next_calls" are the calls
that help, the best first; 'debughost logs -p shop' in a hint is logs with {"project": "shop"}.
After an edit of code that nothing watches call restart, after any other change up. A database:
config_set with key services and value ["postgres:17"], then up. debughost://guide has more.
"""
_RESOURCES = {
    "debughost://guide": ("guide", "How to use debughost, on one page", "text/plain"),
    "debughost://errors": ("errors", "Every error code and its meaning", "application/json"),
}


class Service:
    """What all calls share. ``read_only``: serve the tools that change nothing alone."""

    def __init__(
        self, make_host: Callable[[], DebugHost], folders: Folders, *, read_only: bool
    ) -> None:
        self._make_host = make_host
        self._host = make_host()
        self._folders = folders
        self._tools = {n: t for n, t in TOOLS.items() if t.reads_only or not read_only}
        self._free = asyncio.Semaphore(_MOST_CALLS)
        self._has_roots = False
        self._reading_roots = asyncio.Lock()

    async def list_tools(self, _: Context, __: object) -> types.ListToolsResult:
        """Every tool with its schemas and hints."""
        return types.ListToolsResult(tools=self._described())

    async def list_resources(self, _: Context, __: object) -> types.ListResourcesResult:
        """The pages."""
        return types.ListResourcesResult(
            resources=[
                types.Resource(uri=uri, name=name, description=text, mime_type=kind)
                for uri, (name, text, kind) in _RESOURCES.items()
            ]
        )

    async def read_resource(
        self, _: Context, params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        """One of them."""
        if params.uri not in _RESOURCES:
            raise MCPError(types.INVALID_PARAMS, f"there is no resource {params.uri[:80]!r}")
        name, _text, kind = _RESOURCES[params.uri]
        text = TEXT if name == "guide" else pretty(errors_table())
        content = types.TextResourceContents(uri=params.uri, mime_type=kind, text=text)
        return types.ReadResourceResult(contents=[content])

    async def call_tool(
        self, ctx: Context, params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        """The command's document. A failure of it is the tool's, not one of the protocol."""
        tool = self._tools.get(params.name)
        if tool is None:
            known = ", ".join(self._tools)
            raise MCPError(
                types.INVALID_PARAMS, f"there is no tool {params.name[:80]!r}; there are: {known}"
            )
        if tool.with_workspace:
            await self._read_roots(ctx)
        async with self._free:
            made = await self._in_thread(ctx, tool, params.arguments or {})
        return types.CallToolResult(
            content=[types.TextContent(type="text", text=dumps(made))],
            structured_content=made,
            is_error=not made["ok"],
        )

    async def forget_roots(self, _: Context, __: object) -> None:
        """The client opened or closed a folder."""
        self._has_roots = False

    def prepare(self) -> None:
        """What the first calls need, which takes longer than they do."""
        self._described()
        preload()

    def _described(self) -> list[types.Tool]:
        return [_described(tool) for tool in self._tools.values()]

    def close(self) -> None:
        """Closes the connections to the engine."""
        self._host.close()

    async def _read_roots(self, ctx: Context) -> None:
        """Requests the folders that are open in the client, if it knows any."""
        known = ctx.session.client_capabilities
        if not (known and known.roots and ctx.session.can_send_request):
            return
        async with self._reading_roots:
            if self._has_roots:
                return
            self._has_roots = True
            with suppress(MCPError, ValueError):
                found = await ctx.session.send_request(
                    types.ListRootsRequest(), types.ListRootsResult, _ROOTS_TIMEOUT
                )
                self._folders.open_in_client([str(root.uri) for root in found.roots])

    async def _in_thread(self, ctx: Context, tool: Tool, given: Document) -> Document:
        """A cancelled call is waited for: it removes what it has half made."""
        loop, news, token = asyncio.get_running_loop(), asyncio.Event(), CancelToken()
        wants = bool(ctx.meta and "progress_token" in ctx.meta)
        progress = CallProgress(lambda: _from_thread(loop, news.set), token, wants_output=wants)
        call = Call(tool, given, self._host, self._make_host, self._folders, progress, token)
        done = _started(loop, call.run)
        sending = asyncio.ensure_future(_send(ctx, progress, news))
        try:
            made = await asyncio.shield(done)
        except asyncio.CancelledError:
            token.cancel()
            with anyio.CancelScope(shield=True):
                await asyncio.wait([done])
            if not done.cancelled():
                done.exception()
            raise
        finally:
            sending.cancel()
        await _report(ctx, progress)
        return made


def _started(
    loop: asyncio.AbstractEventLoop, work: Callable[[], Document]
) -> asyncio.Future[Document]:
    """The result of ``work`` in a thread, which does not keep the process from ending."""
    future: asyncio.Future[Document] = loop.create_future()

    def run() -> None:
        try:
            made = work()
        except BaseException as exc:
            error = RuntimeError("cancelled") if isinstance(exc, Interrupted) else exc
            _from_thread(loop, lambda: future.set_exception(error))
        else:
            _from_thread(loop, lambda: future.set_result(made))

    threading.Thread(target=run, daemon=True).start()
    return future


def _from_thread(loop: asyncio.AbstractEventLoop, work: Callable[[], object]) -> None:
    with suppress(RuntimeError):  # The loop has ended.
        loop.call_soon_threadsafe(work)


async def _send(ctx: Context, progress: CallProgress, news: asyncio.Event) -> None:
    while True:
        await news.wait()
        news.clear()
        await _report(ctx, progress)
        await asyncio.sleep(_PAUSE)


async def _report(ctx: Context, progress: CallProgress) -> None:
    for number, text in progress.take():
        await ctx.session.report_progress(number, None, text)


def _described(tool: Tool) -> types.Tool:
    hints = types.ToolAnnotations(
        read_only_hint=tool.reads_only,
        destructive_hint=tool.destructive,
        idempotent_hint=tool.idempotent or tool.reads_only,
        open_world_hint=False,
    )
    return types.Tool(
        name=tool.name,
        title=f"debughost {tool.command}",
        description=tool.description,
        input_schema=tool.arguments.schema(),
        output_schema=tool.output_schema,
        annotations=hints,
    )


class _Ending(Struct):
    signum: int = 0


def make_server(service: Service) -> Server:
    """The SDK's server with our handlers."""
    server: Server = Server(
        "debughost",
        version=__version__,
        instructions=INSTRUCTIONS,
        on_list_tools=service.list_tools,
        on_call_tool=service.call_tool,
        on_list_resources=service.list_resources,
        on_read_resource=service.read_resource,
    )
    server.add_notification_handler(
        "notifications/roots/list_changed", types.NotificationParams, service.forget_roots
    )
    # Each message would be traced.
    server.middleware.clear()
    return server


def serve(make_host: Callable[[], DebugHost], folders: Folders, *, read_only: bool) -> None:
    """Serves one client on stdin and stdout until it goes away. Raises Interrupted on a signal."""
    ending = _Ending()
    asyncio.run(_serve(make_host, folders, read_only, ending))
    if ending.signum:
        raise Interrupted(ending.signum)


async def _serve(
    make_host: Callable[[], DebugHost], folders: Folders, read_only: bool, ending: _Ending
) -> None:
    service = Service(make_host, folders, read_only=read_only)
    server = make_server(service)
    # While the client introduces itself.
    threading.Thread(target=service.prepare, daemon=True).start()
    try:
        with anyio.CancelScope() as scope:
            _end_on_signals(scope, ending)
            async with stdio_server() as (read, write):
                await server.run(read, write, server.create_initialization_options())
    finally:
        service.close()


def _end_on_signals(scope: anyio.CancelScope, ending: _Ending) -> None:
    """The first signal cancels all calls, which then clean up; a second one ends it at once."""
    loop = asyncio.get_running_loop()

    def end(number: int) -> None:
        ending.signum = number
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_DFL)
        scope.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, end, number)
