"""What stands under the help of each command: examples, exit codes, where there is more."""

from __future__ import annotations

from collections.abc import Iterator

import typer
from typer.models import CommandInfo

LINK = "https://github.com/debughost/debughost#readme"

EXAMPLES: dict[str, tuple[str, ...]] = {
    "": ("debughost up", "debughost status", "debughost logs -f", "debughost stop"),
    "up": (
        "debughost up",
        "debughost up -p shop -w ~/shop --port 3100 -e DEBUG=1 -m 4g",
        "debughost up npm run dev -- --open",
    ),
    "start": ("debughost start", "debughost start shop api"),
    "stop": ("debughost stop", "debughost stop shop --timeout 30"),
    "restart": ("debughost restart", "debughost restart --all"),
    "rm": ("debughost rm shop --volumes", "debughost rm shop --if-exists"),
    "status": ("debughost status", "debughost status --watch", "debughost status shop --check"),
    "logs": ("debughost logs -f", "debughost logs shop --since 10m --grep 'ERROR|WARN'"),
    "wait": ("debughost wait --for http=/health --timeout 30", "debughost wait --for log=ready"),
    "exec": (
        "debughost exec npm test",
        "debughost exec -p shop -e CI=1 pytest -q",
        "debughost exec sh -c 'ls | wc -l'",
    ),
    "run": (
        "debughost run npm test",
        "debughost run -p shop -e CI=1 --timeout 300 pytest -q",
        "debughost run",
    ),
    "shell": ("debughost shell", "debughost shell shop --user root"),
    "debug-config": ("debughost debug-config vscode", "debughost debug-config neovim -p shop"),
    "events": ("debughost events --since 10m", "debughost events --json"),
    "sync": ("debughost sync", "debughost sync shop --once --json"),
    "pull": ("debughost pull --dry-run", "debughost pull src/generated", "debughost pull --delete"),
    "forward": ("debughost forward shop", "debughost forward --json"),
    "mcp install": ("debughost mcp install claude", "debughost mcp install codex --print"),
    "network ensure": ("debughost network ensure --subnet 172.30.0.0/16",),
    "volumes prune": ("debughost volumes prune --dry-run", "debughost volumes prune --yes"),
    "images build": ("debughost images build node --base my/node:24",),
    "images prune": ("debughost images prune --dry-run", "debughost images prune --yes"),
}
_EXIT_CODES = (
    "Exit codes: 0 done, 1 a defect or an answer not understood, 2 wrong input,",
    "  3 not found, 4 engine, 5 conflict, 6 timed out, 7 the project failed,",
    "  8 some of several failed, 9 disk full, 130 and 143 interrupted",
)
_OWN_EXIT_CODES = {
    "exec": ("Exit codes: the command's own; 125 not run, 126 not executable, 127 not found",),
    "run": (
        "Exit codes: the command's own; 125 not run, 126 not executable, 127 not found;",
        "  6 after --timeout; before it begins as 'up'",
    ),
    "shell": ("Exit codes: the shell's own",),
}


def add_epilogs(app: typer.Typer, *, pretty: bool) -> None:
    """Gives every command its examples; ``pretty``: as rich shows them."""
    for path, info in _commands(app):
        info.epilog = epilog(path, pretty=pretty)


def epilog(path: str, *, pretty: bool) -> str:
    """The text under the help of a command; the empty path is the program itself."""
    examples = EXAMPLES.get(path, ())
    lines = ["Examples:", *(f"  {line}" for line in examples)] if examples else []
    lines += [*_OWN_EXIT_CODES.get(path, _EXIT_CODES), f"More: {LINK}"]
    # Either has its own sign for a line that stays one.
    return "\n\n".join(lines) if pretty else "\b\n" + "\n".join(lines)


def _commands(app: typer.Typer) -> Iterator[tuple[str, CommandInfo]]:
    for info in app.registered_commands:
        yield info.name or "", info
    for group in app.registered_groups:
        for path, info in _commands(group.typer_instance) if group.typer_instance else ():
            yield f"{group.name} {path}", info
