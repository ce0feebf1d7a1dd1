"""Every refusal of an engine, as one of our errors: the rows of the table in their order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debughost_cli import errors
from debughost_cli.engine.error_map import build_failed, from_answer, image_unavailable
from debughost_cli.engine.port import (
    Conflict,
    ContainerCorrupted,
    DiskUsageBusy,
    ImageMissing,
    LogsUnsupported,
    NotFound,
    NotPaused,
    RemovalInProgress,
)

DATA = Path(__file__).parents[1] / "data"


@pytest.mark.parametrize(
    ("status", "words", "cls"),
    [
        (404, "No such container: x", NotFound),
        (404, "network x not found", NotFound),
        (404, "", NotFound),
        (500, "RWLayer of container d26599 is unexpectedly nil", NotFound),
        (500, 'runc create failed: exec: "serve": executable file not found', errors.StartFailed),
        (500, 'runc create failed: exec: "run": executable file not found', errors.StartFailed),
        (500, "unable to find network with name or ID x: network not found", NotFound),
        (409, "Conflict. The container name is already in use", Conflict),
        (500, 'the name "x" is in use by 3c: that name is already in use', Conflict),
        (500, "cannot remove container 2c as it is running: container state improper", Conflict),
        (500, "Container 7a22c4daa1ff is not running: Exited (1) Less than a second ago", Conflict),
        (500, "can only create exec sessions on running: container state improper", Conflict),
        (500, "subnet 10.1.0.0/25 is already used on the host", errors.NetworkConflict),
        (500, '"n1" has associated containers: network is being used', errors.InUse),
        (409, "cannot start a paused container, try unpause instead", Conflict),
        (409, "removal of container x is already in progress", RemovalInProgress),
        (
            500,
            "driver failed programming external connectivity on endpoint x: Bind for "
            "127.0.0.1:3000 failed: port is already allocated",
            errors.PortInUse,
        ),
        (
            500,
            "driver failed programming external connectivity on endpoint x: Error starting "
            "userland proxy: listen tcp4 127.0.0.1:3000: bind: address already in use",
            errors.PortInUse,
        ),
        (
            500,
            "failed to set up container networking: driver failed programming external "
            "connectivity on endpoint x: failed to bind host port for 127.0.0.1:3000: "
            "address already in use",
            errors.PortInUse,
        ),
        (
            500,
            "Ports are not available: exposing port TCP 127.0.0.1:3000 -> 0.0.0.0:0: listen tcp",
            errors.PortInUse,
        ),
        (403, "Pool overlaps with other one on this address space", errors.NetworkConflict),
        (
            403,
            "invalid pool request: Pool overlaps with other one on this address space",
            errors.NetworkConflict,
        ),
        (
            500,
            "could not find an available, non-overlapping IPv4 address pool: networks have "
            "overlapping IPv4",
            errors.NetworkConflict,
        ),
        (
            500,
            "write /var/lib/docker/tmp/x: no space left on device",
            errors.DiskFull,
        ),
        (500, "mkdir /var/lib/docker/x: disk quota exceeded", errors.DiskFull),
        (404, "no space left on device", errors.DiskFull),
        (
            400,
            "Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available",
            errors.InvalidConfig,
        ),
        (400, "Minimum memory limit allowed is 6MB", errors.InvalidConfig),
        (
            400,
            'invalid mount config for type "bind": bind source path does not exist: /x',
            errors.InvalidWorkspace,
        ),
        (
            400,
            "OCI runtime create failed: container_linux.go:380: starting container process caused: "
            'exec: "/bin/sh": stat /bin/sh: no such file or directory: unknown',
            errors.StartFailed,
        ),
        (
            400,
            "failed to create task for container: failed to create shim task: OCI runtime create "
            "failed: runc create failed: unable to start container process",
            errors.StartFailed,
        ),
        (500, f"task {'0f' * 32}: already exists", ContainerCorrupted),
        (
            500,
            "failed to create task for container: failed to start shim: mkdir "
            "/run/containerd/io.containerd.runtime.v2.task/moby/d47acb: file exists",
            ContainerCorrupted,
        ),
        (500, "id already in use", ContainerCorrupted),
        (
            400,
            "OCI runtime create failed: container with id exists: 4911e3: unknown",
            ContainerCorrupted,
        ),
        (500, "crun: executable file `/bin/sh` not found in $PATH", errors.StartFailed),
        (403, "dial unix /var/run/docker.sock: permission denied", errors.EnginePermissionDenied),
        (503, "This node is not a swarm manager", errors.NotAManager),
        (
            500,
            "rpc error: code = Unknown desc = The swarm does not have a leader.",
            errors.NotAManager,
        ),
        (
            500,
            "rpc error: code = DeadlineExceeded desc = context deadline exceeded",
            errors.NotAManager,
        ),
        (
            500,
            "rpc error: code = Unknown desc = context deadline exceeded",
            errors.NotAManager,
        ),
        (502, "Bad Gateway", errors.EngineUnavailable),
        (429, "Too Many Requests", errors.EngineUnavailable),
        (500, "something new", errors.EngineError),
        (418, "I'm a teapot", errors.EngineError),
        (0, "", errors.EngineError),
    ],
)
def test_the_engines_words(status: int, words: str, cls: Any) -> None:
    error = from_answer(status, words, "testing")
    assert type(error) is cls
    assert error.message


REFUSALS = {
    "name conflict": Conflict,
    "port allocated": errors.PortInUse,
    "port in use": errors.PortInUse,
    "no container": NotFound,
    "no network": NotFound,
    "no volume": NotFound,
    "no image": ImageMissing,
    "create of no image": ImageMissing,
    "bad reference": errors.InvalidConfig,
    "mount missing": errors.InvalidWorkspace,
    "cpus": errors.InvalidConfig,
    "memory": errors.InvalidConfig,
    "no command": errors.StartFailed,
    "start paused": Conflict,
    "exec in paused": Conflict,
    "exec in created": Conflict,
    "network name": Conflict,
    "overlap": errors.NetworkConflict,
    "network in use": errors.InUse,
    "volume in use": errors.InUse,
    "remove running": Conflict,
    "start without network": NotFound,
    "kill created": Conflict,
    "unpause running": NotPaused,
    "logs of driver none": LogsUnsupported,
    "disk usage twice": DiskUsageBusy,
    "pull": errors.EngineError,
}


def recorded_refusals() -> Iterator[Any]:
    """What each engine answered to the same bad requests."""
    for path in sorted(DATA.glob("[0-9]*/refusals.json")):
        for request, (status, words) in json.loads(path.read_text("utf-8")).items():
            yield pytest.param(request, status, words, id=f"{path.parent.name}-{request}")


@pytest.mark.parametrize(("request_", "status", "words"), list(recorded_refusals()))
def test_what_real_engines_refused(request_: Any, status: Any, words: Any) -> None:
    assert type(from_answer(status, words, "testing")) is REFUSALS[request_]


@pytest.mark.parametrize("version", ["20.10", "26.1", "28.5"])
def test_a_recorded_pull_from_a_registry_that_cannot_be_reached(version: str) -> None:
    _, words = json.loads((DATA / version / "refusals.json").read_text("utf-8"))["pull"]
    assert image_unavailable("x:1", words).details["reason"] == "registry_unreachable"


@pytest.mark.parametrize(
    ("words", "cls"),
    [
        ("The command '/bin/sh -c npm install' returned a non-zero code: 1", errors.EngineError),
        ("dockerfile parse error line 2: unknown instruction: X", errors.EngineError),
        ("manifest for x:1 not found: manifest unknown", errors.ImageNotFound),
        ("pull access denied for x, repository does not exist", errors.ImageNotFound),
        ("No such image: x:1", errors.ImageNotFound),
        ('Get "https://r/v2/": dial tcp: lookup r: no such host', errors.ImageNotFound),
    ],
)
def test_why_a_build_failed(words: str, cls: type[errors.DebughostError]) -> None:
    cause = errors.EngineError("while building", engine_message=words)
    assert type(build_failed("x:1", cause)) is cls


def test_the_engines_message_stays_with_the_error() -> None:
    error = from_answer(500, "something new", "testing")
    assert isinstance(error, errors.EngineError)
    assert (error.http_status, error.engine_message) == (500, "something new")


@pytest.mark.parametrize(
    "words",
    [
        "invalid reference format: repository name must be lowercase",
        "no such image: Foo Bar: invalid reference format: repository name must be lowercase",
    ],
)
def test_a_name_that_no_image_can_have_is_bad_input(words: str) -> None:
    assert from_answer(400, words, "testing").exit_code is errors.ExitCode.USAGE


@given(st.integers(0, 999), st.text())
def test_any_answer_is_an_error_of_ours(status: Any, words: Any) -> None:
    assert isinstance(from_answer(status, words, "testing"), errors.DebughostError)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("No such image: x:1", "unknown"),
        ("manifest for x:1 not found: manifest unknown: manifest unknown", "unknown"),
        (
            "pull access denied for x, repository does not exist or may require 'docker login': "
            "denied: requested access to the resource is denied",
            "unknown",
        ),
        (
            'Get "https://r/v2/": dial tcp: lookup r on 10.0.0.1:53: no such host',
            "registry_unreachable",
        ),
        ('Get "https://r/v2/": dial tcp 1.2.3.4:443: i/o timeout', "registry_unreachable"),
        ('Get "https://r/v2/": net/http: TLS handshake timeout', "registry_unreachable"),
        (
            'Get "https://r/v2/": x509: certificate signed by unknown authority',
            "registry_unreachable",
        ),
        (
            "net/http: request canceled while waiting for connection (Client.Timeout exceeded)",
            "registry_unreachable",
        ),
        (
            "proxyconnect tcp: dial tcp 10.0.0.1:3128: connect: connection refused",
            "registry_unreachable",
        ),
        ("unauthorized: authentication required", "unauthorized"),
        (
            "Head https://r/v2/x/manifests/1: unauthorized: access to the resource denied",
            "unauthorized",
        ),
        ("no basic auth credentials", "unauthorized"),
    ],
)
def test_why_an_image_is_not_to_be_had(words: str, reason: str) -> None:
    error = image_unavailable("x:1", words)
    assert isinstance(error, errors.ImageNotFound)
    assert error.details["reason"] == reason
    assert error.details["image"] == "x:1"
    assert "x:1" in error.message
    assert error.hint


def test_an_image_that_does_not_fit_is_a_full_disk() -> None:
    assert isinstance(image_unavailable("x:1", "no space left on device"), errors.DiskFull)


def test_a_word_that_merely_holds_eof_is_no_network_failure() -> None:
    error = image_unavailable("geoffrey/x:1", "manifest for geoffrey/x:1 not found")
    assert error.details["reason"] == "unknown"


@pytest.mark.parametrize(
    "words",
    [
        "failed to create task for container: failed to create shim task: OCI runtime create "
        'failed: runc create failed: unable to start container process: chdir to cwd ("/app") set '
        "in config.json failed: permission denied: unknown",
        "crun: cannot chdir to `/app`: Permission denied: OCI permission denied",
        "crun: chdir to `/app`: Permission denied: OCI permission denied",
    ],
)
def test_a_workspace_that_may_not_be_entered_is_no_fault_of_the_image(words: str) -> None:
    error = from_answer(500, words, "starting a container")
    assert error.code == "START_FAILED"
    assert "may not enter the workspace" in error.message
    assert "image" not in error.hint
