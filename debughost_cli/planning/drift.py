"""In which fields a container differs from its specification, and how to say it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from debughost_cli import names
from debughost_cli.models import Drift
from debughost_cli.resources import Container
from debughost_cli.specs import Limits, Mount, Role, ServiceSpec

_SENTENCES = {
    "workspace_inode": "another folder is in the place of the workspace",
    "ca_bundle": "root certificates changed",
    "hooks": "hooks changed",
    "config_hash": "made by another version of debughost",
    "dependencies": "another way to install",
    "mounts": "mounts changed",
    "network": "network changed",
    "own_network": "network of its services changed",
}
_LONGEST = 60
"""Characters of a value; what is longer is only said to have changed."""


def in_words(drift: Sequence[Drift]) -> tuple[str, ...]:
    """Each difference, as ``env.DEBUG removed`` or ``memory 2g -> 4g``; no variable's value."""
    return tuple(dict.fromkeys(_words(d) for d in drift))


def _words(drift: Drift) -> str:
    name, want, have = drift.field, drift.want, drift.have
    if name in _SENTENCES:
        return _SENTENCES[name]
    if want is None:
        return f"{name} removed"
    if have is None:
        return f"{name} added"
    values = f"{_shown(name, have)} -> {_shown(name, want)}"
    is_short = not name.startswith("env.") and len(values) <= 2 * _LONGEST
    if name == "image" and str(want).startswith("sha256:"):
        return "image rebuilt"
    return f"{name.removesuffix('_bytes')} {values}" if is_short else f"{name} changed"


def _shown(name: str, value: object) -> str:
    if name.endswith("_bytes") and isinstance(value, int):
        return _size(value)
    if isinstance(value, list | tuple):
        return shlex.join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _size(count: int) -> str:
    """As the options take it: ``512m``, ``2g``."""
    for unit, suffix in ((1024**3, "g"), (1024**2, "m"), (1024, "k")):
        if count % unit == 0:
            return f"{count // unit}{suffix}"
    return str(count)


def find_drift(
    spec: ServiceSpec, have: Container, image_environment: Mapping[str, str]
) -> tuple[Drift, ...]:
    """The fields in which ``have`` differs from ``spec``; values of variables stay secret.

    A container without any limit was made by an engine that takes none, rootless Podman without
    control groups: only the digest of the configuration shows that others are asked for.
    """
    limits = _limit_pairs(spec.limits, have.limits)
    pairs: dict[str, tuple[object, object]] = {
        "type": (spec.type.value, have.labels.get(names.TYPE)),
        "workspace": (spec.workspace, have.labels.get(names.WORKSPACE)),
        "workspace_inode": _label_pair(spec, have, names.WORKSPACE_INODE),
        "ca_bundle": _label_pair(spec, have, names.CA_BUNDLE),
        "hooks": _label_pair(spec, have, names.HOOKS_HASH),
        "image": _image_pair(spec, have),
        "command": (list(spec.command), list(have.command)),
        "port": (spec.port, have.port),
        "ports": _ports_pair(spec, have),
        "debug_port": _label_pair(spec, have, names.DEBUG),
        "user": (str(spec.user or ""), have.user),
        **(limits if have.limits.are_applied else {}),
        "restart": (str(spec.restart), str(have.restart)),
        "mounts": (_mounts(spec.mounts), _mounts(have.mounts)),
        "dependencies": _label_pair(spec, have, names.INSTALL),
        "network": _network_pair(spec, have),
        "own_network": _own_network_pair(spec, have),
    }
    if spec.role is Role.SERVICE:
        pairs["user"] = (None, None)
        pairs["command"] = pairs["command"] if spec.command else (None, None)
    found = _differences(pairs)
    found += _environment_drift(spec.environment, have.environment, image_environment)
    digests = (spec.config_hash, have.labels.get(names.CONFIG_HASH))
    if not found and digests[0] != digests[1]:
        found = _differences(limits) or _differences({"config_hash": digests})
    return tuple(found)


def _differences(pairs: Mapping[str, tuple[object, object]]) -> list[Drift]:
    return [Drift(f, want, got) for f, (want, got) in pairs.items() if want != got]


def _label_pair(spec: ServiceSpec, have: Container, label: str) -> tuple[str | None, str | None]:
    return (spec.labels.get(label) or None, have.labels.get(label) or None)


def _limit_pairs(want: Limits, have: Limits) -> dict[str, tuple[object, object]]:
    """The limits that are set; the others are the engine's own choice."""
    pairs = {n: (getattr(want, n), getattr(have, n)) for n in Limits.__struct_fields__}
    return {name: pair for name, pair in pairs.items() if pair[0] is not None}


def _ports_pair(spec: ServiceSpec, have: Container) -> tuple[list[str], list[str]]:
    """As ``HOST:CONTAINER``; a difference that ``port`` shows already is left out."""
    if spec.port != have.port:
        return ([], [])
    expected, found = (
        sorted(f"{p.host_port}:{p.container_port}" for p in ports)
        for ports in (spec.ports, have.ports)
    )
    return (expected, found)


def _image_pair(spec: ServiceSpec, have: Container) -> tuple[str, str]:
    if not spec.image_id or spec.image_id == have.image_id:
        return (spec.image, have.image if not spec.image_id else spec.image)
    if spec.image == have.image:
        return (spec.image_id, have.image_id)
    return (spec.image, have.image)


def _network_pair(spec: ServiceSpec, have: Container) -> tuple[str | None, str | None]:
    """A network that was removed and recreated has another id, and starting would fail.

    A container that never ran knows its network by name alone.
    """
    if spec.network not in have.network_ids:
        return (spec.network, None)
    recorded = have.network_ids[spec.network]
    return (spec.network_id or None, recorded) if recorded else (None, None)


def _own_network_pair(spec: ServiceSpec, have: Container) -> tuple[str | None, str | None]:
    """The same for the network that it has besides; ones that users connected do not count."""
    own = names.network_name(spec.project)
    recorded = have.network_ids.get(own)
    if spec.network == own or (recorded is None and not spec.own_network):
        return (None, None)
    if recorded is None or not spec.own_network:
        return (spec.own_network or None, recorded)
    return (spec.own_network_id or None, recorded) if recorded else (None, None)


def _mounts(mounts: tuple[Mount, ...]) -> list[str]:
    return sorted(
        f"{m.type.value}:{m.source}:{m.target}:{'ro' if m.read_only else 'rw'}" for m in mounts
    )


def _environment_drift(
    want: Mapping[str, str], have: Mapping[str, str], inherited: Mapping[str, str]
) -> list[Drift]:
    changed = sorted(k for k, v in want.items() if have.get(k) != v)
    extra = sorted(k for k, v in have.items() if k not in want and inherited.get(k) != v)
    return [Drift(f"env.{k}", "set", "other" if k in have else None) for k in changed] + [
        Drift(f"env.{k}", None, "set") for k in extra
    ]
