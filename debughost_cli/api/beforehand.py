"""What methods import on first use, imported before: for programs that stay."""

from __future__ import annotations

from importlib import import_module

_USED_BY_MOST = (
    "api.workspaces",
    "engine.docker.engine",
    "project.detect",
    "project.resolve",
    "project.validation",
    "services.config_set",
    "services.doctor",
    "services.drift",
    "services.events",
    "services.exec",
    "services.group_up",
    "services.lifecycle",
    "services.logs",
    "services.one_off",
    "services.status",
    "services.up",
    "services.wait",
)


def preload() -> None:
    """Takes half a second, mostly for docker-py; the first call of each kind is faster by it."""
    for name in _USED_BY_MOST:
        import_module(f"debughost_cli.{name}")
