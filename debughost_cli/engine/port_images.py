"""The part of the engine's interface that is about images; see ``engine/port.py``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from debughost_cli.engine.port_types import OnText
from debughost_cli.resources import Image


class Images(Protocol):
    """Images."""

    def find(self, ref: str) -> Image | None:
        """The image, None where it is not on the engine."""
        ...

    def list(self, labels: Sequence[str] = ()) -> Sequence[Image]:
        """Images with all of ``labels``."""
        ...

    def last_step(self, ref: str) -> str:
        """The last step of its history. Raises NotFound."""
        ...

    def remove(self, ref: str) -> None:
        """Removes a tag or id, and with the last the image; gone is fine. Raises InUse."""
        ...

    def save(self, ref: str) -> Iterator[bytes]:
        """An image with all its layers, as a stream for ``load``. Raises NotFound."""
        ...

    def load(self, data: Iterator[bytes]) -> None:
        """Takes what ``save`` of another engine gives, with its tags."""
        ...

    def commit(self, container: str, tag: str, labels: Mapping[str, str]) -> str:
        """The id of an image of a container's own files, its volumes left out. Raises NotFound."""
        ...

    def pull(self, ref: str, on_text: OnText) -> None:
        """Raises ImageNotFound with its reason."""
        ...

    def build(
        self, context: Path, *, tags: Sequence[str], labels: Mapping[str, str],
        build_args: Mapping[str, str], no_cache: bool, on_text: OnText,
    ) -> None:  # fmt: skip
        """Builds ``context/Dockerfile``. Raises ImageNotFound for a base that is not to be had."""
        ...
