"""What a project may not ask for in a swarm, with the reason. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from debughost_cli.errors import InvalidConfig, Usage
from debughost_cli.project.settings import Settings, Source

_REASONS = {
    "ports": "a swarm publishes ports on all addresses of a node, never on 127.0.0.1 alone",
    "shm_size": "a swarm has no size of /dev/shm: it would be ignored silently",
    "isolated": "a swarm's services share the network debug-host-overlay",
    "debug": "a debugger's port would have to be published, on all addresses of a node",
    "services": "companion services are not placed by a swarm",
    "shared_cache": "each node has a package cache of its own",
}


def refused(settings: Settings) -> Iterator[tuple[str, str]]:
    """The settings in force that a swarm cannot honour, each with the reason."""
    for name, reason in _REASONS.items():
        if getattr(settings, name):
            yield name, reason


def check_support(settings: Settings) -> None:
    """Raises Usage, or InvalidConfig where no flag set it."""
    for name, reason in refused(settings):
        source = settings.source(name)
        option = "publish" if name == "ports" else name.replace("_", "-")
        if source is Source.FLAG:
            raise Usage(
                f"--swarm and --{option} exclude each other: {reason}",
                hint=f"Leave out --{option}, or run it on one engine: debughost up --engine NAME",
                details={"setting": name},
            )
        raise InvalidConfig(
            f"{name} ({source or 'default'}) cannot be used with --swarm: {reason}",
            hint=f"Take {name} away, or run it on one engine: debughost up --engine NAME",
            details={"setting": name},
        )
