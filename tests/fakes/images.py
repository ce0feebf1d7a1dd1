"""Images of the fake engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from debughost_cli import names
from debughost_cli.engine.port import NotFound, OnText
from debughost_cli.errors import EngineError, ImageNotFound, InUse
from debughost_cli.resources import Image
from fakes.calls import Part, changing, reading
from fakes.objects import carries


class FakeImages(Part):
    """Images."""

    name = "images"

    @reading
    def find(self, ref: str) -> Image | None:
        whole = ref if ":" in ref.rpartition("/")[2] or "@" in ref else f"{ref}:latest"
        return self.engine.stored_images.get(whole) or self.by_id(ref)

    @reading
    def list(self, labels: Sequence[str] = ()) -> Sequence[Image]:
        unique = {i.id: i for i in self.engine.stored_images.values()}
        return [i for i in unique.values() if carries(i.labels, labels)]

    @reading
    def last_step(self, ref: str) -> str:
        found = self.find(ref)
        if found is None:
            raise NotFound(f"No such image: {ref}")
        return self.engine.image_steps.get(found.id, f"/bin/sh -c #(nop)  LABEL {names.MANAGED}=")

    @changing
    def remove(self, ref: str) -> None:
        found = self.find(ref)
        if found is None:
            return
        kept = tuple(t for t in found.tags if t != ref) if ref in found.tags else ()
        users = self.engine.stored_containers.values()
        if not kept and any(c.image_id == found.id for c in users):
            raise InUse(f"conflict: unable to remove {ref}: a container is using it")
        self.engine.stored_images.pop(ref, None)
        self.engine.stored_images.pop(found.id, None)
        self.engine.stored_images |= dict.fromkeys(kept, replace(found, tags=kept))

    @reading
    def save(self, ref: str) -> Iterator[bytes]:
        found = self.find(ref)
        if found is None:
            raise NotFound(f"No such image: {ref}")
        yield msgspec.json.encode(found)

    @changing
    def load(self, data: Iterator[bytes]) -> None:
        found = msgspec.json.decode(b"".join(data), type=Image)
        self.engine.stored_images |= dict.fromkeys(found.tags or (found.id,), found)

    @changing
    def commit(self, container: str, tag: str, labels: Mapping[str, str]) -> str:
        base = self.find(self.engine.find_container(container).image_id)
        inherited = dict(base.labels) if base else {}
        return self.engine.add_image(tag, labels=inherited | dict(labels)).id

    @changing
    def pull(self, ref: str, on_text: OnText) -> None:
        if self.engine.pull_error:
            raise self.engine.pull_error
        if ref not in self.engine.registry:
            raise ImageNotFound(
                f"image {ref} is not here and cannot be had (unknown)",
                hint="Check the name and tag",
                details={"image": ref, "reason": "unknown"},
            )
        on_text(f"Pulling from {ref}")
        self.engine.stored_images[ref] = self.engine.registry[ref]

    @changing
    def build(
        self,
        context: Path,
        *,
        tags: Sequence[str],
        labels: Mapping[str, str],
        build_args: Mapping[str, str],
        no_cache: bool,
        on_text: OnText,
    ) -> None:
        assert (context / "Dockerfile").is_file()
        base = build_args.get("BASE", "")
        below = self.engine.stored_images.get(base) or self.engine.registry.get(base)
        below = below or self.by_id(base)
        if below is None:
            raise ImageNotFound(
                f"image {base} is not here and cannot be had (unknown)",
                details={"image": base, "reason": "unknown"},
            )
        for line in self.engine.build_output:
            on_text(line)
        self._check_packages(build_args.get("PACKAGES", ""))
        made = Image(
            id=f"sha256:{self.engine.new_id()}",
            tags=tuple(tags),
            labels=dict(below.labels) | dict(labels),
            environment=below.environment,
            size_bytes=2000,
            created_at=self.engine.now(),
        )
        for tag in tags:
            old = self.engine.stored_images.get(tag)
            if old:
                kept = replace(old, tags=tuple(t for t in old.tags if t != tag))
                # Without a tag it stays, under its id.
                self.engine.stored_images |= dict.fromkeys(kept.tags or (old.id,), kept)
            self.engine.stored_images[tag] = made

    def _check_packages(self, packages: str) -> None:
        missing = [p for p in packages.split() if p in self.engine.unknown_packages]
        if missing:
            lines = [f"E: Unable to locate package {p}" for p in missing]
            raise EngineError(
                "the image could not be built: a step returned a non-zero code: 100",
                details={"log_tail": lines},
            )

    def by_id(self, ref: str) -> Image | None:
        """The image of that id."""
        return next((i for i in self.engine.stored_images.values() if i.id == ref), None)
