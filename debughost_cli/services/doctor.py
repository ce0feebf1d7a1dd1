"""``doctor``: what is wrong with this machine, and how to mend it."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from debughost_cli import names
from debughost_cli.engine.port import Engine
from debughost_cli.errors import DebughostError
from debughost_cli.models import ProjectType
from debughost_cli.project.certificates import ca_bundle_of
from debughost_cli.project.configuration import load_settings
from debughost_cli.project.settings import Flags
from debughost_cli.services.images import ImageService
from debughost_cli.services.lock import lock_folder
from debughost_cli.services.network import NetworkService
from debughost_cli.services.progress import NullProgress
from debughost_cli.services.volumes import VolumeService

LOW_DISK = 2 * 1024**3
"""Bytes of free disk below which an image build or an install is likely to fail."""


@dataclass(frozen=True)
class Check:
    """What was looked at. ``status``: ok, warning or failed; ``hint``: how to mend it."""

    name: str
    status: str
    message: str
    hint: str = ""
    duration_ms: int = 0
    error: DebughostError | None = None


Finding = tuple[str, str, str]
"""Status, message and hint."""


class DoctorService:
    """Each check stands alone: one that fails does not keep the others from being made."""

    def __init__(self, connect: Callable[[], Engine], folder: Path) -> None:
        self._connect = connect
        self._folder = folder

    def run(self) -> Iterator[Check]:
        """The checks one after the other, as they are done."""
        yield _checked("python", _python)
        yield _checked("locks", lambda: ("ok", f"locks are kept in {lock_folder()}", ""))
        yield _checked("disk", _disk)
        yield _checked("configuration", self._configuration)
        engines: list[Engine] = []
        yield _checked("engine", lambda: self._engine(engines))
        for engine in engines:
            yield _checked("network", partial(_network, engine))
            yield _checked("images", partial(_images, engine))
            yield _checked("volumes", partial(_volumes, engine))

    def _configuration(self) -> Finding:
        settings = load_settings(self._folder, Flags(), os.environ)
        ca_bundle_of(settings, self._folder)
        where = settings.file or f"no configuration file in {self._folder}"
        return "ok", str(where), ""

    def _engine(self, found: list[Engine]) -> Finding:
        engine = self._connect()
        found.append(engine)
        info = engine.info
        return "ok", f"{info.endpoint} ({info.source}): {info.version}, API {info.api_version}", ""


def _checked(name: str, look: Callable[[], Finding]) -> Check:
    started = time.monotonic()
    error = None
    try:
        status, message, hint = look()
    except DebughostError as exc:
        status, message, hint, error = "failed", exc.message, exc.hint, exc
    elapsed = round((time.monotonic() - started) * 1000)
    return Check(name, status, message, hint, elapsed, error)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return "ok", f"Python {version} at {sys.executable}", ""


def _disk() -> Finding:
    free = shutil.disk_usage("/").free
    text = f"{free / 1024**3:.1f} GiB free on this machine"
    if free < LOW_DISK:
        return "warning", text, "Free some: 'docker system df' shows what the engine keeps"
    return "ok", text, ""


def _network(engine: Engine) -> Finding:
    found = NetworkService(engine, NullProgress()).usable()
    if found is None:
        return "ok", f"{names.NETWORK} is not there yet; 'debughost up' makes it", ""
    if found.subnet != names.SUBNET:
        return "warning", f"{found.name} has {found.subnet} instead of {names.SUBNET}", ""
    return "ok", f"{found.name}, {found.subnet}, {len(found.containers)} container(s)", ""


def _images(engine: Engine) -> Finding:
    entries = ImageService(engine, NullProgress()).list_all().images
    missing = [e.type for e in entries if e.image is None]
    old = [e.type for e in entries if e.image and not e.current]
    if not missing and not old:
        return "ok", f"the base images of {', '.join(ProjectType)} are here", ""
    text = "; ".join(
        f"{what}: {', '.join(types)}"
        for what, types in (("missing", missing), ("old", old))
        if types
    )
    outdated = " ".join([*missing, *old])
    return (
        "warning",
        text,
        f"Made on first use; to have them now: debughost images build {outdated}",
    )


def _volumes(engine: Engine) -> Finding:
    unused = VolumeService(engine, NullProgress()).candidates()
    if not unused.volumes:
        return "ok", "no dependency volume is without a project", ""
    freed = f"{unused.reclaimed_bytes / 1024**2:.0f} MiB"
    text = f"{len(unused.volumes)} dependency volumes of {freed} have no project any more"
    return "warning", text, "Free them with 'debughost volumes prune'"
