"""The folders that a server may use as workspaces.

What the client's model asks for may come from a file of an untrusted repository. The user decides:
where the server is started, which folders are open in the client, and ``--root``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from debughost_cli.errors import InvalidWorkspace
from debughost_cli.project.unsafe_mounts import unsafe_mount_reason


class Folders:
    """``start``: where the server was started; ``named``: by ``--root``."""

    def __init__(self, start: Path, named: Sequence[Path]) -> None:
        place = start.resolve()
        # Programs of a desktop start in / or the home folder, which is no decision of anybody.
        self._started = [] if unsafe_mount_reason(place) else [place]
        self._named = [folder.resolve() for folder in named]
        self._opened: list[Path] = []

    def open_in_client(self, uris: Sequence[str]) -> None:
        """Takes the client's roots, as file URIs, in the place of those from before."""
        self._opened = [path.resolve() for uri in uris if (path := _path_of(uri)) is not None]

    def choose(self, given: str | None, *, is_needed: bool = True) -> Path | None:
        """The folder that a call is about. Raises InvalidWorkspace for one that is not allowed.

        A relative one begins at the default: of several open in the client, the first one.
        ``is_needed``: else it is None where there is no default; an id may say it all.
        """
        allowed = [*self._opened, *self._started, *self._named]
        if not allowed:
            if not (given or is_needed):
                return None
            raise InvalidWorkspace(
                "this server was given no folder that it may use",
                hint="Start it in a project's folder, or with 'debughost mcp --root DIR'",
            )
        default = self._default(allowed)
        if not given:
            return default
        # Links are followed first: one in a repository may lead anywhere.
        folder = (default / given).resolve()
        if any(folder.is_relative_to(root) for root in allowed):
            return folder
        raise InvalidWorkspace(
            f"{folder} is outside of the folders that this server may use",
            hint="Open it in the client, or start the server with 'debughost mcp --root DIR'",
            details={"workspace": str(folder), "roots": [str(r) for r in allowed]},
        )

    def _default(self, allowed: Sequence[Path]) -> Path:
        """Where the server was started, if it is in a folder that is open; else the first one."""
        starts = [s for s in self._started if any(s.is_relative_to(o) for o in self._opened)]
        return [*starts, *allowed][0]


def _path_of(uri: str) -> Path | None:
    """None for a root that is no folder of this machine."""
    parts = urlsplit(uri)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        return None
    path = Path(url2pathname(parts.path))
    return path if path.is_absolute() else None
