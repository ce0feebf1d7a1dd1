"""Python manifests besides requirements.txt and pyproject.toml."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from debughost_cli.project.detect import detect
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
