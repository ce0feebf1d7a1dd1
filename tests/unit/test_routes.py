"""Routes of this machine that take a network's addresses away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fakes import FakeEngine

from debughost_cli import names
from debughost_cli.planning.routes import rivals
from debughost_cli.resources import Network
from debughost_cli.services.network import NetworkService
from debughost_cli.services.progress import NullProgress

HEAD = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
BRIDGE = "br-6d3da2120b26\t00001CAC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
DEFAULT = "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
ID = "6d3da2120b26" + "0" * 52


def network(**changes: Any) -> Network:
    known: dict[str, Any] = {
        "id": ID,
        "name": names.NETWORK,
        "driver": "bridge",
        "subnet": names.SUBNET,
        "gateway": names.GATEWAY,
        "labels": {},
        "containers": (),
        "created_at": None,
    }
    return Network(**(known | changes))


def route(interface: str, destination: str, mask: str) -> str:
    return f"{interface}\t{destination}\t00000000\t0001\t0\t0\t0\t{mask}\t0\t0\t0\n"


@pytest.mark.parametrize(
    ("other", "found"),
    [
        ("", ()),
        # The same subnet, on another engine's bridge.
        (route("br-0a", "00001CAC", "0000FFFF"), ("172.28.0.0/16 (br-0a)",)),
        # A part of it, as a VPN has it, and one address.
        (route("tun0", "00051CAC", "00FFFFFF"), ("172.28.5.0/24 (tun0)",)),
        (route("wg0", "09051CAC", "FFFFFFFF"), ("172.28.5.9/32 (wg0)",)),
        # Wider ones, and neighbours.
        (route("tun0", "000010AC", "0000F0FF"), ()),
        (route("br-0b", "00001DAC", "0000FFFF"), ()),
        ("garbage\nx y\ntun0\tzz\t0\t0\t0\t0\t0\tqq\n", ()),
    ],
)
def test_other_routes_to_its_addresses(other: str, found: tuple[str, ...]) -> None:
    assert rivals(HEAD + DEFAULT + BRIDGE + other, network()) == found


def test_an_engine_whose_bridge_is_not_here_has_other_routes() -> None:
    table = HEAD + DEFAULT + route("br-0a", "00001CAC", "0000FFFF")
    assert rivals(table, network()) == ()
    assert rivals("", network()) == ()
    assert rivals(HEAD + BRIDGE, network(subnet=None)) == ()


class Warnings(NullProgress):
    """Records the codes of warnings about the other route."""

    def __init__(self) -> None:
        self.codes: list[str] = []

    def warn(self, code: str, message: str) -> None:
        if "172.28.5.0/24 (tun0)" in message:
            self.codes.append(code)


def test_ensure_and_up_warn_once(tmp_path: Path) -> None:
    engine, progress = FakeEngine(), Warnings()
    made = engine.networks.create(names.NETWORK, names.SUBNET, names.GATEWAY, {})
    table = tmp_path / "route"
    bridge = route(f"br-{made[:12]}", "00001CAC", "0000FFFF")
    table.write_text(HEAD + bridge + route("tun0", "00051CAC", "00FFFFFF"))
    service = NetworkService(engine, progress, routes=table)
    service.usable()
    service.usable()
    service.ensure()
    assert progress.codes.count("NETWORK_ROUTED_AWAY") == 1
