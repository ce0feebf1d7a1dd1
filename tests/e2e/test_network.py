"""The network, and what needs an engine without it; on an engine of the tests' own."""

from __future__ import annotations

from pathlib import Path

from .harness import write
from .private_engine import Private
from .workspaces import PAGE

NAME = "debug-host-network"


def ipam(subnet: str, gateway: str) -> dict[str, object]:
    return {"Driver": "default", "Config": [{"Subnet": subnet, "Gateway": gateway}]}


def test_ensure_makes_it_once(private: Private) -> None:
    made = private.run("network", "ensure", "--json")
    assert made.document["changed"] is True
    network = made.data["network"]
    assert network | {
        "name": NAME, "driver": "bridge", "subnet": "172.28.0.0/16", "gateway": "172.28.0.1",
        "containers": [],
    } == network  # fmt: skip
    (found,) = private.networks()
    assert found["Id"] == network["id"]
    labels = found["Labels"]
    assert labels["debug-host.managed"] == "true"
    assert {"debug-host.created", "debug-host.version"} <= set(labels)

    again = private.run("network", "ensure", "--json")
    assert again.document["changed"] is False
    assert again.data["network"]["id"] == network["id"]


def test_ten_at_once_make_one(private: Private) -> None:
    for _ in range(3):
        results = private.run.at_once([("network", "ensure")] * 10)
        assert [r.code for r in results] == [0] * 10, "\n".join(map(str, results))
        (found,) = private.networks()
        assert {r.data["network"]["id"] for r in results} == {found["Id"]}
        assert sum(r.document["changed"] for r in results) == 1
        private.clear()


def test_up_makes_it(private: Private, tmp_path: Path) -> None:
    made = private.run("up", "-p", "a", "-w", write(tmp_path / "a", PAGE), "--json")
    assert made.project["ready"] is True
    inspected = private.run("network", "inspect", "--json").data["network"]
    assert inspected["containers"] == [made.project["container"]["id"]]


def test_projects_reach_each_other_by_name(private: Private, tmp_path: Path) -> None:
    for project in ("a", "b"):
        private.run("up", "-p", project, "-w", write(tmp_path / project, PAGE))
    port = private.run("status", "-p", "b", "--no-stats", "--json").project["port"]
    for name in ("b", "project-b"):
        code, said = private.eye.exec("a", "curl", "-fsS", f"http://{name}:{port}/")
        assert (code, said) == (0, PAGE["index.html"])


def test_a_network_that_differs_is_reported_field_by_field(private: Private) -> None:
    private.eye.client.create_network(NAME, "bridge", ipam=ipam("172.30.0.0/16", "172.30.0.9"))
    failed = private.run("network", "ensure", "--json", check=5)
    assert failed.error["code"] == "NETWORK_CONFLICT"
    assert failed.error["details"]["drift"] == [
        {"field": "subnet", "want": "172.28.0.0/16", "have": "172.30.0.0/16"},
        {"field": "gateway", "want": "172.28.0.1", "have": "172.30.0.9"},
    ]
    failed = private.run("network", "ensure", "--recreate", "--json", check=5)
    assert "docker network rm" in failed.error["hint"]
    assert len(private.networks()) == 1


def test_up_does_not_join_a_network_that_differs(private: Private, tmp_path: Path) -> None:
    private.eye.client.create_network(NAME, "bridge", ipam=ipam("172.30.0.0/16", "172.30.0.1"))
    before = private.world()
    folder = write(tmp_path / "a", PAGE)
    failed = private.run("up", "-p", "a", "-w", folder, "--json", check=5)
    assert failed.error["code"] == "NETWORK_CONFLICT"
    assert private.world() == before


def test_an_overlap_names_the_culprit_and_a_way_out(private: Private) -> None:
    private.eye.client.create_network("culprit", ipam=ipam("172.28.5.0/24", "172.28.5.1"))
    failed = private.run("network", "ensure", "--json", check=5)
    assert failed.error["code"] == "NETWORK_CONFLICT"
    assert "culprit" in failed.error["message"]
    free = failed.error["details"]["free_subnet"]
    assert free in failed.error["hint"]
    made = private.run("network", "ensure", "--subnet", free, "--json")
    assert made.data["network"]["subnet"] == free
    assert made.data["network"]["gateway"] == free.replace("0.0/16", "0.1")


def test_another_subnet_is_used_by_up(private: Private, tmp_path: Path) -> None:
    private.run("network", "ensure", "--subnet", "10.77.0.0/24")
    private.run("up", "-p", "a", "-w", write(tmp_path / "a", PAGE))
    networks = private.eye.inspect("a")["NetworkSettings"]["Networks"]
    assert networks[NAME]["IPAddress"].startswith("10.77.0.")


def test_recreate_recreates_it_unless_something_is_attached(
    private: Private, tmp_path: Path
) -> None:
    private.run("network", "ensure", "--subnet", "10.77.0.0/24")
    private.run("up", "-p", "a", "-w", write(tmp_path / "a", PAGE))
    (before,) = private.networks()
    refused = private.run("network", "ensure", "--recreate", "--json", check=5)
    assert refused.error["code"] == "NETWORK_CONFLICT"
    assert private.networks()[0]["Id"] == before["Id"]
    private.run("rm", "-p", "a")
    made = private.run("network", "ensure", "--recreate", "--json")
    assert made.document["changed"] is True
    assert made.data["network"]["subnet"] == "172.28.0.0/16"
    assert len(private.networks()) == 1


def test_a_subnet_that_is_none(private: Private) -> None:
    for wrong in ("172.28.0.0", "nonsense", "172.28.0.1/16", "172.28.0.0/31", "::/64"):
        failed = private.run("network", "ensure", "--subnet", wrong, "--json", check=2)
        assert failed.error["code"] == "USAGE"
    assert private.networks() == []


def test_rm_takes_it_when_nothing_uses_it(private: Private, tmp_path: Path) -> None:
    assert private.run("network", "rm", "--json", check=3).error["code"] == "NETWORK_NOT_FOUND"
    missing = private.run("network", "inspect", "--json", check=3)
    assert missing.error["code"] == "NETWORK_NOT_FOUND"
    private.run("up", "-p", "a", "-w", write(tmp_path / "a", PAGE))
    used = private.run("network", "rm", "--json", check=5)
    assert used.error["code"] == "IN_USE"
    private.run("rm", "-p", "a")
    assert private.run("network", "rm", "--json").document["changed"] is True
    assert private.networks() == []


def test_another_users_network_is_used_but_never_removed(private: Private) -> None:
    private.eye.client.create_network(NAME, "bridge", ipam=ipam("172.28.0.0/16", "172.28.0.1"))
    used = private.run("network", "ensure", "--json")
    assert used.document["changed"] is False
    assert used.document["warnings"]
    assert private.run("network", "rm", "--json", check=5).error["code"] == "NETWORK_CONFLICT"
    assert len(private.networks()) == 1


def test_a_network_that_was_recreated_is_joined_again(private: Private, tmp_path: Path) -> None:
    folder = write(tmp_path / "a", PAGE)
    private.run("up", "-p", "a", "-w", folder)
    private.run("stop", "-p", "a")
    private.eye.client.disconnect_container_from_network(private.eye.inspect("a")["Id"], NAME)
    private.eye.client.remove_network(NAME)
    again = private.run("up", "-p", "a", "-w", folder, "--json")
    assert again.project["ready"] is True
    assert set(private.eye.inspect("a")["NetworkSettings"]["Networks"]) == {NAME}
