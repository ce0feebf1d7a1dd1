"""The shell blocks of the documentation, and a shell to run them in.

A page is run from its first block to its last in one shell, in an empty home folder. ``console``
blocks hold commands after ``$ ``, and what they print: each line that is shown must be printed, in
this order, whatever else is; ``^C`` is pressed once what stands before it was printed. A command
succeeds unless an error is shown. ``sh`` blocks hold commands alone. A comment before a block may
say more:

    <!-- not run: REASON -->     the block is left out
    <!-- file: NAME -->          the block is written to that file
    <!-- first: COMMANDS -->     run, and not shown to readers
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from markdown_it import MarkdownIt

from debughost_cli.cli.commands import COMMANDS
from debughost_cli.cli.guide import TEXT

ROOT = Path(__file__).parents[2]
SHELLS = ("console", "sh", "bash", "shell")
TIMEOUT = 150
"""Seconds for a command; the longest installs packages."""
PAGES = [
    p.relative_to(ROOT).as_posix()
    for p in (ROOT / "README.md", ROOT / "examples/README.md", *sorted(ROOT.glob("docs/**/*.md")))
]
_MARK = "debughost-test-end-of-command"
_COMMENT = re.compile(r"<!--\s*(not run|file|first):\s*(.*?)\s*-->\s*", re.DOTALL)
_NORMAL = (
    (re.compile(r"\d{8}T\d{9}Z"), "TIMESTAMP"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?"), "TIME"),
    (re.compile(r"\b[0-9a-f]{12,64}\b"), "ID"),
    (re.compile(r"(?<![\w./:])[v^]?\d+\.\d+\.\d+(?!\.\d)[\w.+-]*"), "VERSION"),
    (re.compile(r"\b\d+(\.\d+)?( ?(%|[KMG]i?B|ms|s|m|h|min)(?![\w-])|(?= seconds?))"), "AMOUNT"),
    (re.compile(r"(AMOUNT ?)+"), "AMOUNT "),
    (re.compile(r"(?<=\":)\d+(\.\d+)?\b"), "NUMBER"),
    (re.compile(r"[▁▂▃▄▅▆▇█▏▎▍▌▋▊▉]"), ""),
    (re.compile(r"\s+"), " "),
)


@dataclass(frozen=True)
class Block:
    """``kind``: console, script, file or first. ``line``: in its page. ``name``: of the file."""

    page: str
    line: int
    kind: str
    text: str
    not_run: str = ""
    name: str = ""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Command:
    """A command line, and the lines that are shown after it."""

    text: str
    shown: tuple[str, ...] = ()


def is_run(page: str) -> bool:
    """True where a page has a block that is run."""
    return any(b.kind != "file" and not b.not_run for b in blocks(page))


def blocks(page: str) -> Iterator[Block]:
    """The blocks of a page that concern a test, in order."""
    notes: dict[str, str] = {}
    for token in MarkdownIt().parse((ROOT / page).read_text("utf-8")):
        line = token.map[0] + 1 if token.map else 0
        if token.type == "html_block":
            notes = dict(_COMMENT.findall(token.content))
            if "first" in notes:
                yield Block(page, line, "first", notes.pop("first"))
            continue
        if token.type != "fence":
            notes = {} if token.type.endswith("_open") and token.level == 0 else notes
            continue
        language = token.info.partition(" ")[0]
        if "file" in notes:
            yield Block(page, line, "file", token.content, name=notes["file"])
        elif language in SHELLS:
            kind = "console" if language == "console" else "script"
            yield Block(page, line, kind, token.content, notes.get("not run", ""))
        notes = {}


def commands(block: Block) -> list[Command]:
    """What a block has a reader type."""
    if block.kind != "console":
        return [Command(block.text)]
    found: list[tuple[list[str], list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append(([line[2:]], []))
        elif line.startswith("> ") and found and not found[-1][1]:
            found[-1][0].append(line[2:])
        else:
            assert found, f"{block}: {line!r} is shown before any command"
            found[-1][1].append(line)
    return [Command("\n".join(typed), tuple(filter(None, shown))) for typed, shown in found]


def guide_commands() -> Iterator[str]:
    """The commands of ``debughost guide``: lines of their own, and those in the text up to a
    punctuation mark.
    """
    for line in TEXT.splitlines():
        shown = re.match(r"  (debughost .*?)(?:  |$)", line)
        if shown:
            yield shown[1]
            continue
        for start in re.finditer(r"\bdebughost (?=[a-z])", line):
            command = re.split(r"[.,;:)](?:\s|$)|\s\(", line[start.start() :])[0]
            if command.split()[1] in COMMANDS:
                yield command


def normal(line: str) -> str:
    """A line without what differs from run to run."""
    for pattern, replacement in _NORMAL:
        line = pattern.sub(replacement, line)
    return line.strip()


def missing(shown: Sequence[str], printed: Sequence[str]) -> str:
    """The first of the lines ``shown`` that was not printed in its turn; empty for none.

    ``...`` stands for any lines, and at the end of a line for the rest of it.
    """
    rest = iter([normal(line) for line in printed])
    for line in shown:
        wanted, dots, _ = normal(line).partition("...")
        if not any(got.startswith(wanted) if dots else got == wanted for got in rest):
            return line
    return ""


@dataclass
class Shell:
    """One shell for a page. ``prefix``: what enters the namespace of the engine's ports."""

    prefix: Sequence[str]
    env: Mapping[str, str]
    folder: Path
    process: subprocess.Popen[str] = field(init=False)
    reader: threading.Thread = field(init=False)
    printed: list[str] = field(default_factory=list)
    is_changed: threading.Condition = field(default_factory=threading.Condition)

    def __enter__(self) -> Shell:
        self.process = subprocess.Popen(
            [*self.prefix, "bash", "--norc", "--noprofile"], cwd=self.folder, env=dict(self.env),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", start_new_session=True,
        )  # fmt: skip
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self._type("trap : INT\n")
        return self

    def __exit__(self, *_: object) -> None:
        # With everything that was left running in it.
        os.killpg(self.process.pid, signal.SIGKILL)
        self.reader.join()
        self.process.communicate()

    def run(self, block: Block) -> None:
        """Runs a block, and checks what it prints."""
        if block.kind == "file":
            self._type(f"printf '%s' {quoted(block.text)} > {quoted(block.name)}\n")
            return
        for command in commands(block):
            code, printed = self.execute(command)
            said = "\n  ".join([f"{block}: {command.text}", *printed])
            lacks = missing([line for line in command.shown if line != "^C"], printed)
            assert not lacks, f"{said}\nis not what is shown: {lacks}"
            may_fail = any(re.search(r"(?i)error|failed|\^C", line) for line in command.shown)
            assert code == 0 or may_fail, f"{said}\nended with exit code {code}"

    def execute(self, command: Command) -> tuple[int, list[str]]:
        """Its exit code and what it printed."""
        begin = len(self.printed)
        self._type(f"{{ {command.text}\n}} </dev/null\nprintf '\\n{_MARK} %s\\n' $?\n")
        deadline = time.monotonic() + TIMEOUT
        before = command.shown[: command.shown.index("^C")] if "^C" in command.shown else None
        with self.is_changed:
            while not (self.printed[begin:] and self.printed[-1].startswith(_MARK)):
                if before is not None and not missing(before, self.printed[begin:]):
                    before = None
                    os.killpg(self.process.pid, signal.SIGINT)
                left = deadline - time.monotonic()
                printed = "\n".join(self.printed[begin:])
                assert left > 0, f"{command.text} did not end in {TIMEOUT} s:\n{printed}"
                assert self.reader.is_alive(), f"{command.text} ended the shell:\n{printed}"
                self.is_changed.wait(min(left, 1))
            *lines, last = self.printed[begin:]
        return int(last.split()[1]), [line for line in lines if line]

    def _type(self, text: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            with self.is_changed:
                self.printed.append(line.rstrip("\n").replace(self.env["HOME"], "/home/me"))
                self.is_changed.notify()


def quoted(text: str) -> str:
    """For the shell."""
    return "'" + text.replace("'", "'\\''") + "'"
