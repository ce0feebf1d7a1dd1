"""What the base images are made of, and what they are called."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

from debughost_cli.errors import ImageNotFound
from debughost_cli.models import ProjectType
from debughost_cli.project.certificates import CaBundle
from debughost_cli.resources import Image

_SUFFIXES = {
    ProjectType.NODE: ("-slim", "-trixie-slim", "-bookworm-slim", ""),
    ProjectType.PYTHON: ("-slim", "-trixie-slim", "-bookworm-slim", ""),
    ProjectType.PHP: ("-cli", "-cli-trixie", "-cli-bookworm"),
}
"""Of the official images of one version, the best first."""
_OF_ONE_BUILD = re.compile(r"debug-host/\w+:[0-9a-f]{12}(?:-\w+)?", re.ASCII)


def latest(type_: ProjectType, *, compilers: bool = False, runtime: str = "") -> str:
    """The tag of the type's newest build, without or with compilers.

    ``runtime``: the version that it has, empty for that of the default base.
    """
    if runtime:
        return f"debug-host/{type_}:{runtime}{'-compilers' if compilers else ''}"
    return f"debug-host/{type_}:{'compilers' if compilers else 'latest'}"


def is_of_one_build(tag: str) -> bool:
    """Whether a tag is that of one build; those of ``latest`` go on to the next one."""
    return _OF_ONE_BUILD.fullmatch(tag) is not None


def is_default(image: Image, type_: ProjectType) -> bool:
    """Whether an image is the type's newest build, without or with compilers."""
    return any(latest(type_, compilers=c) in image.tags for c in (False, True))


def bases_of(type_: ProjectType, runtime: str) -> tuple[str, ...]:
    """The official images with a version of the type's runtime, the best first."""
    return tuple(f"{type_}:{runtime}{suffix}" for suffix in _SUFFIXES[type_])


@cache
def source_folder(name: str) -> Path:
    """The folder with the Dockerfile of a type, or with what several have in common."""
    with as_file(files("debughost_cli") / "images" / name) as folder:
        return folder


@cache
def sources_hash(type_: ProjectType) -> str:
    """A digest over every file of the type's build context, names included."""
    digest = hashlib.sha256()
    for folder in (source_folder("common"), source_folder(type_)):
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            name = path.relative_to(folder).as_posix()
            digest.update(f"{name}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def default_base(type_: ProjectType) -> str:
    """The base in the Dockerfile itself."""
    for line in (source_folder(type_) / "Dockerfile").read_text("utf-8").splitlines():
        if line.startswith("ARG BASE="):
            return line.removeprefix("ARG BASE=").strip()
    raise ImageNotFound(f"the Dockerfile of {type_} has no base")


def tag_of(type_: ProjectType, base: str, *, compilers: bool = False) -> str:
    """``debug-host/{type}:{hash of its sources and base}``, and ``-compilers`` with these."""
    digest = hashlib.sha256(f"{sources_hash(type_)}\n{base}".encode()).hexdigest()
    return f"debug-host/{type_}:{digest[:12]}{'-compilers' if compilers else ''}"


def is_base_image(ref: str) -> bool:
    """Whether a reference is one of those that base images have, in whatever way it is written."""
    for registry in ("docker.io/", "index.docker.io/"):
        ref = ref.removeprefix(registry)
    return ref.startswith("debug-host/")


@contextmanager
def build_context(folder: Path, ca_bundle: CaBundle | None) -> Iterator[Path]:
    """A copy of ``folder`` with the files common to all types, and the CA bundle in ``certs/``.

    Root certificates are not part of the image's identity, so they are not among its sources. Those
    that a workspace brings are left out: all projects share the image.
    """
    with tempfile.TemporaryDirectory(prefix="debughost-build-") as made:
        context = Path(made) / "context"
        shutil.copytree(folder, context)
        shutil.copytree(source_folder("common"), context, dirs_exist_ok=True)
        certs = context / "certs"
        certs.mkdir()
        (certs / ".keep").touch()
        if ca_bundle and ca_bundle.is_trusted:
            (certs / "ca-bundle.crt").write_bytes(ca_bundle.pem)
        yield context
