"""What a workspace consists of: its files, folders and links, without those that are left out.

Everything is read relative to the folder that it is in and without following links, so nothing
outside the workspace is ever read, whatever changes there meanwhile.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Container, Iterable, Mapping
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from msgspec import Struct, field

from debughost_cli.project.beneath import FILE_LIMIT, UnusableFile, read_regular
from debughost_cli.project.ignore_rules import GIT_FILE, OWN_FILE, IgnoreRules, parse_rules

DEFAULT_RULES = ".git"
"""What is left out unless ``.debughostignore`` says otherwise (``!.git``)."""
NEEDED = frozenset(
    ("package-lock.json", "pnpm-lock.yaml", "yarn.lock", "uv.lock", "poetry.lock", "composer.lock")
)
"""At the top, never left out: an install that was chosen for a lock file needs it there."""
RESERVED = ".debughost"
"""At the top of an uploaded workspace: what belongs to the upload itself."""
DEEPEST = 200
"""Folders within folders; each one is an open file while those in it are read."""

_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | os.O_CLOEXEC
_FILE = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | os.O_NONBLOCK | os.O_CLOEXEC


class EntryKind(StrEnum):
    """The kinds of entries of a workspace."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"


class Entry(Struct, frozen=True, array_like=True):
    """One of them; two are equal where nothing has to be sent.

    ``size`` in bytes and ``mtime_ns`` in nanoseconds since the epoch, both of files alone, 0 for
    others. ``mode``: the permissions, without set-user-ID and the like. ``target``: of links, as
    the link has it.
    """

    kind: EntryKind
    size: int = 0
    mtime_ns: int = 0
    mode: int = 0o777
    target: str = ""


class Tree(Struct, frozen=True):
    """The entries by their path, and what could not be taken.

    A path is relative to the workspace, its parts separated by ``/``; bytes that are not UTF-8 are
    in it as ``os.fsdecode`` has them. A folder comes before what is in it. ``skipped``: how many
    sockets, pipes and devices there are. ``unreadable``: files and folders that this user may not
    read. ``ignored``: what rules leave out at the top of the workspace.
    """

    entries: Mapping[str, Entry]
    skipped: int = 0
    unreadable: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


def scan(workspace: Path, left_out: Iterable[str] = ()) -> Tree:
    """Reads the workspace. ``left_out``: names at its top that are never part of it.

    Raises OSError where the workspace itself cannot be read.
    """
    folder = os.open(workspace, _FOLDER & ~getattr(os, "O_NOFOLLOW", 0))
    try:
        walk = _Walk(frozenset((*left_out, RESERVED)), os.fstat(folder))
        walk.read(folder, "", parse_rules(DEFAULT_RULES), 0)
    finally:
        os.close(folder)
    return Tree(walk.entries, walk.skipped, tuple(walk.unreadable), tuple(walk.ignored))


def open_entry(workspace: int, path: str) -> int:
    """A descriptor of a file; ``workspace``: one of its folder. No link is followed on the way.

    Raises OSError, also where it is no plain file any more.
    """
    *folders, name = path.split("/")
    opened = workspace
    try:
        for folder in folders:
            inner = os.open(folder, _FOLDER, dir_fd=opened)
            if opened != workspace:
                os.close(opened)
            opened = inner
        found = os.open(name, _FILE, dir_fd=opened)
    finally:
        if opened != workspace:
            os.close(opened)
    status = os.fstat(found)
    if not stat.S_ISREG(status.st_mode) or not _is_the_owners(status, os.fstat(workspace)):
        os.close(found)
        raise OSError(errno.EINVAL, "it is not a regular file, or one that is kept from its owner")
    return found


class _Walk(Struct):
    """What has been found so far."""

    left_out: frozenset[str]
    workspace: os.stat_result
    entries: dict[str, Entry] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    skipped: int = 0

    def read(self, folder: int, path: str, above: IgnoreRules, depth: int) -> None:
        """All that is in a folder; ``path``: its own, with a final ``/`` unless it is empty."""
        with os.scandir(folder) as listing:
            found = sorted(listing, key=_name)
        rules = rules_of(folder, path, above, {item.name for item in found})
        inner = []
        for item in found:
            name = item.name
            is_folder = item.is_dir(follow_symlinks=False)
            if not path and name in self.left_out:
                continue
            shown = name + "/" if is_folder else name
            if rules.is_ignored(path + shown, shown) and (path or name not in NEEDED):
                if not path:
                    self.ignored.append(name)
            elif is_folder:
                inner.append(item)
            else:
                with suppress(FileNotFoundError):
                    self._add(folder, item, path + name)
        for item in inner:
            with suppress(FileNotFoundError):
                self._enter(folder, item, path + item.name, rules, depth)

    def _add(self, folder: int, item: os.DirEntry[str], path: str) -> None:
        if item.is_symlink():
            target = os.readlink(item.name, dir_fd=folder)
            self.entries[path] = Entry(EntryKind.LINK, target=target)
            return
        status = item.stat(follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode):
            self.skipped += 1
        elif not _may_read(item.name, folder) or not _is_the_owners(status, self.workspace):
            self.unreadable.append(path)
        else:
            self.entries[path] = file_entry(status)

    def _enter(
        self, parent: int, item: os.DirEntry[str], path: str, rules: IgnoreRules, depth: int
    ) -> None:
        status = item.stat(follow_symlinks=False)
        self.entries[path] = Entry(EntryKind.FOLDER, mode=status.st_mode & 0o777)
        try:
            if depth >= DEEPEST or not _is_the_owners(status, self.workspace):
                raise PermissionError
            folder = os.open(item.name, _FOLDER, dir_fd=parent)
        except FileNotFoundError:
            raise
        except OSError:
            # It may also have become a link meanwhile.
            self.unreadable.append(path)
            return
        try:
            self.read(folder, path + "/", rules, depth + 1)
        finally:
            os.close(folder)


def file_entry(status: os.stat_result) -> Entry:
    """The entry of a plain file, from its status."""
    mode = status.st_mode & 0o777
    return Entry(EntryKind.FILE, status.st_size, status.st_mtime_ns, mode)


def _name(item: os.DirEntry[str]) -> str:
    return item.name


def _is_the_owners(status: os.stat_result, workspace: os.stat_result) -> bool:
    """Whether the owner of the workspace may read it: root reads for that user alone.

    What is uploaded belongs to that user, whose program would not see it in a mounted workspace.
    """
    if os.geteuid() != 0 or workspace.st_uid == 0:
        return True
    shift = 0
    if status.st_uid == workspace.st_uid:
        shift = 6
    elif status.st_gid == workspace.st_gid:
        shift = 3
    return bool(status.st_mode >> shift & 0o4)


def _may_read(name: str, folder: int) -> bool:
    return os.access(name, os.R_OK, dir_fd=folder, effective_ids=True)


def rules_of(
    folder: int, path: str, above: IgnoreRules, names: Container[str] = (GIT_FILE, OWN_FILE)
) -> IgnoreRules:
    """The rules in a folder, which ``path`` is the path of, with a final ``/``.

    ``names``: what is in it. A file of rules that is a link is none, as for git.
    """
    rules = above
    for name in (name for name in (GIT_FILE, OWN_FILE) if name in names):
        with suppress(OSError, UnusableFile):
            content = read_regular(os.open(name, _FILE, dir_fd=folder), FILE_LIMIT)
            text = content.decode("utf-8-sig", "surrogateescape")
            rules = parse_rules(text, path, rules, name)
    return rules
