"""The user's CA bundle: root certificates that the project's tools are to trust."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from debughost_cli.errors import InvalidConfig
from debughost_cli.project.settings import Config


def ca_bundle_of(config: Config, workspace: Path) -> Path | None:
    """The file of certificates, resolved; None where nobody gave one. Raises InvalidConfig.

    What came with a workspace may name any file of the host: one that holds no certificates, or a
    private key, is not handed to a container for it.
    """
    given = config.get("ca_bundle")
    if not given:
        return None
    path = (workspace / Path(given).expanduser()).resolve()
    with suppress(OSError):
        data = path.read_bytes() if path.is_file() else None
        if data is not None and (config.source("ca_bundle") != "file" or _is_public(data)):
            return path
    raise InvalidConfig(
        f"the CA bundle {path} is no file of certificates that can be read",
        hint="Point ca_bundle or DEBUGHOST_CA_BUNDLE at a PEM file",
        details={"ca_bundle": str(path)},
    )


def _is_public(data: bytes) -> bool:
    return b"-----BEGIN CERTIFICATE-----" in data and b"PRIVATE KEY-----" not in data
