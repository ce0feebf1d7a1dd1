"""Every failure of the client library and every refusal of the engine, as one of ours."""

from __future__ import annotations

import errno
import inspect
import io
import json
import socket
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker.errors
import pytest
import requests
import requests.exceptions
import urllib3
import urllib3.exceptions
from contract_codes import EXITS
from hypothesis import given
from hypothesis import strategies as st

from debughost_cli import errors
from debughost_cli.engine.docker.exceptions import mapped
from debughost_cli.engine.error_map import from_answer, image_unavailable
from debughost_cli.engine.port import Conflict, ContainerCorrupted, ImageMissing, NotFound
from debughost_cli.resources import EngineInfo

DATA = Path(__file__).parents[1] / "data"
INFO = EngineInfo("unix:///run/x.sock", "DOCKER_HOST")


def translated(exc: Any) -> Any:
    with pytest.raises(errors.DebughostError) as caught, mapped(INFO, "testing"):
        raise exc
    return caught.value


def response(status: Any) -> Any:
    made = requests.Response()
    made.status_code = status
    return made


def public_exceptions(module: types.ModuleType) -> list[Any]:
    """Everything that a vendor's module lets through, but for warnings."""
    return [
        cls
        for name, cls in sorted(vars(module).items())
        if inspect.isclass(cls)
        and issubclass(cls, Exception)
        and not issubclass(cls, Warning)
        and not name.startswith("_")
        # urllib3 imports Python's own IncompleteRead, which it never lets through.
        and not cls.__module__.startswith("http.")
    ]


ARGUMENTS: dict[type[Exception], tuple[Any, ...]] = {
    docker.errors.ContainerError: ("container", 1, "command", "image", "stderr"),
    docker.errors.BuildError: ("reason", []),
    docker.errors.TLSParameterError: ("bad",),
    docker.errors.MissingContextParameter: ("name",),
    docker.errors.ContextAlreadyExists: ("name",),
    docker.errors.ContextException: ("words",),
    docker.errors.ContextNotFound: ("name",),
    docker.errors.StreamParseError: (ValueError("no JSON"),),
    requests.exceptions.JSONDecodeError: ("words", "document", 0),
    vars(requests.exceptions)["CompatJSONDecodeError"]: ("words", "document", 0),
    urllib3.exceptions.PoolError: (None, "words"),
    urllib3.exceptions.RequestError: (None, "/", "words"),
    urllib3.exceptions.MaxRetryError: (None, "/", OSError("reason")),
    urllib3.exceptions.HostChangedError: (None, "/"),
    urllib3.exceptions.ReadTimeoutError: (None, "/", "words"),
    urllib3.exceptions.NewConnectionError: (None, "words"),
    urllib3.exceptions.NameResolutionError: ("host", None, socket.gaierror("no")),
    urllib3.exceptions.EmptyPoolError: (None, "words"),
    urllib3.exceptions.FullPoolError: (None, "words"),
    urllib3.exceptions.ClosedPoolError: (None, "words"),
    urllib3.exceptions.LocationParseError: ("place",),
    urllib3.exceptions.URLSchemeUnknown: ("gopher",),
    urllib3.exceptions.IncompleteRead: (1, 2),
    urllib3.exceptions.InvalidChunkLength: (urllib3.HTTPResponse(io.BytesIO()), b"x"),
    urllib3.exceptions.ProxySchemeUnknown: ("gopher",),
    urllib3.exceptions.HeaderParsingError: ([], b""),
    urllib3.exceptions.ProxyError: ("words", OSError("proxy")),
}


def sample(cls: Any) -> Any:
    if cls in ARGUMENTS:
        try:
            return cls(*ARGUMENTS[cls])
        except TypeError:
            return cls.__new__(cls, "words")
    return cls("words")


@pytest.mark.parametrize(
    "cls",
    [
        *public_exceptions(docker.errors),
        *public_exceptions(requests.exceptions),
        *public_exceptions(urllib3.exceptions),
    ],
    ids=lambda c: f"{c.__module__}.{c.__name__}",
)
def test_every_exception_of_the_vendors_is_translated(cls: Any) -> None:
    error = translated(sample(cls))
    assert error.message
    assert error.exit_code in {
        errors.ExitCode.ENGINE,
        errors.ExitCode.INTERNAL,
        errors.ExitCode.NO_SPACE,
    }
    assert error.code != "INTERNAL"


@pytest.mark.parametrize(
    ("exc", "cls"),
    [
        (requests.exceptions.ConnectionError("refused"), errors.EngineUnavailable),
        (requests.exceptions.ConnectTimeout("slow"), errors.EngineUnavailable),
        (requests.exceptions.ReadTimeout("slow"), errors.EngineTimeout),
        (requests.exceptions.ConnectionError("Read timed out."), errors.EngineTimeout),
        (urllib3.exceptions.ReadTimeoutError(None, "/", "x"), errors.EngineTimeout),
        (TimeoutError("slow"), errors.EngineTimeout),
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), errors.EngineUnavailable),
        (FileNotFoundError(errno.ENOENT, "no such file"), errors.EngineUnavailable),
        (PermissionError(errno.EACCES, "denied"), errors.EnginePermissionDenied),
        (OSError(errno.ENOSPC, "no space"), errors.DiskFull),
        (OSError(errno.EDQUOT, "quota"), errors.DiskFull),
        (docker.errors.InvalidVersion("old"), errors.EngineTooOld),
        (docker.errors.StreamParseError(ValueError("x")), errors.EngineError),
        (requests.exceptions.JSONDecodeError("x", "<html>", 0), errors.EngineError),
        (requests.exceptions.InvalidJSONError("x"), errors.EngineError),
        (ValueError("nonsense"), errors.EngineError),
        (requests.exceptions.SSLError("certificate verify failed"), errors.EngineUnavailable),
    ],
    ids=repr,
)
def test_what_a_failure_becomes(exc: Any, cls: Any) -> None:
    assert type(translated(exc)) is cls


def wrapped(inner: Any) -> Any:
    """As requests and docker-py wrap what the socket said."""
    try:
        try:
            raise inner
        except (OSError, ValueError) as exc:
            raise urllib3.exceptions.ProtocolError("Connection aborted.", exc) from exc
    except urllib3.exceptions.ProtocolError as exc:
        return requests.exceptions.ConnectionError(exc)


@pytest.mark.parametrize(
    ("inner", "cls", "words"),
    [
        (
            PermissionError(errno.EACCES, "Permission denied"),
            errors.EnginePermissionDenied,
            "docker",
        ),
        (FileNotFoundError(errno.ENOENT, "No such file"), errors.EngineUnavailable, "no such file"),
        (
            ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"),
            errors.EngineUnavailable,
            "connection refused",
        ),
        (
            ConnectionResetError(errno.ECONNRESET, "reset by peer"),
            errors.EngineUnavailable,
            "reset",
        ),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), errors.EngineUnavailable, "broken pipe"),
        (
            ValueError("invalid literal for int() with base 16: b''"),
            errors.EngineUnavailable,
            "the connection ended within an answer",
        ),
    ],
)
def test_the_reason_is_found_however_deep_it_is_wrapped(inner: Any, cls: Any, words: str) -> None:
    error = translated(wrapped(inner))
    assert type(error) is cls
    assert words in error.message + error.hint
    assert "object at 0x" not in error.message


def test_an_unavailable_engine_is_named_with_where_its_address_came_from() -> None:
    error = translated(ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"))
    assert "unix:///run/x.sock" in error.message
    assert "DOCKER_HOST" in error.message
    assert error.details == {"endpoint": "unix:///run/x.sock", "source": "DOCKER_HOST"}
    assert error.retryable


def test_our_own_errors_pass() -> None:
    error = errors.Busy("x")
    assert translated(error) is error


def test_what_is_no_failure_of_the_engine_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), mapped(INFO, "testing"):
        raise ZeroDivisionError


def test_an_api_error_goes_by_its_status_and_words() -> None:
    words = "Bind for 127.0.0.1:3000 failed: port is already allocated"
    exc = docker.errors.APIError("500 Server Error", response(500), words)
    assert type(translated(exc)) is errors.PortInUse


@pytest.mark.parametrize(
    ("status", "words", "cls"),
    [
        (404, "No such container: x", NotFound),
        (404, "network x not found", NotFound),
        (404, "", NotFound),
        (500, "RWLayer of container d26599 is unexpectedly nil", NotFound),
        (409, "Conflict. The container name is already in use", Conflict),
        (409, "cannot start a paused container, try unpause instead", Conflict),
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
        (503, "This node is not a swarm manager", errors.EngineUnavailable),
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


def test_every_public_error_has_a_code_and_an_exit_code_of_its_own() -> None:
    codes = [cls.code for cls in errors.all_errors()]
    assert len(codes) == len(set(codes))
    assert "INTERNAL" in codes


@pytest.mark.parametrize(("exit_code", "codes"), EXITS.items())
def test_the_contracts_table_of_codes(exit_code: Any, codes: Any) -> None:
    found = {cls.code for cls in errors.all_errors() if int(cls.exit_code) == exit_code}
    assert codes <= found


@pytest.mark.parametrize(("number", "status"), [(2, 130), (15, 143)])
def test_an_interruption_ends_as_shells_report_it(number: int, status: int) -> None:
    assert errors.Interrupted(number).status == status
    # Or who goes on after an error would go on after it as well.
    assert not issubclass(errors.Interrupted, Exception)
