"""A companion service beside the project's own container: only its role tells them apart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .harness import Eye, Program, write
from .workspaces import PAGE


@pytest.fixture
def database(run: Program, eye: Eye, project: str) -> Iterator[str]:
    """A running container of the project with the role of a service, and its data volume."""
    labels = {
        "debug-host.managed": "true",
        "debug-host.project": project,
        "debug-host.role": "service",
        "debug-host.service": "db",
    }
    volume = f"debug-host-{project}-db-data"
    eye.client.create_volume(volume, labels=labels)
    ref = eye.client.create_container(
        run.image("static"),
        ["sleep", "600"],
        name=f"debug-host-{project}-db-20261123T101500000Z",
        entrypoint=[],
        labels=labels,
        host_config=eye.client.create_host_config(binds={volume: {"bind": "/data"}}),
    )["Id"]
    eye.client.start(ref)
    yield ref
    eye.client.remove_container(ref, force=True)
    eye.client.remove_volume(volume)


def test_a_companion_survives_everything_that_is_done_to_the_main_container(
    run: Program, eye: Eye, project: str, database: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "site", PAGE)

    def state() -> tuple[str, bool, str]:
        found = eye.client.inspect_container(database)
        return found["Id"], found["State"]["Running"], found["State"]["StartedAt"]

    before = state()
    run("rm", "-p", project, check=3)  # A companion alone is no project.
    for argv in (
        ["up", "-p", project, "-w", folder],
        ["up", "-p", project, "-w", folder, "--recreate"],
        ["restart", "-p", project],
        ["stop", "-p", project],
        ["up", "-p", project, "-w", folder],
    ):
        assert run(*argv).code == 0
        assert state() == before
    found = run("status", "-p", project, "--json").project
    assert found["container"]["id"] != database
    assert [(s["name"], s["state"]) for s in found["services"]] == [("db", "running")]
    assert found["ports"][0]["host_port"] == found["port"]
    assert run("rm", "-p", project, "--volumes").code == 0
    assert run("volumes", "prune", "-p", project, "--yes").code == 0
    assert state() == before
    assert [v["Name"] for v in eye.volumes(project)] == [f"debug-host-{project}-db-data"]
