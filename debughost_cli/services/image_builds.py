"""How base images are built, and what is in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from debughost_cli import __version__, names
from debughost_cli.engine.port import Engine
from debughost_cli.models import ProjectType
from debughost_cli.planning.runtime import choose_runtime, runtime_of
from debughost_cli.project.certificates import CaBundle
from debughost_cli.project.resolve import ResolvedProject
from debughost_cli.resources import Image
from debughost_cli.services.base_images import (
    bases_of,
    build_context,
    default_base,
    latest,
    source_folder,
    sources_hash,
    tag_of,
)
from debughost_cli.services.build_output import BuildOutput
from debughost_cli.services.progress import PhaseKind, Progress
from debughost_cli.services.results import ImageEntry


class ImageBuilds:
    """Builds base images, on what they were built on before."""

    def __init__(self, engine: Engine, progress: Progress) -> None:
        self._engine = engine
        self._progress = progress

    def build(
        self,
        type_: ProjectType,
        base: str | None = None,
        *,
        no_cache: bool = False,
        compilers: bool = False,
        runtime: str = "",
        ca_bundle: CaBundle | None,
    ) -> ImageEntry:
        """Raises ImageNotFound for a base that is unavailable, DiskFull, EngineError."""
        base = base or self.base(type_, runtime)
        tag = tag_of(type_, base, compilers=compilers)
        self._progress.phase(PhaseKind.BUILD, f"Building image {tag} from {base}")
        labels = names.base_labels(__version__, datetime.now(UTC)) | {
            names.TYPE: type_.value,
            names.SOURCES: sources_hash(type_),
            names.BASE: base,
        }
        with build_context(source_folder(type_), ca_bundle) as context:
            self._engine.images.build(
                context,
                tags=[tag, latest(type_, compilers=compilers, runtime=runtime)],
                labels=labels,
                build_args={"BASE": base} | ({"COMPILERS": "yes"} if compilers else {}),
                no_cache=no_cache,
                on_text=BuildOutput(self._progress.detail),
            )
        return ImageEntry(type_, tag, self._engine.images.find(tag), current=True)

    def base(self, type_: ProjectType, runtime: str = "") -> str:
        """That of the newest build, of one with compilers where there is no other; else the default
        one, or of a version the official image that is here or that is the best.
        """
        tags = (latest(type_, compilers=c, runtime=runtime) for c in (False, True))
        images = map(self._engine.images.find, tags)
        last = next((i.labels.get(names.BASE) for i in images if i), None)
        if last or not runtime:
            return last or default_base(type_)
        bases = bases_of(type_, runtime)
        return next(filter(self._engine.images.find, bases), bases[0])


def version_in(type_: ProjectType, image: Image | None, ref: str) -> str:
    """The version of the type's runtime in an image, as far as it is known; ``ref``: its name."""
    if image is None:
        return runtime_of(type_, {}, (ref,))
    refs = (ref, image.labels.get(names.BASE, ""), *image.tags)
    return runtime_of(type_, image.environment, refs)


def planned_runtime(resolved: ResolvedProject) -> tuple[str, str]:
    """The version that is chosen where every image is to be had, and the file that asks for it.

    Empty where the type has none, or the user named the image.
    """
    if resolved.settings.image or resolved.type not in names.DEPENDENCY_FOLDERS:
        return "", ""
    default = version_in(resolved.type, None, default_base(resolved.type))
    chosen = choose_runtime(resolved.pins, resolved.type, default)
    if resolved.settings.runtime or chosen is None:
        place = next((p.place for p in resolved.pins if p.runtime == resolved.type), "")
        return resolved.settings.runtime or default, "" if resolved.settings.runtime else place
    return chosen.version, chosen.place


def node_tools(image: Image) -> Mapping[str, str]:
    """The versions of the package managers in the base image for Node.js; of others, nothing."""
    if image.labels.get(names.SOURCES) != sources_hash(ProjectType.NODE):
        return {}
    text = (source_folder(ProjectType.NODE) / "tools" / "package.json").read_text("utf-8")
    tools: dict[str, str] = json.loads(text)["dependencies"]
    return tools
