"""``network``, ``volumes``, ``images``."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from certificates import PEM
from fakes import FakeEngine
from msgspec.structs import replace

from cli.conftest import App, Terminal
from debughost_cli import names
from debughost_cli.errors import DiskFull, ImageNotFound
from debughost_cli.models import ProjectType
from debughost_cli.services.base_images import default_base, latest

MANAGED_FILTER = {names.MANAGED: "true"}
NET = "debug-host-network"


def changes(engine: FakeEngine) -> Any:
    return [c[0] for c in engine.changes]


# network


def test_ensure_makes_the_contracts_network(app: App, engine: FakeEngine) -> None:
    run = app("network", "ensure", "--json")
    assert run.code == 0
    assert run.document["changed"] is True
    network = run.document["data"]["network"]
    assert (
        network.items()
        >= {
            "name": NET,
            "driver": "bridge",
            "subnet": "172.28.0.0/16",
            "gateway": "172.28.0.1",
            "containers": [],
        }.items()
    )
    (made,) = engine.stored_networks.values()
    assert made.id == network["id"]
    assert made.labels.items() >= {"debug-host.managed": "true"}.items()


def test_ensure_again_changes_nothing(app: App, engine: FakeEngine) -> None:
    app("network", "ensure")
    before = len(engine.changes)
    run = app("network", "ensure", "--json")
    assert (run.code, run.document["changed"]) == (0, False)
    assert engine.changes[before:] == []


def test_ensure_shows_what_is_attached(app: App, engine: FakeEngine) -> None:
    app("up")
    network = app("network", "ensure", "--json").document["data"]["network"]
    assert network["containers"] == [engine.container("shop").id]
    assert "1 container" in app("network", "ensure").out


def test_ensure_with_another_subnet(app: App) -> None:
    run = app("network", "ensure", "--subnet", "10.77.0.0/16", "--json")
    network = run.document["data"]["network"]
    assert (network["subnet"], network["gateway"]) == ("10.77.0.0/16", "10.77.0.1")


@pytest.mark.parametrize("subnet", ["", "x", "172.28.0.1/16", "fd00::/64", "10.0.0.0/31"])
def test_a_subnet_that_is_none(app: App, engine: FakeEngine, subnet: str) -> None:
    run = app("network", "ensure", f"--subnet={subnet}", "--json")
    assert (run.code, run.error["code"]) == (2, "USAGE")
    assert engine.changes == []


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"driver": "macvlan"}, "driver"),
        ({"gateway": "172.28.9.9"}, "gateway"),
        ({"subnet": "172.29.0.0/16"}, "subnet"),
        ({"subnet": None}, "subnet"),
    ],
)
@pytest.mark.parametrize("labels", [{}, MANAGED_FILTER])
def test_a_network_that_differs_is_a_conflict(
    app: App, engine: FakeEngine, facts: dict[str, Any], field: str, labels: Any
) -> None:
    facts = dict(facts)
    engine.add_network(NET, facts.pop("subnet", "172.28.0.0/16"), labels=labels, **facts)
    run = app("network", "ensure", "--json")
    assert (run.code, run.error["code"]) == (5, "NETWORK_CONFLICT")
    assert field in {d["field"] for d in run.error["details"]["drift"]}
    assert run.error["details"]["managed"] is bool(labels)
    assert engine.changes == []


def test_recreate_replaces_one_of_ours_that_nothing_uses(app: App, engine: FakeEngine) -> None:
    engine.add_network(NET, "10.1.0.0/16", labels=MANAGED_FILTER)
    run = app("network", "ensure", "--recreate", "--json")
    assert (run.code, run.document["changed"]) == (0, True)
    assert [n.subnet for n in engine.stored_networks.values()] == ["172.28.0.0/16"]


def test_recreate_never_takes_away_what_is_another_users_or_used(
    app: App, engine: FakeEngine
) -> None:
    foreign = engine.add_network(NET, "10.1.0.0/16")
    assert app("network", "ensure", "--recreate", "--json").error["code"] == "NETWORK_CONFLICT"
    assert foreign.id in engine.stored_networks
    engine.stored_networks.clear()
    app("up")
    run = app("network", "ensure", "--subnet", "10.1.0.0/16", "--recreate", "--json")
    assert run.error["code"] == "NETWORK_CONFLICT"
    assert len(engine.stored_networks) == 1


def test_one_of_another_user_that_fits_is_used_with_a_warning(app: App, engine: FakeEngine) -> None:
    engine.add_network(NET, "172.28.0.0/16")
    run = app("network", "ensure", "--json")
    assert run.code == 0
    assert [w["code"] for w in run.document["warnings"]] == ["NETWORK_UNMANAGED"]
    assert "NETWORK_UNMANAGED" in app("network", "ensure").err


def test_of_two_of_one_name_the_oldest_counts(app: App, engine: FakeEngine) -> None:
    """Engines before API 1.44 allow two when two clients create at once."""
    first = engine.add_network(NET, "172.28.0.0/16", labels=MANAGED_FILTER)
    engine.add_network(NET, "172.28.0.0/16", labels=MANAGED_FILTER)
    run = app("network", "inspect", "--json")
    assert run.document["data"]["network"]["id"] == first.id


def test_inspect(app: App) -> None:
    run = app("network", "inspect", "--json")
    assert (run.code, run.error["code"]) == (3, "NETWORK_NOT_FOUND")
    app("network", "ensure")
    run = app("network", "inspect", "--json")
    assert run.code == 0
    assert run.document["data"]["network"]["subnet"] == "172.28.0.0/16"


def test_rm(app: App, engine: FakeEngine) -> None:
    assert app("network", "rm", "--json").error["code"] == "NETWORK_NOT_FOUND"
    app("network", "ensure")
    run = app("network", "rm", "--json")
    assert (run.code, run.document["changed"]) == (0, True)
    assert engine.stored_networks == {}


def test_rm_while_it_is_used(app: App, engine: FakeEngine) -> None:
    app("up")
    run = app("network", "rm", "--json")
    assert (run.code, run.error["code"]) == (5, "IN_USE")
    assert run.error["details"]["containers"] == [engine.container("shop").id]
    assert len(engine.stored_networks) == 1


def test_rm_of_one_that_comes_into_use_at_the_last_moment(app: App, engine: FakeEngine) -> None:
    app("up")
    app("stop")
    ref = engine.container("shop").id
    engine.before("networks.remove", lambda: engine.containers.start(ref))
    run = app("network", "rm", "--json")
    assert (run.code, run.error["code"]) == (5, "IN_USE")
    assert run.error["hint"]


def test_rm_of_one_of_another_user(app: App, engine: FakeEngine) -> None:
    engine.add_network(NET, "172.28.0.0/16")
    run = app("network", "rm", "--json")
    assert (run.code, run.error["code"]) == (5, "NETWORK_CONFLICT")
    assert len(engine.stored_networks) == 1


def test_a_network_whose_name_only_begins_alike_is_another(app: App, engine: FakeEngine) -> None:
    engine.add_network(f"{NET}-2", "10.9.0.0/16")
    assert app("network", "inspect", "--json").error["code"] == "NETWORK_NOT_FOUND"


# volumes

OF_GONE = ["debug-host-gone-cache", "debug-host-gone-home", "debug-host-gone-node_modules"]


@pytest.fixture
def removed(app: App, engine: FakeEngine) -> Any:
    """A project that was removed, and one that runs; the volumes of both are left."""
    app("up", "-p", "gone")
    app("rm", "-p", "gone")
    app("up")
    engine.stored_volumes["debug-host-gone-node_modules"].size_bytes = 5000
    engine.add_volume("mine", {})
    return engine


@pytest.mark.usefixtures("removed")
def test_volumes_are_listed_with_size_and_use(app: App) -> None:
    run = app("volumes", "ls", "--json")
    data = run.document["data"]
    assert set(data) == {"volumes", "reclaimed_bytes"}
    found = {v["name"]: v for v in data["volumes"]}
    projects, kinds = ("gone", "shop"), ("cache", "home", "node_modules")
    assert set(found) == {f"debug-host-{p}-{kind}" for p in projects for kind in kinds}
    gone = found["debug-host-gone-node_modules"]
    assert (gone["project"], gone["type"], gone["size_bytes"], gone["in_use"]) == (
        "gone",
        "node",
        5000,
        False,
    )
    assert found["debug-host-shop-node_modules"]["in_use"] is True
    assert gone["created_at"].endswith("Z")


def test_no_volumes(app: App) -> None:
    run = app("volumes", "ls")
    assert (run.code, run.out) == (0, "")
    assert app("volumes", "ls", "--json").document["data"]["volumes"] == []


def test_prune_removes_those_whose_project_has_no_container(app: App, removed: Any) -> None:
    run = app("volumes", "prune", "--yes", "--json")
    assert run.code == 0
    data = run.document["data"]
    assert [v["name"] for v in data["volumes"]] == OF_GONE
    assert data["reclaimed_bytes"] == 5000 + 2 * 4096
    assert run.document["changed"] is True
    assert "debug-host-gone-node_modules" not in removed.stored_volumes
    assert {"debug-host-shop-node_modules", "mine"} <= set(removed.stored_volumes)
    again = app("volumes", "prune", "--yes", "--json")
    assert (again.code, again.document["changed"], again.document["data"]["volumes"]) == (
        0,
        False,
        [],
    )


def test_a_stopped_project_keeps_its_volume(app: App, removed: Any) -> None:
    app("stop")
    app("volumes", "prune", "--yes")
    assert "debug-host-shop-node_modules" in removed.stored_volumes


def test_a_dry_run_of_prune_changes_nothing(app: App, removed: Any) -> None:
    before = len(removed.changes)
    run = app("volumes", "prune", "--dry-run", "--json")
    assert (run.code, run.document["changed"]) == (0, False)
    assert [v["name"] for v in run.document["data"]["volumes"]] == OF_GONE
    assert removed.changes[before:] == []
    assert "would be freed" in app("volumes", "prune", "--dry-run").out


def test_prune_of_those_named(app: App, removed: Any) -> None:
    run = app("volumes", "prune", "-p", "other", "--yes", "--json")
    assert run.document["data"]["volumes"] == []
    run = app("volumes", "prune", "-p", "gone", "--yes", "--json")
    assert [v["name"] for v in run.document["data"]["volumes"]] == OF_GONE


def test_prune_of_all_takes_the_caches_too(app: App, removed: Any) -> None:
    assert app("up", "--shared-cache").code == 0
    app("rm")
    kept = {v for v in removed.stored_volumes if names.is_shared_cache(v)}
    assert kept
    app("volumes", "prune", "--yes")
    assert kept <= set(removed.stored_volumes)
    app("volumes", "prune", "--all", "--yes")
    assert not kept & set(removed.stored_volumes)
    assert "mine" in removed.stored_volumes


@pytest.mark.usefixtures("removed")
def test_prune_keeps_a_chosen_port(app: App, removed: Any) -> None:
    """A project keeps its port across rm and up; tidying up is no reason to lose it."""
    app("up", "-p", "other", "--port", "3456")
    app("rm", "-p", "other", "--volumes")
    app("up", "-p", "other", "--port", "3456")
    app("rm", "-p", "other")
    app("volumes", "prune", "--yes")
    assert app("up", "-p", "other", "--json").project["port"] == 3456


@pytest.mark.usefixtures("removed")
@pytest.mark.parametrize(
    ("argv", "stdin"), [([], None), (["--json"], Terminal()), (["--no-input"], Terminal())]
)
def test_prune_asks_nobody_who_is_not_there(
    app: App, removed: Any, argv: list[str], stdin: Any
) -> None:
    run = app("volumes", "prune", *argv, stdin=stdin, stderr=Terminal())
    assert run.code == 2
    assert "--yes" in run.err + run.out
    assert "debug-host-gone-node_modules" in removed.stored_volumes


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 2), ("", 2)])
def test_prune_asks_who_is_there(
    app: App, removed: Any, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert app("volumes", "prune", stdin=Terminal(), stderr=Terminal()).code == code
    assert ("debug-host-gone-node_modules" in removed.stored_volumes) is (code == 2)


def test_a_volume_that_comes_into_use_is_left_with_a_warning(app: App, removed: Any) -> None:
    spec = removed.container("shop").spec
    removed.before(
        "volumes.remove",
        lambda: removed.containers.create("late", replace(spec, mounts=gone_mount(spec))),
    )
    run = app("volumes", "prune", "--yes", "--json")
    assert run.code == 0
    assert [w["code"] for w in run.document["warnings"]] == ["VOLUME_IN_USE"] * 3
    assert run.document["data"] == {"volumes": [], "reclaimed_bytes": 0}


def gone_mount(spec: Any) -> Any:
    return tuple(
        type(m)(m.type, m.source.replace("-shop-", "-gone-"), m.target) for m in spec.mounts
    )


def test_prune_of_what_is_no_id(app: App, engine: FakeEngine) -> None:
    run = app("volumes", "prune", "-p", "No Id", "--json")
    assert (run.code, run.error["code"]) == (2, "INVALID_PROJECT")


# images


@pytest.fixture
def empty(workspace: Path) -> Any:
    """An engine without base images, whose registry has what they are made from."""
    engine = FakeEngine()
    for type_ in ProjectType:
        engine.add_image(default_base(type_), registry=True)
    return App(engine)


def images(run: Any) -> Any:
    return {i["type"]: i for i in run.document["data"]["images"]}


def test_which_images_are_here(app: App, engine: FakeEngine) -> None:
    found = images(app("images", "ls", "--json"))
    assert set(found) == {"node", "python", "php", "static"}
    assert all(i["present"] and i["current"] for i in found.values())
    assert all(i["size_bytes"] == 1000 for i in found.values())
    assert engine.changes == []


def test_which_images_are_missing(empty: App) -> None:
    found = images(empty("images", "ls", "--json"))
    assert not any(i["present"] for i in found.values())
    assert empty("images", "ls").out.count("missing") == 4


def test_build_makes_all_four(empty: App) -> None:
    run = empty("images", "build", "--json")
    assert (run.code, run.document["changed"]) == (0, True)
    assert set(images(run)) == {"node", "python", "php", "static"}
    assert all(i["current"] for i in images(empty("images", "ls", "--json")).values())
    assert changes(empty.engine) == ["images.build"] * 4


def test_build_of_one_on_another_base_which_is_kept(empty: App) -> None:
    empty.engine.add_image("corp/node:24")
    run = empty("images", "build", "node", "--base", "corp/node:24", "--json")
    assert run.code == 0
    assert images(run)["node"]["base"] == "corp/node:24"
    empty("images", "build", "node")
    assert empty.engine.stored_images[latest(ProjectType.NODE)].labels[names.BASE] == "corp/node:24"


def test_build_on_a_base_that_is_not_to_be_had(empty: App) -> None:
    run = empty("images", "build", "node", "--base", "nope:1", "--json")
    assert (run.code, run.error["code"]) == (3, "IMAGE_NOT_FOUND")
    assert run.error["details"]["reason"] == "unknown"


def test_the_builds_output_is_talk(empty: App) -> None:
    run = empty("images", "build", "node", "--verbose")
    assert "FROM base" in run.err
    assert "FROM base" not in run.out


@pytest.mark.parametrize("command", ["build", "pull"])
def test_a_type_that_is_none(empty: App, command: str) -> None:
    run = empty("images", command, "ruby", "--json")
    assert (run.code, run.error["code"]) == (2, "TYPE_UNKNOWN")
    assert empty.engine.changes == []


def test_pull_fetches_and_makes(empty: App) -> None:
    run = empty("images", "pull", "node", "--json")
    assert (run.code, run.document["changed"]) == (0, True)
    assert changes(empty.engine) == ["images.pull", "images.build"]


@pytest.mark.parametrize("reason", ["unknown", "registry_unreachable", "unauthorized"])
def test_why_a_pull_failed(empty: App, reason: str) -> None:
    empty.engine.pull_error = ImageNotFound("no", details={"reason": reason})
    run = empty("images", "pull", "node", "--json")
    assert (run.code, run.error["code"], run.error["details"]["reason"]) == (
        3,
        "IMAGE_NOT_FOUND",
        reason,
    )


def test_no_room_for_an_image(empty: App) -> None:
    empty.engine.fail("images.build", DiskFull("the engine's disk is full"))
    run = empty("images", "build", "node", "--json")
    assert (run.code, run.error["code"]) == (9, "DISK_FULL")


def test_no_room_names_what_prune_would_remove_and_measures_once(empty: App) -> None:
    old = MANAGED_FILTER | {names.PROJECT: "old", names.TYPE: "node"}
    empty.engine.add_volume("debug-host-old-node_modules", old, size=300 << 20)
    empty.engine.add_volume("of-all", MANAGED_FILTER | {names.ROLE: "cache"}, size=900 << 20)
    empty.engine.add_volume("of-a-stranger", size=900 << 20)
    empty.engine.fail("images.build", DiskFull("full"))
    run = empty("up", "--json", "--verbose")
    assert run.code == 9
    assert run.error["details"]["room"]["prunable_volumes"] == ["debug-host-old-node_modules"]
    assert "300 MiB of volumes without a project" in run.error["hint"]
    pruned = empty("volumes", "prune", "--yes", "--json").document["data"]
    assert pruned["reclaimed_bytes"] == run.error["details"]["room"]["prunable_bytes"]


def test_the_build_gets_the_companys_certificates(
    empty: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text(PEM)
    monkeypatch.setenv("DEBUGHOST_CA_BUNDLE", str(bundle))
    assert empty("images", "build", "node").code == 0
    monkeypatch.setenv("DEBUGHOST_CA_BUNDLE", str(tmp_path / "none"))
    run = empty("images", "build", "node", "--json")
    assert (run.code, run.error["code"]) == (2, "INVALID_CONFIG")
