"""Every exception of docker-py and requests, and every refusal of the engine, as one of ours.

docker-py has no class for most refusals and lets ``requests`` exceptions through, so the engine's
status code and words decide. The words are those of moby (20.10 to 29) and Podman's service.
"""

from __future__ import annotations

import errno
import re
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager

import docker.errors
import requests
import urllib3.exceptions

from debughost_cli import errors
from debughost_cli.engine.port import Conflict, ContainerCorrupted, LogsUnsupported, NotFound
from debughost_cli.resources import EngineInfo

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 30.0

_FULL = ("no space left on device", "disk quota exceeded", "not enough free space")
_PORT = ("port is already allocated", "address already in use", "ports are not available")
_OVERLAP = ("pool overlaps", "overlaps with", "conflicts with network", "networks have overlapping")
_CORRUPTED = re.compile(
    r"task [0-9a-f]+: already exists|container with (given )?id (already )?exists|"
    r"id already in use|failed to start shim: mkdir .*: file exists"
)
"""An engine that was killed while it started a container knows nothing of its processes later, and
will not start it for their sake. Source: moby issues 36145, 39630, 50040; seen on 20.10."""
_START = (
    "oci runtime",
    "runc create failed",
    "failed to create shim",
    "failed to create task",
    "crun:",
    "exec format error",
)
_UNREACHABLE = (
    "dial tcp",
    "no such host",
    "i/o timeout",
    "connection refused",
    "tls handshake timeout",
    "client.timeout exceeded",
    "request canceled",
    "network is unreachable",
    "proxyconnect",
    "x509:",
    ": eof",
    "unexpected eof",
    "connection reset by peer",
)
_MOVED = (
    "Somebody else changes the same things, it seems: look with 'debughost status', then try again"
)
_UNAUTHORIZED = ("unauthorized", "authentication required", "no basic auth", "access forbidden")


@contextmanager
def mapped(info: EngineInfo, doing: str, timeout: float = READ_TIMEOUT) -> Iterator[None]:
    """Translates whatever the block raises; ``doing`` completes "while ...".

    ``timeout``: the seconds that the engine had, for the message.
    Also to be held around the iteration of a stream, whose failures come late.
    """
    try:
        yield
    except errors.DebughostError:
        raise
    except docker.errors.APIError as exc:
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
    ) as exc:
        raise _from_transport(exc, info, doing, timeout) from exc


def from_answer(status: int, text: str, doing: str) -> errors.DebughostError:
    """The error for an HTTP status and the engine's explanation."""
    words = str(text).strip()
    low = words.lower()
    if any(w in low for w in _FULL):
        return disk_full(words)
    special = _special(low, words)
    if special:
        return special
    if status == 404:
        return NotFound(words or f"not found while {doing}", hint=_MOVED)
    if status == 409:
        return Conflict(words or f"conflict while {doing}", hint=_MOVED)
    if status in (401, 403) and "permission denied" in low:
        return permission_denied(words)
    if status in (429, 502, 503, 504):
        return errors.EngineUnavailable(
            f"the engine is not ready ({status}) while {doing}: {words}",
            hint="Try again in a moment; 'debughost doctor' looks closer",
        )
    return errors.EngineError(
        f"the engine answered {status or 'an error'} while {doing}: {words[:500]}",
        hint="Run again with --verbose to see the requests",
        details={"status": status},
        http_status=status,
        engine_message=words,
    )


def _special(low: str, words: str) -> errors.DebughostError | None:
    if any(w in low for w in _PORT):
        return errors.PortInUse(words, details={"engine": words})
    if any(w in low for w in _OVERLAP):
        return errors.NetworkConflict(words, details={"engine": words})
    if "rwlayer" in low and "unexpectedly nil" in low:
        # Its files are gone already, the container itself is about to be.
        return NotFound(words, hint=_MOVED)
    if "range of cpus is from" in low or "minimum memory limit" in low:
        return errors.InvalidConfig(
            f"the engine refuses the limits: {words}", hint="Set --cpus or --memory to what it has"
        )
    if "bind source path does not exist" in low:
        return errors.InvalidWorkspace(
            f"the engine does not see a folder or file of this machine: {words}",
            hint="With an engine elsewhere, the workspace must exist there at the same path",
        )
    if "invalid reference format" in low:
        return errors.InvalidConfig(
            f"not the name of an image: {words}", hint="Write it as name:tag, in lower case"
        )
    if "does not support reading" in low:
        return LogsUnsupported(words)
    if _CORRUPTED.search(low):
        return ContainerCorrupted(
            f"the engine lost track of the container's processes when it ended: {words}",
            hint="Make a new container with 'debughost up --recreate'",
        )
    if any(w in low for w in _START):
        return errors.StartFailed(
            f"the engine could not start the container: {words}",
            hint="The image must have /bin/sh and be made for the engine's kind of processor; "
            "choose another with --image",
        )
    return None


def disk_full(words: str) -> errors.DiskFull:
    """No room on the engine's disk, and what may give some back."""
    return errors.DiskFull(
        f"the engine's disk is full: {words[:300]}",
        hint="See what takes the room with 'docker system df'; "
        "'debughost volumes prune' frees unused dependency volumes",
        details={"engine": words[:1000]},
    )


def permission_denied(words: str) -> errors.EnginePermissionDenied:
    """The socket is there, but not for this user."""
    return errors.EnginePermissionDenied(
        f"no permission to use the engine: {words[:300]}",
        hint="Add your user to the 'docker' group (sudo usermod -aG docker $USER, then log in "
        "again), or point --host at an engine of your own",
    )


def image_unavailable(ref: str, words: str) -> errors.DebughostError:
    """Why a pull or a build's base failed, from the registry's or the engine's words."""
    low = words.lower()
    if any(w in low for w in _FULL):
        return disk_full(words)
    if any(w in low for w in _UNREACHABLE):
        reason = "registry_unreachable"
        hint = (
            "Check the network or proxy of the engine; an image that is already on it can be "
            "used with --image, or as a base with 'debughost images build TYPE --base REF'"
        )
    elif any(w in low for w in _UNAUTHORIZED) and "may require 'docker login'" not in low:
        reason, hint = "unauthorized", "Log in first: docker login"
    else:
        reason, hint = "unknown", "Check the name and tag; 'docker images' lists what is here"
    return errors.ImageNotFound(
        f"image {ref} is not here and cannot be had ({reason.replace('_', ' ')})",
        hint=hint,
        details={"image": ref, "reason": reason, "engine": words[:500]},
    )


def unavailable(info: EngineInfo, why: str) -> errors.EngineUnavailable:
    """Nothing answers at the address, with how the address was found."""
    found = "" if info.source == "default" else f" (from {info.source})"
    return errors.EngineUnavailable(
        f"no engine answers at {info.endpoint}{found}: {why}",
        hint="Start Docker (for example: sudo systemctl start docker), or name another engine "
        "with --host or --context; 'debughost doctor' looks closer",
        details={"endpoint": info.endpoint, "source": info.source},
    )


def _from_transport(
    exc: Exception, info: EngineInfo, doing: str, timeout: float
) -> errors.DebughostError:
    chain = list(_causes(exc))
    if any(isinstance(e, PermissionError) for e in chain):
        return permission_denied(f"{info.endpoint} may not be opened by this user")
    if any(isinstance(e, OSError) and e.errno in (errno.ENOSPC, errno.EDQUOT) for e in chain):
        return errors.DiskFull(
            f"the disk of this machine is full while {doing}: {chain[-1]}",
            hint="Free some of its room; 'df -h' shows which disk it is",
        )
    if any(isinstance(e, docker.errors.TLSParameterError | FileNotFoundError) for e in chain):
        return unavailable(info, _reason(chain))
    if _is_timeout(chain):
        return _timeout(chain, info, doing, timeout)
    if isinstance(exc, docker.errors.InvalidVersion):
        return errors.EngineTooOld(str(exc), hint="Upgrade the Docker Engine to 20.10 or later")
    if isinstance(exc, _GARBAGE) or not isinstance(exc, _TRANSPORT):
        return errors.EngineError(
            f"the engine's answer makes no sense while {doing}: {exc}",
            hint=f"Is there a Docker Engine at {info.endpoint}, and no proxy before it? "
            "'debughost doctor' looks closer",
            details={"endpoint": info.endpoint},
        )
    return unavailable(info, _reason(chain))


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
        return unavailable(info, f"no connection within {CONNECT_TIMEOUT:.0f} s")
    return errors.EngineTimeout(
        f"the engine at {info.endpoint} did not answer within {timeout:.0f} s while {doing}",
        hint="It may hang: 'debughost doctor' looks closer; restarting the engine often helps",
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
    """The innermost system error's words, which say most in the fewest characters."""
    for exc in reversed(chain):
        if isinstance(exc, OSError) and exc.strerror:
            return exc.strerror.lower()
    if _has(chain, ValueError, urllib3.exceptions.IncompleteRead):
        # What is left of a chunk's head is no number.
        return "the connection ended within an answer"
    text = re.sub(r"<[^>]*>:? ?|HTTPConnectionPool\([^)]*\):? ?", "", str(chain[-1])).strip(
        "() '\","
    )
    return text[:200] or type(chain[-1]).__name__
