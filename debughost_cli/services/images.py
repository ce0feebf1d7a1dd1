"""The base images: one for each type, built from the Dockerfiles in the package."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

from msgspec import Struct

from debughost_cli import __version__, names
from debughost_cli.engine.port import Engine
from debughost_cli.errors import ImageNotFound
from debughost_cli.models import ProjectType, PullPolicy
from debughost_cli.planning.up import Step, StepKind
from debughost_cli.project.certificates import CaBundle
from debughost_cli.project.resolve import ResolvedProject
from debughost_cli.resources import Image
from debughost_cli.services import disk_space
from debughost_cli.services.progress import Progress
from debughost_cli.services.results import ImageEntry, ImagesResult


def latest(type_: ProjectType, *, compilers: bool = False) -> str:
    """The tag of the type's newest build, without or with compilers."""
    return f"debug-host/{type_}:{'compilers' if compilers else 'latest'}"


@cache
def _folder(name: str) -> Path:
    with as_file(files("debughost_cli") / "images" / name) as folder:
        return folder


@cache
def sources_hash(type_: ProjectType) -> str:
    """A digest over every file of the type's build context, names included."""
    digest = hashlib.sha256()
    for folder in (_folder("common"), _folder(type_)):
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            name = path.relative_to(folder).as_posix()
            digest.update(f"{name}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def default_base(type_: ProjectType) -> str:
    """The base in the Dockerfile itself."""
    for line in (_folder(type_) / "Dockerfile").read_text("utf-8").splitlines():
        if line.startswith("ARG BASE="):
            return line.removeprefix("ARG BASE=").strip()
    raise ImageNotFound(f"the Dockerfile of {type_} has no base")


def tag_of(type_: ProjectType, base: str, *, compilers: bool = False) -> str:
    """``debug-host/{type}:{hash of its sources and base}``, and ``-compilers`` with these."""
    digest = hashlib.sha256(f"{sources_hash(type_)}\n{base}".encode()).hexdigest()
    return f"debug-host/{type_}:{digest[:12]}{'-compilers' if compilers else ''}"


class ImageChoice(Struct, frozen=True):
    """The image of a container: the reference to create it from, and what is on the engine.

    ``step``: what has to be done first. It may change which image ``ref`` stands for.
    """

    ref: str
    image: Image | None
    step: Step | None = None

    @property
    def image_id(self) -> str:
        """The id as far as it is known; empty where the image of that reference does not exist."""
        exists = self.image and (self.step is None or self.ref in self.image.tags)
        return self.image.id if self.image and exists else ""


class ImageService:
    """``images ls``, ``build`` and ``pull``, and the image that ``up`` needs."""

    def __init__(self, engine: Engine, progress: Progress) -> None:
        self._engine = engine
        self._progress = progress

    def find(self, type_: ProjectType, *, compilers: bool = False) -> ImageEntry:
        """The type's image, and whether it was built from the current Dockerfile."""
        newest = latest(type_, compilers=compilers)
        image = self._engine.images.find(newest)
        if image is None:
            tag = tag_of(type_, default_base(type_), compilers=compilers)
            return ImageEntry(type_, tag, None)
        current = image.labels.get(names.SOURCES) == sources_hash(type_)
        own = next((t for t in image.tags if t != newest), newest)
        return ImageEntry(type_, own, image, current)

    def find_for(self, resolved: ResolvedProject) -> ImageEntry:
        """The base image of the project, and whether it was built from the current Dockerfile."""
        return self.find(resolved.type, compilers=resolved.compilers)

    def build_for(self, resolved: ResolvedProject) -> None:
        """Builds the base image of the project. Raises what ``build`` raises."""
        with disk_space.with_usage_details(self._engine):
            self._build(resolved.type, ca_bundle=resolved.ca_bundle, compilers=resolved.compilers)

    def choose(self, resolved: ResolvedProject, pull: PullPolicy) -> ImageChoice:
        """The project's image: the one that was named, else the base image of its type."""
        given = resolved.settings.image
        if given:
            return self.choose_named(given, pull)
        entry = self.find_for(resolved)
        outdated = entry.image is None or not entry.current
        if pull is PullPolicy.NEVER or (pull is PullPolicy.MISSING and not outdated):
            return ImageChoice(entry.ref, entry.image)
        why = "it was built from an older Dockerfile" if entry.image else "it is not here"
        why = "--pull always" if pull is PullPolicy.ALWAYS else why
        base = self._last_base(resolved.type) or default_base(resolved.type)
        ref = tag_of(resolved.type, base, compilers=resolved.compilers)
        return ImageChoice(ref, entry.image, Step(StepKind.BUILD_IMAGE, ref, why))

    def choose_named(self, ref: str, pull: PullPolicy) -> ImageChoice:
        """An image that the user named."""
        image = self._engine.images.find(ref)
        if pull is PullPolicy.NEVER or (pull is PullPolicy.MISSING and image):
            return ImageChoice(ref, image)
        if is_base_image(ref):
            return ImageChoice(ref, _built(ref, image))
        why = "--pull always" if pull is PullPolicy.ALWAYS else "it is not here"
        return ImageChoice(ref, image, Step(StepKind.PULL_IMAGE, ref, why))

    def list_all(self) -> ImagesResult:
        """The images of all types."""
        return ImagesResult(tuple(self.find(t) for t in ProjectType))

    def build(
        self,
        types: Sequence[ProjectType],
        *,
        base: str | None = None,
        no_cache: bool = False,
        ca_bundle: CaBundle | None = None,
    ) -> ImagesResult:
        """Builds the images. Without ``base`` each keeps the base of its last build.

        Raises ImageNotFound for a base that is unavailable, DiskFull, EngineError.
        """
        with disk_space.with_usage_details(self._engine):
            built = [
                self._build(t, base, no_cache=no_cache, ca_bundle=ca_bundle)
                for t in types or tuple(ProjectType)
            ]
        return ImagesResult(tuple(built), changed=True)

    def _build(
        self,
        type_: ProjectType,
        base: str | None = None,
        *,
        no_cache: bool = False,
        compilers: bool = False,
        ca_bundle: CaBundle | None,
    ) -> ImageEntry:
        base = base or self._last_base(type_) or default_base(type_)
        tag = tag_of(type_, base, compilers=compilers)
        self._progress.step(f"Building image {tag} from {base}")
        labels = names.base_labels(__version__, datetime.now(UTC)) | {
            names.TYPE: type_.value,
            names.SOURCES: sources_hash(type_),
            names.BASE: base,
        }
        with build_context(_folder(type_), ca_bundle) as context:
            self._engine.images.build(
                context,
                tags=[tag, latest(type_, compilers=compilers)],
                labels=labels,
                build_args={"BASE": base} | ({"COMPILERS": "yes"} if compilers else {}),
                no_cache=no_cache,
                on_text=self._progress.detail,
            )
        return ImageEntry(type_, tag, self._engine.images.find(tag), current=True)

    def _last_base(self, type_: ProjectType) -> str | None:
        """The base of the type's newest build, of one with compilers where there is no other."""
        images = (self._engine.images.find(latest(type_, compilers=c)) for c in (False, True))
        return next((i.labels.get(names.BASE) for i in images if i), None)

    def refresh(
        self, types: Sequence[ProjectType], ca_bundle: CaBundle | None = None
    ) -> ImagesResult:
        """Pulls the bases of the base images, and builds them. Raises ImageNotFound."""
        for type_ in types or tuple(ProjectType):
            self.pull(self._last_base(type_) or default_base(type_))
        return self.build(types, ca_bundle=ca_bundle)

    def pull(self, ref: str) -> Image:
        """Pulls an image. Raises ImageNotFound, DiskFull."""
        self._progress.step(f"Pulling image {ref}")
        with disk_space.with_usage_details(self._engine):
            self._engine.images.pull(ref, self._progress.detail)
        found = self._engine.images.find(ref)
        if found is None:
            raise ImageNotFound(
                f"image {ref} was pulled but does not exist",
                hint="Run 'docker pull' to see more",
                details={"image": ref, "reason": "unknown"},
            )
        return found


def node_tools(image: Image) -> Mapping[str, str]:
    """The versions of the package managers in the base image for Node.js; of others, nothing."""
    if image.labels.get(names.SOURCES) != sources_hash(ProjectType.NODE):
        return {}
    text = (_folder(ProjectType.NODE) / "tools" / "package.json").read_text("utf-8")
    tools: dict[str, str] = json.loads(text)["dependencies"]
    return tools


def is_base_image(ref: str) -> bool:
    """Whether a reference is one of those that base images have, in whatever way it is written."""
    for registry in ("docker.io/", "index.docker.io/"):
        ref = ref.removeprefix(registry)
    return ref.startswith("debug-host/")


def _built(ref: str, image: Image | None) -> Image:
    """The base image that is here. It is never pulled: anybody may own that name in a registry, and
    what a workspace had pulled would be the base image of all projects.
    """
    if image:
        return image
    raise ImageNotFound(
        f"image {ref} is not here; images of that name are built, and never pulled",
        hint="Run 'debughost images build', or leave 'image' out",
        details={"image": ref, "reason": "unknown"},
    )


@contextmanager
def build_context(folder: Path, ca_bundle: CaBundle | None) -> Iterator[Path]:
    """A copy of ``folder`` with the files common to all types, and the CA bundle in ``certs/``.

    Root certificates are not part of the image's identity, so they are not among its sources. Those
    that a workspace brings are left out: all projects share the image.
    """
    with tempfile.TemporaryDirectory(prefix="debughost-build-") as made:
        context = Path(made) / "context"
        shutil.copytree(folder, context)
        shutil.copytree(_folder("common"), context, dirs_exist_ok=True)
        certs = context / "certs"
        certs.mkdir()
        (certs / ".keep").touch()
        if ca_bundle and ca_bundle.is_trusted:
            (certs / "ca-bundle.crt").write_bytes(ca_bundle.pem)
        yield context
