"""Single facts that ``up`` plans by, each from what was observed."""

from __future__ import annotations

from debughost_cli import names
from debughost_cli.deployment.transport import Transport
from debughost_cli.engine.port import Engine
from debughost_cli.planning.launcher_status import LauncherStatus
from debughost_cli.planning.network import choose
from debughost_cli.project.resolve import ResolvedProject
from debughost_cli.resources import Container, Network, ProjectInstance
from debughost_cli.services.installed import is_installed
from debughost_cli.services.listings import Listings
from debughost_cli.services.own_network import is_of
from debughost_cli.specs import ServiceSpec


def named(listings: Listings, name: str) -> Network | None:
    """The network of that name, the one that all clients choose where there are several."""
    return choose(n for n in listings.networks if n.name == name)


def stale_network(resolved: ResolvedProject, current: Container | None, listings: Listings) -> str:
    """Also one that an interrupted removal left: with no container nothing else shows it."""
    own = names.network_name(resolved.project)
    if resolved.settings.services:
        return ""
    is_possible = current is None or own in current.network_ids
    if resolved.network == own or not is_possible:
        return ""
    found = named(listings, own)
    return own if found and is_of(found, resolved.project) else ""


def restart_reason(
    engine: Engine,
    resolved: ResolvedProject,
    current: Container | None,
    launcher: LauncherStatus | None,
) -> str:
    """Why a running project cannot run on: a stop is under way, or its packages are old.

    The engine goes on with a stop whose sender was killed. Without a fingerprint of the packages
    the launcher is still installing, or about to.
    """
    if current is None or launcher is None:
        return ""
    if launcher.asked_to_stop:
        return "a stop is under way"
    installed = launcher.dependencies
    if installed and not is_installed(engine, resolved, current, installed):
        return "the lock file changed since its dependencies were installed"
    return ""


def is_contested(
    instance: ProjectInstance | None, current: Container | None, leftovers: tuple[str, ...]
) -> bool:
    """Whether there is a container that another process at work may want to restore."""
    known = {*leftovers, current.id if current else ""}
    return instance is not None and any(c.id not in known for c in instance.of_main_role)


def missing_folder(resolved: ResolvedProject, spec: ServiceSpec) -> str | None:
    """The dependency folder of the workspace, where it has to be created to mount a volume there.

    In an uploaded workspace the engine creates it.
    """
    folder = resolved.mountpoint
    is_mounted = spec.labels.get(names.TRANSPORT) != Transport.VOLUME
    return str(folder) if folder and is_mounted and not folder.exists() else None


def mountpoint_made(
    resolved: ResolvedProject, current: Container | None, transport: Transport
) -> bool:  # fmt: skip
    """Whether ``up`` creates the dependency folder in the workspace, now or in an earlier run."""
    folder = resolved.mountpoint
    if folder is None or transport is Transport.VOLUME:
        return False
    inherited = current is not None and current.labels.get(names.MOUNTPOINT) == "made"
    return inherited or not folder.exists()
