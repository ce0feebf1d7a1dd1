"""The user's CA bundle: root certificates that the project's tools are to trust."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from debughost_cli.errors import InvalidConfig
from debughost_cli.project.settings import Settings, Source


def ca_bundle_of(settings: Settings, workspace: Path) -> Path | None:
    """The file of certificates, resolved; None where none is set. Raises InvalidConfig.

    A configuration that came with a workspace may name any file of the host: one that contains no
    certificates, or a private key, is not mounted into a container.
    """
    if not settings.ca_bundle:
        return None
    path = (workspace / Path(settings.ca_bundle).expanduser()).resolve()
    with suppress(OSError):
        data = path.read_bytes() if path.is_file() else None
        trusted = settings.source("ca_bundle") is not Source.FILE
        if data is not None and (trusted or _is_public(data)):
            return path
    raise InvalidConfig(
        f"the CA bundle {path} is not a readable file of certificates",
        hint="Point ca_bundle or DEBUGHOST_CA_BUNDLE at a PEM file",
        details={"ca_bundle": str(path)},
    )


def _is_public(data: bytes) -> bool:
    return b"-----BEGIN CERTIFICATE-----" in data and b"PRIVATE KEY-----" not in data
