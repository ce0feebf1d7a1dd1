"""What services return: frozen results that the renderers read."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field

from debughost_cli.errors import DebughostError, Partial
from debughost_cli.models import Action, Project
from debughost_cli.names import PACKAGES
from debughost_cli.planning.placement import Placement
from debughost_cli.planning.up import REQUESTED, Plan, Step, StepKind
from debughost_cli.resources import Image, Network, Volume


class ProjectResult(Struct, frozen=True):
    """What a command did with one project. ``error`` is set where ``action`` is failed."""

    project: Project
    action: Action
    error: DebughostError | None = None
    plan: Plan | None = None
    executed: tuple[Step, ...] = ()
    """The steps of the plan that were carried out."""
    pending: tuple[str, ...] = ()
    """The command that applies migrations which are known to be missing."""
    workspace: str = ""
    flags: tuple[str, ...] = ()
    """Of ``up``: what it was called with, also where nothing came of it."""
    placement: Placement | None = None
    """Why it is on its engine, where ``up`` chose that."""

    @property
    def why(self) -> str:
        """What a new or restarted container became necessary for; empty where it was asked for."""
        kinds = {
            Action.RECREATED: StepKind.CREATE_CONTAINER,
            Action.RESTARTED: StepKind.START_CONTAINER,
        }
        steps = self.plan.steps if self.plan else self.executed
        found = (s.reason for s in steps if s.kind is kinds.get(self.action))
        reason = next(found, "")
        return "" if reason in REQUESTED else reason

    @property
    def changed(self) -> bool:
        """False for what is only planned, and for a failure that left all as it was."""
        if self.error:
            return self.error.changed
        uploaded = any(s.kind is StepKind.UPLOAD_WORKSPACE for s in self.executed)
        return (uploaded or self.action is not Action.UNCHANGED) and self.plan is None


class EngineReport(Struct, frozen=True):
    """One of several engines that were asked; ``error``: why it could not answer."""

    name: str
    endpoint: str
    error: DebughostError | None = None


def unanswered(engines: Sequence[EngineReport]) -> DebughostError | None:
    """The error of a command that asked several engines, of which some did not answer."""
    errors = [e.error for e in engines if e.error]
    if not errors or (len(errors) == len(engines) and len({type(e) for e in errors}) == 1):
        return errors[0] if errors else None
    failed = {e.name: e.error.code for e in engines if e.error}
    return Partial(
        f"{len(failed)} of {len(engines)} engines did not answer: {', '.join(failed)}",
        hint="What is shown is of the others; 'debughost engines ls' says why",
        details={"engines": failed},
    )


class ProjectsResult(Struct, frozen=True):
    """What a command did with each of its projects, in the order in which they were named.

    ``engines``: those that were asked, where that were several.
    """

    items: tuple[ProjectResult, ...]
    engines: tuple[EngineReport, ...] = ()

    @property
    def changed(self) -> bool:
        """True where anything was changed."""
        return any(i.changed for i in self.items)

    @property
    def error(self) -> DebughostError | None:
        """The error of the command: of one project its own, of several Partial.

        Where all of several failed with the same code, the first one's error. An engine that did
        not answer is a failure as well.
        """
        errors = [i.error for i in self.items if i.error]
        if not errors:
            return unanswered(self.engines)
        if len(self.items) == 1:
            return errors[0]
        if len(errors) == len(self.items) and len({type(e) for e in errors}) == 1:
            return errors[0]
        failed = {i.project.project: i.error.code for i in self.items if i.error}
        return Partial(
            f"{len(errors)} of {len(self.items)} projects failed: {', '.join(failed)}",
            hint="The error of each project has the details",
            details={"failed": failed},
        )


class NetworkResult(Struct, frozen=True):
    """The network as it is now."""

    network: Network | None
    changed: bool


class VolumesResult(Struct, frozen=True):
    """Volumes that were listed, or removed (``reclaimed_bytes``)."""

    volumes: tuple[Volume, ...]
    reclaimed_bytes: int = 0
    changed: bool = False


class ImageEntry(Struct, frozen=True):
    """The base image of a type: the image that is here, None where it has to be built."""

    type: str
    ref: str
    image: Image | None
    current: bool = False
    """True where it was built from the Dockerfile of this version."""

    @property
    def packages(self) -> list[str]:
        """The Debian packages that were added for a project."""
        return self.image.labels.get(PACKAGES, "").split() if self.image else []


class ImagesResult(Struct, frozen=True):
    """The base images, by type, and those with packages that are made of them."""

    images: tuple[ImageEntry, ...] = field(default_factory=tuple)
    variants: tuple[ImageEntry, ...] = ()
    changed: bool = False
