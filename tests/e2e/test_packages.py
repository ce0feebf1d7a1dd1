"""The packages on a machine that has nothing but Python: each installs, and brings a project up."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .harness import SSH, Program, environment, fetch, own

ROOT = Path(__file__).parents[2]
PYTHON = Path(getattr(sys, "_base_executable", sys.executable))
"""Without the packages of the tests."""
TOOLS = Path(sys.executable).parent

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel, the source archive and the zip file."""
    folder = tmp_path_factory.mktemp("dist")
    call(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT)
    call(sys.executable, ROOT / "scripts/zipapp", folder / "debughost.pyz")
    return folder


def call(
    *command: str | Path, env: dict[str, str] | None = None, code: int = 0
) -> subprocess.CompletedProcess[bytes]:
    words = list(map(str, command))
    done = subprocess.run(words, env=env, capture_output=True, check=False, timeout=300)
    assert done.returncode == code, done
    return done


@pytest.fixture
def clean(tmp_path: Path) -> dict[str, str]:
    """The environment of a user who has just been created, with Python on the path."""
    tools = tmp_path / "python"
    tools.mkdir()
    (tools / "python3").symlink_to(PYTHON)
    kept = environment(tmp_path / "state")
    path = f"{tmp_path}/home/.local/bin:{tools}:{SSH}:/usr/bin:/bin"
    made = {k: v for k, v in kept.items() if not k.startswith(("XDG_", "VIRTUAL_", "PIPX_"))}
    engine = {"DOCKER_CONFIG": os.environ.get("DOCKER_CONFIG", str(Path.home() / ".docker"))}
    home = {"HOME": str(tmp_path / "home"), "PATH": path, "UV_PYTHON_DOWNLOADS": "never"}
    return made | engine | home


def bring_up(binary: Path, env: dict[str, str], project: str, folder: Path) -> None:
    """The example, up and answering, with the program that was installed; then removed."""
    shutil.copytree(ROOT / "examples/node", folder, ignore=shutil.ignore_patterns("node_modules"))
    own(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEBUGHOST_BIN", str(binary))
        program = Program(env)
        up = program("up", "-p", project, "--json", cwd=folder, timeout=300).project
        assert fetch(up["url"])[0] == 200
        assert program("rm", "-p", project, "--volumes", "--json").project["action"] == "removed"


def test_uv_tool_install(
    built: Path, clean: dict[str, str], project: str, tmp_path: Path, run: Program
) -> None:
    wheel = next(built.glob("*.whl"))
    call(TOOLS / "uv", "tool", "install", "--python", PYTHON, wheel, env=clean)
    bring_up(tmp_path / "home/.local/bin/debughost", clean, project, tmp_path / "shop")


def test_pipx_install(
    built: Path, clean: dict[str, str], project: str, tmp_path: Path, run: Program
) -> None:
    wheel = next(built.glob("*.whl"))
    call(TOOLS / "uv", "tool", "run", "--python", PYTHON, "pipx", "install", wheel, env=clean)
    bring_up(tmp_path / "home/.local/bin/debughost", clean, project, tmp_path / "shop")


def test_the_zip_file(
    built: Path, clean: dict[str, str], project: str, tmp_path: Path, run: Program
) -> None:
    bring_up(built / "debughost.pyz", clean, project, tmp_path / "shop")
    cache = tmp_path / "home/.cache/debughost/pyz"
    (unpacked,) = cache.iterdir()
    assert {p.stat().st_mode & 0o777 for p in (cache, unpacked)} == {0o700}


def test_the_zip_file_is_unpacked_once_by_several_at_once(
    built: Path, clean: dict[str, str], tmp_path: Path
) -> None:
    def version(_: int) -> bytes:
        done = call(built / "debughost.pyz", "--version", env=clean)
        assert done.stderr == b""
        return done.stdout

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(version, range(8)))) == 1
    assert len(list((tmp_path / "home/.cache/debughost/pyz").iterdir())) == 1


def test_the_zip_file_runs_nothing_that_others_could_have_written(
    built: Path, clean: dict[str, str], tmp_path: Path
) -> None:
    first = call(built / "debughost.pyz", "--version", env=clean)
    (unpacked,) = (tmp_path / "home/.cache/debughost/pyz").iterdir()
    (unpacked / "debughost_cli/__main__.py").write_text("raise SystemExit('planted')\n")
    unpacked.chmod(0o777)
    env = clean | {"TMPDIR": str(tmp_path)}
    again = call(built / "debughost.pyz", "--version", env=env)
    assert again.stdout == first.stdout
    assert not list(tmp_path.glob("debughost-pyz-*"))


def test_the_zip_file_works_without_a_home(
    built: Path, clean: dict[str, str], tmp_path: Path
) -> None:
    env = clean | {"HOME": "/dev/null", "TMPDIR": str(tmp_path)}
    done = call(built / "debughost.pyz", "schema", "--errors", env=env)
    assert b"PORT_IN_USE" in done.stdout
    assert not list(tmp_path.glob("debughost-pyz-*"))


def test_the_zip_file_names_the_pythons_that_it_is_for(built: Path, clean: dict[str, str]) -> None:
    code = (
        "import importlib.machinery as m, runpy, sys;"
        "m.EXTENSION_SUFFIXES[:] = ['.cpython-39-x.so'];"
        "sys.argv = sys.argv[1:]; sys.path.insert(0, sys.argv[0]); runpy.run_path(sys.argv[0])"
    )
    done = call(PYTHON, "-c", code, built / "debughost.pyz", "--version", env=clean, code=1)
    assert b"not for this Python (cpython-39-x), but for: cpython-311-x86_64" in done.stderr
    assert b"uv tool install" in done.stderr


def test_the_archives_are_complete(built: Path) -> None:
    """The wheel was made from the source archive; PyPI's own check of both finds nothing."""
    archives = [*built.glob("*.whl"), *built.glob("*.tar.gz")]
    call(
        TOOLS / "uv", "tool", "run", "--python", sys.executable, "twine", "check", "--strict",
        *archives,
    )  # fmt: skip
