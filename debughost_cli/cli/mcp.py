"""``mcp`` and ``mcp install``."""

from __future__ import annotations

import shlex
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from debughost_cli.cli.options import (
    Workspace,
    apply_common_options,
    command,
    with_common_options,
)
from debughost_cli.cli.output import Output
from debughost_cli.cli.session import Session
from debughost_cli.errors import InvalidWorkspace, NotInstalled, Usage
from debughost_cli.render.streams import inline


def register(app: typer.Typer) -> None:
    """Adds the group to the program."""
    made = typer.Typer(help="The same commands as MCP tools over stdio, for agents.")
    made.callback(invoke_without_command=True)(with_common_options(serve))
    made.command("install")(command(install))
    app.add_typer(made, name="mcp")


def serve(
    ctx: typer.Context,
    root: Annotated[
        list[Path] | None,
        typer.Option(
            "--root", metavar="DIR", show_default=False,
            help="A folder that may be used, with all below it; may be given more than once.",
        ),
    ] = None,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Only the tools that change nothing.")
    ] = False,
    **values: object,
) -> None:  # fmt: skip
    """The same commands as MCP tools over stdio, for agents."""
    session: Session = ctx.obj
    session.command = ctx.command_path.removeprefix("debughost ")
    apply_common_options(session, values)
    if ctx.invoked_subcommand is not None:
        return
    session.is_parsed = True
    if not _has_sdk():
        raise NotInstalled(
            "the MCP server needs the package 'mcp' 2, which is not installed",
            hint=f"Install it with: {install_command(Path(sys.prefix))}",
            details={"extra": "mcp"},
        )
    from debughost_cli.api import DebugHost
    from debughost_cli.cli.mcp_server.folders import Folders
    from debughost_cli.cli.mcp_server.server import serve as run

    folders = Folders(session.host.config.folder, root or [])
    # From here on stdout is the protocol's.
    session.options.json = False
    options = session.options

    def make_host() -> DebugHost:
        return DebugHost(
            host=options.host,
            context=options.context,
            environ=session.environ,
            engine=session.given_engine or options.engine,
        )

    if session.streams.is_interactive():
        session.streams.talk("Serving MCP on stdin and stdout, which a client starts by itself")
    run(make_host, folders, read_only=read_only)


def install(
    session: Session,
    client: Annotated[
        str, typer.Argument(metavar="claude|cursor|vscode|codex", help="The client.")
    ],
    workspace: Workspace = None,
    print_: Annotated[
        bool, typer.Option("--print", help="Print the entry, and write nothing.")
    ] = False,
) -> Output:
    """Write the server into a client's configuration; all else in the file stays."""
    from debughost_cli.cli.mcp_server.clients import clients, install

    known = clients(session.environ)
    chosen = known.get(client)
    if chosen is None:
        raise Usage(f"there is no client {client[:40]!r}", hint=f"Use {', '.join(known)}")
    folder = workspace or session.host.config.folder
    if not folder.is_dir():
        raise InvalidWorkspace(f"there is no folder {folder}", hint="Create it, or name another")
    text, file, changed = chosen.snippet(), folder / chosen.file, False
    if not print_:
        file, changed = install(chosen, folder)
    if not _has_sdk():
        session.progress.warn("NOT_INSTALLED", f"first run: {install_command(Path(sys.prefix))}")
    done = f"Wrote {file}" if changed else f"{file} has it already"
    return Output(
        data={"client": client, "file": str(file), "entry": text, "written": changed},
        changed=changed,
        show=lambda: session.streams.out(text.rstrip() if print_ else inline(done)),
    )


def _has_sdk() -> bool:
    """Version 1 has no such module, and no server of this kind."""
    return find_spec("mcp_types") is not None


def install_command(prefix: Path) -> str:
    """What adds the extra to this installation, by what installed it: uv, pipx, else pip."""
    wanted = "debughost-cli[mcp]"
    if (prefix / "uv-receipt.toml").is_file():
        return shlex.join(["uv", "tool", "install", "--force", wanted])
    if (prefix / "pipx_metadata.json").is_file():
        return shlex.join(["pipx", "install", "--force", wanted])
    return shlex.join([sys.executable, "-m", "pip", "install", wanted])
