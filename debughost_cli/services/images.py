"""The base images: one for each type, built from the Dockerfiles in the package."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from debughost_cli import names
from debughost_cli.engine.port import Engine
from debughost_cli.errors import ImageNotFound, InvalidConfig
from debughost_cli.models import ProjectType, PullPolicy
from debughost_cli.planning.runtime import Choice, choose_runtime, is_version
from debughost_cli.planning.up import Step, StepKind
from debughost_cli.project.certificates import CaBundle
from debughost_cli.project.resolve import ResolvedProject
from debughost_cli.resources import Image
from debughost_cli.services import disk_space
from debughost_cli.services.base_images import (
    bases_of,
    default_base,
    is_base_image,
    is_of_one_build,
    latest,
    sources_hash,
    tag_of,
)
from debughost_cli.services.image_builds import ImageBuilds, version_in
from debughost_cli.services.known_engines import check_known
from debughost_cli.services.package_images import PackageImages, in_words, variants
from debughost_cli.services.progress import PhaseKind, Progress
from debughost_cli.services.results import ImageEntry, ImagesResult


class ImageChoice(Struct, frozen=True):
    """The image of a container: the reference to create it from, and what is on the engine.

    ``step``: what has to be done first. It may change which image ``ref`` stands for.
    ``unavailable``: the version that a file asks for, where the default image is taken instead.
    """

    ref: str
    image: Image | None
    step: Step | None = None
    unavailable: str = ""

    @property
    def image_id(self) -> str:
        """The id as far as it is known; empty where the image of that reference does not exist."""
        exists = self.image and (self.step is None or self.ref in self.image.tags)
        return self.image.id if self.image and exists else ""


class _Selection(Struct, frozen=True):
    """A base image; ``wanted``: the version that it is chosen for, None for the default image."""

    entry: ImageEntry
    wanted: Choice | None = None
    unavailable: str = ""

    @property
    def version(self) -> str:
        return self.wanted.version if self.wanted else ""


class ImageService:
    """``images ls``, ``build`` and ``pull``, and the image that ``up`` needs."""

    def __init__(self, engine: Engine, progress: Progress) -> None:
        self._engine = engine
        self._progress = progress
        self._packages = PackageImages(engine, progress)
        self._builds = ImageBuilds(engine, progress)
        self._given_up: set[str] = set()

    def find(self, type_: ProjectType, *, compilers: bool = False, runtime: str = "") -> ImageEntry:
        """The type's image, and whether it was built from the current Dockerfile.

        ``runtime``: the version of Node.js, Python or PHP, empty for that of the default base.
        """
        newest = latest(type_, compilers=compilers, runtime=runtime)
        image = self._engine.images.find(newest)
        if image is None:
            base = bases_of(type_, runtime)[0] if runtime else default_base(type_)
            return ImageEntry(type_, tag_of(type_, base, compilers=compilers), None)
        current = image.labels.get(names.SOURCES) == sources_hash(type_)
        own = next((t for t in image.tags if is_of_one_build(t)), newest)
        return ImageEntry(type_, own, image, current)

    def build_for(self, resolved: ResolvedProject) -> None:
        """Builds the base image of the project. Raises what ``build`` raises."""
        selected = self._select(resolved, PullPolicy.MISSING)
        with disk_space.with_usage_details(self._engine):
            self._builds.build(
                resolved.type, ca_bundle=resolved.ca_bundle, compilers=resolved.compilers,
                runtime=selected.version,
            )  # fmt: skip

    def _select(self, resolved: ResolvedProject, pull: PullPolicy) -> _Selection:
        """The base image of the project, with the version that it is to have.

        What a file of the workspace asks for is no reason to have nothing: where that cannot be
        had, it is the default image. Raises InvalidConfig where the type has no versions.
        """
        type_, given = resolved.type, resolved.settings.runtime
        default = self.find(type_, compilers=resolved.compilers)
        if given and type_ is ProjectType.STATIC:
            raise InvalidConfig("a static project has no runtime", hint="Leave 'runtime' out")
        has = version_in(type_, default.image, default_base(type_))
        if given:
            wanted = None if is_version(has, given) else Choice(given)
        else:
            wanted = choose_runtime(resolved.pins, type_, has)
        if wanted is None:
            return _Selection(default)
        entry = self.find(type_, compilers=resolved.compilers, runtime=wanted.version)
        is_given_up = pull is PullPolicy.NEVER or wanted.version in self._given_up
        if wanted.place and entry.image is None and is_given_up:
            return _Selection(default, unavailable=wanted.version)
        return _Selection(entry, wanted)

    def give_up(self, version: str) -> None:
        """Takes the default image where that of a version that a file asks for is not here."""
        self._given_up.add(version)

    def pinned_version(self, resolved: ResolvedProject) -> str:
        """The version that a file asks for, where its image is not here; else empty."""
        selected = self._select(resolved, PullPolicy.MISSING)
        is_pin = selected.wanted and selected.wanted.place and selected.entry.image is None
        return selected.version if is_pin else ""

    def choose(self, resolved: ResolvedProject, pull: PullPolicy) -> ImageChoice:
        """The project's image: the one that was named, else the base image of its type; where the
        project has Debian packages, the image that is made of it with these.
        """
        base = self.choose_base(resolved, pull)
        wanted = resolved.packages
        # The tag depends on the id of an image that is not there yet.
        if not wanted or base.step or base.image is None:
            return base
        ref, image = self._packages.find(resolved.type, wanted, base.image)
        if image or pull is PullPolicy.NEVER:
            return ImageChoice(ref, image, unavailable=base.unavailable)
        return ImageChoice(ref, None, Step(StepKind.BUILD_IMAGE, ref, in_words(wanted)))

    def build_packages(self, resolved: ResolvedProject) -> None:
        """Makes the image with the packages of the project, where it is missing.

        Raises InvalidConfig for a package that does not exist, EngineError, DiskFull.
        """
        base = self.choose_base(resolved, PullPolicy.NEVER)
        if resolved.packages and base.image:
            with disk_space.with_usage_details(self._engine):
                self._packages.build(resolved.type, resolved.packages, base.image)

    def choose_base(self, resolved: ResolvedProject, pull: PullPolicy) -> ImageChoice:
        """The same without the project's packages."""
        given = resolved.settings.image
        if given:
            return self.choose_named(given, pull)
        selected = self._select(resolved, pull)
        entry, wanted = selected.entry, selected.wanted
        outdated = entry.image is None or not entry.current
        if pull is PullPolicy.NEVER or (pull is PullPolicy.MISSING and not outdated):
            return ImageChoice(entry.ref, entry.image, unavailable=selected.unavailable)
        why = "it was built from an older Dockerfile" if entry.image else "it is not here"
        why = "--pull always" if pull is PullPolicy.ALWAYS else why
        if wanted and wanted.place:
            why += f", and {wanted.place} asks for {wanted.version}"
        base = self._builds.base(resolved.type, selected.version)
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
        """The images of all types, and those that were made for projects that need another one."""
        found = self._engine.images.list([f"{names.MANAGED}=true"])
        return ImagesResult(tuple(map(self.find, ProjectType)), tuple(variants(found)))

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
        check_known(self._engine)
        with self._progress.task(""), disk_space.with_usage_details(self._engine):
            built = [
                self._builds.build(t, base, no_cache=no_cache, ca_bundle=ca_bundle)
                for t in types or tuple(ProjectType)
            ]
        return ImagesResult(tuple(built), changed=True)

    def refresh(
        self, types: Sequence[ProjectType], ca_bundle: CaBundle | None = None
    ) -> ImagesResult:
        """Pulls the bases of the base images, and builds them. Raises ImageNotFound."""
        check_known(self._engine)
        with self._progress.task(""):
            for type_ in types or tuple(ProjectType):
                self.pull(self._builds.base(type_))
        return self.build(types, ca_bundle=ca_bundle)

    def pull(self, ref: str) -> Image:
        """Pulls an image. Raises ImageNotFound, DiskFull."""
        self._progress.phase(PhaseKind.PULL, f"Pulling image {ref}")
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
