"""Static sites: files served as they are, from the folder that contains ``index.html``."""

from __future__ import annotations

import re

from debughost_cli.models import Detection, ProjectType
from debughost_cli.project.reader import Folder

STATICFILE = "Staticfile"
DOCUMENT_ROOTS = (
    *("public", "dist", "build", "_site", "www", "htdocs", "public_html", "html", "site", "out"),
    *("docs", "src", "static"),
)
_ROOT = re.compile(r"^root:[ \t]*[\"']?([\w.-]+(?:/[\w.-]+)*)/?[\"']?[ \t]*$", re.MULTILINE)


def document_root(folder: Folder) -> str | None:
    """The folder with the pages: ``.`` for the workspace, None where there is none.

    A ``Staticfile`` names it; otherwise it is the one with the ``index.html``.
    """
    named = _ROOT.search(folder.source(STATICFILE))
    if named and ".." not in named[1].split("/") and folder.has_folder(named[1]):
        return named[1]
    if folder.has("index.html"):
        return "."
    return next((root for root in DOCUMENT_ROOTS if folder.has(f"{root}/index.html")), None)


def detect_static(folder: Folder) -> Detection:
    """A static site's detection; without any ``index.html`` the workspace itself is served."""
    root = document_root(folder) or "."
    serve: tuple[str, ...] = ("serve-static",)
    if root != ".":
        serve = ("env", f"DOCROOT=/app/{root}", *serve)
    page = "index.html" if root == "." else f"{root}/index.html"
    return Detection(ProjectType.STATIC, serve, "static files", folder.present(STATICFILE, page))
