"""Every exception of docker-py, requests and urllib3, as an error of ours."""

from __future__ import annotations

import errno
import inspect
import io
import socket
import types
from typing import Any

import docker.errors
import pytest
import requests
import requests.exceptions
import urllib3
import urllib3.exceptions

from debughost_cli import errors
from debughost_cli.engine.docker.exceptions import mapped
from debughost_cli.resources import EngineInfo

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


@pytest.mark.parametrize("exc", [RecursionError("nested"), OverflowError("too large")])
def test_what_decoding_an_answer_may_raise_is_an_engine_error(exc: Exception) -> None:
    assert type(translated(exc)) is errors.EngineError
