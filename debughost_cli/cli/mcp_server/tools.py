"""The tools: the commands, with what a client should know before it calls one.

Of each command the function that Typer calls is called, so that a tool takes the same options, and
returns the same document. Left out are what needs a terminal, and what only a person may decide on:
to use a folder that exposes the host, to share packages with other projects, to pass on a variable
or a file of this machine.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cached_property
from importlib import import_module

from msgspec import Struct

from debughost_cli.cli.mcp_server.arguments import WORKSPACE, Argument, Arguments
from debughost_cli.cli.output import Output
from debughost_cli.render.schema import LINES, command_schema


class Tool(Struct, frozen=True, dict=True):
    """A command as a tool. ``place``: where its function is. ``about``: where the command's help
    speaks of what only a terminal has.

    ``own_connection``: it reads a stream of the engine to which nothing else should be sent.
    """

    command: str
    place: str
    reads_only: bool = False
    destructive: bool = False
    idempotent: bool = True
    without: tuple[str, ...] = ()
    defaults: Mapping[str, object] = {}
    extra: tuple[Argument, ...] = ()
    with_workspace: bool = True
    with_engine: bool = True
    own_connection: bool = False
    about: str = ""

    @property
    def name(self) -> str:
        """The command's, as far as a name of a tool may hold it."""
        return self.command.replace(" ", "_").replace("-", "_")

    @property
    def function(self) -> Callable[..., Output]:
        """What Typer calls for the command, with the session first."""
        module, _, name = self.place.partition(".")
        found: Callable[..., Output] = getattr(import_module(f"debughost_cli.cli.{module}"), name)
        return found

    @property
    def description(self) -> str:
        """The command's help, unless it has a text of its own."""
        return self.about or (self.function.__doc__ or "").strip()

    @property
    def is_stream(self) -> bool:
        """Whether the command prints lines before its document."""
        return self.command in ("logs", "events")

    @cached_property
    def has_workspace(self) -> bool:
        """Whether the command itself takes a folder, in place of the current one."""
        return WORKSPACE in inspect.signature(self.function).parameters

    @cached_property
    def arguments(self) -> Arguments:
        """What it takes."""
        return Arguments(
            self.name,
            self.function,
            (*self.without, WORKSPACE),
            self.extra,
            with_workspace=self.with_workspace,
            with_engine=self.with_engine,
        )

    @cached_property
    def output_schema(self) -> dict[str, object]:
        """Of the command's document, and of what a tool adds to it."""
        made = command_schema(self.command)
        added: dict[str, object] = {
            "exit_code": {"type": "integer"},
            "next_calls": {"type": "array", "items": _CALL},
        }
        if self.is_stream:
            line = {"$ref": f"#/$defs/{LINES[self.command][0].__name__}"}
            added |= {"lines": {"type": "array", "items": line}}
        properties = {k: v for k, v in made["properties"].items() if k != "type"} | added
        shown = {k: v for k, v in made.items() if k not in ("$comment", "title")}
        return shown | {"properties": properties, "required": [*made["required"], *added]}


_CALL = {
    "type": "object",
    "properties": {"tool": {"type": "string"}, "arguments": {"type": "object"}},
    "required": ["tool", "arguments"],
}
_RISKY = ("allow_workspace", "allow_nested", "shared_cache", "env_file")
_TERMINAL = ("tty", "interactive")
_OUTPUT = {"max_bytes": "64k"}
"""What fits into the context of a model, and not the 1 MiB of the command line."""
_EVENTS = (
    Argument(
        "timeout", "timeout", float, "Seconds to wait for events; 0: until the first one.",
        default=10, is_option=False,
    ),
    Argument("limit", "limit", int, "Ends after so many events.", default=100, is_option=False),
)  # fmt: skip

TOOLS: Mapping[str, Tool] = {
    tool.name: tool
    for tool in (
        Tool("up", "up.up", without=(*_RISKY, "watch")),
        Tool("start", "lifecycle.start"),
        Tool("stop", "lifecycle.stop", destructive=True),
        Tool("restart", "lifecycle.restart", destructive=True, idempotent=False),
        Tool("rm", "lifecycle.rm", destructive=True),
        Tool("status", "status.status", reads_only=True, without=("watch", "interval")),
        Tool(
            "logs", "logs.logs", reads_only=True, without=("follow", "timestamps"),
            defaults={"max_bytes": "40000"},
            about="A project's output, the newest lines; 'after' a cursor, only what is new.",
        ),
        Tool("wait", "wait.wait", reads_only=True),
        Tool(
            "events", "events.events", reads_only=True, extra=_EVENTS,
            own_connection=True,
            about="State changes with their reason, for a time or up to a number of them.",
        ),
        Tool(
            "exec", "exec.exec_", destructive=True, idempotent=False, without=_TERMINAL,
            defaults=_OUTPUT,
        ),
        Tool(
            "run", "exec.run", destructive=True, idempotent=False, without=_TERMINAL,
            defaults=_OUTPUT,
        ),
        Tool(
            "open", "open.open_", reads_only=True, without=("print_",),
            about="The URL of the page of a project that runs.",
        ),
        Tool("debug-config", "debug_config.debug_config", reads_only=True),
        Tool("pull", "pull.pull", destructive=True),
        Tool("move", "move.move", destructive=True, idempotent=False, without=("force",)),
        Tool("rename", "open.rename", idempotent=False),
        Tool("init", "config.init", idempotent=False, without=("file",), with_engine=False),
        Tool("config show", "config.show", reads_only=True, with_engine=False),
        Tool("config validate", "config.validate", reads_only=True, with_engine=False),
        Tool("config set", "config.set_", with_engine=False),
        Tool("doctor", "doctor.doctor", reads_only=True),
        Tool(
            "engines ls", "engines.ls", reads_only=True, with_workspace=False, with_engine=False
        ),
        Tool("network ensure", "network.ensure", with_workspace=False),
        Tool("network inspect", "network.inspect", reads_only=True, with_workspace=False),
        Tool("volumes ls", "volumes.ls", reads_only=True, with_workspace=False),
        Tool("volumes prune", "volumes.prune", destructive=True, with_workspace=False),
        Tool("images ls", "images.ls", reads_only=True, with_workspace=False),
        Tool("images build", "images.build", without=("base",)),
    )
}  # fmt: skip
"""The tools by name."""

LEFT_OUT = {
    "shell": "needs a terminal; exec takes each command",
    "sync": "lasts until it is interrupted; 'up' brings the files there once",
    "forward": "lasts until it is interrupted, and is for the machine of a person",
    "engines forget": "a person knows whether another engine is meant",
    "network rm": "nothing is left over without it",
    "images pull": "for a person to decide, it takes gigabytes",
    "images prune": "for a person to decide",
    "schema": "each tool has its own",
    "guide": "a resource",
    "completion": "for shells",
    "mcp": "what serves the tools",
    "mcp install": "for a person",
}
"""The other commands, and why they are none."""
