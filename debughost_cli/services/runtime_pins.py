"""The versions that a workspace asks for, and that its image does not have."""

from __future__ import annotations

from collections.abc import Sequence

from debughost_cli.errors import DebughostError
from debughost_cli.planning.runtime import Mismatch, mismatches
from debughost_cli.project.resolve import ResolvedProject
from debughost_cli.resources import Image
from debughost_cli.services.image_builds import node_tools, version_in
from debughost_cli.services.images import ImageChoice
from debughost_cli.services.progress import Progress


def find_mismatches(resolved: ResolvedProject, choice: ImageChoice) -> list[Mismatch]:
    """Between what the workspace asks for and what its image has."""
    if choice.image is None:
        return []
    # What the user chose needs no word about what the files would have chosen.
    own = resolved.type.value if resolved.settings.runtime else ""
    pins = [pin for pin in resolved.pins if pin.runtime != own]
    return mismatches(pins, _versions(resolved, choice.image, choice.ref)) if pins else []


def _versions(resolved: ResolvedProject, image: Image, ref: str) -> dict[str, str]:
    return {**node_tools(image), resolved.type.value: version_in(resolved.type, image, ref)}


def warn_of_mismatches(found: Sequence[Mismatch], progress: Progress) -> None:
    """One warning for all of them."""
    if found:
        progress.warn("RUNTIME_MISMATCH", "; ".join(m.text for m in found))


def with_mismatches(error: DebughostError, found: Sequence[Mismatch]) -> DebughostError:
    """``error`` with what may be the reason of it, where that is a version."""
    ways = [m.text for m in found if m.image]
    return error.with_context(hint=f"{error.hint}; {ways[0]}") if ways else error
