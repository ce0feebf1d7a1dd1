"""Generators of sites and documentation that are written in Python."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from debughost_cli.project.reader import Folder

_SPHINX = ("index.rst", "index.md")


class Site(Struct, frozen=True):
    """A generator: ``file`` and ``word`` tell its sites.

    ``word`` stands in the file, ``package`` is the distribution that has ``command``, and
    ``fetched``: what uv runs instead, where the project does not require it.
    """

    name: str
    file: str
    word: str
    package: str
    command: tuple[str, ...]
    fetched: tuple[str, ...]


SITES = (
    Site("MkDocs", "mkdocs.yml", "", "mkdocs",
         ("mkdocs", "serve", "--dev-addr", "0.0.0.0:{port}"), ()),
    Site("Zensical", "zensical.toml", "", "zensical",
         ("zensical", "serve", "--dev-addr", "0.0.0.0:{port}"), ()),
    Site("Pelican", "pelicanconf.py", "", "pelican",
         ("pelican", "--listen", "--autoreload", "--bind", "0.0.0.0", "--port", "{port}"),
         ("--from", "pelican[markdown]")),
    Site("Nikola", "conf.py", "BLOG_TITLE", "nikola",
         ("nikola", "auto", "--address", "0.0.0.0", "--port", "{port}"),
         ("--with", "aiohttp", "--with", "watchdog")),
    *(
        Site("Sphinx", f"{base}/conf.py" if base else "conf.py", "sphinx", "sphinx-autobuild",
             ("sphinx-autobuild", base or ".", "build/html" if base else "_build/html",
              "--host", "0.0.0.0", "--port", "{port}"), ())
        for base in ("", "source")
    ),
)  # fmt: skip
"""What ``mkdocs new``, ``sphinx-quickstart`` and the like make: their servers build again at an
edit."""


def site(
    folder: Folder, packages: Mapping[str, frozenset[str]]
) -> tuple[str, tuple[str, ...], tuple[str, ...]] | None:
    """The name, the command and the file of a site, where it can be served.

    The project's own packages serve it; where it requires none of the generator's, uv fetches it.
    """
    for made in SITES:
        if not _is_site(folder, made):
            continue
        if any(name.startswith(made.package) for name in packages):
            return made.name, made.command, (made.file,)
        if packages.keys() & {"sphinx"}:
            continue  # Its extensions are where the project's own packages are.
        extra = made.fetched
        if made.name == "MkDocs" and "material" in folder.source(made.file):
            extra = ("--with", "mkdocs-material")
        return made.name, ("uvx", *extra, *made.command), (made.file,)
    return None


def _is_site(folder: Folder, made: Site) -> bool:
    if not folder.has(made.file) or made.word not in folder.source(made.file):
        return False
    base = made.file.rpartition("/")[0]
    return made.name != "Sphinx" or bool(
        folder.first(*(f"{base}/{name}" if base else name for name in _SPHINX))
    )


def has_site(folder: Folder) -> bool:
    """Whether one of the generators made a site here, which says so in a file of its own."""
    return any(_is_site(folder, made) for made in SITES)
