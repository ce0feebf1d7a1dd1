"""What a contributor installs: a lock file that meets pyproject.toml and names no host."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements-dev.lock").read_text("utf-8")
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def required() -> list[Requirement]:
    """The package's dependencies and those of the development groups."""
    groups = PYPROJECT["dependency-groups"].values()
    lines = [line for group in groups for line in group if isinstance(line, str)]
    return [Requirement(line) for line in PYPROJECT["project"]["dependencies"] + lines]


PINS: list[tuple[str, str]] = re.findall(r"^([a-z0-9.-]+)==([^\s;]+)", LOCK, re.MULTILINE)
"""Name and version; of some packages there is another version for newer versions of Python."""


def locked() -> dict[str, Version]:
    """Name to version, of every pinned package."""
    return {name: Version(version) for name, version in PINS}


def test_the_lock_file_satisfies_every_requirement() -> None:
    versions = locked()
    for requirement in required():
        assert requirement.specifier.contains(versions[requirement.name]), requirement


def test_the_lock_file_names_no_host() -> None:
    assert "://" not in LOCK
    assert not re.search(r"^(-i|--index-url|--extra-index-url|--find-links)\b", LOCK, re.MULTILINE)


def test_every_locked_package_has_a_hash() -> None:
    entries = re.split(r"\n(?=[a-z])", LOCK)[1:]
    assert len(entries) == len(PINS)
    assert all("--hash=sha256:" in entry for entry in entries)
