"""Bun and Deno, which run JavaScript as Node.js does and which the base image does not have.

npm has packages with the programs themselves. They are fetched once, into the package cache.
"""

from __future__ import annotations

import re

from debughost_cli.project.detect.node_package import Package
from debughost_cli.project.reader import Folder

DENO_FILES = ("deno.json", "deno.jsonc")
BUN_FILES = ("bun.lock", "bun.lockb", "bunfig.toml")
_CALLED = re.compile(r"(?<![\w./@-])(?:(bun)x?|(deno))(?=\s)")
_TASKS = re.compile(r'"tasks"\s*:\s*\{(.*)', re.DOTALL)
_DENO_ENTRIES = ("main.ts", "mod.ts", "server.ts", "index.ts", "main.js", "server.js", "index.js")


def with_runtime(words: tuple[str, ...], package: Package, text: str) -> tuple[str, ...]:
    """A command with the runtime on its PATH that it calls. ``text``: a script, or a program."""
    found = _CALLED.search(f"{text} ")
    name = (found[1] or found[2]) if found else ""
    return words if not name or name in package.dependencies else _with(name, words)


def _with(name: str, words: tuple[str, ...]) -> tuple[str, ...]:
    return ("npm", "exec", "--yes", f"--package={name}", "--", *words)


def is_bun(folder: Folder, package: Package) -> bool:
    """Whether a project is written for Bun."""
    if package.package_manager.startswith("bun@") or folder.first(*BUN_FILES):
        return True
    return bool(package.dependencies & {"@types/bun", "bun-types"})


def deno_command(folder: Folder) -> tuple[str, ...]:
    """How a project of Deno is run: a task, or a common file; empty where there is neither."""
    tasks = _TASKS.search(folder.source(folder.first(*DENO_FILES) or ""))
    for name in ("dev", "start", "serve"):
        if tasks and re.search(rf'"{name}"\s*:', tasks[1]):
            return _deno("task", name)
    entry = folder.first(*_DENO_ENTRIES)
    return _deno("run", "--allow-all", "--watch", entry) if entry else ()


def _deno(*arguments: str) -> tuple[str, ...]:
    address = ("env", "DENO_SERVE_ADDRESS=tcp:0.0.0.0:{port}")
    return _with("deno", (*address, "deno", *arguments))
