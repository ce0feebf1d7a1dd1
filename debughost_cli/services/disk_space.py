"""When the engine's disk is full: finding it out, and what may be given back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from debughost_cli import names
from debughost_cli.engine.port import Engine
from debughost_cli.errors import DebughostError, DiskFull
from debughost_cli.resources import DiskUsage, FileEntry
from debughost_cli.services.volumes import dependencies_among, without_project

_PROBE = FileEntry(f"{names.CONTROL_DIR}/room", bytes(64 * 1024))
_MIB = 1024**2
_WORDS = ("no space left on device", "enospc", "disk quota exceeded")


@contextmanager
def with_usage_details(engine: Engine) -> Iterator[None]:
    """A DiskFull of the block also says what takes the room, and what may be pruned."""
    try:
        yield
    except DiskFull as exc:
        if "room" not in exc.details:
            # Measuring may fail as well, and the first error is the one that counts.
            with suppress(DebughostError):
                _explain(engine, exc)
        raise


def _explain(engine: Engine, error: DiskFull) -> None:
    usage = engine.disk_usage()
    spare = dependencies_among(without_project(engine, usage.volumes))
    spare_bytes = sum(v.size_bytes or 0 for v in spare)
    error.details["room"] = {
        "images_bytes": usage.images_bytes,
        "containers_bytes": usage.containers_bytes,
        "volumes_bytes": sum(v.size_bytes or 0 for v in usage.volumes),
        "build_cache_bytes": usage.build_cache_bytes,
        "prunable_volumes": [v.name for v in spare],
        "prunable_bytes": spare_bytes,
    }
    error.hint = _hint(usage, spare_bytes)


def _hint(usage: DiskUsage, spare_bytes: int) -> str:
    """What may be given back, the largest first."""
    ways = [
        (spare_bytes, "of volumes without a project: 'debughost volumes prune'"),
        (usage.containers_bytes, "written by containers: 'debughost rm' those not needed"),
        (usage.images_bytes, "of images: 'docker image prune -a' takes the unused ones"),
        (usage.build_cache_bytes, "of build cache: 'docker builder prune'"),
    ]
    told = [f"{b / _MIB:.0f} MiB {text}" for b, text in sorted(ways, reverse=True) if b > _MIB]
    return "; ".join(told) or "'df -h' shows what else is on the engine's disk"


def ran_out(log_tail: tuple[str, ...]) -> bool:
    """Whether a container's last words are about a full disk."""
    said = "\n".join(log_tail).lower()
    return any(words in said for words in _WORDS)


def is_full(engine: Engine, ref: str) -> bool:
    """Whether a write into a container fails for want of room; it leaves 64 KiB there.

    A disk that is full keeps the last words out of the container's log, too.
    """
    try:
        engine.containers.put_files(ref, [_PROBE])
    except DiskFull:
        return True
    except DebughostError:
        return False
    return False
