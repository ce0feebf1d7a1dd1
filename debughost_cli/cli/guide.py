"""``guide``."""

from __future__ import annotations

from typing import Annotated

import typer

from debughost_cli.cli.options import command
from debughost_cli.cli.output import Output
from debughost_cli.cli.session import Session
from debughost_cli.errors import Usage

TEXT = """\
debughost runs a project in one development container on a Docker Engine.

In the project's folder; from elsewhere with -w DIR (up) or -p ID (all others, more than once):
  debughost up --json                   install, start, wait until it listens; the URL
  debughost exec CMD...                 a command in its container, with its exit code
  debughost run CMD...                  the same in a container of its own: it need not run
  debughost logs --grep 'ERROR|WARN' --json
  debughost status --json               all projects: state, why they ended, what is out of date
  debughost restart --json              after a change of code that nothing watches
  debughost stop --json
  debughost rm shop api --volumes --json

Run "up" again after any other change: it starts what was stopped or has crashed, installs what the
manifest now asks for, and applies flags and configuration; where nothing changed, it does nothing.
It returns when the program is ready: no wait, status or logs is needed after it.

Type (node, python, php, static), command, dependencies and port are detected. Flags are kept until
they are given again; debughost.toml (debughost init) keeps them with the project:
  debughost up -p shop --type node --port 3100 -e DEBUG=1 -m 4g --json -- npm run dev
A program with a port of its own is published as it is; otherwise it listens on 0.0.0.0:$PORT.
Further ports: --publish 8025 (8026:8025: HOST:CONTAINER), in data.projects[0].ports.
A debugger in the program: up --debug, then debughost debug-config --json.
Projects reach each other by ID and by data.projects[0].ports[0].container_port of the other:
  debughost up -p web -e API_URL=http://api:5123 --json
All projects in the folders below, in order, each with the URLs of the others:
  debughost up --all --json

A database beside it: services = ["postgres:17"] in debughost.toml, then up again. The program gets
DATABASE_URL (REDIS_URL, ...); data stays over rm and up:
  debughost exec --service postgres psql -U postgres app

With --json stdout holds one document. One call tells all: read "ok", then data.projects[0] (url,
state, exit), or error.code, error.hint and error.details.log_tail, its last 20 lines. "next" lists
complete commands, the one that helps most first. The process's exit code tells the kind:
  0 done  2 wrong input  3 not found  4 engine  5 conflict  6 timed out  7 the project failed
  8 some of several failed  9 disk full  130 interrupted

Why is it not ready: debughost wait --for ready --timeout 5 --json, error.details.reason.
Does a page answer: debughost wait --for http=/health --timeout 30 --json.
One line a change: debughost events --json. What must be well in a script: status --check.

On an engine of another machine (url_host), url is valid there; "debughost forward" brings the port
here, until it is ended. "up" again sends what changed; what the program wrote comes back with
  debughost pull --json                 only what changed there; SYNC_CONFLICT where both did

The same commands as MCP tools: debughost mcp install claude (or cursor, vscode, codex).

When something is wrong: debughost doctor. All codes: debughost schema --errors. The shape of every
document: debughost schema COMMAND. Nothing ever asks a question with --json or off a terminal;
what needs a yes takes --yes.
"""

_SKILL = """\
---
name: debughost
description: Run this project, or any other, in a container. Use it to start, stop, restart, debug
  and observe a web application, its database and its tests, and to find out why it does not start.
---

# debughost

```text
{guide}
```
"""
"""A skill as agents read it: what it is for decides when it is read."""
_AGENTS = """\
## Running this project

This project runs in a container with `debughost`. Do not start its program on the host.

```text
{guide}
```
"""
_FORMATS = {"text": "{guide}\n", "skill": _SKILL, "agents": _AGENTS}


def register(app: typer.Typer) -> None:
    """Adds the command to the program."""
    app.command("guide")(command(guide))


def guide(
    session: Session,
    format_: Annotated[
        str,
        typer.Option(
            "--format", metavar="text|skill|agents",
            help="Also as a SKILL.md, or as a section of AGENTS.md.",
        ),
    ] = "text",
) -> Output:  # fmt: skip
    """Print one page for an agent that has never seen this program."""
    if format_ not in _FORMATS:
        raise Usage(f"--format cannot be {format_[:40]!r}", hint=f"Use {', '.join(_FORMATS)}")
    text = _FORMATS[format_].format(guide=TEXT.rstrip())
    return Output(data={"guide": text}, show=lambda: session.streams.out(text.rstrip()))
