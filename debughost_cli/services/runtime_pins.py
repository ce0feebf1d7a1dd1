"""The versions that a workspace asks for, and that its image does not have."""

from __future__ import annotations

from collections.abc import Sequence

from debughost_cli import names
from debughost_cli.errors import DebughostError
from debughost_cli.planning.runtime import Mismatch, mismatches, runtime_of
from debughost_cli.project.detect.pins import find_pins
from debughost_cli.project.reader import Folder
from debughost_cli.project.resolve import ResolvedProject
from debughost_cli.resources import Image
from debughost_cli.services.images import ImageChoice, node_tools
from debughost_cli.services.progress import Progress


def find_mismatches(resolved: ResolvedProject, choice: ImageChoice) -> list[Mismatch]:
    """Between what the workspace asks for and what its image has."""
    if choice.image is None:
        return []
    pins = find_pins(Folder(resolved.workspace), resolved.type)
    return mismatches(pins, _versions(resolved, choice.image, choice.ref)) if pins else []


def _versions(resolved: ResolvedProject, image: Image, ref: str) -> dict[str, str]:
    refs = (ref, image.labels.get(names.BASE, ""), *image.tags)
    runtime = runtime_of(resolved.type, image.environment, refs)
    return {**node_tools(image), resolved.type.value: runtime}


def warn_of_mismatches(found: Sequence[Mismatch], progress: Progress) -> None:
    """One warning for all of them."""
    if found:
        progress.warn("RUNTIME_MISMATCH", "; ".join(m.text for m in found))


def with_mismatches(error: DebughostError, found: Sequence[Mismatch]) -> DebughostError:
    """``error`` with what may be the reason of it, where that is a version."""
    ways = [m.text for m in found if m.image]
    return error.with_context(hint=f"{error.hint}; {ways[0]}") if ways else error
