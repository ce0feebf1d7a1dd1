"""The user's CA bundle: root certificates that the project's tools are to trust."""

from __future__ import annotations

import binascii
import os
import re
from functools import lru_cache
from pathlib import Path

from msgspec import Struct

from debughost_cli.errors import InvalidConfig
from debughost_cli.project.beneath import read_beneath, read_path
from debughost_cli.project.settings import Settings, Source

BUNDLE_LIMIT = 4 * 1024**2
"""Bytes of a bundle that the user named; those of whole operating systems have 0.3 MB."""
_BLOCK = re.compile(
    rb"-----BEGIN CERTIFICATE-----[\r\n]+([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----"
)


class CaBundle(Struct, frozen=True):
    """Certificates as PEM, and nothing else. ``is_trusted``: the user named the file.

    A file that a workspace names is for that project alone, and no image is built with it.
    """

    pem: bytes
    is_trusted: bool


def trusted_bundle() -> str:
    """The file of root certificates that the user's own tools are given, or empty."""
    if os.environ.get("DEBUGHOST_CA_BUNDLE"):
        return ""
    named = (os.environ.get(name, "") for name in ("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"))
    return next(filter(None, named), "")


def ca_bundle_of(settings: Settings, workspace: Path) -> CaBundle | None:
    """The certificates of the bundle's file; None where none is set. Raises InvalidConfig.

    The file is read here, once: what it is later does not get into a container. The file of a
    workspace's own setting must be inside the workspace.
    """
    if not settings.ca_bundle:
        return None
    is_trusted = settings.source("ca_bundle") is not Source.FILE
    try:
        data = _read(settings.ca_bundle, workspace, is_trusted=is_trusted)
        pem = _certificates(data, is_trusted=is_trusted)
    except (OSError, ValueError) as exc:
        reason = getattr(exc, "strerror", None) or str(exc)
        raise InvalidConfig(
            f"the CA bundle {settings.ca_bundle} is not a readable file of certificates: {reason}",
            hint="Point ca_bundle or DEBUGHOST_CA_BUNDLE at a PEM file; "
            "a workspace file may only name one inside the workspace",
            details={"ca_bundle": settings.ca_bundle},
        ) from None
    return CaBundle(pem, is_trusted)


def _read(name: str, workspace: Path, *, is_trusted: bool) -> bytes:
    """Raises OSError, and UnusableFile for what is no regular file or too large."""
    if is_trusted:
        return read_path(workspace / Path(name).expanduser(), BUNDLE_LIMIT)
    return read_beneath(workspace, name)


@lru_cache(maxsize=2)  # The user's own file is that of every project.
def _certificates(data: bytes, *, is_trusted: bool) -> bytes:
    """The certificates as PEM, which is written from what was parsed. Raises ValueError.

    OpenSSL takes 0.3 ms for each, which an operating system's whole list is not worth at every
    command: of the user's own file it is enough that each is one DER sequence.
    """
    import ssl

    found = []
    for number, block in enumerate(_BLOCK.finditer(data), 1):
        der = _decoded(block[1])
        if not (_is_sequence(der) and (is_trusted or _is_certificate(der))):
            raise ValueError(f"certificate {number} in it cannot be parsed")
        found.append(ssl.DER_cert_to_PEM_cert(der))
    if not found:
        raise ValueError("there is no certificate in it")
    return "".join(found).encode("ascii")


def _decoded(text: bytes) -> bytes:
    """Base64 up to its padding: what Python makes of text after it depends on its version."""
    data = b"".join(text.partition(b"=")[0].split())
    try:
        return binascii.a2b_base64(data + b"=" * (-len(data) % 4))
    except binascii.Error:
        return b""


def _is_sequence(der: bytes) -> bool:
    """Whether it is one DER sequence and nothing else; its length is written as in X.690 8.1.3."""
    if len(der) < 2 or der[0] != 0x30:
        return False
    more = der[1] & 0x7F if der[1] & 0x80 else 0
    length = int.from_bytes(der[2 : 2 + more], "big") if more else der[1]
    return len(der) == 2 + more + length


def _is_certificate(der: bytes) -> bool:
    import ssl

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=der)
    except ssl.SSLError:
        return False
    return True
