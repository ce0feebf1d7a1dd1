"""Ports of this machine: whether something listens, and what it is."""

from __future__ import annotations

import socket

from debughost_cli.planning.ports import PortHolder, PortHolderKind


def is_taken(port: int) -> bool:
    """True where the port cannot be bound on 127.0.0.1 because something listens there.

    SO_REUSEADDR lets the test pass over connections that merely linger; on Windows it would let
    it pass over listeners too, so it is left out there.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def listener(port: int) -> PortHolder:
    """The process that listens, as far as this user may know."""
    import psutil

    unknown = PortHolder(PortHolderKind.PROCESS, "that this user cannot see")
    try:
        for conn in psutil.net_connections("tcp"):
            if (
                conn.laddr
                and conn.status == psutil.CONN_LISTEN
                and conn.laddr.port == port
                and conn.pid
            ):
                return PortHolder(
                    PortHolderKind.PROCESS, f"{psutil.Process(conn.pid).name()} (pid {conn.pid})"
                )
    except (psutil.Error, OSError):
        return unknown
    return unknown
