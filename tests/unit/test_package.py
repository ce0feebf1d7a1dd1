"""What is shipped: the wheel and the sdist build, and nothing that runs is left out of them."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return out


def sources() -> set[str]:
    package = ROOT / "debughost_cli"
    return {
        p.relative_to(ROOT).as_posix()
        for p in package.rglob("*")
        if p.is_file() and "__pycache__" not in p.parts
    }


def test_the_wheel_holds_every_file_of_the_package(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        shipped = set(wheel.namelist())
    assert sources() <= shipped
    assert "debughost_cli/images/node/Dockerfile" in shipped
    assert "debughost_cli/container/launch.sh" in shipped
    assert "debughost_cli/py.typed" in shipped


def test_the_wheel_holds_nothing_else(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        folders = {name.split("/")[0] for name in wheel.namelist()}
    assert {f for f in folders if not f.endswith((".dist-info", ".data"))} == {"debughost_cli"}


def test_the_wheel_holds_the_manual_page(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        data = [n.partition(".data/")[2] for n in wheel.namelist() if ".data/" in n]
    assert data == ["data/share/man/man1/debughost.1"]


def test_the_sdist_holds_what_the_wheel_is_made_of(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        shipped = {name.partition("/")[2] for name in sdist.getnames()}
    assert sources() | {"pyproject.toml", "README.md", "LICENSE"} <= shipped
