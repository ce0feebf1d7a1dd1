"""What a ``package.json`` says."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from debughost_cli.project.reader import Folder, invalid, table_in, text_in

FILE = "package.json"
_DEPENDENCY_TABLES = (
    "dependencies",
    "devDependencies",
    "optionalDependencies",
    "peerDependencies",
)


class Package(Struct, frozen=True):
    """The parts of a ``package.json`` that matter here."""

    scripts: Mapping[str, str]
    dependencies: frozenset[str]
    main: str
    module: str
    package_manager: str
    is_package: bool
    """True where it is a package of its own, not only a list of development tools."""
    has_members: bool


def read_package(folder: Folder) -> Package:
    """Raises InvalidConfig where a field that is used has another type than npm expects."""
    data = folder.json(FILE)
    tables = [table_in(data, FILE, name) for name in _DEPENDENCY_TABLES]
    members = data.get("workspaces")
    if members is not None and not isinstance(members, list | dict):
        raise invalid(FILE, "must be a list or an object", "workspaces")
    return Package(
        scripts=_scripts(data),
        dependencies=frozenset[str]().union(*tables),
        main=text_in(data, FILE, "main"),
        module=text_in(data, FILE, "module") if isinstance(data.get("module"), str) else "",
        package_manager=text_in(data, FILE, "packageManager"),
        is_package=bool(tables[0]) or any(k in data for k in ("main", "exports", "bin", "module")),
        has_members=bool(members) or folder.has("pnpm-workspace.yaml"),
    )


def _scripts(data: Mapping[str, object]) -> dict[str, str]:
    table = table_in(data, FILE, "scripts")
    return {name: text_in(table, FILE, name, f"scripts.{name}") for name in table}
