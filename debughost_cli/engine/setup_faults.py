"""What engines report when their own set-up is at fault, and neither image nor project.

Seen on Podman 5.8 with crun: no init binary, the systemd driver without systemd, hybrid cgroups, a
wrong firewall driver. Seen on Docker: an unknown runtime. The others are not seen, but expected.
"""

from __future__ import annotations

_WORDS = (
    # No init binary.
    "container-init binary not found",
    'exec: "?(docker-init|podman-init|catatonit|tini)"?: executable file not found',
    # No such runtime.
    "unknown( or invalid)? runtime",
    "default oci runtime .* not found",
    r"exec: \"?[\w./-]*(runc|crun|runsc|runtime|shim)[\w.-]*\"?: executable file not found",
    # Control groups, or the driver for them.
    "cgroups in hybrid mode not supported",
    "cgroup mountpoint does not exist",
    "cannot open sd-bus",
    "systemd cgroup flag passed, but systemd support .* not available",
    "expected cgroupspath to be of format",
    # The firewall and the network's helpers.
    "ip6?tables(-restore|-save)?( failed|: )",
    "failed to (setup|set up) ip ?tables",
    "firewall backend",
    "netavark: (nftables|iptables|could ?n.t execute)",
    'could not find "?(netavark|aardvark-dns|conmon|slirp4netns|pasta)',
)
SETUP_FAULT = "|".join(_WORDS)
"""Parts of what they report."""

PREFIX = "the engine's own set-up is at fault, not the image: "
HINT = (
    "Mend or reinstall the engine, or name another with --host; the engine's log and "
    "'docker info' or 'podman info' show its set-up"
)
