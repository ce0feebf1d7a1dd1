"""The hosts of the tests are what they claim to be: apart from this machine and from each other."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .harness import write
from .lab import Lab
from .workspaces import PAGE


def test_hosts_are_reached_in_every_way_and_see_nothing_of_this_machine(
    lab: Lab, tmp_path: Path
) -> None:
    a, b = lab.host("a"), lab.host("b")
    ids = {a.eye.client.info()["ID"], b.eye.client.info()["ID"]}
    assert len(ids | {lab.source.client.info()["ID"]}) == 3
    assert [h.eye.client.info()["Name"] for h in (a, b)] == ["a", "b"]
    write(tmp_path, PAGE)
    assert not a.sees(tmp_path)
    lab.context("build", b.ssh_url)
    lab.context("secure", b.tls_url, lab.folder / "pem")
    for args, env in (((), a.ssh), ((), a.tls), (("-c", "build"), {}), (("-c", "secure"), {})):
        assert lab.client("status", "--json", *args, env=env).data["projects"] == []
    assert "no-engine" in lab.client("-q", "doctor", "--json", check=False).out
    with a.partitioned():
        lab.client("status", env={**b.ssh})
    late = subprocess.run(
        ["date", "+%s"], env=dict(lab.at("+1h").env), capture_output=True, check=True
    )
    now = subprocess.run(["date", "+%s"], capture_output=True, check=True)
    assert 3500 < int(late.stdout) - int(now.stdout) < 3700
