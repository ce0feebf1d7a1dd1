"""Routes of this machine that take a network's addresses away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fake_clock import FakeClock
from fakes import FakeEngine, Program, install_fails, installing

from debughost_cli import names
from debughost_cli.errors import DebughostError, DependenciesFailed, NotReady
from debughost_cli.planning.routes import rivals
from debughost_cli.project.resolve import resolve_project
from debughost_cli.project.settings import Flags
from debughost_cli.resources import Network
from debughost_cli.services.network import NetworkService
from debughost_cli.services.progress import NullProgress
from debughost_cli.services.up import UpService
from debughost_cli.services.up_state import UpOptions

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


def without_packages(folder: Path, program: Program, table: str) -> DebughostError:
    """What ``up`` says of an install that does not end well on a machine with these routes."""
    engine = FakeEngine()
    engine.add_base_images()
    engine.program = program
    made = engine.networks.create(names.NETWORK, names.SUBNET, names.GATEWAY, {})
    routes = folder / "routes"
    bridge = route(f"br-{made[:12]}", "00001CAC", "0000FFFF")
    routes.write_text(HEAD + bridge + table)
    workspace = folder / "shop"
    workspace.mkdir()
    (workspace / "requirements.txt").write_text("flask\n")
    resolved = resolve_project(workspace, Flags(command=("sleep", "9")), {})
    service = UpService(engine, NullProgress(), FakeClock(), routes)
    with pytest.raises((DependenciesFailed, NotReady)) as caught:
        service.run(resolved, UpOptions())
    return caught.value


TUNNEL = route("tun0", "00051CAC", "00FFFFFF")


@pytest.mark.parametrize(
    ("words", "table", "named"),
    [
        ("npm error code EAI_AGAIN", TUNNEL, True),
        ("Could not resolve host: repo.packagist.org", TUNNEL, True),
        ("[Errno -3] Temporary failure in name resolution", TUNNEL, True),
        # Another reason, and no other route.
        ("No matching distribution found for flask==99", TUNNEL, False),
        ("npm error code EAI_AGAIN", "", False),
    ],
)
def test_an_install_that_cannot_resolve_names_names_the_other_route(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, table: str, named: bool
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    hint = without_packages(tmp_path, install_fails(1, words), table).hint
    assert ("route to 172.28.5.0/24 (tun0)" in hint) is named
    assert ("network ensure --recreate --subnet" in hint) is named


def test_an_install_that_takes_too_long_names_the_other_route(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """npm is silent while it waits for name servers that do not answer."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    hint = without_packages(tmp_path, installing(), TUNNEL).hint
    assert "route to 172.28.5.0/24 (tun0)" in hint
