"""Static sites: files served as they are, from the folder that contains ``index.html``."""

from __future__ import annotations

from debughost_cli.models import Detection, ProjectType
from debughost_cli.project.reader import Folder

DOCUMENT_ROOTS = ("public", "dist", "build", "_site", "www", "htdocs")


def document_root(folder: Folder) -> str | None:
    """The folder with the ``index.html``: ``.`` for the workspace, None where there is none."""
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
    return Detection(ProjectType.STATIC, serve, "static files", folder.present(page))
