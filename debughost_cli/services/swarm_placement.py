"""On which node of a swarm a project is: the swarm's own choice, or where its files are."""

from __future__ import annotations

from collections.abc import Mapping

from debughost_cli import names
from debughost_cli.clock import SYSTEM_CLOCK, Clock
from debughost_cli.deployment.swarm_engine import SwarmEngine
from debughost_cli.engine.port import Engine
from debughost_cli.engine.port_swarm_types import SwarmNode, SwarmSpec, SwarmTask
from debughost_cli.errors import DebughostError, NodeUnreachable, NotPlaced, Usage
from debughost_cli.planning.swarm import in_words
from debughost_cli.services.projects import MANAGED_FILTER

DECIDED_AFTER = 2.0
"""Seconds after which "no suitable node" is taken as the answer; the first may be too early."""
TIMEOUT = 10.0
"""Seconds for an answer at all."""


class Placement:
    """Chooses nodes among those whose engines can be reached: nothing gets to the others."""

    def __init__(self, engine: SwarmEngine, clock: Clock = SYSTEM_CLOCK) -> None:
        self._engine = engine
        self._clock = clock

    def engines(self, nodes: Mapping[str, SwarmNode]) -> dict[str, Engine]:
        """The engines of nodes that take tasks, by node. Raises NodeUnreachable where none is."""
        ready = [n for n in nodes.values() if not n.is_lost and n.availability == "active"]
        found = {n.id: self._engine.node_engine(n.id) for n in ready}
        reached = {node: engine for node, engine in found.items() if engine}
        if not reached:
            listed = ", ".join(n.name for n in ready) or "none that is ready"
            raise NodeUnreachable(
                f"no engine of a node of this swarm can be reached (nodes: {listed})",
                hint="List the engines of nodes under [engines] in the user configuration: "
                "the workspace and the image are brought there directly",
                details={"nodes": [n.name for n in ready]},
            )
        return reached

    def engine_of(self, node: str, nodes: Mapping[str, SwarmNode]) -> Engine:
        """That of one node. Raises Usage where it is none of the swarm, NodeUnreachable."""
        if node not in nodes:
            raise Usage(
                "that engine is no node of the project's swarm",
                hint="'docker node ls' on the manager lists the nodes",
                details={"node": node},
            )
        engine = None if nodes[node].is_lost else self._engine.node_engine(node)
        if engine is None:
            raise NodeUnreachable(
                f"node {nodes[node].name} cannot be reached: it is {nodes[node].state}",
                hint="Name another node, or check [engines] in your own configuration",
                details={"node": nodes[node].name, "node_state": nodes[node].state},
            )
        return engine

    def node_with_files(self, engines: Mapping[str, Engine], project: str) -> str:
        """The node that has the project's workspace from an earlier run; empty for none."""
        labels = [MANAGED_FILTER, f"{names.PROJECT}={project}", f"{names.ROLE}=workspace"]
        for node, engine in engines.items():
            if engine.volumes.list(labels):
                return node
        return ""

    def choose(self, wanted: SwarmSpec, nodes: Mapping[str, SwarmNode]) -> str:
        """The node that the swarm itself gives it. Raises NotPlaced.

        It is asked by a job that runs nothing and has the same requirements.
        """
        job = self._engine.swarm.create_job(wanted)
        try:
            return self._await_node(job, wanted, nodes)
        finally:
            self._engine.swarm.remove(job)

    def _await_node(self, job: str, wanted: SwarmSpec, nodes: Mapping[str, SwarmNode]) -> str:
        began = self._clock.monotonic()
        while True:
            task = next(iter(self._engine.swarm.tasks([job])), None)
            if task and task.node:
                return task.node
            waited = self._clock.monotonic() - began
            if task and task.error and waited > DECIDED_AFTER:
                pinned = nodes[wanted.node].name if wanted.node else ""
                raise not_placed(wanted.spec.project, task, len(nodes), pinned)
            if waited > TIMEOUT:
                raise NotPlaced(
                    f"the swarm did not place {wanted.spec.project} within {TIMEOUT:g} s",
                    hint="See what it waits for with 'docker node ls'",
                    details={"project": wanted.spec.project, "nodes": len(nodes)},
                )
            self._clock.sleep(0.1)


def not_placed(project: str, task: SwarmTask, count: int, node: str = "") -> DebughostError:
    """Why no node runs it. ``node``: the name of the only one that it may run on."""
    return NotPlaced(
        f"the swarm cannot place {project}: {in_words(task.error, node)}",
        hint="Ask for less with --memory or --cpus, stop other projects, or add a node; "
        "'docker node ls' shows which ones take tasks",
        details={"project": project, "nodes": count, "engine": task.error},
    )
