"""Python manifests besides requirements.txt and pyproject.toml."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from debughost_cli.project.detect import detect
from debughost_cli.project.detect.python_install import (
    _UV_CREATE,
    _UV_PYTHONS,
    _UV_SETTINGS,
    _VENV,
    python_dependencies,
)
from debughost_cli.project.detect.python_other import other_manifest
from debughost_cli.project.reader import Folder

PIPFILE = """\
[packages]
flask = "*"
requests = {version = ">=2", extras = ["socks"]}
own = {git = "https://example.org/own.git", ref = "main"}
[dev-packages]
pytest = {version = "==8.0.0", markers = "python_version > '3'"}
here = {path = ".", editable = true}
"""
LOCKED = {
    "default": {"flask": {"version": "==3.0.0", "hashes": ["sha256:1"], "index": "pypi"}},
    "develop": {"pytest": {"version": "==8.0.0"}, "flask": {"version": "==3.0.0"}},
}
SCRIPT = """\
# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "flask>=3",
#   "rich",
# ]
# ///
print("hello")
"""
ENVIRONMENT = """\
name: shop
dependencies:
  - python=3.12
  - numpy
  - pip:
      - flask>=3
      # why
      - "rich"
  - scipy
"""


def write(folder: Path, files: dict[str, str]) -> Folder:
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return Folder(folder)


@pytest.mark.parametrize(
    ("files", "read", "lines"),
    [
        ({"Pipfile": PIPFILE}, ("Pipfile",), (
            "flask", "requests[socks]>=2", "own @ git+https://example.org/own.git@main",
            "pytest==8.0.0 ; python_version > '3'", "-e .")),
        ({"Pipfile": PIPFILE, "Pipfile.lock": json.dumps(LOCKED)}, ("Pipfile", "Pipfile.lock"),
         ("flask==3.0.0", "pytest==8.0.0")),
        ({"main.py": SCRIPT}, ("main.py",), ("flask>=3", "rich")),
        ({"app.py": "import os\n", "server.py": SCRIPT}, ("server.py",), ("flask>=3", "rich")),
        ({"environment.yml": ENVIRONMENT}, ("environment.yml",), ("flask>=3", "rich")),
        ({"environment.yaml": ENVIRONMENT}, ("environment.yaml",), ("flask>=3", "rich")),
        ({"setup.py": "setup(install_requires=['flask>=3', \"rich\"])"}, ("setup.py",),
         ("flask>=3", "rich")),
        ({"setup.cfg": "[options]\ninstall_requires =\n    flask>=3\n    rich\n[x]\n"},
         ("setup.cfg",), ("flask>=3", "rich")),
        ({"setup.py": "setup(install_requires=read('x'))"}, ("setup.py",), ("",)),
    ],
)  # fmt: skip
def test_what_it_declares(
    tmp_path: Path, files: dict[str, str], read: tuple[str, ...], lines: tuple[str, ...]
) -> None:
    found = other_manifest(write(tmp_path, files))
    assert found is not None
    assert (found.files, found.lines) == (read, lines)


@pytest.mark.parametrize(
    "files",
    [
        {"Pipfile": "[requires]\npython_version = '3.8'\n"},
        {"main.py": "# /// script\n# dependencies = [\n# ///\n"},
        {"environment.yml": "dependencies:\n  - numpy\n"},
        {"setup.py": "setup(name='x')"},
    ],
)
def test_nothing_is_declared(tmp_path: Path, files: dict[str, str]) -> None:
    assert other_manifest(write(tmp_path, files)) is None


@pytest.mark.parametrize(
    ("files", "manager", "text"),
    [
        ({"requirements/base.txt": "flask", "requirements/local.txt": "-r base.txt"}, "pip",
         "-r requirements/local.txt"),
        ({"requirements/dev.txt": "flask", "requirements/base.txt": "flask"}, "pip",
         "-r requirements/dev.txt"),
        ({"requirements-dev.txt": "flask"}, "pip", "-r requirements-dev.txt"),
        ({"Pipfile": PIPFILE}, "uv", "\nflask\nrequests[socks]>=2\n"),
        ({"setup.py": "setup(install_requires=['flask'])"}, "uv", "-r setup.py"),
        ({"environment.yml": ENVIRONMENT}, "uv", "the conda packages are not"),
    ],
)  # fmt: skip
def test_it_is_installed_and_a_framework_in_it_is_found(
    tmp_path: Path, files: dict[str, str], manager: str, text: str
) -> None:
    write(tmp_path, files | {"hello/__init__.py": "def create_app():\n    pass\n"})
    found = detect(tmp_path)
    assert found.framework == "Flask"
    assert found.dependencies is not None
    assert found.dependencies.manager == manager
    assert text in found.dependencies.script
    subprocess.run(["sh", "-n"], input=found.dependencies.script.encode(), check=True)


def test_a_requirements_txt_comes_first(tmp_path: Path) -> None:
    write(tmp_path, {"requirements.txt": "flask", "Pipfile": PIPFILE, "main.py": SCRIPT})
    found = detect(tmp_path).dependencies
    assert found is not None
    assert found.files == ("requirements.txt",)


UV = '#!/bin/sh\necho "$0 $* $UV_PYTHON $UV_PYTHON_DOWNLOADS" | sed s:.*/:: >>"$CALLS"\n'


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "python -m venv --without-pip .venv  never\nuv sync python never\n"),
        ({"UV_PYTHON": "3.11"}, "uv venv --quiet --allow-existing .venv 3.11 never\n"
         "uv sync 3.11 never\n"),
        ({"UV_PYTHON": "3.12", "UV_PYTHON_DOWNLOADS": "automatic"},
         "uv venv --quiet --allow-existing .venv 3.12 automatic\nuv sync 3.12 automatic\n"),
    ],
)  # fmt: skip
def test_uv_may_use_another_python_where_the_user_says_so(
    tmp_path: Path, environ: dict[str, str], expected: str
) -> None:
    for name in ("uv", "python"):
        (tmp_path / name).write_text(UV)
        (tmp_path / name).chmod(0o755)
    script = f"base=python\n{_UV_PYTHONS}{_VENV.format(create=_UV_CREATE)}{_UV_SETTINGS}uv sync\n"
    calls = tmp_path / "calls"
    variables = {"PATH": f"{tmp_path}:/usr/bin:/bin", "CALLS": str(calls)} | environ
    subprocess.run(["sh", "-euc", script], cwd=tmp_path, env=variables, check=True)
    assert calls.read_text() == expected


@pytest.mark.parametrize("lock", ["uv.lock", "poetry.lock"])
def test_a_manager_that_an_image_lacks_is_installed_first(tmp_path: Path, lock: str) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "a"\nversion = "1"\n')
    (tmp_path / lock).write_text("")
    found = python_dependencies(Folder(tmp_path))
    assert found
    lacks = f"if ! command -v {found.manager} >/dev/null; then"
    assert lacks in found.script
    assert subprocess.run(["sh", "-nc", found.script], check=False).returncode == 0
