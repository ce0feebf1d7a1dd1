"""What Podman's Docker-compatible service calls otherwise than Docker."""

from __future__ import annotations

from debughost_cli.engine.json_values import Json, as_str, environment

_NAMES = ("podman", "oci")


def own_environment(config: Json) -> dict[str, str]:
    """A container's variables, without those that Podman itself adds when it makes one."""
    found = environment(config.get("Env"))
    if found.get("container") not in _NAMES:
        return found
    added = {"container": found["container"], "HOSTNAME": as_str(config.get("Hostname"))}
    return {k: v for k, v in found.items() if added.get(k) != v}


def image_name(name: str) -> str:
    """An image's name without the registry that Podman gives to built and loaded ones."""
    return name.removeprefix("localhost/")
