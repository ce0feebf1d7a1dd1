"""Why TLS with an engine failed, from OpenSSL's words, with what to do about it."""

from __future__ import annotations

import re
import ssl

from debughost_cli.engine.reachability import not_trusted
from debughost_cli.errors import EngineNotTrusted
from debughost_cli.resources import EngineInfo

_FILES = "in DOCKER_CERT_PATH (or of the context)"
_CLOCK = "Renew it, or set the clock of this machine or of the engine's right"


def tls_failed(info: EngineInfo, exc: ssl.SSLError) -> EngineNotTrusted:
    """The error for what OpenSSL says, on either side."""
    words = _words(exc)
    if isinstance(exc, ssl.SSLCertVerificationError):
        return _not_verified(info, words)
    if re.search(r"wrong version number|unknown protocol|record layer|http request", words):
        return not_trusted(
            info,
            f"what answers there does not speak TLS ({words})",
            "Give the engine's TLS port (2376), or unset DOCKER_TLS_VERIFY and DOCKER_CERT_PATH "
            "(of a context: make it again without certificates)",
        )
    if "alert" in words and re.search(r"certificate|unknown ca|access denied", words):
        return _not_accepted(info, words)
    return not_trusted(info, words)


def _words(exc: ssl.SSLError) -> str:
    """OpenSSL's reason, without its codes and the line of C: ``unknown ca``."""
    reason = (
        getattr(exc, "verify_message", "") or (exc.reason or str(exc)).replace("_", " ").lower()
    )
    return str(reason)[:200]


def _not_verified(info: EngineInfo, words: str) -> EngineNotTrusted:
    if re.search(r"expired|not yet valid", words):
        return not_trusted(info, f"its certificate is out of date ({words})", _CLOCK)
    if "mismatch" in words or "not valid for" in words:
        return not_trusted(
            info,
            f"its certificate is for another address ({words})",
            "Use an address that the certificate has, or have it issued with this one",
        )
    return not_trusted(
        info,
        f"its certificate is not trusted ({words})",
        f"Put the authority that signed it into ca.pem {_FILES}",
    )


def _not_accepted(info: EngineInfo, words: str) -> EngineNotTrusted:
    """The engine ended the handshake over the certificate of this side."""
    if not info.certificate:
        return not_trusted(
            info,
            f"it wants a client certificate, and there is none ({words})",
            f"Put cert.pem and key.pem, signed by the engine's authority, beside ca.pem {_FILES}",
        )
    return not_trusted(
        info,
        f"it does not accept the certificate {info.certificate} ({words})",
        "It must be signed by the engine's authority, and not have expired: "
        f"openssl x509 -noout -issuer -enddate -in {info.certificate}",
    )


def wants_tls(info: EngineInfo) -> EngineNotTrusted:
    """A request without TLS met a port with it."""
    return not_trusted(
        info,
        "it wants TLS, and no certificates are given",
        "Set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH, or use a context that has the certificates",
    )
