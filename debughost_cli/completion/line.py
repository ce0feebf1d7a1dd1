"""A command line as far as it is typed: its command, its options, and what may come next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict


class OptionEntry(TypedDict):
    """``value``: what it may be, see ``answer``; None for one that takes no value."""

    names: list[str]
    help: str
    value: list[str] | None
    repeatable: bool


class CommandEntry(TypedDict, total=False):
    """Of an alias: ``help`` and the path of its command as ``alias``; of a command all but that.

    ``arguments``: what each may be; ``repeats``: whether the last one may come again;
    ``command_line``: whether what follows is a command line of its own.
    """

    alias: str
    help: str
    options: list[OptionEntry]
    arguments: list[list[str]]
    repeats: bool
    command_line: bool


class SettingEntry(TypedDict):
    """A setting, or a part of one."""

    help: str
    values: list[str]


class Table(TypedDict):
    """``table.json``: the ``common`` options, ``commands`` by path, ``settings`` by name."""

    common: list[OptionEntry]
    commands: dict[str, CommandEntry]
    settings: dict[str, SettingEntry]


HELP = "help"


class Line:
    """The words before the cursor, read by the table; the last one is still being typed.

    ``command``: its path, such as ``volumes prune``. ``options``: the values of each that was
    given, by its first name. ``arguments``: the other words. ``sources``: what the word may be, as
    the table has it. ``prefix``: what of the word is an option's name, such as ``--type=``.
    """

    def __init__(self, table: Table, words: Sequence[str]) -> None:
        self._commands: Mapping[str, CommandEntry] = table["commands"]
        self._common: Sequence[OptionEntry] = table["common"]
        self.command = ""
        self.options: dict[str, list[str]] = {}
        self.arguments: list[str] = []
        self.prefix = ""
        self.word = words[-1] if words else ""
        self._is_help = False
        self._has_ended = False
        self._open: OptionEntry | None = None
        for word in words[:-1]:
            self._take(word)
        self.sources: Sequence[str] = self._expected()

    def subcommands(self) -> list[tuple[str, str]]:
        """Name and help of each command that may follow."""
        before = f"{self.command} " if self.command else ""
        return [
            (path.removeprefix(before), entry["help"])
            for path, entry in self._commands.items()
            if path.startswith(before) and path and " " not in path.removeprefix(before)
            if not (self._is_help and path == HELP)
        ]

    def option_names(self) -> list[tuple[str, str]]:
        """Each option that may still be given, with its help; its long name, where it has one."""
        return [
            (name, f"Not {first}." if name == f"--no-{first[2:]}" else option["help"])
            for option in self._options()
            for first in option["names"][:1]
            if option["repeatable"] or first not in self.options
            for name in option["names"]
            if name.startswith("--") or len(option["names"]) == 1
        ]

    def values(self, option: str) -> list[str]:
        """What was given for an option, by its first name."""
        return self.options.get(option, [])

    def _options(self) -> list[OptionEntry]:
        return [*self._commands[self.command]["options"], *self._common]

    def _option(self, name: str) -> OptionEntry | None:
        return next((o for o in self._options() if name in o["names"]), None)

    def _take(self, word: str) -> None:
        path = f"{self.command} {word}".strip()
        if self._open:
            self._give(self._open, word)
            self._open = None
        elif not self._has_ended and word == "--":
            self._has_ended = True
        elif not self._has_ended and word.startswith("-") and word != "-":
            self._take_option(word)
        elif path == HELP:
            self._is_help = True
        elif path in self._commands and not self.arguments:
            self.command = self._commands[path].get("alias", path)
        else:
            self.arguments.append(word)
            self._has_ended = self._has_ended or self._commands[self.command]["command_line"]

    def _take_option(self, word: str) -> None:
        name, equals, value = word.partition("=")
        if not word.startswith("--"):
            name, value = word[:2], word[2:]
            equals = value
        option = self._option(name)
        if option is not None:
            if option["value"] is None or equals:
                self._give(option, value)
            else:
                self._open = option

    def _give(self, option: OptionEntry, value: str) -> None:
        self.options.setdefault(option["names"][0], []).append(value)

    def _expected(self) -> Sequence[str]:
        if self._open:
            return self._open["value"] or []
        if not self._has_ended and not self._is_help and self.word.startswith("-"):
            return self._expected_option()
        if self.subcommands():
            # What follows a word that is no command is not known.
            return [] if self.arguments else ["@commands"]
        return [] if self._is_help else self._expected_argument()

    def _expected_option(self) -> Sequence[str]:
        name, equals, value = self.word.partition("=")
        if not equals:
            return ["@options"]
        self.prefix, self.word = f"{name}=", value
        option = self._option(name)
        return (option["value"] if option else None) or []

    def _expected_argument(self) -> Sequence[str]:
        entry = self._commands[self.command]
        arguments: Sequence[Sequence[str]] = entry["arguments"]
        place = len(self.arguments)
        if arguments and entry["repeats"]:
            place = min(place, len(arguments) - 1)
        return arguments[place] if place < len(arguments) else []
