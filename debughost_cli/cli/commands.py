"""The commands by name. One is loaded when it is used: to list them, its line here is enough."""

from __future__ import annotations

from importlib import import_module

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

from debughost_cli.cli.epilog import add_epilogs

COMMANDS = {
    "up": ("up", "Create what is missing, start it, wait until it listens, print the URL."),
    "start": (
        "lifecycle",
        "Bring existing projects up again, with their flags; here alone it is up.",
    ),
    "stop": (
        "lifecycle",
        "Send SIGTERM, then SIGKILL after a timeout; print which of the two ended it.",
    ),
    "restart": ("lifecycle", "Stop, then start with the current configuration."),
    "rm": (
        "lifecycle",
        "Stop gracefully, then remove the container; volumes only when requested.",
    ),
    "status": ("status", "Show state, CPU, memory, port and uptime, and why something ended."),
    "logs": (
        "logs",
        "Print a project's output, as it wrote it: stdout to stdout, stderr to stderr.",
    ),
    "wait": ("wait", "Wait for a condition; fail at once when it can no longer come true."),
    "exec": ("exec", "Run a command in the container: its input, its output, its exit code."),
    "run": (
        "exec",
        "Run a command in a container of its own, removed afterwards; the project need not run.",
    ),
    "shell": ("exec", "Open a shell in the container: bash where there is one, else sh."),
    "debug-config": (
        "debug_config",
        "Print what an editor needs to debug a project that was started with --debug.",
    ),
    "open": ("open", "Open a project's page in the browser, and print its URL."),
    "rename": (
        "open",
        "Give a project another id, and keep its data, packages, port, flags and state.",
    ),
    "move": (
        "move",
        "Bring a project to another engine; the old one is removed when the new one is ready.",
    ),
    "events": ("events", "Print state changes as they happen, with their reason, until Ctrl-C."),
    "forward": (
        "forward",
        "Forward a remote project's ports to the same ports of this machine, until Ctrl-C.",
    ),
    "sync": (
        "sync",
        "Bring each change of the files to the project on another machine, until Ctrl-C.",
    ),
    "pull": ("pull", "Fetch what the program wrote into its files on another machine."),
    "doctor": ("doctor", "Find out what is wrong with this machine, and how to fix it."),
    "init": ("config", "Write a commented debughost.toml from what is detected."),
    "schema": (
        "schema",
        "Print the JSON Schema of what a command, or each one of a group, prints with --json.",
    ),
    "guide": ("guide", "Print one page for an agent that has never seen this program."),
    "mcp": ("mcp", "The same commands as MCP tools over stdio, for agents."),
    "completion": ("completion", "Print the completion script for a shell."),
    "network": ("network", "The network that all projects share."),
    "volumes": ("volumes", "The volumes that hold installed packages."),
    "images": ("images", "The base images, one for each type."),
    "engines": ("engines", "The engines that this user works with."),
    "config": ("config", "The configuration of the project in a folder."),
}
"""Each command with its module under ``cli`` and its help, in the order in which --help lists them.
A test compares the help with the command's own."""

ALIASES = {"down": "rm", "ps": "status", "ls": "status"}
"""What hands that know docker and compose type; ``help`` becomes ``--help``."""

SIMILAR = {
    "attach": "logs -f",
    "bash": "shell",
    "browse": "open",
    "build": "images build",
    "clean": "volumes prune",
    "create": "up",
    "delete": "rm",
    "destroy": "rm",
    "kill": "stop",
    "launch": "up",
    "list": "status",
    "new": "init",
    "prune": "volumes prune",
    "remove": "rm",
    "sh": "shell",
    "ssh": "shell",
    "stats": "status",
    "tail": "logs -f",
    "top": "status --watch",
    "validate": "config validate",
}
"""What other programs call it: the suggestion for these words is not what is spelled alike."""


class Program(TyperGroup):
    """The commands of the table; the one that is used is replaced by itself, loaded."""

    def __init__(self, **settings: object) -> None:
        super().__init__(**settings)  # type: ignore[arg-type]  # Typer's own, passed through
        for name, (_, text) in COMMANDS.items():
            self.add_command(TyperCommand(name, help=text))

    def resolve_command(  # type: ignore[override]  # its contexts are all of Typer's class
        self, ctx: typer.Context, args: list[str]
    ) -> tuple[str | None, TyperCommand | TyperGroup | None, list[str]]:
        """The command that the arguments begin with, loaded, and the rest of them."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, self.load(name) if name else None, rest

    def load(self, name: str) -> TyperCommand | TyperGroup:
        """The command itself, with what stands under its help."""
        pretty = self.rich_markup_mode == "rich"
        app = typer.Typer(rich_markup_mode=self.rich_markup_mode)
        import_module(f"debughost_cli.cli.{COMMANDS[name][0]}").register(app)
        add_epilogs(app, pretty=pretty)
        found = get_group(app).commands[name]
        assert isinstance(found, TyperCommand | TyperGroup)
        return found
