"""The CA bundle: what of a file gets into containers and images."""

from __future__ import annotations

import ssl
import time
from pathlib import Path

import pytest
from certificates import KEY, PEM

from debughost_cli.errors import InvalidConfig
from debughost_cli.project.certificates import ca_bundle_of
from debughost_cli.project.configuration import load_settings
from debughost_cli.project.settings import Flags
from debughost_cli.services.base_images import build_context

SENTINEL = "password = swordfish"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    return folder


def bundle(workspace: Path, in_file: str = "", **environ: str) -> str:
    """The PEM that the workspace's configuration and the user's variables lead to."""
    if in_file:
        (workspace / "debughost.toml").write_text(f'ca_bundle = "{in_file}"\n')
    settings = load_settings(workspace, Flags(), environ)
    found = ca_bundle_of(settings, workspace)
    return found.pem.decode() if found else ""


def test_nothing_but_certificates_is_kept(workspace: Path, tmp_path: Path) -> None:
    mixed = tmp_path / "mixed.conf"
    windows = PEM.replace("\n", "\r\n")
    appended = PEM.replace("-----END", "c3dvcmRmaXNo\n-----END")
    mixed.write_text(f"{SENTINEL}\n{PEM}{KEY}# {SENTINEL}\n{windows}{appended}")
    assert bundle(workspace, DEBUGHOST_CA_BUNDLE=str(mixed)) == PEM * 3
    (workspace / "mixed.pem").write_text(mixed.read_text())
    assert bundle(workspace, "mixed.pem") == PEM * 3


@pytest.mark.parametrize("outside", ["../ca.pem", "{outside}", "link.pem", "folder/ca.pem"])
def test_a_workspace_names_only_files_of_its_own(
    workspace: Path, tmp_path: Path, outside: str
) -> None:
    (tmp_path / "ca.pem").write_text(PEM)
    (workspace / "link.pem").symlink_to(tmp_path / "ca.pem")
    (workspace / "folder").symlink_to(tmp_path)
    with pytest.raises(InvalidConfig) as caught:
        bundle(workspace, outside.format(outside=tmp_path / "ca.pem"))
    assert "workspace" in caught.value.message


@pytest.mark.parametrize(
    "content",
    [
        "",
        SENTINEL,
        KEY,
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nc3dvcmRmaXNo\n-----END CERTIFICATE-----\n",
        PEM.replace("MII", "MIJ"),
    ],
)
def test_what_is_no_certificate_is_refused(workspace: Path, content: str) -> None:
    (workspace / "ca.pem").write_text(content)
    with pytest.raises(InvalidConfig) as caught:
        bundle(workspace, "ca.pem")
    shown = f"{caught.value.message} {caught.value.hint} {caught.value.details}"
    assert "swordfish" not in shown
    assert "c3dvcmRmaXNo" not in shown


def test_beginnings_without_an_end_take_no_time(workspace: Path) -> None:
    (workspace / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\nMII" * 30_000)
    began = time.monotonic()
    with pytest.raises(InvalidConfig):
        bundle(workspace, "ca.pem")
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("trusted", [True, False])
def test_a_workspace_brings_no_certificate_into_the_shared_images(
    workspace: Path, *, trusted: bool
) -> None:
    (workspace / "ca.pem").write_text(PEM)
    (workspace / "debughost.toml").write_text('ca_bundle = "ca.pem"\n')
    environ = {"DEBUGHOST_CA_BUNDLE": str(workspace / "ca.pem")} if trusted else {}
    found = ca_bundle_of(load_settings(workspace, Flags(), environ), workspace)
    sources = workspace / "sources"
    sources.mkdir()
    with build_context(sources, found) as context:
        assert (context / "certs" / "ca-bundle.crt").exists() is trusted


@pytest.mark.parametrize("size", [100, 200, 400, 70_000])
def test_the_users_own_certificate_may_have_any_length(
    workspace: Path, tmp_path: Path, size: int
) -> None:
    head = {100: "3064", 200: "3081c8", 400: "30820190", 70_000: "3083011170"}[size]
    der = bytes.fromhex(head) + bytes(size)
    for body, is_good in ((der, True), (der + b"x", False), (der[:-1], False)):
        (tmp_path / "ca.pem").write_text(ssl.DER_cert_to_PEM_cert(body))
        if is_good:
            assert bundle(workspace, DEBUGHOST_CA_BUNDLE=str(tmp_path / "ca.pem"))
        else:
            with pytest.raises(InvalidConfig):
                bundle(workspace, DEBUGHOST_CA_BUNDLE=str(tmp_path / "ca.pem"))
