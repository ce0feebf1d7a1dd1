"""Another Python than the default, as the files of a workspace ask for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from docker.errors import ImageNotFound

from .harness import Eye, Program, write
from .workspaces import python

OFFICIAL = "python:3.11-slim"
VARIANT = "debug-host/python:3.11"
PYPROJECT = """\
[project]
name = "pinned"
version = "1"
dependencies = ["idna==3.10"]
%s
"""
VERSIONS = "import idna, sys; print(idna.__version__, *sys.version_info[:2], sys.prefix)"

pytestmark = [pytest.mark.once, pytest.mark.docker_only]


def found(eye: Eye, ref: str) -> str:
    """The ID of an image; empty where there is none."""
    with suppress(ImageNotFound):
        return str(eye.client.inspect_image(ref)["Id"])
    return ""


@pytest.fixture(scope="module")
def python_311(eye: Eye, service_image: Callable[[str], str]) -> Iterator[None]:
    """Under its official name: the one that is here already, or one made of Debian's packages.

    What was here before stays, and is what it was: the image of that name, and the one built on it.
    """
    before = found(eye, VARIANT)
    own = "" if found(eye, OFFICIAL) else service_image("python")
    if own:
        eye.client.tag(own, *OFFICIAL.split(":"))
    yield
    made = found(eye, VARIANT)
    if made != before:
        eye.client.remove_image(made, force=True)
    if own and found(eye, OFFICIAL) == found(eye, own):
        eye.client.remove_image(OFFICIAL)


@pytest.mark.usefixtures("python_311")
def test_the_python_that_a_file_pins_runs_with_packages_of_its_own(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    files = python("import idna") | {"pyproject.toml": PYPROJECT % "", ".python-version": "3.11\n"}
    folder = write(tmp_path / "p", files)

    def up(*args: str) -> dict[str, object]:
        return run("up", "-p", project, "-w", folder, *args, "--json", timeout=300).project

    def versions() -> str:
        return run("exec", "-p", project, "--", "python", "-c", VERSIONS).out.strip()

    try:
        pinned = up()
        assert versions() == "3.10 3 11 /app/.venv"
        assert pinned["dependencies"] == "fresh"
        assert up()["action"] == "unchanged"

        # The same, asked for by another file.
        (folder / ".python-version").unlink()
        (folder / "pyproject.toml").write_text(PYPROJECT % 'requires-python = ">=3.11,<3.12"')
        ranged = up()
        assert image(ranged) == image(pinned)
        assert versions() == "3.10 3 11 /app/.venv"
        shown = run("config", "show", "-w", folder, "--json").data["settings"]
        (runtime,) = (row for row in shown if row["name"] == "runtime")
        assert runtime["value"] == "3.11"
        assert runtime["source"] == "pyproject.toml (project.requires-python)"

        # What was installed for one Python is not left to another.
        default = up("--runtime", "3.13")
        assert str(default["why"]).startswith("image")
        assert versions() == "3.10 3 13 /app/.venv"
        assert image(up("--reset")) == image(pinned)
        assert versions() == "3.10 3 11 /app/.venv"
    finally:
        eye.remove(project)


def image(project: dict[str, object]) -> object:
    container = project["container"]
    assert isinstance(container, dict)
    return container["image"]


@pytest.mark.usefixtures("python_311")
def test_an_image_of_that_name_is_never_replaced(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    before = found(eye, OFFICIAL)
    folder = write(tmp_path / "p", python() | {".tool-versions": "python 3.11.9\n"})
    try:
        run("up", "-p", project, "-w", folder, timeout=300)
        assert found(eye, OFFICIAL) == before
        run("rm", "-p", project, "--volumes")
        run("images", "prune", "--dry-run")
        assert found(eye, OFFICIAL) == before
    finally:
        eye.remove(project)
