"""The four examples: up from detection alone, seen from the engine and from inside."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest

from .conftest import RUN
from .harness import (
    UPLOADED,
    Eye,
    Program,
    Result,
    body,
    eventually,
    fetch,
    is_desktop,
    listing,
    own,
    owner,
)

EXAMPLES = Path(__file__).parents[2] / "examples"
RANGES = {
    "node": range(3000, 4000),
    "static": range(4000, 5000),
    "python": range(5000, 6000),
    "php": range(8080, 8981),
}
DEPENDENCIES = {
    "node": ("node_modules", "node_modules"),
    "python": ("venv", ".venv"),
    "php": ("vendor", "vendor"),
}
SOURCES = {
    "node": "page.js",
    "python": "main.py",
    "php": "src/Kernel.php",
    "static": "index.html",
}
CA_VARIABLES = ("NODE_EXTRA_CA_CERTS", "PIP_CERT", "SSL_CERT_FILE", "CURL_CA_BUNDLE")


@dataclass
class Example:
    """One example while it runs. ``before``: its folder as it was."""

    type: str
    project: str
    folder: Path
    before: dict[str, Any]
    up: Result
    inspect: dict[str, Any]

    @property
    def port(self) -> int:
        return self.up.project["port"]

    @property
    def env(self) -> dict[str, str]:
        return dict(e.split("=", 1) for e in self.inspect["Config"]["Env"])

    @property
    def mounts(self) -> dict[str, dict[str, Any]]:
        return {m["Destination"]: m for m in self.inspect["Mounts"]}


@pytest.fixture(scope="module", params=["static", "node", "python", "php"])
def example(
    request: pytest.FixtureRequest, run: Program, eye: Eye, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Example]:
    type_ = request.param
    project = f"{RUN}{secrets.token_hex(3)}-{type_}"
    folder = tmp_path_factory.mktemp("examples") / type_
    skipped = shutil.ignore_patterns("node_modules", ".venv", "vendor", "__pycache__")
    shutil.copytree(EXAMPLES / type_, folder, ignore=skipped)
    own(folder)
    before = listing(folder)
    try:
        up = run("up", "-p", project, "--wait-timeout", "150", "--json", cwd=folder, timeout=200)
        yield Example(type_, project, folder, before, up, eye.inspect(project))
    finally:
        eye.remove(project)


def without_bytecode(entries: dict[str, Any]) -> dict[str, Any]:
    """Python itself keeps bytecode beside the sources."""
    return {k: v for k, v in entries.items() if "__pycache__" not in k}


def test_comes_up_from_detection_alone(example: Example) -> None:
    found = example.up.project
    assert example.up.document["changed"] is True
    assert (found["action"], found["state"], found["ready"]) == ("created", "running", True)
    assert (found["project"], found["type"]) == (example.project, example.type)
    assert found["url"] == f"http://127.0.0.1:{found['port']}"
    assert found["workspace"] == str(example.folder)
    status, page = fetch(found["url"])
    assert status == 200
    assert f"Hello from the {example.type} example." in page


def test_an_edit_on_the_host_changes_the_page(example: Example, run: Program) -> None:
    source = example.folder / SOURCES[example.type]
    kept = source.read_text()
    try:
        source.write_text(kept.replace(" example.", " example, edited."))
        run.send(example.project)
        eventually(lambda: "example, edited." in body(example.up.project["url"]), pause=0.2)
    finally:
        source.write_text(kept)
        run.send(example.project)


def test_files_made_in_the_container_belong_to_the_workspaces_owner(
    example: Example, run: Program, eye: Eye
) -> None:
    code, said = eye.exec(example.project, "sh", "-c", "mkdir /app/made && echo hi >/app/made/it")
    made = example.folder / "made"
    assert code == 0, said
    run.fetch(example.project)
    assert owner(made / "it") == owner(made) == owner(example.folder)
    shutil.rmtree(made)
    run.send(example.project)


def test_no_folder_of_the_workspace_belongs_to_another_user(example: Example) -> None:
    owners = {owner(p) for p in example.folder.rglob("*")}
    assert owners == {owner(example.folder)}


def test_dependencies_are_in_a_volume_that_the_user_can_write(example: Example, eye: Eye) -> None:
    if example.type not in DEPENDENCIES:
        assert len(eye.volumes(example.project)) == len(UPLOADED)
        return
    suffix, folder = DEPENDENCIES[example.type]
    mount = example.mounts[f"/app/{folder}"]
    assert (mount["Type"], mount["RW"]) == ("volume", True)
    assert mount["Name"] == f"debug-host-{example.project}-{suffix}"
    code, said = eye.exec(
        example.project, "sh", "-c", f"touch /app/{folder}/x && rm /app/{folder}/x && ls /app"
    )
    assert code == 0, said
    kept = example.folder / folder
    assert not kept.exists() if UPLOADED else list(kept.iterdir()) == []
    volumes = {v["Name"]: v["Labels"] for v in eye.volumes(example.project)}
    assert set(volumes) == {
        mount["Name"],
        *(f"debug-host-{example.project}-{k}" for k in ("cache", "home", *UPLOADED)),
    }
    for labels in volumes.values():
        assert labels["debug-host.managed"] == "true"
        assert labels["debug-host.type"] == example.type
        assert {"debug-host.created", "debug-host.version"} <= set(labels)


def test_the_name_shows_project_and_moment(example: Example) -> None:
    name = example.inspect["Name"].removeprefix("/")
    found = re.fullmatch(rf"debug-host-{example.project}-(\d{{8}}T\d{{9}}Z)", name)
    assert found
    moment = datetime.strptime(found[1], "%Y%m%dT%H%M%S%fZ").replace(tzinfo=UTC)
    assert abs(datetime.now(UTC) - moment) < timedelta(minutes=10)
    assert example.up.project["container"]["name"] == name
    assert example.up.project["container"]["id"] == example.inspect["Id"]


def test_it_is_on_the_network_under_two_names(example: Example, eye: Eye) -> None:
    networks = example.inspect["NetworkSettings"]["Networks"]
    assert set(networks) == {"debug-host-network"}
    aliases = networks["debug-host-network"]["Aliases"]
    assert {example.project, f"project-{example.project}"} <= set(aliases)
    found = eye.client.inspect_network("debug-host-network")
    assert found["Driver"] == "bridge"
    assert found["IPAM"]["Config"] == [{"Subnet": "172.28.0.0/16", "Gateway": "172.28.0.1"}]


def test_labels_tell_all_about_it(example: Example) -> None:
    labels = example.inspect["Config"]["Labels"]
    assert labels["debug-host.managed"] == "true"
    assert labels["debug-host.project"] == example.project
    assert labels["debug-host.type"] == example.type
    assert labels["debug-host.workspace"] == str(example.folder)
    assert labels["debug-host.port"] == str(example.port)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", labels["debug-host.created"])
    assert labels["debug-host.version"]
    assert labels["debug-host.config-hash"]


def test_its_environment(example: Example) -> None:
    env = example.env
    assert env["PORT"] == str(example.port)
    assert env["PROJECT_ID"] == example.project
    assert env["DEBUG_HOST"] == "true"


def test_the_workspace_is_at_app(example: Example) -> None:
    mount = example.mounts["/app"]
    if UPLOADED:
        app = ("volume", f"debug-host-{example.project}-app")
        assert (mount["Type"], mount["Name"]) == app
    else:
        assert (mount["Type"], mount["Source"]) == ("bind", str(example.folder))
    assert mount["RW"] is True


def test_its_limits(example: Example) -> None:
    host = example.inspect["HostConfig"]
    assert host["NanoCpus"] == 2_000_000_000
    assert host["Memory"] == host["MemorySwap"] == 2 * 1024**3
    assert host["PidsLimit"] == 512


def test_the_port_is_one_of_the_types_on_loopback_alone(example: Example) -> None:
    assert example.port in RANGES[example.type]
    published = {f"{example.port}/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(example.port)}]}
    assert example.inspect["HostConfig"]["PortBindings"] == published
    assert example.inspect["NetworkSettings"]["Ports"] == published


def test_it_runs_as_the_workspaces_owner(
    example: Example, eye: Eye, unavailable: Callable[[str], NoReturn]
) -> None:
    if is_desktop(eye.client):
        unavailable("an engine that does not map users itself")
    uid, gid = owner(example.folder)
    assert example.inspect["Config"]["User"] == f"{uid}:{gid}"
    assert eye.exec(example.project, "sh", "-c", "id -u; id -g")[1].split() == [str(uid), str(gid)]


def test_it_can_do_no_more_than_a_server_needs(example: Example, eye: Eye) -> None:
    host = example.inspect["HostConfig"]
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert host["Privileged"] is False
    assert any(o.startswith("no-new-privileges") for o in host["SecurityOpt"])
    assert host["Init"] is True
    assert not any("docker.sock" in str(m) for m in example.inspect["Mounts"])
    assert not host["Devices"]
    assert host["PidMode"] == host["UTSMode"] == ""
    code, said = eye.exec(example.project, "cat", "/proc/1/comm", "/proc/self/status")
    assert code == 0
    assert re.match(r"(docker-init|tini)\n", said)
    assert re.search(r"^CapBnd:\s+0+$", said, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\s+1$", said, re.MULTILINE)


def test_the_hosts_certificates_are_there_to_read(
    example: Example, run: Program, eye: Eye, unavailable: Callable[[str], NoReturn]
) -> None:
    bundle = run.env.get("DEBUGHOST_CA_BUNDLE")
    if not bundle:
        unavailable("certificates at the usual place")
    (target,) = {example.env[name] for name in CA_VARIABLES}
    assert target not in example.mounts
    count = f"stat -c '%u %a' {target}; grep -c BEGIN {target}; grep -vc . {target}"
    found = eye.exec(example.project, "sh", "-c", count)[1].split()
    assert found == ["0", "444", str(Path(bundle).read_text().count("-BEGIN CERTIFICATE-")), "0"]


def test_up_again_changes_nothing(example: Example, run: Program, eye: Eye) -> None:
    again = run("up", "-p", example.project, "--json", cwd=example.folder)
    assert again.document["changed"] is False
    assert again.project["action"] == "unchanged"
    assert eye.inspect(example.project)["Id"] == example.inspect["Id"]


def test_rm_leaves_the_workspace_as_it_was(example: Example, run: Program, eye: Eye) -> None:
    gone = run("rm", "-p", example.project, "--json")
    assert gone.project["action"] == "removed"
    assert eye.containers(example.project) == []
    assert without_bytecode(listing(example.folder)) == example.before
