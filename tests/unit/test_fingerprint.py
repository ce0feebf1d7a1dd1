"""The fingerprint of installed dependencies: the program and the launcher must agree on it."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from fakes import make_spec

from debughost_cli.container import control_files, fingerprint, launcher
from debughost_cli.models import Dependencies

IMAGE = "sha256:0123456789abcdef0123456789abcdef"
SHELLS = [s for s in ("sh", "dash", "bash", "busybox") if shutil.which(s)]


def function(name: Any) -> Any:
    """A function out of the launcher's text."""
    found = re.search(rf"^{name}\(\) {{\n.*?^}}\n", launcher().decode(), re.DOTALL | re.MULTILINE)
    assert found, f"launch.sh has no function {name}"
    return found[0]


def computed(shell: Any, workspace: Any, dependencies: Any) -> Any:
    """What the launcher's own function prints, with the file that it would read."""
    spec = make_spec(workspace, image_id=IMAGE)
    entries = {Path(e.path).name: e for e in control_files(spec, dependencies, 0, 0)}
    script = entries["dependencies"].data.decode() + function("fingerprint") + "fingerprint\n"
    command = [shell, "sh", "-c", script] if shell == "busybox" else [shell, "-c", script]
    return subprocess.run(command, cwd=workspace, capture_output=True, text=True, check=True).stdout


def fill(workspace: Any) -> None:
    (workspace / "package.json").write_text('{"name": "x"}')
    (workspace / "package-lock.json").write_bytes(b"\x00\xff\r\n")
    (workspace / "sub").mkdir()
    (workspace / "sub/requirements.txt").write_text("flask\n")
    (workspace / "empty.txt").write_text("")
    (workspace / "folder.txt").mkdir()
    (workspace / "link.txt").symlink_to("package.json")
    (workspace / "dead.txt").symlink_to("none")


FILES = [
    (),
    ("package.json",),
    ("package.json", "package-lock.json"),
    ("package-lock.json", "package.json"),
    ("missing.json", "package.json"),
    ("missing.json",),
    ("sub/requirements.txt", "empty.txt"),
    ("folder.txt", "link.txt", "dead.txt"),
]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("files", FILES)
def test_the_program_and_the_launcher_compute_the_same(
    tmp_path: Path, shell: Any, files: Any
) -> None:
    fill(tmp_path)
    dependencies = Dependencies("npm", files, "npm ci")
    assert fingerprint(tmp_path, dependencies, IMAGE) == computed(shell, tmp_path, dependencies)


def test_it_differs_for_other_files_managers_and_images(tmp_path: Path) -> None:
    fill(tmp_path)
    npm = Dependencies("npm", ("package.json",), "npm ci")
    seen = {
        fingerprint(tmp_path, npm, IMAGE),
        fingerprint(tmp_path, npm, "sha256:fedcba9876543210"),
        fingerprint(tmp_path, Dependencies("yarn", npm.files, ""), IMAGE),
    }
    (tmp_path / "package.json").write_text("{}")
    seen.add(fingerprint(tmp_path, npm, IMAGE))
    (tmp_path / "package.json").unlink()
    seen.add(fingerprint(tmp_path, npm, IMAGE))
    assert len(seen) == 5


def test_the_script_alone_makes_no_difference(tmp_path: Path) -> None:
    """A newer version of the program must not install everything again."""
    fill(tmp_path)
    one = Dependencies("npm", ("package.json",), "npm ci")
    two = Dependencies("npm", ("package.json",), "npm ci --quiet")
    assert fingerprint(tmp_path, one, IMAGE) == fingerprint(tmp_path, two, IMAGE)


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_can_parse_the_launcher(shell: Any) -> None:
    command = [shell, "sh", "-n"] if shell == "busybox" else [shell, "-n"]
    subprocess.run(command, input=launcher(), check=True)


def test_values_for_the_launcher_are_quoted(tmp_path: Path) -> None:
    odd = Dependencies("n'pm $(touch x)", ("a.json",), "")
    entries = {Path(e.path).name: e for e in control_files(make_spec(tmp_path), odd, 0, 0)}
    text = entries["dependencies"].data.decode()
    assert dict(p.split("=", 1) for p in shlex.split(text))["manager"] == "n'pm $(touch x)"
