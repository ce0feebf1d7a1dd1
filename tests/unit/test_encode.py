"""Models to engine JSON: every row of the contract that a container is made by."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

import pytest
from fakes import make_spec
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from debughost_cli import names
from debughost_cli.container import control_files
from debughost_cli.engine import encode
from debughost_cli.models import Dependencies, ProjectType, RestartPolicy
from debughost_cli.project.workspace import FolderIdentity
from debughost_cli.resources import FileEntry
from debughost_cli.specs import HTTP, Limits, Mount, MountType, PortBinding, Role, User

SPEC = make_spec(
    "/srv/shop",
    mounts=(
        Mount(MountType.BIND, "/srv/shop", "/app"),
        Mount(MountType.VOLUME, "deps", "/app/node_modules"),
        Mount(MountType.BIND, "/etc/ca.pem", names.CA_FILE, read_only=True),
    ),
)


def host_config(**changes: Any) -> Any:
    return encode.container(replace(SPEC, **changes))["HostConfig"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("NanoCpus", 2 * 10**9),
        ("Memory", 2 * 1024**3),
        ("MemorySwap", 2 * 1024**3),
        ("PidsLimit", 512),
        ("Init", True),
        ("Privileged", False),
        ("CapDrop", ["ALL"]),
        ("SecurityOpt", ["no-new-privileges:true"]),
        ("LogConfig", {"Type": "json-file", "Config": {"max-size": "9m", "max-file": "5"}}),
        ("NetworkMode", names.NETWORK),
        ("RestartPolicy", {"Name": "no", "MaximumRetryCount": 0}),
        ("PortBindings", {"3000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "3000"}]}),
    ],
)
def test_the_contracts_rows(key: str, value: Any) -> None:
    assert host_config()[key] == value


def test_a_companion_is_run_as_its_image_has_it() -> None:
    """What contains a root init without CAP_KILL could not stop a database of another user."""
    mount = Mount(MountType.VOLUME, "data", "/data")
    spec = replace(SPEC, role=Role.SERVICE, name="db", command=(), mounts=(mount,))
    body = encode.container(spec)
    assert not {"Entrypoint", "Cmd", "WorkingDir", "StopSignal", "OpenStdin"} & body.keys()
    assert body["Hostname"] == "db"
    host = body["HostConfig"]
    assert host["Init"] is False
    assert host["CapDrop"] == ["ALL"]
    assert host["CapAdd"] == ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    # The image's own owner of its data folder is needed.
    assert "VolumeOptions" not in host["Mounts"][0]
    assert encode.container(replace(spec, command=("a",)))["Cmd"] == ["a"]
    assert host_config()["CapAdd"] == []


def test_nothing_is_added_that_the_contract_forbids() -> None:
    body = encode.container(SPEC)
    host = body["HostConfig"]
    assert not host.get("CapAdd")
    assert not host.get("Devices")
    assert not host.get("Binds")
    assert not any(
        k in host for k in ("PidMode", "IpcMode", "UsernsMode", "UTSMode", "VolumesFrom")
    )
    assert "docker.sock" not in json.dumps(body)
    assert not host.get("AutoRemove")


def test_the_size_of_shared_memory_is_sent_where_it_is_set() -> None:
    assert "ShmSize" not in host_config()
    assert host_config(limits=Limits(shm_bytes=1 << 28))["ShmSize"] == 1 << 28


@pytest.mark.parametrize(
    ("limits", "nano", "memory", "pids"),
    [
        (Limits(0.5, 64 * 1024**2, 8), 500_000_000, 64 * 1024**2, 8),
        (Limits(0.1 + 0.2, 1, 9), 300_000_000, 1, 9),
        (Limits(0.07, 1, 9), 70_000_000, 1, 9),
    ],
)
def test_limits_can_be_set_and_swap_is_never_on_top(
    limits: Any, nano: int, memory: int, pids: int
) -> None:
    host = host_config(limits=limits)
    assert (host["NanoCpus"], host["Memory"], host["MemorySwap"], host["PidsLimit"]) == (
        nano,
        memory,
        memory,
        pids,
    )


@pytest.mark.parametrize(
    ("policy", "made"),
    [
        ("no", {"Name": "no", "MaximumRetryCount": 0}),
        ("always", {"Name": "always", "MaximumRetryCount": 0}),
        ("unless-stopped", {"Name": "unless-stopped", "MaximumRetryCount": 0}),
        ("on-failure", {"Name": "on-failure", "MaximumRetryCount": 0}),
        ("on-failure:5", {"Name": "on-failure", "MaximumRetryCount": 5}),
    ],
)
def test_restart_policies(policy: str, made: dict[str, int | str]) -> None:
    assert host_config(restart=RestartPolicy.parse(policy))["RestartPolicy"] == made


def test_mounts_are_of_the_kind_that_makes_no_missing_folders() -> None:
    assert host_config()["Mounts"] == [
        {"Type": "bind", "Source": "/srv/shop", "Target": "/app", "ReadOnly": False},
        {
            "Type": "volume",
            "Source": "deps",
            "Target": "/app/node_modules",
            "ReadOnly": False,
            "VolumeOptions": {"NoCopy": True},
        },
        {"Type": "bind", "Source": "/etc/ca.pem", "Target": names.CA_FILE, "ReadOnly": True},
    ]


def test_a_port_may_be_published_as_several() -> None:
    ports = (
        PortBinding(HTTP, 3000, 3001),
        PortBinding("a", 3000, 9000),
        PortBinding("b", 80, 9001),
    )
    assert host_config(ports=ports)["PortBindings"] == {
        "3000/tcp": [
            {"HostIp": "127.0.0.1", "HostPort": "3001"}, {"HostIp": "127.0.0.1", "HostPort": "9000"}
        ],
        "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "9001"}],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("type_", "hosts"),
    [
        (ProjectType.NODE, None),
        (ProjectType.PYTHON, None),
        (ProjectType.PHP, ["host.docker.internal:host-gateway"]),
    ],
)
def test_a_program_with_a_debugger_is_run_by_it(type_: Any, hosts: Any) -> None:
    made = encode.container(replace(SPEC, type=type_, debug_port=9229))
    assert made["Entrypoint"][3:] == ["/bin/sh", names.DEBUG_RUN]
    assert made["Cmd"] == list(SPEC.command)
    assert made["HostConfig"].get("ExtraHosts") == hosts
    assert "ExtraHosts" not in host_config(type=type_)


def test_the_rest_of_the_container() -> None:
    body = encode.container(SPEC)
    assert body["Image"] == SPEC.image
    assert body["Entrypoint"] == ["/bin/sh", "/.debughost/launch", "3000"]
    assert body["Cmd"] == ["npm", "run", "dev"]
    assert body["WorkingDir"] == "/app"
    assert body["StopSignal"] == "SIGTERM"
    assert body["OpenStdin"] is True
    assert body["ExposedPorts"] == {"3000/tcp": {}}
    assert body["Labels"] == SPEC.labels
    assert body["Env"] == ["PORT=3000", "PROJECT_ID=shop", "DEBUG_HOST=true"]
    assert body["NetworkingConfig"]["EndpointsConfig"] == {
        names.NETWORK: {"Aliases": ["shop", "project-shop"]}
    }


@pytest.mark.parametrize(("user", "sent"), [(User(1000, 1000), "1000:1000"), (None, None)])
def test_the_user_is_left_to_the_image_where_the_engine_maps_users(
    user: User | None, sent: str | None
) -> None:
    assert encode.container(replace(SPEC, user=user)).get("User") == sent


@given(st.dictionaries(st.text(min_size=1).filter(lambda t: "=" not in t), st.text()))
def test_any_variables_survive(environment: Any) -> None:
    sent = encode.container(replace(SPEC, environment=environment))["Env"]
    assert dict(pair.split("=", 1) for pair in sent) == environment


def test_a_network() -> None:
    assert encode.network("n", "172.28.0.0/16", "172.28.0.1", {"a": "b"}) == {
        "Name": "n",
        "CheckDuplicate": True,
        "Driver": "bridge",
        "IPAM": {
            "Driver": "default",
            "Config": [{"Subnet": "172.28.0.0/16", "Gateway": "172.28.0.1"}],
        },
        "Labels": {"a": "b"},
    }


def unpacked(entries: Any) -> Any:
    with tarfile.open(fileobj=io.BytesIO(encode.archive(entries))) as tar:
        return {m.name: (m, tar.extractfile(m).read() if m.isreg() else None) for m in tar}


def test_an_archive_of_files_folders_and_links() -> None:
    found = unpacked(
        [
            FileEntry("/app/node_modules", None, 1000, 1001, 0o755),
            FileEntry("/.debughost/launch", b"#!/bin/sh\n", 0, 0, 0o755),
            FileEntry("/.debughost/state", None, link="running+term"),
        ]
    )
    folder, _ = found["app/node_modules"]
    assert folder.isdir()
    assert (folder.uid, folder.gid, folder.mode) == (1000, 1001, 0o755)
    file, data = found[".debughost/launch"]
    assert (file.mode, data) == (0o755, b"#!/bin/sh\n")
    link, _ = found[".debughost/state"]
    assert link.issym()
    assert link.linkname == "running+term"


def test_an_archive_of_nothing() -> None:
    assert unpacked([]) == {}


def test_no_entry_leaves_the_root() -> None:
    assert list(unpacked([FileEntry("/a/../../b", b"")])) == ["b"]


NPM = Dependencies("npm", ("package.json", "package-lock.json"), "npm ci\n")


def test_what_a_container_gets_before_its_first_start() -> None:
    entries = {e.path: e for e in control_files(SPEC, NPM, 1000, 1000)}
    assert entries["/.debughost/launch"].data.startswith(b"#!/bin/sh")
    assert entries["/.debughost/launch"].uid == 0
    assert entries["/.debughost/install"].data == b"npm ci\n"
    assert b"manager=npm" in entries["/.debughost/dependencies"].data
    volume = entries["/app/node_modules"]
    assert (volume.data, volume.uid, volume.gid, volume.mode) == (None, 1000, 1000, 0o755)
    assert names.CA_FILE not in entries
    assert "/app" not in entries


def test_without_dependencies_nothing_is_installed() -> None:
    paths = {e.path for e in control_files(SPEC, None, 0, 0)}
    assert "/.debughost/install" not in paths
    assert "/.debughost/dependencies" not in paths


def test_for_a_user_that_is_not_known_the_folders_are_open() -> None:
    entries = control_files(replace(SPEC, user=None), NPM, 0, 0)
    folders = {e.path: e.mode for e in entries if e.data is None}
    # The launcher and its inputs are nobody's but root's all the same.
    assert folders.pop("/.debughost") == 0o755
    assert set(folders) == {"/.debughost/run", "/.debughost/home", "/app/node_modules"}
    assert set(folders.values()) == {0o777}


def test_what_the_launcher_reads_belongs_to_root() -> None:
    folder = FolderIdentity(device=2049, inode=77, boot="b")
    entries = control_files(SPEC, NPM, 1000, 1000, workspace=folder, ca_bundle=b"PEM")
    owners = {e.path: (e.uid, e.mode) for e in entries}
    assert owners["/.debughost"] == (0, 0o755)
    assert owners["/.debughost/run"] == (1000, 0o755)
    for name in ("launch", "install", "dependencies", "workspace", "ca-bundle.pem"):
        uid, mode = owners[f"/.debughost/{name}"]
        assert uid == 0
        assert not mode & 0o022, name
    assert owners[names.CA_FILE] == (0, 0o444)
    found = {e.path: e.data for e in entries}
    assert found["/.debughost/workspace"] == b"device=2049\ninode=77\nboot=b\n"


def test_links_belong_to_the_network_of_the_services() -> None:
    isolated = replace(SPEC, links=("db.shop:db",))
    body = encode.container(isolated)
    assert body["NetworkingConfig"]["EndpointsConfig"][SPEC.network]["Links"] == ["db.shop:db"]
    body = encode.container(replace(isolated, own_network="own"))
    assert "Links" not in body["NetworkingConfig"]["EndpointsConfig"][SPEC.network]
