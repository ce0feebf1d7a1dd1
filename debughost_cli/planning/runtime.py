"""Which runtime an image has, and which of a workspace's pins it does not meet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from msgspec import Struct

from debughost_cli.models import ProjectType
from debughost_cli.project.detect.pins import Pin
from debughost_cli.project.version_ranges import Notation, is_met, newest_line

_NAMES: Mapping[str, str] = {"node": "Node.js", "python": "Python", "php": "PHP"}
_PARTS: Mapping[str, int] = {"python": 2, "php": 2}
"""How many numbers name a line of releases; of others, one does."""
_EXACT = re.compile(r"\d{1,4}(?:\.\d{1,6}){0,2}", re.ASCII)


class Mismatch(Struct, frozen=True):
    """A pin that an image does not meet. ``image``: a reference to one that does, or empty."""

    pin: Pin
    has: str
    image: str

    @property
    def text(self) -> str:
        name = _NAMES.get(self.pin.runtime, self.pin.runtime)
        way = f"; --image {self.image} has it" if self.image else ""
        return f"{self.pin.place} asks for {name} {self.pin.wanted}, the image has {self.has}{way}"


def runtime_of(type_: ProjectType, environment: Mapping[str, str], refs: Iterable[str]) -> str:
    """The version of an image's runtime, or as much of it as is known; empty for nothing.

    The official images have it in a variable. Of others, ``refs`` may tell: the names of the image
    and of the one that it was built from, such as ``node:24-trixie-slim``.
    """
    exact = environment.get(f"{type_.upper()}_VERSION", "")
    if _EXACT.fullmatch(exact):
        return exact
    tag = re.compile(rf"(?:.*/)?{type_}:v?({_EXACT.pattern})(?:-[\w.-]*)?(?:@.*)?", re.ASCII)
    found = (tag.fullmatch(ref) for ref in refs if not ref.startswith("debug-host/"))
    return next((m[1] for m in found if m), "")


def mismatches(pins: Iterable[Pin], has: Mapping[str, str]) -> list[Mismatch]:
    """The pins that are not met. ``has``: the version of each runtime as far as it is known."""
    return [
        Mismatch(pin, has[pin.runtime], _image(pin))
        for pin in pins
        if has.get(pin.runtime) and _is_met(pin, has[pin.runtime]) is False
    ]


class Choice(Struct, frozen=True):
    """A version of a type's runtime; ``place``: the file that asks for it, empty for the user."""

    version: str
    place: str = ""


def choose_runtime(pins: Iterable[Pin], type_: ProjectType, has: str) -> Choice | None:
    """The release line that the pins ask for, None where ``has`` is in all of them or unknown.

    One that meets all of them goes before the first one's.
    """
    own = [pin for pin in pins if pin.runtime == type_.value]
    unmet = [pin for pin in own if has and _is_met(pin, has) is False]
    choices = [Choice(line, pin.place) for pin in unmet if (line := _line(pin))]
    fitting = (c for c in choices if all(_is_met(pin, c.version) is not False for pin in own))
    return next(fitting, choices[0] if choices else None)


def _line(pin: Pin) -> str:
    """The newest release line that the pin names; of Node.js, even ones are supported for long."""
    line = newest_line(pin.wanted, pin.notation, _PARTS.get(pin.runtime, 1))
    is_odd = pin.runtime == "node" and pin.notation is not Notation.LINE and int(line or 0) % 2
    before = str(int(line) - 1) if is_odd else ""
    return before if before and _is_met(pin, before) else line


def is_version(has: str, wanted: str) -> bool:
    """Whether ``has`` is the version ``wanted``, or one of that line."""
    return has == wanted or has.startswith(f"{wanted}.")


def _is_met(pin: Pin, version: str) -> bool | None:
    return is_met(pin.wanted, pin.notation, version, _PARTS.get(pin.runtime, 1))


def _image(pin: Pin) -> str:
    if pin.runtime not in _NAMES:
        return ""
    line = _line(pin)
    suffix = "-cli" if pin.runtime == "php" else ""
    return f"{pin.runtime}:{line}{suffix}" if line else ""
