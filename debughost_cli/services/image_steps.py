"""The step that gets a project's image: before the project is locked, for it may take minutes."""

from __future__ import annotations

from contextlib import AbstractContextManager

from debughost_cli.engine.port import Engine
from debughost_cli.errors import DebughostError, EngineError, ImageNotFound
from debughost_cli.models import PullPolicy
from debughost_cli.planning.up import Step, StepKind
from debughost_cli.project.resolve import ResolvedProject
from debughost_cli.services.images import ImageChoice, ImageService
from debughost_cli.services.known_engines import checked_identity
from debughost_cli.services.lock import project_lock
from debughost_cli.services.progress import Progress

BUILD_LOCK_TIMEOUT = 1800.0
"""Seconds to wait for another command that builds the same image."""


class ImageSteps:
    """Builds and pulls images, each for one command at a time."""

    def __init__(self, engine: Engine, progress: Progress, images: ImageService) -> None:
        self._engine = engine
        self._progress = progress
        self._images = images

    def get(
        self, resolved: ResolvedProject, pull: PullPolicy, given_up: str = ""
    ) -> tuple[ImageChoice, list[Step]]:
        """The image of the project, and what was done for it and for those of its services.

        ``given_up``: the version that an earlier run could not have.
        Raises what building and pulling raise.
        """
        steps = []
        if given_up:
            self._images.give_up(given_up)
        for service in resolved.settings.services:
            found = self._images.choose_named(service.image, pull)
            if found.step:
                self._images.pull(found.step.target)
                steps.append(found.step)
        choice = self._images.choose(resolved, pull)
        if choice.step:
            self._carry_out(resolved, choice.step, pull)
            steps.append(choice.step)
            choice = self._images.choose(resolved, PullPolicy.NEVER)
        return choice, steps

    def _carry_out(self, resolved: ResolvedProject, step: Step, pull: PullPolicy) -> None:
        if step.kind is StepKind.BUILD_IMAGE:
            self._build(resolved, pull)
        else:
            # The engine itself merges two pulls of the same layers.
            self._images.pull(step.target)
        # No project id has a dot in it.
        with self._lock("image.packages"):
            self._images.build_packages(resolved)

    def _build(self, resolved: ResolvedProject, pull: PullPolicy) -> None:
        """A command that waited for another one's build finds the image built."""
        with self._lock(f"image.{resolved.type}"):
            while self._images.choose_base(resolved, pull).step:
                try:
                    self._images.build_for(resolved)
                    return
                except (ImageNotFound, EngineError) as exc:
                    pinned = self._images.pinned_version(resolved)
                    # One of an older Dockerfile still works.
                    has_older = self._images.choose_base(resolved, PullPolicy.NEVER).image
                    if not pinned and has_older is None:
                        raise
                    self._warn(resolved, exc, pinned)
                    if not pinned:
                        return
                    self._images.give_up(pinned)

    def _warn(self, resolved: ResolvedProject, exc: DebughostError, pinned: str) -> None:
        if pinned:
            text = f"no image with {resolved.type} {pinned}, the default one is used: {exc.message}"
            self._progress.warn("RUNTIME_UNAVAILABLE", text)
        else:
            text = f"the {resolved.type} image could not be rebuilt: {exc.message}"
            self._progress.warn("IMAGE_OUTDATED", text)

    def _lock(self, name: str) -> AbstractContextManager[None]:
        return project_lock(
            checked_identity(self._engine),
            name,
            on_wait=self._progress.phase,
            timeout=BUILD_LOCK_TIMEOUT,
        )
