"""Where a project's containers live: their lifecycle, and how the workspace gets to them."""

from __future__ import annotations

from debughost_cli.deployment.port import Deployment
from debughost_cli.deployment.single import SingleEngineDeployment
from debughost_cli.engine.port import Engine
from debughost_cli.engine.port_swarm_types import SwarmRole


def choose_deployment(engine: Engine) -> Deployment:
    """That of one engine, or of a swarm where the engine manages one."""
    if engine.membership().role is SwarmRole.MANAGER:
        from debughost_cli.deployment.swarm import SwarmDeployment
        from debughost_cli.deployment.swarm_engine import SwarmEngine

        if isinstance(engine, SwarmEngine):
            return SwarmDeployment(engine)
    return SingleEngineDeployment(engine)
