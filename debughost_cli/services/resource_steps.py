"""Carries out the steps of a plan that are about networks, volumes and folders."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from debughost_cli import names
from debughost_cli.deployment.transport import Transport, transport_of
from debughost_cli.engine.port import Engine
from debughost_cli.errors import InUse
from debughost_cli.planning.up import Step, StepKind
from debughost_cli.project.workspace import make_mountpoint, remove_mountpoint
from debughost_cli.services.container_files import container_files
from debughost_cli.services.network import NetworkService
from debughost_cli.services.own_network import OwnNetworks
from debughost_cli.services.owned_labels import owned_labels
from debughost_cli.services.progress import Progress
from debughost_cli.services.up_state import Attempt, UpState
from debughost_cli.services.volumes import check_owned, remove_owned
from debughost_cli.specs import ServiceSpec


class ResourceSteps:
    """Has one method for each kind of step, see ``methods``."""

    def __init__(self, engine: Engine, progress: Progress, network: NetworkService) -> None:
        self._engine = engine
        self._progress = progress
        self._network = network

    def methods(self) -> dict[StepKind, Callable[[UpState, Attempt, Step], None]]:
        """What carries out each kind of step."""
        return {
            StepKind.CREATE_NETWORK: self._create_network,
            StepKind.CREATE_VOLUME: self._create_volume,
            StepKind.CREATE_FOLDER: self._create_folder,
            StepKind.REMOVE_VOLUME: self._remove_volume,
            StepKind.REMOVE_NETWORK: self._remove_network,
            StepKind.UPLOAD_WORKSPACE: self._upload_workspace,
        }

    def _create_network(self, state: UpState, attempt: Attempt, step: Step) -> None:
        spec, name = attempt.observation.spec.main, step.target
        if name == names.NETWORK:
            self._network.create()
            return
        own = OwnNetworks(self._engine, self._progress)
        state.rollback.push(f"remove network {name}", lambda: own.remove(spec.project))
        own.create(name, owned_labels(spec, name))

    def _create_volume(self, state: UpState, attempt: Attempt, step: Step) -> None:
        name = step.target
        if not names.is_shared_cache(name):
            # A shared cache stays: another project may use it by the time of a rollback.
            remove = f"remove volume {name}"
            state.rollback.push(remove, lambda: self._remove_unused(name))
        labels = owned_labels(attempt.observation.spec.with_volume(name), name)
        failures = self._engine.connection_failures
        volume = self._engine.volumes.create(name, labels)
        if not volume.labels and self._engine.connection_failures > failures:
            # It did not exist before: an engine that was killed created it, and lost its labels.
            self._engine.volumes.remove(name)
            volume = self._engine.volumes.create(name, labels)
        check_owned(volume)

    def _remove_unused(self, volume: str) -> None:
        """A container that stays, because it is all that the project has, keeps its volumes."""
        with suppress(InUse):
            remove_owned(self._engine, volume)

    def _create_folder(self, state: UpState, attempt: Attempt, step: Step) -> None:
        folder = state.resolved.mountpoint
        if folder and make_mountpoint(folder, state.resolved.folder):
            state.rollback.push(f"remove {folder}", lambda: remove_mountpoint(folder))

    def _remove_volume(self, state: UpState, attempt: Attempt, step: Step) -> None:
        remove_owned(self._engine, step.target)
        if not step.after_ready:
            text = f"volume {step.target} was replaced by an empty one: {step.reason}"
            self._progress.warn("VOLUME_REPLACED", text)

    def _remove_network(self, state: UpState, attempt: Attempt, step: Step) -> None:
        OwnNetworks(self._engine, self._progress).remove(state.project)

    def _upload_workspace(self, state: UpState, attempt: Attempt, step: Step) -> None:
        current, spec = attempt.observation.current, attempt.observation.spec.main
        runs = bool(current and current.id == attempt.ref and current.is_running)
        upload_for(self._engine, attempt.ref, spec, state, self._progress, is_running=runs)


def upload_for(
    engine: Engine, ref: str, spec: ServiceSpec, state: UpState, progress: Progress, *,
    is_running: bool = False,
) -> None:  # fmt: skip
    """Uploads the workspace into a container that does not mount it; see ``upload``."""
    if transport_of(spec.labels) is not Transport.VOLUME:
        return
    from debughost_cli.services.workspace_state import left_out
    from debughost_cli.services.workspace_upload import upload

    state.kept_files = upload(
        engine,
        ref,
        spec.project,
        state.resolved.workspace,
        left_out(spec.type),
        spec.user,
        progress,
        is_running=is_running,
        cancelled=state.options.cancelled,
    ).kept


def fill_container(
    engine: Engine, ref: str, spec: ServiceSpec, state: UpState, progress: Progress
) -> None:
    """What a container of ``run`` needs before its start. Raises what ``upload`` raises."""
    engine.containers.put_files(ref, container_files(engine, ref, spec, state.resolved))
    upload_for(engine, ref, spec, state, progress)
