"""``guide``."""

from __future__ import annotations

import typer

from debughost_cli.cli.options import command
from debughost_cli.cli.output import Output
from debughost_cli.cli.session import Session

TEXT = """\
debughost runs a project in one development container on a Docker Engine.

The usual round, in the project's folder (or with --workspace DIR):
  debughost up --json             make, start, wait until it listens; run again any time
  debughost status --json         state, CPU, memory, why it ended, what differs from the files
  debughost logs -n 50 --json     its output
  debughost exec -- npm test      a command in the container, with its exit code
  debughost stop --json           SIGTERM, then SIGKILL after 10 s
  debughost rm --json             remove the container; installed packages stay

The type (node, python, php, static), the command and the dependencies are detected. The program
must listen on 0.0.0.0:$PORT. Say otherwise with flags or a debughost.toml (debughost init):
  debughost up --project shop --type node --port 3100 -e DEBUG=1 -- npm run dev

With --json stdout holds one document: read "ok", then data.projects[0] or at error.code and
error.hint; "next" lists commands that make sense now. The process's exit code tells the kind:
  0 done  2 wrong input  3 not found  4 engine  5 conflict  6 timed out  7 the project failed
  8 some of several failed  9 disk full  130 interrupted

Waiting and watching:
  debughost wait --for http=/health --timeout 30
  debughost events --json         one line a change, with the reason
  debughost status --check        exit code 7 unless all run and are ready

When something is wrong: debughost doctor. All codes: debughost schema --errors. The shape of every
document: debughost schema COMMAND. Nothing ever asks a question with --json or off a terminal;
what needs a yes takes --yes.
"""


def register(app: typer.Typer) -> None:
    """Adds the command to the program."""
    app.command("guide")(command(guide))


def guide(session: Session) -> Output:
    """Print one page for an agent that has never seen this program."""
    return Output(data={"guide": TEXT}, show=lambda: session.streams.out(TEXT.rstrip()))
