"""The base images: one for each type, built from the Dockerfiles in the package."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

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
from debughost_cli.services.base_images import (
    build_context,
    default_base,
    is_base_image,
    latest,
    source_folder,
    sources_hash,
    tag_of,
)
from debughost_cli.services.package_images import PackageImages, in_words
from debughost_cli.services.progress import Progress
from debughost_cli.services.results import ImageEntry, ImagesResult


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
        self._packages = PackageImages(engine, progress)

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
        """The project's image: the one that was named, else the base image of its type; where the
        project has Debian packages, the image that is made of it with these.
        """
        base = self.choose_base(resolved, pull)
        wanted = resolved.settings.packages
        # The tag depends on the id of an image that is not there yet.
        if not wanted or base.step or base.image is None:
            return base
        ref, image = self._packages.find(resolved.type, wanted, base.image)
        if image or pull is PullPolicy.NEVER:
            return ImageChoice(ref, image)
        return ImageChoice(ref, None, Step(StepKind.BUILD_IMAGE, ref, in_words(wanted)))

    def build_packages(self, resolved: ResolvedProject) -> None:
        """Makes the image with the packages of the project, where it is missing.

        Raises InvalidConfig for a package that does not exist, EngineError, DiskFull.
        """
        base = self.choose_base(resolved, PullPolicy.NEVER)
        if resolved.settings.packages and base.image:
            with disk_space.with_usage_details(self._engine):
                self._packages.build(resolved.type, resolved.settings.packages, base.image)

    def choose_base(self, resolved: ResolvedProject, pull: PullPolicy) -> ImageChoice:
        """The same without the project's packages."""
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
        """The images of all types, and those with packages."""
        return ImagesResult(tuple(map(self.find, ProjectType)), tuple(self._packages.list_all()))

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
        with build_context(source_folder(type_), ca_bundle) as context:
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
    text = (source_folder(ProjectType.NODE) / "tools" / "package.json").read_text("utf-8")
    tools: dict[str, str] = json.loads(text)["dependencies"]
    return tools


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
