"""What is wrong with a machine, and how to fix it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fake_clock import FakeClock
from fakes import FakeEngine, usable_engine
from fakes.specs import make_spec

from debughost_cli import names
from debughost_cli.engine.port import Engine, ExecResult
from debughost_cli.errors import EngineUnavailable
from debughost_cli.models import ProjectType
from debughost_cli.services.base_images import latest
from debughost_cli.services.doctor import LOW_DISK, Check, CheckStatus, DoctorService
from debughost_cli.services.registries import COMMAND

OK, WARNING, FAILED = CheckStatus
Examine = Callable[..., dict[str, Check]]


@pytest.fixture
def engine() -> FakeEngine:
    return usable_engine()


@pytest.fixture
def examine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: FakeEngine) -> Examine:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def run(
        connect: Callable[[], Engine] = lambda: engine,
        free: int = 10 * LOW_DISK,
        clock: FakeClock | None = None,
        registries: bool = False,
        **environ: str,
    ) -> dict[str, Check]:
        service = DoctorService(
            connect, tmp_path, environ, free_disk_space=lambda: free, clock=clock or FakeClock()
        )
        return {check.name: check for check in service.run(registries=registries)}

    return run


def test_a_healthy_machine(examine: Examine) -> None:
    found = examine()
    assert list(found) == [
        "python", "locks", "disk", "configuration", "engine", "network", "images", "volumes",
    ]  # fmt: skip
    assert {c.status for c in found.values()} == {OK}
    assert not any(c.hint or c.error for c in found.values())


def test_a_status_is_text_in_json() -> None:
    assert [*CheckStatus] == ["ok", "warning", "failed"]


def test_without_an_engine_the_other_checks_are_made_all_the_same(examine: Examine) -> None:
    away = EngineUnavailable("no engine answers", hint="Start Docker")

    def connect() -> Engine:
        raise away

    found = examine(connect)
    assert list(found) == ["python", "locks", "disk", "configuration", "engine"]
    engine = found.pop("engine")
    assert (engine.status, engine.message, engine.hint) == (
        FAILED, "no engine answers", "Start Docker",
    )  # fmt: skip
    assert isinstance(engine.error, EngineUnavailable)
    assert {c.status for c in found.values()} == {OK}


def test_a_check_that_fails_does_not_prevent_the_next(examine: Examine, engine: FakeEngine) -> None:
    engine.fail("networks.find", EngineUnavailable("away"))
    found = examine()
    assert found["network"].status is FAILED
    assert found["images"].status is OK


def test_little_disk_space(examine: Examine) -> None:
    found = examine(free=LOW_DISK - 1)["disk"]
    assert (found.status, found.message) == (WARNING, "2.0 GiB free on this machine")
    assert "docker system df" in found.hint
    assert examine(free=LOW_DISK)["disk"].status is OK


def test_a_configuration_that_cannot_be_used(examine: Examine, tmp_path: Path) -> None:
    (tmp_path / "debughost.toml").write_text("port = 'x'\n")
    assert examine()["configuration"].status is FAILED
    (tmp_path / "debughost.toml").write_text("port = 3100\n")
    found = examine()["configuration"]
    assert (found.status, found.message) == (OK, str(tmp_path / "debughost.toml"))
    assert examine(DEBUGHOST_CA_BUNDLE="/nonexistent")["configuration"].status is FAILED


def test_where_the_locks_are(examine: Examine, tmp_path: Path) -> None:
    assert str(tmp_path / "state") in examine()["locks"].message


def test_no_network_yet(examine: Examine, engine: FakeEngine) -> None:
    engine.stored_networks.clear()
    found = examine()["network"]
    assert (found.status, found.hint) == (OK, "")
    assert "debughost up" in found.message


def test_a_network_of_ours_with_another_subnet(examine: Examine, engine: FakeEngine) -> None:
    engine.stored_networks.clear()
    engine.add_network(names.NETWORK, "10.9.0.0/16", labels={names.MANAGED: "true"})
    found = examine()["network"]
    assert found.status is WARNING
    assert "10.9.0.0/16 instead of 172.28.0.0/16" in found.message


def test_a_foreign_network_that_cannot_be_used(examine: Examine, engine: FakeEngine) -> None:
    engine.stored_networks.clear()
    engine.add_network(names.NETWORK, "10.9.0.0/16")
    found = examine()["network"]
    assert found.status is FAILED
    assert "docker network rm" in found.hint


def test_missing_and_old_images(examine: Examine, engine: FakeEngine) -> None:
    engine.stored_images.clear()
    engine.add_base_images(ProjectType.NODE)
    old = {names.MANAGED: "true", names.TYPE: "php", names.SOURCES: "other"}
    engine.add_image(latest(ProjectType.PHP), labels=old)
    found = examine()["images"]
    assert found.status is WARNING
    assert found.message == "missing: python, static; old: php"
    assert found.hint.endswith("debughost images build python static php")


def test_a_volume_whose_project_is_gone(examine: Examine, engine: FakeEngine) -> None:
    labels = {names.MANAGED: "true", names.PROJECT: "shop", names.TYPE: "node"}
    engine.volumes.create("debug-host-shop-node_modules", labels)
    found = examine()["volumes"]
    assert (found.status, found.message) == (
        WARNING, "1 dependency volume of 0 MiB without a project",
    )  # fmt: skip
    assert "volumes prune" in found.hint


def test_each_check_has_its_duration(examine: Examine, engine: FakeEngine) -> None:
    clock = FakeClock()
    engine.before("networks.find", lambda: clock.sleep(1.5))
    found = examine(clock=clock)
    assert (found["network"].duration_ms, found["images"].duration_ms) == (1500, 0)


@pytest.mark.parametrize(
    ("hint", "left"),
    [
        ("Start Docker; 'debughost doctor' checks more", "Start Docker"),
        ("It may hang: 'debughost doctor' checks more; restart it", "It may hang; restart it"),
        ("'debughost doctor' checks the engine", ""),
    ],
)  # fmt: skip
def test_doctor_never_advises_doctor(examine: Examine, hint: str, left: str) -> None:
    def connect() -> Engine:
        raise EngineUnavailable("no engine answers", hint=hint)

    found = examine(connect)["engine"]
    assert found.hint == left
    assert found.error
    assert found.error.hint == left


TLS = b"""60 https://pypi.org/simple/pip/ curl: (60) SSL certificate problem: self-signed
More details here: https://curl.se/docs/sslcerts.html
0 https://registry.npmjs.org/-/ping\x20
"""
DNS = b"6 https://repo.packagist.org/packages.json curl: (6) Could not resolve host: repo.packagist"


@pytest.mark.parametrize(
    ("output", "status", "message", "hint"),
    [
        (b"0 https://pypi.org/simple/pip/ \n", OK, "a container reaches the registries", ""),
        (TLS, WARNING, "https://pypi.org/simple/pip/: curl: (60) SSL certificate problem: "
         "self-signed", "DEBUGHOST_CA_BUNDLE=/etc/own.pem is what"),
        (DNS, WARNING, "Could not resolve host: repo.packagist", "cannot resolve names"),
        (b"28 https://pypi.org/simple/pip/ curl: (28) Connection timed out", WARNING,
         "Connection timed out", "way out"),
    ],
)  # fmt: skip
def test_what_a_container_reaches(
    examine: Examine, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch,
    output: bytes, status: CheckStatus, message: str, hint: str,
) -> None:  # fmt: skip
    monkeypatch.delenv("DEBUGHOST_CA_BUNDLE", raising=False)
    monkeypatch.setenv("NODE_EXTRA_CA_CERTS", "/etc/own.pem")
    engine.execs[COMMAND] = ExecResult(0, output, b"")
    check = examine(registries=True)["registries"]
    assert (check.status, message in check.message, hint in check.hint) == (status, True, True)
    assert not engine.containers.list()


def test_what_an_earlier_doctor_left_is_replaced(examine: Examine, engine: FakeEngine) -> None:
    engine.containers.create("debug-host-doctor", make_spec("", image=latest(ProjectType.NODE)))
    engine.execs[COMMAND] = ExecResult(0, b"", b"")
    assert examine(registries=True)["registries"].status is OK
    assert not engine.containers.list()


def test_there_is_no_image_to_reach_the_registries_from(
    examine: Examine, engine: FakeEngine
) -> None:
    engine.stored_images.clear()
    assert "images build" in examine(registries=True)["registries"].hint
