"""What a node needs before a swarm can start a project there: image, volumes and files.

A swarm creates and starts a container in one go, so nothing can be written into it in between. The
launcher with its inputs is therefore part of an image that is made on the node for the project.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from msgspec.structs import replace

from debughost_cli import names
from debughost_cli.engine.port import Engine
from debughost_cli.errors import ImageNotFound, InUse
from debughost_cli.project.resolve import ResolvedProject
from debughost_cli.resources import Image
from debughost_cli.services.container_files import container_files
from debughost_cli.services.images import ImageChoice
from debughost_cli.services.owned_labels import owned_labels
from debughost_cli.services.progress import PhaseKind, Progress
from debughost_cli.services.volumes import check_owned
from debughost_cli.services.workspace_state import left_out
from debughost_cli.services.workspace_upload import upload
from debughost_cli.specs import MountType, Role, ServiceSpec


class NodeFiles:
    """Brings what a project needs to the engine of one node."""

    def __init__(self, source: Engine, node: Engine, progress: Progress) -> None:
        self._source = source
        self._node = node
        self._progress = progress

    def bring_image(self, choice: ImageChoice) -> ImageChoice:
        """The image as the node has it; it comes from the manager, not from a registry."""
        present = self._find(choice)
        if present is None:
            self._progress.phase(PhaseKind.PULL, f"Bringing {choice.ref} to the node")
            self._node.images.load(self._source.images.save(choice.ref))
            present = self._find(choice)
        if present is None:
            raise ImageNotFound(
                f"image {choice.ref} did not arrive on the node",
                hint="Check the disk space of the node",
                details={"image": choice.ref, "reason": "unknown"},
            )
        return ImageChoice(choice.ref, present, unavailable=choice.unavailable)

    def _find(self, choice: ImageChoice) -> Image | None:
        """By its id; by name where the two engines do not count ids alike."""
        found = self._node.images.find(choice.image_id) if choice.image_id else None
        if found:
            return found
        named = self._node.images.find(choice.ref)
        same = named and choice.image and named.created_at == choice.image.created_at
        return named if same else None

    def create_volumes(self, spec: ServiceSpec) -> None:
        """Those that are missing. Raises NameConflict."""
        for mount in spec.mounts:
            if mount.type is MountType.VOLUME:
                labels = owned_labels(spec, mount.source)
                check_owned(self._node.volumes.create(mount.source, labels))

    def make_image(
        self, spec: ServiceSpec, resolved: ResolvedProject, now: datetime,
        cancelled: Callable[[], bool],
    ) -> str:  # fmt: skip
        """The id of the project's image with the launcher in it.

        Its volumes get their owner, and that of the workspace its files. Raises what ``upload``
        raises.
        """
        labels = {**spec.labels, names.ROLE: Role.RUN.value}
        helper = replace(
            spec,
            image=spec.image_id,
            environment={},
            labels=labels,
            ports=(),
            aliases=(),
            network="none",
            role=Role.RUN,
        )
        name = f"{names.container_name(f'{spec.project}-files', now)}"
        ref = self._node.containers.create(name, helper)
        try:
            files = container_files(self._node, ref, spec, resolved)
            self._node.containers.put_files(ref, files)
            self.upload(ref, spec, resolved, cancelled)
            labels = {names.PROJECT: spec.project}
            return self._node.images.commit(ref, names.task_image(spec.project), labels)
        finally:
            self._node.containers.remove(ref, force=True)

    def upload(
        self, ref: str, spec: ServiceSpec, resolved: ResolvedProject,
        cancelled: Callable[[], bool], *, is_running: bool = False,
    ) -> None:  # fmt: skip
        """Brings what differs of the workspace into its volume, through any container with it."""
        upload(
            self._node, ref, spec.project, resolved.workspace, left_out(spec.type), spec.user,
            self._progress, is_running=is_running, cancelled=cancelled,
        )  # fmt: skip

    def remove_images(self, project: str, keep: str = "") -> None:
        """Those of earlier runs of the project; one that is in use stays for the time being."""
        for image in self._node.images.list([f"{names.PROJECT}={project}"]):
            if image.id != keep and names.PROJECT in image.labels:
                with suppress(InUse):
                    self._node.images.remove(image.id)
