"""What the workspace's configuration wants today and the container does not have."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path

from debughost_cli.container import fingerprint
from debughost_cli.engine.port import Engine
from debughost_cli.errors import DebughostError
from debughost_cli.models import Drift, Freshness, Warn
from debughost_cli.names import MOUNTPOINT, NETWORK, WORKSPACE
from debughost_cli.planning.network import choose
from debughost_cli.planning.up import find_drift
from debughost_cli.project.resolve import ResolvedProject, resolve_existing
from debughost_cli.project.workspace import is_gone
from debughost_cli.resources import Container, Image, LauncherStatus, Network
from debughost_cli.services.images import ImageService
from debughost_cli.services.progress import NullProgress
from debughost_cli.services.spec import make_spec


@dataclass(frozen=True)
class Comparison:
    """``drift`` and ``dependencies`` of a project, or why they cannot be told."""

    drift: tuple[Drift, ...] = ()
    dependencies: Freshness = Freshness.NONE
    warning: Warn | None = None


class DriftService:
    """Compares many projects; what they share on the engine is asked for once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._image_service = ImageService(engine, NullProgress())
        self._images: dict[str, tuple[str, Image | None]] = {}
        self._networks: list[Network | None] = []
        self._guard = threading.Lock()

    def compare(self, container: Container, launcher: LauncherStatus) -> Comparison:
        """Reads the workspace as ``up`` would. Only the engine's own failures are raised."""
        workspace = container.labels.get(WORKSPACE, "")
        if not self._engine.info.is_local:
            return Comparison()
        if is_gone(Path(workspace)):
            return _unknown("WORKSPACE_GONE", container, f"its workspace {workspace} is gone")
        try:
            resolved = resolve_existing(container, None, os.environ)
            drift = self._drift(resolved, container)
        except DebughostError as exc:
            if exc.status in (1, 4):
                raise
            return _unknown("CONFIG_INVALID", container, exc.message)
        return Comparison(drift, freshness(resolved, container, launcher))

    def _drift(self, resolved: ResolvedProject, container: Container) -> tuple[Drift, ...]:
        ref, image = self._image(resolved)
        spec = make_spec(
            resolved,
            port=resolved.settings.port or container.port,
            ref=ref,
            image=image,
            network=self._network(),
            engine=self._engine.info,
            mountpoint_made=container.labels.get(MOUNTPOINT) == "made",
        )
        return find_drift(spec, container, image.environment if image else {})

    def _image(self, resolved: ResolvedProject) -> tuple[str, Image | None]:
        key = resolved.settings.image or f"type {resolved.type}"
        with self._guard:
            if key not in self._images:
                self._images[key] = self._find_image(resolved)
            return self._images[key]

    def _find_image(self, resolved: ResolvedProject) -> tuple[str, Image | None]:
        given = resolved.settings.image
        if given:
            return given, self._engine.images.find(given)
        entry = self._image_service.find(resolved.type)
        return entry.ref, entry.image

    def _network(self) -> Network | None:
        with self._guard:
            if not self._networks:
                self._networks.append(choose(self._engine.networks.find(NETWORK)))
            return self._networks[0]


def freshness(
    resolved: ResolvedProject, container: Container, launcher: LauncherStatus
) -> Freshness:
    """Whether what is installed is what the manifests ask for now."""
    if not resolved.dependencies:
        return Freshness.NONE
    if not launcher.dependencies:
        return Freshness.MISSING
    expected = fingerprint(resolved.workspace, resolved.dependencies, container.image_id)
    return Freshness.FRESH if launcher.dependencies == expected else Freshness.STALE


def _unknown(code: str, container: Container, why: str) -> Comparison:
    return Comparison(warning=Warn(code, f"{container.project}: {why}"))
