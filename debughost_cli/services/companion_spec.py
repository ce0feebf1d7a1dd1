"""From the settings of a companion service to its specification on one engine."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

from msgspec import to_builtins
from msgspec.structs import asdict, replace

from debughost_cli import __version__, names
from debughost_cli.planning.known_services import KnownService
from debughost_cli.project.companions import CompanionSettings
from debughost_cli.project.resolve import ResolvedProject
from debughost_cli.services.images import ImageChoice
from debughost_cli.services.owner_process import OwnerProcess
from debughost_cli.specs import Mount, MountType, PortBinding, Role, ServiceSpec


def make_companion(
    resolved: ResolvedProject, settings: CompanionSettings, known: KnownService | None, *,
    image: ImageChoice, secret: str, network_id: str, owner: OwnerProcess,
) -> ServiceSpec:  # fmt: skip
    """What the service should be, created by the process ``owner``.

    ``secret``: its generated password, empty for none; ``network_id``: that of the project's own
    network, empty where it does not exist yet.
    """
    secrets = dict.fromkeys(known.passwords, secret) if known and secret else {}
    project, name = resolved.project, settings.name
    spec = ServiceSpec(
        project=project,
        type=resolved.type,
        workspace=str(resolved.workspace),
        image=image.ref,
        image_id=image.image_id,
        command=settings.command or (known.command if known else ()),
        ports=_ports(settings, known),
        environment={**(known.environment if known else {}), **secrets, **settings.env},
        mounts=_mounts(project, settings, known, image, has_secret=bool(secret)),
        limits=settings.limits,
        user=None,
        restart=resolved.settings.restart,
        network=names.network_name(project),
        network_id=network_id,
        aliases=(name, names.service_alias(project, name)),
        labels={},
        role=Role.SERVICE,
        name=name,
    )
    spec = replace(spec, config_hash=_digest(spec))
    return replace(spec, labels=_labels(spec, owner))


def variables_of(
    settings: CompanionSettings, known: KnownService | None, spec: ServiceSpec, port: int
) -> dict[str, str]:
    """The program's: by the service's name, and those that clients of its kind read.

    ``port``: where it listens, 0 where nothing is known of that.
    """
    prefix = settings.name.upper().replace("-", "_")
    by_name = {f"{prefix}_HOST": settings.name} | ({f"{prefix}_PORT": str(port)} if port else {})
    return by_name | (known.for_clients(settings.name, port, spec.environment) if known else {})


def _labels(spec: ServiceSpec, owner: OwnerProcess) -> dict[str, str]:
    return names.base_labels(__version__, datetime.now(UTC)) | {
        names.PROJECT: spec.project,
        names.ROLE: spec.role.value,
        names.SERVICE: spec.name,
        names.TYPE: spec.type.value,
        names.WORKSPACE: spec.workspace,
        names.HOST: owner.host,
        names.CONFIG_HASH: spec.config_hash,
        names.OWNER: str(owner),
        # A container also has its image's labels: what is not set here, the image could.
        **dict.fromkeys(_EMPTY_LABELS, ""),
    }


_EMPTY_LABELS = (
    names.PORT, names.CA_BUNDLE, names.WORKSPACE_INODE, names.MOUNTPOINT, names.INSTALL,
    names.FLAGS, names.PORTS, names.DEBUG,
)  # fmt: skip


def _mounts(
    project: str, settings: CompanionSettings, known: KnownService | None, image: ImageChoice,
    *, has_secret: bool,
) -> tuple[Mount, ...]:  # fmt: skip
    """Its data, and the volume that keeps its password, which its own programs do not read."""
    mounts = []
    data = settings.volume or _data_folder(known, image)
    if data:
        volume = names.service_data_name(project, settings.name)
        mounts.append(Mount(MountType.VOLUME, volume, data))
    if has_secret:
        secret = names.service_secret_name(project, settings.name)
        mounts.append(Mount(MountType.VOLUME, secret, names.SECRET_DIR))
    return tuple(mounts)


def _data_folder(known: KnownService | None, image: ImageChoice) -> str:
    """The one that the image declares: it may be another one than in earlier versions."""
    declared = image.image.volumes if image.image else ()
    usual = known.data if known else ""
    return usual if usual in declared or not declared else declared[0]


def _ports(settings: CompanionSettings, known: KnownService | None) -> tuple[PortBinding, ...]:
    binding = settings.publish
    if binding is None:
        return ()
    inner = binding.container_port or settings.port or (known.port if known else binding.host_port)
    return (PortBinding(settings.name, inner, binding.host_port),)


def _digest(spec: ServiceSpec) -> str:
    """Of all but the values of variables, as that of the project's own container."""
    facts: dict[str, object] = to_builtins(replace(spec, environment={}), enc_hook=str)
    for name in ("network_id", "own_network_id", "debug_port"):
        facts.pop(name)
    facts["limits"] = {k: v for k, v in asdict(spec.limits).items() if v is not None}
    facts["environment"] = sorted(spec.environment)
    canonical = json.dumps(facts, sort_keys=True, default=str)
    return hashlib.sha256(canonical.encode("utf-8", "surrogateescape")).hexdigest()
