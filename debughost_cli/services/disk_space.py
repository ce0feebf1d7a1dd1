"""When the engine's disk is full: finding it out, and what may be given back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from debughost_cli import names
from debughost_cli.engine.port import Engine
from debughost_cli.errors import DebughostError, DiskFull
from debughost_cli.planning.disk_full import reports_disk_full
from debughost_cli.resources import DiskUsage, FileEntry, Volume
from debughost_cli.services.volumes import packages_among, without_project

_PROBE = FileEntry(f"{names.CONTROL_DIR}/room", bytes(64 * 1024))
_MIB = 1024**2


class DiskFullWithUsage(DiskFull):
    """A DiskFull whose ``details`` report what uses the disk."""


@contextmanager
def with_usage_details(engine: Engine) -> Iterator[None]:
    """A DiskFull of the block also reports what uses the disk, and what may be pruned."""
    try:
        yield
    except DiskFullWithUsage:
        raise
    except DiskFull as exc:
        try:
            usage = engine.disk_usage()
            spare = packages_among(without_project(engine, usage.volumes))
        except DebughostError:
            # The first error is the one that counts.
            raise exc from None
        raise _with_usage(exc, usage, spare) from exc


def _with_usage(error: DiskFull, usage: DiskUsage, spare: Sequence[Volume]) -> DiskFullWithUsage:
    spare_bytes = sum(v.size_bytes or 0 for v in spare)
    disk_space = {
        "images_bytes": usage.images_bytes,
        "containers_bytes": usage.containers_bytes,
        "volumes_bytes": sum(v.size_bytes or 0 for v in usage.volumes),
        "build_cache_bytes": usage.build_cache_bytes,
        "prunable_volumes": [v.name for v in spare],
        "prunable_bytes": spare_bytes,
    }
    details = dict(error.details) | {"room": disk_space}
    found = DiskFullWithUsage(error.message, hint=_hint(usage, spare_bytes), details=details)
    return found.with_context(changed=error.changed)


def _hint(usage: DiskUsage, spare_bytes: int) -> str:
    """What may be given back, the largest first."""
    ways = [
        (spare_bytes, "of volumes without a project: 'debughost volumes prune'"),
        (usage.containers_bytes, "written by containers: 'debughost rm' those not needed"),
        (usage.images_bytes, "of images: 'docker image prune -a' takes the unused ones"),
        (usage.build_cache_bytes, "of build cache: 'docker builder prune'"),
    ]
    parts = [f"{b / _MIB:.0f} MiB {text}" for b, text in sorted(ways, reverse=True) if b > _MIB]
    return "; ".join(parts) or "'df -h' shows what else is on the engine's disk"


def ran_out(log_tail: tuple[str, ...]) -> bool:
    """Whether the end of a container's log reports a full disk."""
    return reports_disk_full("\n".join(log_tail))


def is_full(engine: Engine, ref: str) -> bool:
    """Whether a write into a container fails because the disk is full; it leaves 64 KiB there.

    A disk that is full keeps the last words out of the container's log, too.
    """
    try:
        engine.containers.put_files(ref, [_PROBE])
    except DiskFull:
        return True
    except DebughostError:
        return False
    return False
