"""Every exception of docker-py, requests and urllib3, and every refusal, as an error of ours.

docker-py has no class for most refusals and lets ``requests`` exceptions through.
"""

from __future__ import annotations

import errno
import re
import socket
import ssl
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import docker.errors
import requests
import urllib3.exceptions

from debughost_cli import errors
from debughost_cli.engine.error_map import from_answer
from debughost_cli.engine.reachability import (
    CONNECT_TIMEOUT,
    READ_TIMEOUT,
    is_elsewhere,
    permission_denied,
    unavailable,
    unreachable,
)
from debughost_cli.engine.tls_faults import tls_failed, wants_tls
from debughost_cli.resources import EngineInfo


@contextmanager
def mapped(info: EngineInfo, doing: str, timeout: float = READ_TIMEOUT) -> Iterator[None]:
    """Translates whatever the block raises; ``doing`` completes "while ...".

    ``timeout``: the seconds that the engine had, for the message.
    Also for the iteration of a stream, whose failures come late.
    """
    try:
        yield
    except errors.DebughostError:
        raise
    except docker.errors.APIError as exc:
        if "HTTP request to an HTTPS server" in str(exc.explanation):
            raise wants_tls(info) from exc
        raise from_answer(exc.status_code or 0, exc.explanation or str(exc), doing) from exc
    except (
        docker.errors.DockerException,
        docker.errors.StreamParseError,
        tarfile.TarError,
        requests.exceptions.RequestException,
        urllib3.exceptions.HTTPError,
        OSError,
        # What does not fit what docker-py and our decoding expect of an engine.
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as exc:
        raise _from_transport(exc, info, doing, timeout) from exc


def raise_for_status(response: requests.Response, doing: str) -> None:
    """Raises the error for a refusal; a success passes."""
    if response.status_code >= HTTPStatus.BAD_REQUEST:
        raise from_answer(response.status_code, _explanation(response), doing)


def _explanation(response: requests.Response) -> str:
    try:
        return str(response.json()["message"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return response.text[:500] or response.reason or ""


def _from_transport(
    exc: Exception, info: EngineInfo, doing: str, timeout: float
) -> errors.DebughostError:
    chain = list(_causes(exc))
    if any(isinstance(e, PermissionError) for e in chain):
        return permission_denied(f"{info.endpoint} may not be opened by this user")
    if any(isinstance(e, OSError) and e.errno in (errno.ENOSPC, errno.EDQUOT) for e in chain):
        return errors.DiskFull(
            f"the disk of this machine is full while {doing}: {chain[-1]}",
            hint="Free some disk space; 'df -h' shows which disk it is",
        )
    if any(isinstance(e, docker.errors.TLSParameterError | FileNotFoundError) for e in chain):
        return unavailable(info, _reason(chain))
    tls = [e for e in chain if isinstance(e, ssl.SSLError) and not isinstance(e, _LOST)]
    if tls:
        return tls_failed(info, tls[-1])
    if _is_timeout(chain):
        return _timeout(chain, info, doing, timeout)
    if isinstance(exc, docker.errors.InvalidVersion):
        return errors.EngineTooOld(str(exc), hint="Upgrade the Docker Engine to 20.10 or later")
    if isinstance(exc, _GARBAGE) or not isinstance(exc, _TRANSPORT):
        return errors.EngineError(
            f"the engine's answer cannot be understood while {doing}: {exc}",
            hint=f"Is there a Docker Engine at {info.endpoint}, and no proxy in between? "
            "'debughost doctor' checks more",
            details={"endpoint": info.endpoint},
        )
    if any(isinstance(e, socket.gaierror) or _errno(e) in _NO_HOST for e in chain):
        return unreachable(info, _reason(chain))
    return unavailable(info, _reason(chain))


def _errno(exc: Exception) -> int | None:
    return exc.errno if isinstance(exc, OSError) else None


_NO_HOST = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN)
_LOST = (ssl.SSLEOFError, ssl.SSLZeroReturnError)
"""The connection ended, as it may without TLS."""
_GARBAGE = (
    docker.errors.StreamParseError,
    requests.exceptions.InvalidJSONError,
    requests.exceptions.ContentDecodingError,
)
"""An answer came, but not one of an engine: another server, or a proxy in between."""
_TRANSPORT = (
    docker.errors.DockerException,
    requests.exceptions.RequestException,
    urllib3.exceptions.HTTPError,
    OSError,
)


def _has(chain: list[Exception], *kinds: type[Exception]) -> bool:
    """urllib3 counts a refused connection among its connect timeouts; it is none."""
    refused = urllib3.exceptions.NewConnectionError
    return any(isinstance(e, kinds) and not isinstance(e, refused) for e in chain)


def _is_timeout(chain: list[Exception]) -> bool:
    """A read timeout inside a stream arrives as a ConnectionError around the real one."""
    kinds = (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)
    return _has(chain, *kinds) or "timed out" in str(chain[0])


def _timeout(
    chain: list[Exception], info: EngineInfo, doing: str, timeout: float
) -> errors.DebughostError:
    if _has(chain, requests.exceptions.ConnectTimeout, urllib3.exceptions.ConnectTimeoutError):
        late = unreachable if is_elsewhere(info.endpoint) else unavailable
        return late(info, f"no connection within {CONNECT_TIMEOUT:.0f} s")
    return errors.EngineTimeout(
        f"the engine at {info.endpoint} did not answer within {timeout:.0f} s while {doing}",
        hint="It may hang: 'debughost doctor' checks more; restarting the engine often helps",
        details={"endpoint": info.endpoint},
    )


def _causes(exc: BaseException | None) -> Iterator[Exception]:
    """The exception and all that it wraps, as cause, context or argument, outermost first."""
    seen: set[int] = set()
    queue = [exc]
    while queue:
        current = queue.pop(0)
        if not isinstance(current, Exception) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        queue += [current.__cause__, current.__context__, getattr(current, "reason", None)]
        queue += [a for a in current.args if isinstance(a, Exception)]


def _reason(chain: list[Exception]) -> str:
    """The message of the innermost system error, the shortest that is exact."""
    for exc in reversed(chain):
        if isinstance(exc, OSError) and exc.strerror:
            return exc.strerror.lower()
    if _has(chain, ValueError, urllib3.exceptions.IncompleteRead):
        # What is left of a chunk's head is not a number.
        return "the connection ended within an answer"
    text = re.sub(r"<[^>]*>:? ?|HTTPConnectionPool\([^)]*\):? ?", "", str(chain[-1])).strip(
        "() '\","
    )
    return text[:200] or type(chain[-1]).__name__
