"""Certificates for tests: a self-signed one, valid until 2126, with its key, and authorities."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PEM = """\
-----BEGIN CERTIFICATE-----
MIIBijCCATGgAwIBAgIUfiKQCyetvTAr2DugRbEZBe28Na0wCgYIKoZIzj0EAwIw
GjEYMBYGA1UEAwwPZGVidWdob3N0IHRlc3RzMCAXDTI2MTEyOTIwMzc0M1oYDzIx
MjYxMTA1MjAzNzQzWjAaMRgwFgYDVQQDDA9kZWJ1Z2hvc3QgdGVzdHMwWTATBgcq
hkjOPQIBBggqhkjOPQMBBwNCAARpAMhaDYi4Mb0kQucjD83kRFQmcHJBZkGXW80s
mofbxuyAh/RzbVxU2weDNw19htb2IIReY+F+C2N81t5z8FFso1MwUTAdBgNVHQ4E
FgQUwvUQV6FeV0b/XDo57Hjt9tiPM34wHwYDVR0jBBgwFoAUwvUQV6FeV0b/XDo5
7Hjt9tiPM34wDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiBKulTn
UQEHjZn/uBtfnqX84JPEerdFQ8G0HUMQH6+OYgIgM+pfSPS1+aviTvb6tqySWEtD
LXNXn3NuzfOSoIkVB6Y=
-----END CERTIFICATE-----
"""
KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgu9uuGjcGOTFJI7RT
3V402S7YwtWvyk14UHbOIhD07WahRANCAARpAMhaDYi4Mb0kQucjD83kRFQmcHJB
ZkGXW80smofbxuyAh/RzbVxU2weDNw19htb2IIReY+F+C2N81t5z8FFs
-----END PRIVATE KEY-----
"""


class Authority:
    """Signs certificates, as the one of an engine and its clients does."""

    def __init__(self, name: str = "debughost tests") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        made = _unsigned(self._name, self._name, self._key, days=30)
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self._certificate = made.sign(self._key, hashes.SHA256())

    def write(self, folder: Path, name: str, *, address: str = "", days: int = 30) -> Path:
        """ca.pem, cert.pem and key.pem as engines and their clients keep them, in ``folder``.

        ``address``: an IP address, for a server. ``days`` is negative for what has expired.
        """
        folder.mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        made = _unsigned(_named(name), self._name, key, days)
        if address:
            found = x509.IPAddress(ipaddress.ip_address(address))
            made = made.add_extension(x509.SubjectAlternativeName([found]), critical=False)
        pem = serialization.Encoding.PEM
        (folder / "ca.pem").write_bytes(self._certificate.public_bytes(pem))
        certificate = made.sign(self._key, hashes.SHA256())
        (folder / "cert.pem").write_bytes(certificate.public_bytes(pem))
        kind, no = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        (folder / "key.pem").write_bytes(key.private_bytes(pem, kind, no))
        return folder


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _unsigned(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
    )
