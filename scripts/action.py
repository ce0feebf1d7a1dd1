"""The step of action.yml that brings a project up; needs nothing but Python 3.8.

Its inputs are ``INPUT_*`` variables. What it finds goes to the files that GitHub names, and whoever
reads the log of the job sees why a project did not come up.
"""

import json
import os
import re
import secrets
import shlex
import subprocess
import sys
from pathlib import Path

LINES = "200"
"""How much of a project's output is shown where it did not come up."""


def main() -> int:
    """Brings the project up. Returns the exit code of ``debughost up``."""
    try:
        command = ["debughost", "up", "--json", *arguments()]
    except ValueError as exc:
        say("::error title=debughost::" + escaped(f"args: {exc}"))
        return 2
    done = subprocess.run(command, stdout=subprocess.PIPE, encoding="utf-8", check=False)
    try:
        document = json.loads(done.stdout)
    except ValueError:
        say(f"::error title=debughost::debughost up ended with exit code {done.returncode}")
        return done.returncode or 1
    project = (document["data"].get("projects") or [{}])[0]
    error = document["error"]
    outputs = {"url": project.get("url"), "port": project.get("port"), "id": project.get("project")}
    write("GITHUB_OUTPUT", "".join(map(output, [*outputs.items(), ("document", done.stdout)])))
    write("GITHUB_STEP_SUMMARY", failed(project, error) if error else running(project))
    if error:
        show_logs(project.get("project"))
        about = escaped(f"{error['message']}\n{error['hint']}")
        say(f"::error title=debughost {error['code']}::{about}")
    return done.returncode


def arguments() -> list:
    """The inputs as arguments of ``up``. Raises ValueError where a quotation mark is missing."""
    options = {"--workspace": "PROJECT_FOLDER", "--type": "TYPE", "--port": "PORT",
               "--wait-timeout": "WAIT_TIMEOUT"}  # fmt: skip
    given = {option: os.environ.get(f"INPUT_{name}", "") for option, name in options.items()}
    words = [f"{option}={value}" for option, value in given.items() if value]
    return words + shlex.split(os.environ.get("INPUT_ARGS", ""))


def output(item: tuple) -> str:
    """An entry of GITHUB_OUTPUT, whose end no value can hold."""
    name, value = item
    end = secrets.token_hex(16)
    return f"{name}<<{end}\n{'' if value is None else value}\n{end}\n"


def running(project: dict) -> str:
    """The summary for a project that is up."""
    cells = [project.get(key) for key in ("project", "type", "state", "url")]
    row = " | ".join(cell(value) for value in cells)
    head = "| project | type | state | URL |\n| --- | --- | --- | --- |"
    return f"### debughost\n\n{head}\n| {row} |\n"


def failed(project: dict, error: dict) -> str:
    """The summary for one that is not, with the last lines of its output."""
    ended = project.get("exit") or {}
    tail = "\n".join(error["details"].get("log_tail") or ended.get("log_tail", []))
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", tail)), default=0))
    lines = f"{fence}text\n{tail}\n{fence}" if tail else ""
    texts = [f"### debughost: {error['code']}", cell(error["message"]), cell(error["hint"]), lines]
    return "\n\n".join(texts) + "\n"


def cell(value: object) -> str:
    """Text for Markdown, which it does not change."""
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", " ".join(str(value or "-").split()))


def show_logs(project: object) -> None:
    """In a group of the job's log, in which no line is taken for a command."""
    if not project:
        return
    end = secrets.token_hex(16)
    say(f"::group::Logs of {project}\n::stop-commands::{end}")
    subprocess.run(["debughost", "logs", "-p", str(project), "-n", LINES], stderr=2, check=False)
    say(f"::{end}::\n::endgroup::")


def escaped(text: str) -> str:
    """As the message of a workflow command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def say(text: str) -> None:
    """To the job's log, before what comes after it."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def write(variable: str, text: str) -> None:
    """Appends to a file that GitHub names."""
    with Path(os.environ[variable]).open("a", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    sys.exit(main())
