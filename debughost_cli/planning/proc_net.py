"""Which TCP ports are listened on, as Linux reports it (``man 5 proc``, ``/proc/net/tcp``)."""

from __future__ import annotations

_LISTEN = "0A"


def listening_ports(text: str) -> frozenset[int]:
    """From the content of ``/proc/net/tcp`` and ``tcp6``; lines of other shapes are ignored."""
    found = set()
    for line in text.splitlines():
        fields = line.split()
        if len(fields) > 3 and fields[3] == _LISTEN:
            port = fields[1].rpartition(":")[2]
            found.add(int(port, 16))
    return frozenset(found)
