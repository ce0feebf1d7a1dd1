"""The state of one run of ``up``: what is requested, what was done, and how to roll it back."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct, field

from debughost_cli import names
from debughost_cli.errors import DebughostError
from debughost_cli.models import Action, PullPolicy
from debughost_cli.planning.launcher_status import LauncherStatus
from debughost_cli.planning.runtime import Mismatch
from debughost_cli.planning.up import ConvergeOptions, Step
from debughost_cli.project.resolve import ResolvedProject
from debughost_cli.resources import Container, ContainerStatus, ProjectInstance
from debughost_cli.services.images import ImageChoice
from debughost_cli.services.observe import Observation
from debughost_cli.services.rollback import Rollback
from debughost_cli.synced import Sync, SyncState

Outcome = tuple[Container, LauncherStatus] | DebughostError
"""What waiting ended with: the container that is ready, or why it is not."""


class UpOptions(Struct, frozen=True):
    """Options of ``up`` that are no part of the container.

    ``stop_timeout``: seconds that a container which is replaced or restarted has to end.
    ``cancelled`` is called while waiting. ``given_up``: the version of the runtime that an earlier
    run could not have, where the project was not listed.
    """

    converge: ConvergeOptions = field(default_factory=ConvergeOptions)
    pull: PullPolicy = PullPolicy.MISSING
    stop_timeout: int = 10
    given_up: str = ""
    cancelled: Callable[[], bool] = lambda: False


class Attempt(Struct):
    """One observation, and how far its plan has been carried out.

    ``ref``: the container that the project has by then. ``in_flight``: the engine may be creating
    it without our knowing its id. ``stop_sent``: the current container was requested to stop.
    """

    observation: Observation
    ref: str
    in_flight: bool = False
    stop_sent: bool = False
    outcome: Outcome | None = None
    seen: tuple[Container, LauncherStatus] | None = None
    """The container as it was observed a moment ago, until somebody has taken note of it."""
    executed: list[Step] = field(default_factory=list)
    services: dict[str, str] = field(default_factory=dict)
    """The ids of the containers of companion services that were created or started."""

    def take_seen(self) -> tuple[Container, LauncherStatus] | None:
        """For the first reading: a later one looks again."""
        seen, self.seen = self.seen, None
        return seen


class UpState(Struct):
    """One run of ``up``, of one or more attempts."""

    resolved: ResolvedProject
    options: UpOptions
    rollback: Rollback
    known: ProjectInstance | None = None
    """The project, where it has just been listed."""
    image_steps: list[Step] = field(default_factory=list)
    """The steps that got images, where there were any to carry out."""
    image: ImageChoice | None = None
    """The image as it was found just now."""
    avoided_ports: frozenset[int] = frozenset()
    container_port: int = 0
    """Where the program was found to listen, 0 until then."""
    first: Attempt | None = None
    """What was done before the port was adopted."""
    mismatches: list[Mismatch] = field(default_factory=list)
    """The versions that the workspace asks for and the image does not have."""
    recreate: bool = False
    """The container of an earlier attempt was corrupted: the next attempt creates another."""

    kept_files: int = 0
    """How many an upload left as the program changed them, see ``Upload``."""

    @property
    def project(self) -> str:
        return self.resolved.project

    @property
    def sync(self) -> Sync:
        """How an uploaded workspace is then."""
        state = SyncState.STALE if self.kept_files else SyncState.CURRENT
        return Sync(state, self.kept_files)

    @property
    def given_up(self) -> str:
        """The version of the runtime that an earlier run could not have; ``--recreate`` and
        ``--pull`` try again.
        """
        is_tried = self.options.pull is PullPolicy.MISSING and not self.options.converge.recreate
        known = self.known.main.labels.get(names.GIVEN_UP) if self.known else None
        return (known or self.options.given_up) if is_tried else ""

    def take_known(self) -> ProjectInstance | None:
        """For the first attempt, where the project may just run on."""
        known, self.known = self.known, None
        is_kept = not (self.converge.recreate or self.converge.restart)
        is_running = known is not None and known.main.status is ContainerStatus.RUNNING
        return known if is_kept and is_running else None

    def take_image(self) -> ImageChoice | None:
        """For the first attempt: a later one looks again, for the image may have been removed."""
        image, self.image = self.image, None
        return image

    def executed(self, attempt: Attempt) -> tuple[Step, ...]:
        """The steps that were carried out, those of failed attempts left out."""
        return (*self.image_steps, *(self.first.executed if self.first else ()), *attempt.executed)

    def action(self, attempt: Attempt) -> Action:
        """What was done with the project as it was before."""
        first = self.first.observation.plan.action if self.first else Action.UNCHANGED
        return attempt.observation.plan.action if first is Action.UNCHANGED else first

    @property
    def converge(self) -> ConvergeOptions:
        """The user's options, for the next attempt."""
        options = self.options.converge
        recreate = options.recreate or self.recreate
        return ConvergeOptions(recreate, options.restart, options.wait)
