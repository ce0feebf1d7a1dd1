"""Nx workspaces: each application is served by ``nx``, from the root."""

from __future__ import annotations

from debughost_cli.models import Detection, ProjectType
from debughost_cli.project.detect.node_scripts import HOST_PORT
from debughost_cli.project.detect.parts import Part
from debughost_cli.project.reader import Folder

FILE = "nx.json"
_CONFIGURED = tuple(
    f"{stem}.config.{suffix}"
    for stem in ("vite", "webpack", "rspack")
    for suffix in ("ts", "mts", "js", "mjs")
)
"""Files of bundlers whose servers take host and port; other programs read PORT."""
_NEXT = ("next.config.js", "next.config.ts", "next.config.mjs")
_ANGULAR = "src/app/app.config.ts"


def nx_parts(folder: Folder) -> list[Part]:
    """The applications of a workspace, without those that test another one."""
    if not folder.has(FILE):
        return []
    places = [f"apps/{name}" for name in folder.subfolders("apps") if not name.endswith("-e2e")]
    return [Part(place, _served(folder, place)) for place in places if _is_app(folder, place)]


def _is_app(folder: Folder, place: str) -> bool:
    return folder.first(f"{place}/project.json", f"{place}/package.json") is not None


def _served(folder: Folder, place: str) -> Detection:
    name = str(folder.json(f"{place}/project.json").get("name") or place.rpartition("/")[2])
    is_next = folder.first(*(f"{place}/{file}" for file in _NEXT)) is not None
    takes_address = folder.first(*(f"{place}/{file}" for file in (*_CONFIGURED, _ANGULAR)))
    flags = HOST_PORT if takes_address else ("--port", "{port}") if is_next else ()
    words = ("npm", "exec", "--no", "--", "nx", "dev" if is_next else "serve", name, *flags)
    return Detection(ProjectType.NODE, words, "Nx", folder.present(FILE))
