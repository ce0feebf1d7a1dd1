"""The labels of the volumes and networks that a project has."""

from __future__ import annotations

from datetime import UTC, datetime

from debughost_cli import __version__, names
from debughost_cli.specs import Role, ServiceSpec


def owned_labels(spec: ServiceSpec, name: str) -> dict[str, str]:
    """The labels of a volume or network of the project; a shared cache belongs to no project."""
    labels = names.base_labels(__version__, datetime.now(UTC))
    is_shared = names.is_shared_cache(name)
    if is_shared or name == names.cache_name(spec.project):
        labels[names.ROLE] = "cache"
    if name == names.home_name(spec.project):
        labels[names.ROLE] = "home"
    if name == names.workspace_volume_name(spec.project):
        labels[names.ROLE] = "workspace"
    elif spec.user and not is_shared and any(m.source == name for m in spec.mounts):
        labels[names.VOLUME_USER] = str(spec.user)
    if spec.role is Role.SERVICE:
        labels[names.SERVICE] = spec.name
        labels[names.ROLE] = "secret" if name.endswith("-secret") else "data"
    of_project = (names.PROJECT, names.TYPE, names.WORKSPACE, names.HOST)
    return labels if is_shared else labels | {k: spec.labels[k] for k in of_project}
