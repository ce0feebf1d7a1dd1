"""``doctor``: what is wrong with this machine, and how to fix it."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from functools import partial
from pathlib import Path

from msgspec import Struct

from debughost_cli import names
from debughost_cli.clock import SYSTEM_CLOCK, Clock
from debughost_cli.engine.port import Engine
from debughost_cli.errors import DebughostError
from debughost_cli.models import ProjectType
from debughost_cli.planning.failure_hints import install_hint
from debughost_cli.project.certificates import ca_bundle_of, trusted_bundle
from debughost_cli.project.configuration import load_settings
from debughost_cli.project.settings import Flags, Settings
from debughost_cli.services.images import ImageService
from debughost_cli.services.lock import lock_folder
from debughost_cli.services.network import ANOTHER, NetworkService, containers_of, routed_away
from debughost_cli.services.progress import NULL_PROGRESS, PhaseKind, Progress
from debughost_cli.services.registries import unreachable
from debughost_cli.services.volumes import VolumeService

LOW_DISK = 2 * 1024**3
"""Bytes of free disk below which an image build or an install is likely to fail."""


_DOCTOR = re.compile(r"[;:]? ?'debughost doctor' [a-z ]+[a-z]")


class CheckStatus(StrEnum):
    """What a check has found."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


class Finding(Struct, frozen=True):
    """The outcome of a check. ``hint``: how to fix what it found."""

    status: CheckStatus
    message: str
    hint: str = ""


class Check(Struct, frozen=True):
    """A check that was made. ``error``: the one that made it fail."""

    name: str
    status: CheckStatus
    message: str
    hint: str = ""
    duration_ms: int = 0
    error: DebughostError | None = None


def _ok(message: str) -> Finding:
    return Finding(CheckStatus.OK, message)


def _warning(message: str, hint: str) -> Finding:
    return Finding(CheckStatus.WARNING, message, hint)


def _free_disk_space() -> int:
    return shutil.disk_usage("/").free


class DoctorService:
    """The checks are independent: when one fails, the others are made all the same."""

    def __init__(
        self,
        connect: Callable[[], Engine],
        folder: Path,
        environ: Mapping[str, str],
        *,
        free_disk_space: Callable[[], int] = _free_disk_space,
        clock: Clock = SYSTEM_CLOCK,
        progress: Progress = NULL_PROGRESS,
    ) -> None:
        self._connect = connect
        self._progress = progress
        self._folder = folder
        self._environ = environ
        self._free_disk_space = free_disk_space
        self._clock = clock

    def run(self, *, registries: bool = False) -> Iterator[Check]:
        """The checks one after the other, each as soon as it is made.

        ``registries``: also whether a container reaches those of packages, for which one is made.
        """
        yield self._made("python", _python)
        yield self._made("locks", _locks)
        yield self._made("disk", self._disk)
        yield self._made("configuration", self._configuration)
        engines: list[Engine] = []
        yield self._made("engine", lambda: self._engine(engines))
        for engine in engines:
            yield self._made("network", partial(_network, engine))
            yield self._made("images", partial(_images, engine))
            yield self._made("volumes", partial(_volumes, engine))
            if registries:
                yield self._made("registries", partial(self._registries, engine))

    def _made(self, name: str, check: Callable[[], Finding]) -> Check:
        self._progress.phase(PhaseKind.ENGINE, f"Checking {name}")
        started = self._clock.monotonic()
        error = None
        try:
            found = check()
        except DebughostError as exc:
            error = _without_advice(exc)
            found = Finding(CheckStatus.FAILED, error.message, error.hint)
        elapsed = round((self._clock.monotonic() - started) * 1000)
        return Check(name, found.status, found.message, found.hint, elapsed, error)

    def _disk(self) -> Finding:
        free = self._free_disk_space()
        text = f"{free / 1024**3:.1f} GiB free on this machine"
        if free < LOW_DISK:
            return _warning(text, "Free some: 'docker system df' shows what the engine uses")
        return _ok(text)

    def _configuration(self) -> Finding:
        settings = self._settings()
        ca_bundle_of(settings, self._folder)
        return _ok(str(settings.file or f"no configuration file in {self._folder}"))

    def _registries(self, engine: Engine) -> Finding:
        bundle = ca_bundle_of(self._settings(), self._folder)
        failed = unreachable(engine, bundle)
        if failed is None:
            return _warning("there is no base image to check from", "debughost images build static")
        if not failed:
            return _ok("a container reaches the registries of npm, PyPI and Packagist")
        hint = install_hint(failed, trusted_bundle())
        return _warning("; ".join(failed), hint or "Check that the engine's network has a way out")

    def _settings(self) -> Settings:
        return load_settings(self._folder, Flags(), self._environ)

    def _engine(self, found: list[Engine]) -> Finding:
        engine = self._connect()
        found.append(engine)
        info = engine.info
        text = f"{info.endpoint} ({info.source}): {info.version}, API {info.api_version}"
        if first := engine.users().first_uid:
            return _warning(
                f"{text}; it maps users (userns-remap): root of a container is user {first} there",
                "Where a program has to write to its workspace, 'debughost up' shows how to let it",
            )
        return _ok(text)


def _without_advice(error: DebughostError) -> DebughostError:
    """Without the advice to run this very command."""
    return error.with_context(hint=_DOCTOR.sub("", error.hint))


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return _ok(f"Python {version} at {sys.executable}")


def _locks() -> Finding:
    return _ok(f"locks are kept in {lock_folder()}")


def _network(engine: Engine) -> Finding:
    service = NetworkService(engine, NULL_PROGRESS)
    found = service.usable()
    if found is None:
        return _ok(f"{names.NETWORK} does not exist yet; 'debughost up' creates it")
    if others := service.rivals(found):
        return _warning(routed_away(found, others), ANOTHER[0].upper() + ANOTHER[1:])
    if found.subnet != names.SUBNET:
        return _warning(
            f"{found.name} has {found.subnet} instead of {names.SUBNET}",
            "It is used as it is; to change it: debughost network ensure --recreate",
        )
    return _ok(f"{found.name}, {found.subnet}, {containers_of(found)}")


def _images(engine: Engine) -> Finding:
    entries = ImageService(engine, NULL_PROGRESS).list_all().images
    missing = [e.type for e in entries if e.image is None]
    old = [e.type for e in entries if e.image and not e.current]
    if not missing and not old:
        return _ok(f"the base images of {', '.join(ProjectType)} are built")
    groups = (("missing", missing), ("old", old))
    text = "; ".join(f"{name}: {', '.join(types)}" for name, types in groups if types)
    outdated = " ".join([*missing, *old])
    return _warning(text, f"Built on first use; to build now: debughost images build {outdated}")


def _volumes(engine: Engine) -> Finding:
    unused = VolumeService(engine, NULL_PROGRESS).candidates()
    count = len(unused.volumes)
    if not count:
        return _ok("every dependency volume has a project")
    freed = f"{unused.reclaimed_bytes / 1024**2:.0f} MiB"
    return _warning(
        f"{count} dependency {'volume' if count == 1 else 'volumes'} of {freed} without a project",
        "Remove them with 'debughost volumes prune'",
    )
