"""How long an engine may take, and the errors for one that cannot be reached."""

from __future__ import annotations

from debughost_cli import errors
from debughost_cli.resources import EngineInfo

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 30.0


def permission_denied(text: str) -> errors.EnginePermissionDenied:
    """The socket is there, but not for this user."""
    return errors.EnginePermissionDenied(
        f"no permission to use the engine: {text[:300]}",
        hint="Add your user to the 'docker' group (sudo usermod -aG docker $USER, then log in "
        "again), or name an engine of your own with --host",
    )


def not_trusted(info: EngineInfo, why: str) -> errors.EngineNotTrusted:
    """TLS with whatever answers at the address failed."""
    return errors.EngineNotTrusted(
        f"TLS with the engine at {info.endpoint} failed: {why}",
        hint="Check ca.pem, cert.pem and key.pem in DOCKER_CERT_PATH (or of the context), and that "
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


def unavailable(info: EngineInfo, why: str) -> errors.EngineUnavailable:
    """Nothing answers at the address, with how the address was found."""
    found = "" if info.source == "default" else f" (from {info.source})"
    return errors.EngineUnavailable(
        f"no engine answers at {info.endpoint}{found}: {why}",
        hint="Start Docker (for example: sudo systemctl start docker), or name another engine "
        "with --host or --context; 'debughost doctor' checks more",
        details={"endpoint": info.endpoint, "source": info.source},
    )
