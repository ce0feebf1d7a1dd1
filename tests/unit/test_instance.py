"""Which containers make up a project, and which of them counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from debughost_cli import names
from debughost_cli.planning.instance import instances
from debughost_cli.resources import ContainerStatus, ContainerSummary

NOW = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)


def listed(
    name: str, *, project: str = "shop", status: str = "exited", age: int = 0, **labels: str
) -> ContainerSummary:
    """A container of the engine's list; ``labels`` without their prefix."""
    own = {names.MANAGED: "true", names.PROJECT: project}
    return ContainerSummary(
        id=name,
        name=name,
        labels=own | {f"debug-host.{k}": v for k, v in labels.items()},
        image="debug-host/node:abc",
        status=ContainerStatus(status),
        created_at=NOW - timedelta(seconds=age),
    )


def test_the_running_container_counts_else_the_newest() -> None:
    old, new = listed("old", age=9), listed("new")
    assert instances([old, new])["shop"].main == new
    running = listed("running", status="running", age=99)
    found = instances([old, new, running])["shop"]
    assert found.main == running
    assert found.leftovers == (new, old)
    assert found.of_main_role == (running, new, old)


@pytest.mark.parametrize("role", ["service", "of-a-later-version"])
def test_other_roles_are_companions_and_never_leftovers(role: str) -> None:
    main = listed("main", role="main")
    database = listed("database", status="running", role=role, service="db")
    found = instances([main, database])["shop"]
    assert (found.main, found.companions, found.leftovers) == (main, (database,), ())


def test_a_container_without_a_role_is_the_main_one() -> None:
    assert instances([listed("of 0.1.0")])["shop"].main.name == "of 0.1.0"


def test_companions_alone_are_no_project() -> None:
    assert instances([listed("database", role="service", service="db")]) == {}


@pytest.mark.parametrize("project", ["", "Shop", "../shop"])
def test_what_has_no_valid_id_is_not_ours(project: str) -> None:
    assert instances([listed("one", project=project)]) == {}


def test_what_is_not_managed_is_not_ours() -> None:
    assert instances([listed("one", managed="false")]) == {}
