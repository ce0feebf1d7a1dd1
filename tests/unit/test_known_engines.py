"""Which engine a context or an address led to."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import FakeEngine

from debughost_cli.engine.port import ExecSpec
from debughost_cli.errors import EngineChanged, Usage
from debughost_cli.models import ProjectType
from debughost_cli.services.exec import ExecService
from debughost_cli.services.images import ImageService
from debughost_cli.services.known_engines import check_known, checked_identity, forget
from debughost_cli.services.progress import NULL_PROGRESS


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "debughost/engines/known.json"


def engine(endpoint: str, known_as: str) -> FakeEngine:
    """Its identity has its endpoint in it."""
    return FakeEngine(endpoint=endpoint, known_as=known_as)


def test_it_is_learned_once_and_must_stay_the_same(state: Path) -> None:
    for _ in range(2):
        assert "ssh://old" in checked_identity(engine("ssh://old", "context build"))
    assert "ssh://new" in checked_identity(engine("ssh://new", "context other"))
    with pytest.raises(EngineChanged) as caught:
        checked_identity(engine("ssh://new", "context build"))
    error = caught.value
    names = ("context build", "fake engine at ssh://old", "fake engine at ssh://new")
    assert all(name in error.message for name in names)
    assert error.hint.endswith("debughost engines forget build")
    assert (error.code, error.exit_code, error.retryable) == ("ENGINE_CHANGED", 5, False)
    assert forget("build") == ("context build",)
    assert checked_identity(engine("ssh://new", "context build"))
    assert state.stat().st_mode & 0o077 == 0


def test_an_address_is_a_name_of_its_own() -> None:
    check_known(engine("ssh://me@build", "ssh://me@build"))
    with pytest.raises(EngineChanged) as caught:
        check_known(engine("ssh://me@build#2", "ssh://me@build"))
    assert caught.value.hint.endswith("forget ssh://me@build")
    assert forget("ssh://me@build")


def test_an_engine_that_nobody_named_is_not_looked_up(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = engine("unix:///run/docker.sock", "")
    assert checked_identity(found) == found.identity()
    monkeypatch.delattr(FakeEngine, "identity")
    check_known(found)
    assert not state.exists()


def test_an_unknown_name_cannot_be_forgotten() -> None:
    check_known(engine("ssh://a", "context build"))
    with pytest.raises(Usage) as caught:
        forget("biuld")
    assert "build" in caught.value.hint


@pytest.mark.parametrize("content", ["", "nonsense", "[]", '{"context build": 3}'])
def test_a_file_that_cannot_be_read_is_written_again(state: Path, content: str) -> None:
    check_known(engine("ssh://a", "context x"))
    state.write_text(content)
    check_known(engine("ssh://b", "context build"))
    with pytest.raises(EngineChanged):
        check_known(engine("ssh://a", "context build"))


def test_nothing_is_run_or_built_on_another_one() -> None:
    check_known(engine("ssh://old", "context build"))
    other = engine("ssh://new", "context build")
    images = ImageService(other, NULL_PROGRESS)
    for work in (
        lambda: ExecService(other).start("shop", ExecSpec(("true",)), None),
        lambda: images.build([ProjectType.NODE]),
        lambda: images.refresh([ProjectType.NODE]),
    ):
        with pytest.raises(EngineChanged):
            work()
