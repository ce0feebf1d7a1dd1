"""Images with the Debian packages that projects ask for: one for each set and each base."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from debughost_cli import __version__, names
from debughost_cli.engine.port import Engine
from debughost_cli.errors import EngineError, InvalidConfig
from debughost_cli.models import ProjectType
from debughost_cli.planning.packages import has_no_apt, unknown_packages
from debughost_cli.resources import Image
from debughost_cli.services.base_images import (
    is_base_image,
    is_of_one_build,
    latest,
    source_folder,
    sources_hash,
)
from debughost_cli.services.build_output import BuildOutput
from debughost_cli.services.progress import PhaseKind, Progress
from debughost_cli.services.results import ImageEntry


def in_words(packages: Sequence[str]) -> str:
    """Why an image is made, as plans show it."""
    return f"with the packages {', '.join(packages)}"


def _tag(type_: ProjectType, packages: Sequence[str], base: Image) -> str:
    """``debug-host/{type}:{hash of the set, its base and the Dockerfile}-packages``."""
    dockerfile = (source_folder("packages") / "Dockerfile").read_bytes()
    digest = hashlib.sha256("\n".join((base.id, *sorted(packages))).encode() + dockerfile)
    return f"debug-host/{type_}:{digest.hexdigest()[:12]}-packages"


def variants(images: Sequence[Image]) -> Iterator[ImageEntry]:
    """Of images of ours, those that are made for projects: with packages or compilers, or with
    another version of the runtime.
    """
    for type_ in ProjectType:
        for image in sorted(images, key=lambda i: i.tags):
            is_ours = image.labels.get(names.TYPE) == type_ and all(map(is_base_image, image.tags))
            own = [
                t for t in image.tags if names.PACKAGES in image.labels or not is_of_one_build(t)
            ]
            if is_ours and own and latest(type_) not in image.tags:
                current = image.labels.get(names.SOURCES) == sources_hash(type_)
                yield ImageEntry(type_, own[0], image, current)


class PackageImages:
    """Makes and finds them."""

    def __init__(self, engine: Engine, progress: Progress) -> None:
        self._engine = engine
        self._progress = progress

    def find(
        self, type_: ProjectType, packages: Sequence[str], base: Image
    ) -> tuple[str, Image | None]:
        """The reference of the image that is made of ``base``, and the image if it is there."""
        ref = _tag(type_, packages, base)
        return ref, self._engine.images.find(ref)

    def build(self, type_: ProjectType, packages: Sequence[str], base: Image) -> None:
        """Makes the image unless it is there. Raises InvalidConfig, EngineError."""
        ref, image = self.find(type_, packages, base)
        if image:
            return
        self._progress.phase(PhaseKind.BUILD, f"Building image {ref} {in_words(packages)}")
        labels = names.base_labels(__version__, datetime.now(UTC))
        try:
            self._engine.images.build(
                source_folder("packages"),
                tags=[ref],
                labels=labels | {names.TYPE: type_.value, names.PACKAGES: " ".join(packages)},
                build_args={
                    "BASE": base.id,
                    "PACKAGES": " ".join(packages),
                    "IMAGE_USER": base.user or "root",
                },
                no_cache=False,
                on_text=BuildOutput(self._progress.detail),
            )
        except EngineError as exc:
            raise _explained(exc, packages) from exc


def _explained(exc: EngineError, packages: Sequence[str]) -> InvalidConfig | EngineError:
    tail = exc.details.get("log_tail")
    lines = [str(line) for line in tail] if isinstance(tail, list | tuple) else []
    unknown = unknown_packages(lines)
    if unknown:
        has = "There is no package" if len(unknown) == 1 else "There are no packages"
        return InvalidConfig(
            f"{has} {', '.join(unknown)} for the project's image",
            hint="'packages' takes the names of Debian's packages: "
            "https://packages.debian.org has them all",
            details={"setting": "packages", "packages": list(unknown), "log_tail": lines},
        )
    if has_no_apt(lines):
        return InvalidConfig(
            "'packages' needs an image of Debian or Ubuntu: this one has no apt-get",
            hint="Leave 'image' out, or choose one that is not made of Alpine or the like",
            details={"setting": "packages", "packages": list(packages), "log_tail": lines},
        )
    return exc.with_context(
        hint="The packages could not be installed into the image: the last lines say why"
    )
