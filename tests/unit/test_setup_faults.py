"""What an engine reports about its own set-up."""

from __future__ import annotations

import pytest

from debughost_cli import errors
from debughost_cli.engine.error_map import from_answer


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (500, "crun: cgroups in hybrid mode not supported: OCI runtime error"),
        (500, "container create: container-init binary not found on the host"),
        (500, "crun: cannot open sd-bus: No such file or directory"),
        (500, "netavark: Must provide a valid firewall backend, got nope"),
        (400, "Unknown runtime specified nope"),
        (500, 'exec: "docker-init": executable file not found in $PATH'),
        (500, "runc create failed: cgroups: cgroup mountpoint does not exist"),
        (500, "Failed to Setup IP tables: (iptables failed: No chain/target)"),
    ],
)
def test_a_fault_of_the_engines_own_set_up_is_not_the_images(status: int, words: str) -> None:
    error = from_answer(status, words, "starting the container")
    assert type(error) is errors.EngineError
    assert "own set-up is at fault" in error.message
    assert words in error.message
