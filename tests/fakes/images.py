"""Images of the fake engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from debughost_cli.engine.port import OnText
from debughost_cli.errors import ImageNotFound
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
        if base not in self.engine.stored_images and base not in self.engine.registry:
            raise ImageNotFound(
                f"image {base} is not here and cannot be had (unknown)",
                details={"image": base, "reason": "unknown"},
            )
        for line in self.engine.build_output:
            on_text(line)
        made = Image(
            id=f"sha256:{self.engine.new_id()}",
            tags=tuple(tags),
            labels=dict(labels),
            size_bytes=2000,
            created_at=self.engine.now(),
        )
        for tag in tags:
            old = self.engine.stored_images.get(tag)
            if old:
                kept = replace(old, tags=tuple(t for t in old.tags if t != tag))
                self.engine.stored_images |= dict.fromkeys(kept.tags, kept)
            self.engine.stored_images[tag] = made

    def by_id(self, ref: str) -> Image | None:
        """The image of that id."""
        return next((i for i in self.engine.stored_images.values() if i.id == ref), None)
