"""The network of an isolated project: its addresses are the engine's choice."""

from __future__ import annotations

from collections.abc import Mapping

from debughost_cli import names
from debughost_cli.engine.port import Conflict, Engine
from debughost_cli.errors import InUse, NetworkConflict
from debughost_cli.planning import network as planning
from debughost_cli.resources import Network
from debughost_cli.services.progress import PhaseKind, Progress


class OwnNetworks:
    """Networks that belong to one project each."""

    def __init__(self, engine: Engine, progress: Progress) -> None:
        self._engine = engine
        self._progress = progress

    def find(self, project: str) -> Network | None:
        """The project's network, None where there is none or somebody else's has its name."""
        found = self._find(names.network_name(project))
        return found if found and is_of(found, project) else None

    def create(self, name: str, labels: Mapping[str, str]) -> None:
        """Creates it; where another client was faster, its network is used."""
        self._progress.phase(PhaseKind.NETWORK, f"Creating network {name}")
        try:
            made = self._engine.networks.create(name, None, None, labels)
        except Conflict:
            return
        # Old engines let two clients make one each: all of them keep the oldest.
        kept = self._find(name)
        if kept and kept.id != made:
            self._engine.networks.remove(made)

    def remove(self, project: str) -> None:
        """Removes it, if it is there; one that something is attached to stays, with a warning."""
        found = self.find(project)
        if found is None:
            return
        try:
            self._engine.networks.remove(found.id)
        except InUse as exc:
            self._progress.warn("NETWORK_IN_USE", exc.message)

    def _find(self, name: str) -> Network | None:
        return planning.choose(self._engine.networks.find(name))


def check_own(network: Network, project: str) -> None:
    """Raises NetworkConflict where the project's container cannot join what has that name."""
    if is_of(network, project) and network.driver == "bridge":
        return
    raise NetworkConflict(
        f"network {network.name} exists already and was not created by debughost",
        hint=f"Use another --project, or remove it: docker network rm {network.name}",
        details={"network": network.name, "driver": network.driver},
    )


def is_of(network: Network, project: str) -> bool:
    """Whether it was created for that project."""
    labels = network.labels
    return labels.get(names.MANAGED) == "true" and labels.get(names.PROJECT) == project
