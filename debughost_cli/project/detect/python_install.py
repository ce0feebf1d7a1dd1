"""How a Python project's dependencies get into the virtual environment in ``/app/.venv``.

The environment is created by the image's own interpreter, and recreated when that changes. Where a
build would write files into the workspace (setuptools and its ``egg-info``), only the dependencies
are installed, and the sources are added to the import path.
"""

from __future__ import annotations

from debughost_cli.models import Dependencies
from debughost_cli.project.detect.python_manifests import (
    CLEAN_BACKENDS,
    PYPROJECT,
    REQUIREMENTS,
    PyProject,
    read_pyproject,
    requirement_files,
    requires_something,
)
from debughost_cli.project.detect.python_other import (
    ENVIRONMENTS,
    REQUIREMENT_FILES,
    SETUP,
    Declared,
    other_manifest,
)
from debughost_cli.project.detect.shell import install_script
from debughost_cli.project.reader import Folder

# The interpreter that creates the environment, not the one inside it.
_BEFORE = """\
export PATH="${PATH#/app/.venv/bin:}"
unset VIRTUAL_ENV
base=$(command -v python3 || command -v python)
"""
_UV_PYTHONS = """\
export UV_PYTHON_DOWNLOADS="${UV_PYTHON_DOWNLOADS-never}"
export UV_PYTHON_INSTALL_DIR="${UV_PYTHON_INSTALL_DIR-/var/cache/debughost/uv-python}"
"""
_IDENTITY = 'import sys, sysconfig; print(sysconfig.get_config_var("SOABI"), sys.executable)'
_STAMP = f"{{name}}${{{{UV_PYTHON:+ $UV_PYTHON}}}} $(\"$base\" -c '{_IDENTITY}')"
_VENV = """\
[ -x .venv/bin/python ] || {create}
export VIRTUAL_ENV=/app/.venv PATH="/app/.venv/bin:$PATH"
"""
_CREATE = '"$base" -m venv {options}.venv'
# Where the user asks for another Python than the image's, uv may find or, if allowed, download it.
_UV_CREATE = f"""\
if [ -z "${{UV_PYTHON-}}" ]; then {_CREATE.format(options="--without-pip ")}
else uv venv --quiet --allow-existing .venv; fi"""
# For images of others.
_TOOL = """\
if ! command -v {name} >/dev/null; then
    tools=/var/cache/debughost/tools/{name}
    "$tools/bin/{name}" --version >/dev/null 2>&1 || {{
        echo 'debughost: the image has no {name}, which is installed first' >&2
        "$base" -m venv --clear "$tools"
        "$tools/bin/python" -m pip install --disable-pip-version-check --no-input \\
            --progress-bar off --quiet {name}
    }}
    export PATH="$PATH:$tools/bin"
fi
"""
# A build leaves its notes beside the sources.
_CLEAN = """\
had=" $(echo *.egg-info src/*.egg-info build) "
trap 'for made in *.egg-info src/*.egg-info build; do
    case $had in *" $made "*) ;; *) rm -rf "$made" ;; esac
done' EXIT
"""
_PIP = (
    _CLEAN
    + """\
python -m pip install --disable-pip-version-check --no-input --progress-bar off {files}
"""
)
_UV_SETTINGS = """\
export UV_PYTHON="${UV_PYTHON:-$base}" UV_PROJECT_ENVIRONMENT=/app/.venv
export UV_LINK_MODE=copy UV_NO_PROGRESS=1 PYTHONDONTWRITEBYTECODE=1
"""
# An older lock file is installed as it is: many a repository has one, and its program runs.
_UV_SYNC = """\
if uv lock --check 2>&1 | grep -q 'needs to be updated'; then
    echo "debughost: uv.lock is older than pyproject.toml and installed as it is; see 'uv lock'" >&2
fi
uv sync --frozen {options}
"""
_UV_PIP = """\
uv pip install --python /app/.venv/bin/python -r {file} {options}
"""
_LISTED = """\
list=$(mktemp)
cat >"$list" <<'debughost-end'
{lines}
debughost-end
uv pip install --python /app/.venv/bin/python -r "$list"
rm "$list"
"""
_CONDA = """\
echo 'debughost: only the pip part of {file} is installed, the conda packages are not' >&2
"""
_POETRY_SETTINGS = """\
export POETRY_VIRTUALENVS_IN_PROJECT=true POETRY_VIRTUALENVS_CREATE=false
export PYTHON_KEYRING_BACKEND=keyring.backends.null.Keyring PYTHONDONTWRITEBYTECODE=1
"""
_POETRY = """\
poetry install --no-root --no-interaction --no-ansi
"""
_POETRY_ROOT = """\
poetry install --only-root --no-interaction --no-ansi \\
    || echo 'debughost: the project itself is not installed, its dependencies are' >&2
"""
# Poetry installs only from a lock file, which it writes beside the manifest.
_POETRY_UNLOCKED = """\
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp pyproject.toml "$copy"/
poetry --project="$copy" lock --no-interaction --no-ansi
poetry --project="$copy" install --no-root --no-interaction --no-ansi
"""
_ON_PATH = """\
site=$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
echo {sources} >"$site/debughost-workspace.pth"
"""


def python_dependencies(folder: Folder) -> Dependencies | None:
    """How the workspace's dependencies are installed; None where it has none."""
    project = read_pyproject(folder)
    if project.exists and folder.has("uv.lock"):
        return _uv(folder, project)
    if project.exists and folder.has("poetry.lock"):
        return _poetry(folder, project)
    if folder.has(REQUIREMENTS) and requires_something(folder, REQUIREMENTS):
        return _pip(folder, REQUIREMENTS)
    return _unlocked(folder, project)


def _unlocked(folder: Folder, project: PyProject) -> Dependencies | None:
    if project.requirements or "dev" in project.groups:
        return _uv_pip(folder, project)
    if project.poetry:
        return _poetry(folder, project)
    files = requirement_files(folder, *project.requirement_files)
    installable = [
        f for f in project.requirement_files if f in files and requires_something(folder, f)
    ]
    if installable:
        return _pip(folder, *installable)
    usual = folder.first(*REQUIREMENT_FILES)
    if usual and requires_something(folder, usual):
        return _pip(folder, usual)
    other = other_manifest(folder)
    return _declared(folder, other) if other else None


def _declared(folder: Folder, other: Declared) -> Dependencies:
    """A manifest of another kind. Paths in it are relative to the workspace."""
    name = other.files[0]
    if name in SETUP:
        install = _CLEAN + _UV_PIP.format(file=name, options="").rstrip() + "\n" + _on_path(folder)
    else:
        lines = (line for line in other.lines if line != "debughost-end")
        install = _CLEAN + _LISTED.format(lines="\n".join(lines))
    if name in ENVIRONMENTS:
        install = _CONDA.format(file=name) + install
    return _make("uv", other.files, _UV_SETTINGS + install)


def _make(name: str, files: tuple[str, ...], install: str, options: str = "") -> Dependencies:
    create = _UV_CREATE if name == "uv" else _CREATE.format(options=options)
    tool = "" if name == "pip" else _TOOL.format(name=name)
    text = tool + _VENV.format(create=create) + install
    before = _BEFORE + (_UV_PYTHONS if name == "uv" else "")
    script = install_script(".venv", _STAMP.format(name=name), text, before=before)
    return Dependencies(name, files, script)


def _pip(folder: Folder, *names: str) -> Dependencies:
    files = requirement_files(folder, *names)
    given = " ".join(f"-r {name}" for name in files if name in names)
    return _make("pip", files, _PIP.format(files=given))


def _uv(folder: Folder, project: PyProject) -> Dependencies:
    builds = project.backend is not None and project.backend not in CLEAN_BACKENDS
    if project.has_members:
        # The members need each other, and whichever of them is run is in the same container.
        sync = _CLEAN + _UV_SYNC.format(options="--all-packages")
        return _make("uv", (PYPROJECT, "uv.lock"), _UV_SETTINGS + sync)
    sync = _UV_SYNC.format(options="--no-install-project" if builds else "").rstrip() + "\n"
    install = _UV_SETTINGS + sync + (_on_path(folder) if builds else "")
    return _make("uv", (PYPROJECT, "uv.lock"), install)


def _uv_pip(folder: Folder, project: PyProject) -> Dependencies:
    group = "--group dev" if "dev" in project.groups else ""
    sync = _UV_PIP.format(file=PYPROJECT, options=group).rstrip() + "\n"
    install = _UV_SETTINGS + _CLEAN + sync + _on_path(folder)
    return _make("uv", (PYPROJECT,), install)


def _poetry(folder: Folder, project: PyProject) -> Dependencies:
    files = folder.present(PYPROJECT, "poetry.lock")
    if len(files) == 1:
        install = _POETRY_UNLOCKED + _on_path(folder)
    elif project.package_mode and project.backend in CLEAN_BACKENDS:
        install = _POETRY + _POETRY_ROOT
    else:
        install = _POETRY + _on_path(folder)
    return _make("poetry", files, _POETRY_SETTINGS + install, "--without-pip ")


def _on_path(folder: Folder) -> str:
    """Makes the workspace's modules importable without installing it."""
    return _ON_PATH.format(sources="/app/src" if folder.has_folder("src") else "/app")
