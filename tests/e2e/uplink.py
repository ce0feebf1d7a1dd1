"""A way to the registries for an engine in a network namespace of its own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def uplink(pid: int) -> Iterator[None]:
    """A pair of links between this machine and the namespace of process ``pid``, as ``docker0`` is.

    The kernel removes the links with the namespace; the rules of the firewall go here.
    """
    link, number = f"dhu{pid}"[:15], os.getpid() % 16384
    net = f"198.18.{number // 64}.{number % 64 * 4}"
    outside, inside = _plus(net, 1), _plus(net, 2)
    enter = ("nsenter", f"--net=/proc/{pid}/ns/net")
    _run("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
    _run("ip", "addr", "add", f"{outside}/30", "dev", link)
    _run("ip", "link", "set", link, "up")
    _run(*enter, "ip", "addr", "add", f"{inside}/30", "dev", "eth0")
    _run(*enter, "ip", "link", "set", "eth0", "up")
    _run(*enter, "ip", "route", "add", "default", "via", outside)
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    rules = (
        ("filter", "FORWARD", "-i", link, "-j", "ACCEPT"),
        ("filter", "FORWARD", "-o", link, "-j", "ACCEPT"),
        ("nat", "POSTROUTING", "-s", inside, "!", "-o", link, "-j", "MASQUERADE"),
    )
    try:
        for table, chain, *rule in rules:
            _run("iptables", "-w", "-t", table, "-I", chain, *rule)
        yield
    finally:
        for table, chain, *rule in rules:
            _run("iptables", "-w", "-t", table, "-D", chain, *rule)


def _plus(address: str, number: int) -> str:
    front, _, last = address.rpartition(".")
    return f"{front}.{int(last) + number}"


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)
