"""How long an engine may take, and the errors for one that cannot be reached."""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import urlsplit

from debughost_cli import errors
from debughost_cli.resources import EngineInfo

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 30.0
FIRST_ANSWER_TIMEOUT = 8.0
"""For the first answer of an engine on another machine, connecting included."""

E = TypeVar("E", bound=errors.EngineUnavailable)

_HERE = (
    "Start Docker (for example: sudo systemctl start docker), or name another engine "
    "with --host or --context; 'debughost doctor' checks more"
)
_ELSEWHERE = (
    "Check that the machine is on, that it can be reached from here, and that Docker runs on it; "
    "'debughost doctor' checks more"
)


def permission_denied(text: str, hint: str = "") -> errors.EnginePermissionDenied:
    """The socket is there, but not for this user."""
    return errors.EnginePermissionDenied(
        f"no permission to use the engine: {text[:300]}",
        hint=hint
        or "Add your user to the 'docker' group (sudo usermod -aG docker $USER, then log in "
        "again), or name an engine of your own with --host",
    )


def not_trusted(info: EngineInfo, why: str, hint: str = "") -> errors.EngineNotTrusted:
    """TLS, or ssh, with whatever answers at the address failed."""
    protocol = "ssh" if info.endpoint.startswith("ssh://") else "TLS"
    return errors.EngineNotTrusted(
        f"{protocol} with the engine at {info.endpoint} failed: {why}",
        hint=hint
        or "Check ca.pem, cert.pem and key.pem in DOCKER_CERT_PATH (or of the context), and that "
        "the engine uses TLS on this port",
        details={"endpoint": info.endpoint, "source": info.source},
    )


def not_an_engine(info: EngineInfo, status: int) -> errors.EngineNotTrusted:
    """An HTTP server that knows nothing of ``/version``, which every engine has."""
    return errors.EngineNotTrusted(
        f"what answers at {info.endpoint} is an HTTP server but no Docker Engine "
        f"(it answered {status} to GET /version)",
        hint="Give the engine's own address with --host, --context or DOCKER_HOST",
        details={"endpoint": info.endpoint, "source": info.source, "status": status},
    )


class HostUnreachable(errors.EngineUnavailable):
    """Its machine does not answer at all: trying again at once would take as long, and fail."""


def unreachable(info: EngineInfo, why: str, hint: str = "") -> HostUnreachable:
    """The engine's machine is not there, or packets on the way to it are lost."""
    return _unavailable(HostUnreachable, info, why, hint)


def unavailable(info: EngineInfo, why: str, hint: str = "") -> errors.EngineUnavailable:
    """Nothing answers at the address, with how the address was found."""
    return _unavailable(errors.EngineUnavailable, info, why, hint)


def _unavailable(cls: type[E], info: EngineInfo, why: str, hint: str) -> E:
    found = "" if info.source == "default" else f" (from {info.source})"
    return cls(
        f"no engine answers at {info.endpoint}{found}: {why}",
        hint=hint or (_ELSEWHERE if is_elsewhere(info.endpoint) else _HERE),
        details={"endpoint": info.endpoint, "source": info.source},
    )


def is_elsewhere(url: str) -> bool:
    """Whether an address leads over a network; one of this machine may lead on from there."""
    scheme, _, rest = url.partition("://")
    if scheme == "ssh":
        return True
    if scheme not in ("tcp", "http", "https"):
        return False
    host = urlsplit(f"//{rest}").hostname or ""
    return host != "localhost" and not host.startswith("127.") and host != "::1"


def not_writable(text: str) -> errors.VolumeNotWritable:
    """Something in the container is read-only, and it was no choice of ours."""
    return errors.VolumeNotWritable(
        f"the engine cannot write to a volume of the container: {text[:300]}",
        hint="Give the volume a file system that can be written; 'docker volume ls' lists volumes",
        details={"engine": text[:1000]},
    )
