"""Writes files that came from a container into the workspace, and nowhere else.

The container is not trusted. Each folder on the way is opened by itself, without following links,
and what is new takes the place of what was there in one step. It belongs to the owner of the
workspace, as it does where the workspace is mounted; but for links, whose owner means nothing.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO

from debughost_cli.project.beneath import UnusableFile
from debughost_cli.project.ignore_rules import IgnoreRules, parse_rules
from debughost_cli.project.tree import (
    DEFAULT_RULES,
    RESERVED,
    Entry,
    EntryKind,
    file_entry,
    rules_of,
)

_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | os.O_CLOEXEC
_CHUNK = 256 * 1024
_NEVER = frozenset((".git", RESERVED, "", ".", ".."))
"""Parts of paths to which nothing is written: git runs what it finds in its own folder."""


def may_be_written(path: str) -> bool:
    """Whether a path of the container may ever be written here."""
    return not _NEVER.intersection(part.casefold() for part in path.split("/")) and "\0" not in path


class Workspace:
    """A workspace that is written to."""

    def __init__(self, root: Path) -> None:
        """Raises OSError."""
        self._root = os.open(root, _FOLDER & ~getattr(os, "O_NOFOLLOW", 0))
        self._rules: dict[str, IgnoreRules] = {}

    def close(self) -> None:
        """No call follows."""
        os.close(self._root)

    def entry(self, path: str) -> Entry | None:
        """What is there; None for nothing, and for what is none of a workspace's kinds."""
        with suppress(OSError), self._parent(path) as (folder, name):
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if stat.S_ISREG(status.st_mode):
                return file_entry(status)
            if stat.S_ISDIR(status.st_mode):
                return Entry(EntryKind.FOLDER, mode=status.st_mode & 0o777)
            if stat.S_ISLNK(status.st_mode):
                return Entry(EntryKind.LINK, target=os.readlink(name, dir_fd=folder))
        return None

    def is_ignored(self, path: str, *, is_folder: bool) -> bool:
        """Whether the rules in the workspace leave it out, or a folder that it is in."""
        rules, inside = self._rules_in(""), ""
        parts = path.split("/")
        for part in parts[:-1]:
            if rules.is_ignored(f"{inside}{part}/", f"{part}/"):
                return True
            inside += f"{part}/"
            rules = self._rules_in(inside)
        shown = parts[-1] + "/" * is_folder
        return rules.is_ignored(inside + shown, shown)

    def write_file(self, path: str, entry: Entry, data: IO[bytes]) -> bool:
        """A file with the size, time and permissions of ``entry``; False where ``data`` is shorter.

        Raises OSError, and UnusableFile where a folder on the way is none.
        """
        with self._parent(path, makes=True) as (folder, name), _temporary(folder) as made:
            descriptor = os.open(made, _NEW, 0o600, dir_fd=folder)
            with os.fdopen(descriptor, "wb") as file:
                self._give_to_owner(descriptor)
                left = entry.size
                while left and (part := data.read(min(left, _CHUNK))):
                    file.write(part)
                    left -= len(part)
                if left:
                    return False
                file.flush()
                os.fchmod(descriptor, entry.mode & 0o777 | 0o600)
                os.utime(descriptor, ns=(entry.mtime_ns, entry.mtime_ns))
            _replace(made, name, folder)
        return True

    def write_link(self, path: str, target: str) -> bool:
        """A link; False for one that would lead out of the workspace. Raises as ``write_file``."""
        place = PurePosixPath(path).parent
        if target.startswith("/") or not _stays_inside(place, target):
            return False
        with self._parent(path, makes=True) as (folder, name), _temporary(folder) as made:
            os.symlink(target, made, dir_fd=folder)
            _replace(made, name, folder)
        return True

    def make_folder(self, path: str) -> None:
        """A folder, where there is none. Raises as ``write_file``."""
        with self._parent(f"{path}/x", makes=True):
            pass

    def delete(self, path: str) -> None:
        """A file, a link or an empty folder; one that is not there is fine."""
        with suppress(OSError), self._parent(path) as (folder, name):
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
            remove = os.rmdir if stat.S_ISDIR(status.st_mode) else os.unlink
            remove(name, dir_fd=folder)

    def _rules_in(self, inside: str) -> IgnoreRules:
        """Those of a folder, which has a final ``/`` or is empty for the workspace."""
        if inside not in self._rules:
            above = parse_rules(DEFAULT_RULES)
            if inside:
                above = self._rules_in(inside[:-1].rpartition("/")[0] + "/" * ("/" in inside[:-1]))
            self._rules[inside] = above
            with suppress(OSError, UnusableFile), self._parent(f"{inside}x") as (folder, _):
                self._rules[inside] = rules_of(folder, inside, above)
        return self._rules[inside]

    def _give_to_owner(self, descriptor: int) -> None:
        """Only root can, and by no name, for the owner may have put something else there."""
        if os.geteuid() == 0:
            owner = os.fstat(self._root)
            os.fchown(descriptor, owner.st_uid, owner.st_gid)

    @contextmanager
    def _parent(self, path: str, *, makes: bool = False) -> Iterator[tuple[int, str]]:
        """The folder of ``path``, and its name in it."""
        *parts, name = path.split("/")
        folder = os.dup(self._root)
        try:
            for part in parts:
                inner, is_new = _open_folder(part, folder, makes=makes)
                os.close(folder)
                folder = inner
                if is_new:
                    self._give_to_owner(folder)
            yield folder, name
        finally:
            os.close(folder)


def _open_folder(name: str, folder: int, *, makes: bool) -> tuple[int, bool]:
    """Its descriptor, and whether it is new."""
    is_new = False
    if makes:
        with suppress(FileExistsError):
            os.mkdir(name, 0o755, dir_fd=folder)
            is_new = True
    try:
        return os.open(name, _FOLDER, dir_fd=folder), is_new
    except OSError as exc:
        if exc.errno in (errno.ELOOP, errno.ENOTDIR) and makes:
            raise UnusableFile(f"it is in {name}, which is no folder here") from exc
        raise


@contextmanager
def _temporary(folder: int) -> Iterator[str]:
    """A name beside the file; what is left under it at the end is deleted."""
    name = f".debughost-{secrets.token_hex(6)}"
    try:
        yield name
    finally:
        with suppress(OSError):
            os.unlink(name, dir_fd=folder)


def _replace(made: str, name: str, folder: int) -> None:
    try:
        os.replace(made, name, src_dir_fd=folder, dst_dir_fd=folder)
    except (IsADirectoryError, NotADirectoryError, PermissionError) as exc:
        raise UnusableFile("there is a folder of that name here") from exc


def _stays_inside(place: PurePosixPath, target: str) -> bool:
    depth = len(place.parts)
    for part in PurePosixPath(target).parts:
        depth += -1 if part == ".." else 1
        if depth < 0:
            return False
    return True
