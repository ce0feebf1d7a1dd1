"""How Sphinx makes the site and the man page of the Markdown files in this folder."""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx

from debughost_cli import __version__

_CHANGELOG = Path(__file__).parents[1] / "CHANGELOG.md"
project = "debughost"
author = "the debughost contributors"
version = release = __version__
html_title = "debughost"
html_theme = "furo"
extensions = ["myst_parser"]
exclude_patterns = ["_build"]
myst_heading_anchors = 4
myst_enable_extensions = ["deflist"]
html_copy_source = False
html_show_sphinx = False
# Of the last release: the page that is committed must not differ each day.
_RELEASES = re.findall(r"^## \[[\d.]+\] - (\S+)", _CHANGELOG.read_text("utf-8"), re.MULTILINE)
today = _RELEASES[0]
man_pages = [
    ("reference/commands", project, "one development container for a project", author, 1),
]
man_show_urls = True

_SOURCE = "https://github.com/debughost/debughost/blob/main/"
_SECTION = re.compile(r"^## (?P<caption>.+)\n(?P<text>(?:(?!^## ).*\n?)*)", re.MULTILINE)
_PAGE = re.compile(r"\]\(([\w/-]+)\.md\)")


def _read(app: Sphinx, name: str, source: list[str]) -> None:
    """Makes of plain Markdown, as a code host shows it, what Sphinx needs.

    Files outside of this folder are linked to where the source is. The lists of links on the first
    page are the contents of the site as well.
    """
    folder = Path(app.srcdir, name).parent
    text = re.sub(
        r"\]\(((?:\.\./)+[^)#]+)", lambda m: _link(folder, Path(app.srcdir), m[1]), source[0]
    )
    source[0] = text + "".join(_contents(text)) if name == "index" else text


def _link(folder: Path, top: Path, target: str) -> str:
    path = (folder / target).resolve()
    if path.is_relative_to(top.resolve()):
        return f"]({target}"
    return f"]({_SOURCE}{path.relative_to(top.resolve().parent).as_posix()}"


def _contents(text: str) -> list[str]:
    return [
        f"\n```{{toctree}}\n:hidden:\n:caption: {section['caption']}\n\n"
        + "\n".join(_PAGE.findall(section["text"]))
        + "\n```\n"
        for section in _SECTION.finditer(text)
    ]


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _read)
