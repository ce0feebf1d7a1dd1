"""``images prune``: images of ours that no container uses and that nothing needs any more."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from debughost_cli import names
from debughost_cli.engine.port import Engine, NotFound
from debughost_cli.errors import InUse
from debughost_cli.models import ProjectType
from debughost_cli.resources import Image
from debughost_cli.services.base_images import is_base_image, is_default, sources_hash
from debughost_cli.services.known_engines import check_known
from debughost_cli.services.progress import Progress
from debughost_cli.services.projects import MANAGED_FILTER
from debughost_cli.services.results import ImageEntry, ImagesResult

_OUR_LAST_STEP = re.compile(r"\bLABEL\b.*\bdebug-host\.")


class OldImages:
    """Finds and removes them. What somebody else made of an image of ours is not ours."""

    def __init__(self, engine: Engine, progress: Progress) -> None:
        self._engine = engine
        self._progress = progress

    def candidates(self) -> ImagesResult:
        """What ``prune`` would remove: images with packages or another version of the runtime, and
        base images that were replaced by a newer build or made from another Dockerfile.
        """
        found = self._engine.images.list([MANAGED_FILTER])
        used = {_digest(c.image_id) for c in self._engine.containers.list()}
        unused = [i for i in found if _digest(i.id) not in used]
        entries = [e for image in unused for e in self._entry(image)]
        # Those that are made of others first: an engine removes no image that another one needs.
        entries.sort(key=lambda e: (not e.packages, e.type, e.ref))
        return ImagesResult(tuple(entries))

    def _entry(self, image: Image) -> Iterator[ImageEntry]:
        """The image as it is shown, if it is ours and old."""
        type_ = image.labels.get(names.TYPE, "")
        if type_ not in set(ProjectType) or not all(map(is_base_image, image.tags)):
            return
        if not image.tags:
            if self._is_built_by_us(image):
                yield ImageEntry(type_, image.id, image)
            return
        current = image.labels.get(names.SOURCES) == sources_hash(ProjectType(type_))
        if not current or not is_default(image, ProjectType(type_)):
            yield ImageEntry(type_, min(image.tags), image, current)

    def _is_built_by_us(self, image: Image) -> bool:
        """Without a tag only the last step tells: images that are made of ours have its labels."""
        try:
            return _OUR_LAST_STEP.search(self._engine.images.last_step(image.id)) is not None
        except NotFound:
            return False

    def prune(self, chosen: ImagesResult) -> ImagesResult:
        """Removes ``chosen``; one that came into use meanwhile is left, with a warning."""
        check_known(self._engine)
        removed = [e for e in chosen.images if e.image and self._remove(e.image)]
        return ImagesResult(tuple(removed), changed=bool(removed))

    def _remove(self, image: Image) -> bool:
        refs: Sequence[str] = image.tags or (image.id,)
        try:
            for ref in refs:
                self._engine.images.remove(ref)
        except InUse as exc:
            self._progress.warn("IMAGE_IN_USE", exc.message)
            return False
        return True


def _digest(image_id: str) -> str:
    return image_id.removeprefix("sha256:")
