"""What Podman's Docker-compatible service answers otherwise than Docker; recorded on 5.8.6."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from debughost_cli.engine import decode
from debughost_cli.errors import InUse
from debughost_cli.resources import Link

pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.usefixtures("no_sockets_left"),
]

PATH = "HEAD /v1.45/containers/c/archive"


def stat(target: str) -> bytes:
    facts = {"name": "state", "mtime": "", "linkTarget": target}
    return base64.b64encode(json.dumps(facts).encode())


@pytest.mark.parametrize("status", [200, 404])
def test_a_link_whose_target_does_not_exist(connect: Any, script: Any, status: int) -> None:
    script.on(PATH, (status, stat("/.debughost/run/running+ready")))
    found = connect().containers.read_link("c", "/.debughost/run/state")
    assert found == Link("running+ready", None)


@pytest.mark.parametrize("header", [b"", stat("")])
def test_no_link(connect: Any, script: Any, header: bytes) -> None:
    script.on(PATH, (404, header))
    assert connect().containers.read_link("c", "/.debughost/run/state") is None


NETWORK = {"Id": "n1", "Name": "net", "Driver": "bridge", "Labels": {}, "IPAM": {"Config": []}}


def test_a_network_in_use_is_not_removed(connect: Any, script: Any, server: Any) -> None:
    script.on("GET /v1.45/networks/n1", (200, NETWORK | {"Containers": {"c": {}}}))
    script.on("DELETE /v1.45/networks/n1", (204, {}))
    engine = connect()
    with pytest.raises(InUse) as caught:
        engine.networks.remove("n1")
    assert caught.value.hint
    assert server.count("DELETE") == 0
    script.on("GET /v1.45/networks/n1", (200, NETWORK))
    engine.networks.remove("n1")
    assert server.count("DELETE") == 1


@pytest.mark.parametrize(
    ("variables", "left"),
    [
        (["A=1", "container=podman", "HOSTNAME=9dfd8f645409"], {"A": "1"}),
        (["container=oci", "HOSTNAME=0.0.0.0"], {"HOSTNAME": "0.0.0.0"}),
        (["container=mine", "HOSTNAME=9dfd8f645409"], None),
    ],
)
def test_variables_that_podman_adds(variables: list[str], left: dict[str, str] | None) -> None:
    raw = {"Id": "c", "Config": {"Env": variables, "Hostname": "9dfd8f645409"}}
    found = decode.container(raw).environment
    assert found == (dict(v.split("=") for v in variables) if left is None else left)


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("localhost/debug-host/node:latest", "debug-host/node:latest"),
        ("docker.io/debug-host/node:1", "debug-host/node:1"),
        ("localhost:5000/node:1", "localhost:5000/node:1"),
        ("debug-host/node:1", "debug-host/node:1"),
    ],
)
def test_names_of_images(tag: str, name: str) -> None:
    assert decode.image({"Id": "i", "RepoTags": [tag]}).tags == (name,)


@pytest.mark.parametrize(
    ("state", "ports"), [("running", (3000,)), ("created", ()), ("exited", ())]
)
def test_ports_of_what_does_not_run_are_not_published(state: str, ports: tuple[int, ...]) -> None:
    raw = {"Id": "c", "State": state, "Ports": [{"PublicPort": 3000}]}
    assert decode.summary(raw).published_ports == ports


@pytest.mark.parametrize(("said", "action"), [("remove", "destroy"), ("die", "die")])
def test_words_for_events(said: str, action: str) -> None:
    found = decode.event(json.dumps({"Action": said, "Actor": {"ID": "c"}}).encode())
    assert found
    assert found.action == action
