"""Opens files of a workspace without ever leaving it, whatever changes there meanwhile.

A path that is checked and then opened may be another file by then: what runs in the container can
replace any part of it by a link. So each component is opened by itself, relative to the folder
before it and without following links; a link is resolved here, and one that leads out is refused.
What was opened is checked and read through the same descriptor.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import select
import stat
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import NoReturn

FILE_LIMIT = 1024**2
"""The size of the largest file of a workspace that is read, in bytes."""

_LINKS = 40
"""How many links a path may have, as in the Linux kernel."""
_OPTIONS = ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY")
# Systems have different ones. With O_NONBLOCK, a FIFO is opened without waiting for a writer.
_FILE: int = os.O_RDONLY | sum(getattr(os, name, 0) for name in _OPTIONS)
_NO_LINK: int = getattr(os, "O_NOFOLLOW", 0)
_FOLDER: int = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0)
_FOLDER |= getattr(os, "O_CLOEXEC", 0)
_PIPES = (("/", "dev"), ("/", "proc"))
"""Where pipes without a name are found; they have a writer, or had one."""
_PIPE_SECONDS = 10
_IS_LINK = (errno.ELOOP, errno.EMLINK)
_BY_DESCRIPTOR = os.open in os.supports_dir_fd and os.readlink in os.supports_dir_fd


class UnusableFile(ValueError):
    """A file that exists and is not read; its text is "it ..."."""


class NotRegular(UnusableFile):
    """A folder, a pipe, a socket or a device."""

    def __init__(self) -> None:
        super().__init__("it is not a regular file")


class LeadsOut(UnusableFile):
    """A path that leads out of the workspace."""

    def __init__(self) -> None:
        super().__init__("it leads out of the workspace")


def read_beneath(root: Path, name: str | Path, limit: int = FILE_LIMIT) -> bytes:
    """A whole file of the folder ``root``, which may be named by an absolute path as well.

    Raises FileNotFoundError where it does not exist, OSError where it cannot be opened, and
    UnusableFile where it leads out of ``root``, is not a regular file or is larger than ``limit``.
    """
    return read_regular(open_beneath(root, name), limit)


def read_path(path: Path, limit: int = FILE_LIMIT) -> bytes:
    """A whole file that the user named, wherever it is. Raises what ``read_beneath`` raises."""
    return read_regular(os.open(path, _FILE), limit)


def read_path_or_pipe(path: Path, limit: int = FILE_LIMIT) -> bytes:
    """As ``read_path``, also from a pipe, as a shell makes one for ``<(COMMAND)``.

    Raises UnusableFile also where nothing opens a named pipe for writing within 10 s.
    """
    descriptor = os.open(path, _FILE)
    if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        return read_regular(descriptor, limit)
    with os.fdopen(descriptor, "rb", buffering=0) as pipe:
        # Without a writer, a named pipe would be at its end at once.
        if path.parts[:2] not in _PIPES and not select.select([pipe], [], [], _PIPE_SECONDS)[0]:
            raise UnusableFile(f"nothing was written to it within {_PIPE_SECONDS} s")
        os.set_blocking(descriptor, True)
        return read_all(pipe, limit)


def open_beneath(root: Path, name: str | Path, *, absolute_links: bool = True) -> int:
    """A descriptor of a regular file beneath ``root``, to be read and closed by the caller.

    ``absolute_links``: also follows links with an absolute target inside ``root``, which work on
    this machine and not in a container. Raises what ``read_beneath`` raises.
    """
    steps = _beneath(root, str(name))
    if _BY_DESCRIPTOR:
        descriptor = _open_step_by_step(root, steps, absolute_links)
    else:
        descriptor = open_resolved(root, Path(*steps))
    try:
        _check_regular(descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def open_folder_beneath(root: Path, name: str) -> int:
    """A descriptor of a folder beneath ``root``, to be listed; only on POSIX systems.

    Raises what ``open_beneath`` raises.
    """
    folder = _open_step_by_step(root, _beneath(root, name), absolute_links=True, folder=True)
    try:
        # What was opened with O_PATH cannot be listed.
        return os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=folder)
    finally:
        os.close(folder)


def open_resolved(root: Path, name: Path) -> int:
    """Opens the file that a path leads to, on systems that open nothing relative to a folder."""
    top = root.resolve(strict=True)
    path = (top / name).resolve(strict=True)
    if not path.is_relative_to(top):
        raise LeadsOut
    return os.open(path, _FILE | _NO_LINK)


def read_regular(descriptor: int, limit: int) -> bytes:
    """The content of a regular file, whose descriptor is closed. Raises UnusableFile, OSError."""
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        size = _check_regular(descriptor).st_size
        return read_all(file, limit) if size <= limit else _refuse_size(limit)


def read_all(file: io.RawIOBase, limit: int) -> bytes:
    """All that a stream gives, at most ``limit`` bytes. Raises UnusableFile, OSError."""
    data = b"".join(chunks(file, limit + 1))
    return data if len(data) <= limit else _refuse_size(limit)


def chunks(file: io.RawIOBase, most: int) -> Iterator[bytes]:
    """The first ``most`` bytes of a stream, as they come."""
    while most > 0 and (part := file.read(min(most, FILE_LIMIT))):
        yield part
        most -= len(part)


def hash_beneath(root: Path, name: str, limit: int) -> str:
    """The SHA-256 of a file in hex; it may be large, for it is not kept in memory.

    Raises what ``read_beneath`` raises.
    """
    descriptor = open_beneath(root, name, absolute_links=False)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        if os.fstat(descriptor).st_size > limit:
            _refuse_size(limit)
        digest, size = hashlib.sha256(), 0
        for part in chunks(file, limit + 1):
            digest.update(part)
            size += len(part)
    return digest.hexdigest() if size <= limit else _refuse_size(limit)


def _refuse_size(limit: int) -> NoReturn:
    amount = f"{limit // 1024**2} MiB" if limit >= 1024**2 else f"{limit // 1024} KiB"
    raise UnusableFile(f"it is larger than {amount}")


def _check_regular(descriptor: int) -> os.stat_result:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise NotRegular
    return status


def _beneath(root: Path, name: str) -> list[str]:
    """The components of a name relative to ``root``. Raises UnusableFile for a path outside."""
    if not Path(name).is_absolute():
        return [part for part in Path(name).parts if part != "."]
    for top in (root, root.resolve()):
        with suppress(ValueError):
            return list(Path(name).relative_to(top).parts)
    raise LeadsOut


def _open_step_by_step(
    root: Path, steps: list[str], absolute_links: bool, *, folder: bool = False
) -> int:
    """``folders`` holds every folder that was opened on the way: ".." in a link leads back to the
    one before, even if the folder has another parent by now.
    """
    folders = [os.open(root, _FOLDER)]
    rest = deque(steps)
    tries = 0
    try:
        while rest:
            step = rest.popleft()
            if step == "..":
                _back(folders)
                continue
            last = not rest and not folder
            try:
                opened = os.open(step, (_FILE if last else _FOLDER) | _NO_LINK, dir_fd=folders[-1])
            except OSError as exc:
                tries += 1
                target = _target(step, folders[-1])
                # A link may have become a file between the two requests.
                if tries > _LINKS or (target is None and exc.errno not in _IS_LINK):
                    raise
                rest.extendleft(_onward(root, step, target, folders, absolute_links))
                continue
            if last:
                return opened
            folders.append(opened)
        if folder:
            return folders.pop()
        raise NotRegular
    finally:
        for passed in folders:
            os.close(passed)


def _back(folders: list[int]) -> None:
    if len(folders) == 1:
        raise LeadsOut
    os.close(folders.pop())


def _target(name: str, folder: int) -> str | None:
    """Where a link leads; None for what is not a link."""
    try:
        return os.readlink(name, dir_fd=folder)
    except OSError:
        return None


def _onward(
    root: Path, step: str, target: str | None, folders: list[int], absolute_links: bool
) -> list[str]:
    """The components to go on with, the last one first. Raises UnusableFile."""
    if target is None:
        return [step]
    if target.startswith("/"):
        steps = _beneath(root, target) if absolute_links else None
        if steps is None:
            raise LeadsOut
        while len(folders) > 1:
            os.close(folders.pop())
        return steps[::-1]
    return [part for part in PurePosixPath(target).parts[::-1] if part != "."]
