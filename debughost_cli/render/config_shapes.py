"""The data of the commands about a project's configuration, as in ``shapes``."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class ConfigWritten(Struct, frozen=True):
    """Of ``init``."""

    path: str
    content: str


class SettingFacts(Struct, frozen=True):
    """A setting in force; ``source``: flag, environment, user, file, default, detected or
    workspace; of ``runtime`` also the file that asks for that version.
    """

    name: str
    value: Any
    source: str


class ConfigShown(Struct, frozen=True):
    """Of ``config show``."""

    file: str | None
    workspace: str
    settings: list[SettingFacts]


class ConfigSet(Struct, frozen=True):
    """Of ``config set``. ``value``: as it is written in the file."""

    file: str
    key: str
    value: Any


class Opened(Struct, frozen=True):
    """Of ``open``. ``opened``: whether a browser was started."""

    project: str
    url: str
    opened: bool


class ConfigValidated(Struct, frozen=True):
    """Of ``config validate``. ``group_file``: what names the group of the folder."""

    file: str | None
    group_file: str | None
    valid: bool
