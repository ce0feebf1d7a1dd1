"""The limits of a container in the engine's ``HostConfig``: both directions, side by side."""

from __future__ import annotations

from collections.abc import Mapping

from debughost_cli.engine.json_values import as_int
from debughost_cli.specs import Limits


def encode_limits(limits: Limits) -> dict[str, int]:
    """The members of ``HostConfig`` for these limits."""
    body = {
        "NanoCpus": round(limits.cpus * 1e9),
        "Memory": limits.memory_bytes,
        # Equal to Memory: no swap on top of it.
        "MemorySwap": limits.memory_bytes,
        "PidsLimit": limits.pids,
    }
    return body | ({"ShmSize": limits.shm_bytes} if limits.shm_bytes else {})


def decode_limits(host: Mapping[str, object]) -> Limits:
    """The limits in a ``HostConfig``, 0 where the engine sent none."""
    return Limits(
        cpus=as_int(host.get("NanoCpus")) / 1e9,
        memory_bytes=as_int(host.get("Memory")),
        pids=as_int(host.get("PidsLimit")),
        shm_bytes=as_int(host.get("ShmSize")) or None,
    )
