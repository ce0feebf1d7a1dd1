"""The data of the commands that print what the program itself has, as ``shapes`` of the others."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class CodeFacts(Struct, frozen=True):
    """An error code."""

    code: str
    exit_code: int
    retryable: bool
    meaning: str


class CodesShown(Struct, frozen=True):
    """Of ``schema --errors``."""

    errors: list[CodeFacts]


class CommandsShown(Struct, frozen=True):
    """Of ``schema --commands``: each command with its arguments and options, or subcommands."""

    commands: list[dict[str, Any]]


class SchemasShown(Struct, frozen=True):
    """Of ``schema`` and of ``schema GROUP``: the schema of each command."""

    schemas: dict[str, dict[str, Any]]


class CompletionScript(Struct, frozen=True):
    """Of ``completion``."""

    shell: str
    script: str


class McpInstalled(Struct, frozen=True):
    """Of ``mcp install``. ``entry``: what the file has to hold; ``written``: whether it was now."""

    client: str
    file: str
    entry: str
    written: bool


class GuideText(Struct, frozen=True):
    """Of ``guide``."""

    guide: str
