"""Projects with a network of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import FakeEngine

from cli.conftest import App
from debughost_cli import names
from debughost_cli.errors import StartFailed

OWN = "debug-host-shop-network"


def networks(engine: FakeEngine) -> set[str]:
    return {n.name for n in engine.stored_networks.values()}


def test_an_isolated_project_has_a_network_of_its_own(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    (workspace / "debughost.toml").write_text("isolated = true\n")
    plan = app("up", "--dry-run", "--json").project["plan"]
    assert {"create_network": OWN}.items() <= {s["step"]: s["target"] for s in plan}.items()
    run = app("up", "--json")
    assert run.project["action"] == "created"
    assert engine.container("shop").spec.network == OWN
    assert networks(engine) == {OWN}
    (own,) = engine.stored_networks.values()
    assert own.subnet != names.SUBNET
    labels = own.labels
    assert (labels[names.MANAGED], labels[names.PROJECT]) == ("true", "shop")
    assert labels[names.WORKSPACE] == str(workspace)
    again = app("up", "--json")
    assert again.project["action"] == "unchanged"
    assert app("status", "--json").project["drift"] == []
    assert app("restart", "--json").project["action"] == "restarted"


def test_it_is_removed_with_the_project(app: App, engine: FakeEngine) -> None:
    assert app("up", "--isolated").code == 0
    steps = [s["step"] for s in app("rm", "--dry-run", "--json").project["plan"]]
    assert steps == ["stop_container", "remove_container", "remove_network"]
    assert app("rm").code == 0
    assert networks(engine) == set()


def test_rm_leaves_the_shared_network(app: App, engine: FakeEngine) -> None:
    assert app("up").code == 0
    assert app("rm").code == 0
    assert networks(engine) == {names.NETWORK}


def test_the_flag_is_kept_by_restart_and_changes_recreate(app: App, engine: FakeEngine) -> None:
    assert app("up").code == 0
    run = app("up", "--isolated", "--json")
    assert run.project["action"] == "recreated"
    (drift,) = app("status", "--json").project["drift"] or [None]
    assert drift is None
    assert app("restart", "--json").project["action"] == "restarted"
    assert engine.container("shop").spec.network == OWN
    again = app("up", "--no-isolated", "--json")
    assert again.project["action"] == "recreated"
    assert engine.container("shop").spec.network == names.NETWORK
    assert networks(engine) == {names.NETWORK}


def test_a_failed_up_leaves_no_network(app: App, engine: FakeEngine) -> None:
    before = engine.snapshot()
    engine.fail("containers.start", StartFailed("no"))
    assert app("up", "--isolated").code == 7
    assert engine.snapshot() == before


def test_a_network_that_an_interrupted_removal_left_is_used_or_removed(
    app: App, engine: FakeEngine
) -> None:
    labels = {names.MANAGED: "true", names.PROJECT: "shop"}
    made = engine.add_network(OWN, "10.1.0.0/24", labels=labels)
    assert app("up", "--isolated").code == 0
    assert engine.container("shop").network_id == made.id
    assert app("rm").code == 0
    engine.add_network(OWN, "10.1.0.0/24", labels=labels)
    assert app("up").code == 0
    assert networks(engine) == {names.NETWORK}


@pytest.mark.parametrize("driver", ["bridge", "macvlan"])
@pytest.mark.parametrize("labels", [{}, {names.MANAGED: "true", names.PROJECT: "api"}])
def test_somebody_elses_network_is_not_used_and_not_removed(
    app: App, engine: FakeEngine, driver: str, labels: dict[str, str]
) -> None:
    engine.add_network(OWN, "10.1.0.0/24", labels=labels, driver=driver)
    run = app("up", "--isolated", "--json")
    assert (run.code, run.error["code"]) == (5, "NETWORK_CONFLICT")
    assert engine.changes == []
    assert app("up").code == 0
    assert app("rm").code == 0
    assert OWN in networks(engine)


def test_one_that_something_is_attached_to_stays(app: App, engine: FakeEngine) -> None:
    assert app("up", "--isolated").code == 0
    foreign = engine.add_foreign("web", 9000)
    foreign.network_id = engine.container("shop").network_id
    run = app("rm", "--json")
    assert (run.code, run.document["warnings"][0]["code"]) == (0, "NETWORK_IN_USE")
    assert networks(engine) == {OWN}


def test_the_environment_isolates_every_project(
    app: App, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEBUGHOST_ISOLATED", "yes")
    assert app("up").code == 0
    assert engine.container("shop").spec.network == OWN
