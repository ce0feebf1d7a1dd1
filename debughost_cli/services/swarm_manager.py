"""Whether an engine manages a swarm, and what to say where it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debughost_cli.clock import SYSTEM_CLOCK, Clock
from debughost_cli.deployment.managers import not_a_manager
from debughost_cli.deployment.swarm_engine import SwarmEngine
from debughost_cli.engine.port import Engine
from debughost_cli.errors import Usage
from debughost_cli.project.resolve import ResolvedProject
from debughost_cli.services.progress import Progress

if TYPE_CHECKING:
    from debughost_cli.services.swarm_up import SwarmUp


def swarm_up(engine: Engine, progress: Progress, clock: Clock = SYSTEM_CLOCK) -> SwarmUp:
    """What ``up`` is for a project of a swarm. Raises NotAManager."""
    from debughost_cli.services.swarm_up import SwarmUp

    return SwarmUp(manager_of(engine), progress, clock)


def check_one_off(resolved: ResolvedProject) -> None:
    """Raises Usage for a project of a swarm: a container beside it would be of one engine."""
    if resolved.settings.swarm:
        raise Usage(
            f"{resolved.project} is a service of a swarm, which runs no command apart from it",
            hint=f"Run it in the project itself: debughost exec -p {resolved.project} -- CMD",
            details={"project": resolved.project},
        )


def manager_of(engine: Engine) -> SwarmEngine:
    """The engine, where it manages a swarm. Raises NotAManager."""
    if isinstance(engine, SwarmEngine):
        return engine
    raise not_a_manager(engine)
