"""How much of an image has been pulled, all layers together."""

from __future__ import annotations

from collections.abc import Mapping

from debughost_cli.engine.json_values import as_map, as_str

_MB = 1_000_000
_SECOND_HALF = ("Verifying Checksum", "Download complete", "Extracting", "Pull complete")
"""States of a layer that has been downloaded."""


class PullAmounts:
    """Adds up what the messages of one pull report of each layer."""

    def __init__(self) -> None:
        self._layers: dict[str, tuple[int, int]] = {}
        """Bytes that are here and bytes in all, by the layer's id."""
        self._pulled: set[str] = set()

    def note(self, message: Mapping[str, object]) -> bool:
        """True where the message is about an amount, and ``str`` is what to show for it."""
        layer, status = as_str(message.get("id")), as_str(message.get("status"))
        detail = as_map(message.get("progressDetail"))
        done, total = detail.get("current"), detail.get("total")
        if status in _SECOND_HALF:
            _, size = self._layers.get(layer, (0, 0))
            self._layers[layer] = size, size
        if status == "Pull complete":
            self._pulled.add(layer)
        if not isinstance(done, int) or not isinstance(total, int) or total <= 0:
            return False
        if status == "Downloading":
            self._layers[layer] = done, total
        return status in ("Downloading", "Extracting")

    def __str__(self) -> str:
        """``12.4 of 61.0 MB, 2 of 5 layers``; the sizes of all layers are known only in time."""
        done, total = (sum(sizes) / _MB for sizes in zip(*self._layers.values(), strict=True))
        layers = f"{len(self._pulled)} of {len(self._layers)} layers"
        return f"{done:.1f} of {total:.1f} MB, {layers}"
