"""The image and the features of a devcontainer.json: a type, a version, and Debian packages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from debughost_cli.models import ProjectType
from debughost_cli.project.companions import repository_of, tag_of
from debughost_cli.project.compose_values import Values
from debughost_cli.project.translation import is_accepted

_NODE, _PYTHON, _PHP = ProjectType.NODE, ProjectType.PYTHON, ProjectType.PHP
_OFFICIAL = re.compile(r"(?:(?:docker\.io/)?library/)?(?:node|python|php)(?:[:@][^/]*)?")
_DEVCONTAINERS = re.compile(r"mcr\.microsoft\.com/(?:vscode/)?devcontainers/")
_KINDS = {
    "javascript-node": _NODE, "javascript-node-mongo": _NODE, "javascript-node-postgres": _NODE,
    "typescript-node": _NODE, "node": _NODE,
    "python": _PYTHON, "python-3": _PYTHON, "python-3-postgres": _PYTHON, "postgres": _PYTHON,
    "php": _PHP, "php-8": _PHP, "php-mariadb": _PHP,
}  # fmt: skip
_ANY = frozenset({"base", "universal", "ubuntu", "debian", "base-debian", "base-ubuntu"})
"""Images that are of no language."""
_VERSION = re.compile(r"(?:dev-)?(?:\d+(?:\.\d+)*-)?(\d{1,4}(?:\.\d{1,6}){0,2})(?:-|$)", re.ASCII)
"""In ``22``, ``22-bookworm``, ``1-22``, ``0.203.0-3.12-bullseye``: images have a version too."""
_FROM = re.compile(
    r"^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*+(?P<image>\S+)(?:[ \t]+AS[ \t]+(?P<name>\S+))?",
    re.MULTILINE | re.IGNORECASE,
)
_ARGUMENT = re.compile(r"^[ \t]*+ARG[ \t]+(\w+)=[\"']?([^\s\"']*)", re.MULTILINE | re.IGNORECASE)
_USE = re.compile(r"\$\{?(\w+)\}?")
_RUNTIMES = {"node": _NODE, "python": _PYTHON, "php": _PHP}
_INCLUDED = frozenset({"common-utils", "git", "pnpm", "yarn", "poetry", "uv", "composer"})
_PACKAGES = {
    "git-lfs": "git-lfs", "github-cli": "gh", "jq-likes": "jq", "sqlite": "sqlite3",
    "postgresql-client": "postgresql-client", "mysql-client": "default-mysql-client",
    "protoc": "protobuf-compiler", "ffmpeg": "ffmpeg", "imagemagick": "imagemagick",
    "graphviz": "graphviz", "pandoc": "pandoc", "shellcheck": "shellcheck", "ripgrep": "ripgrep",
}  # fmt: skip
_PACKAGE_LISTS = frozenset({"apt-packages", "apt-get-packages"})
_MOST = 100
"""How many features, and stages of a Dockerfile, are looked at."""
_LONGEST = 300
"""Characters of the name of an image."""


def read_image(image: str) -> dict[str, object]:
    """``type`` and ``runtime``, where an image is known; else itself, as ``image``."""
    name = repository_of(image)
    is_known = _DEVCONTAINERS.match(image) is not None
    if is_known and name in _ANY:
        return {}
    if _OFFICIAL.fullmatch(image) or (is_known and name in _KINDS):
        return _runtime(_KINDS[name], tag_of(image))
    return {"image": image}


def read_dockerfile(
    text: str, arguments: Mapping[str, object], target: str, values: Values
) -> dict[str, object]:
    """What the image says that its last stage begins with; other lines are not carried out.

    ``target``: the name of the stage, in the place of the last.
    """
    given = dict(_ARGUMENT.findall(text)) | {k: v for k, v in arguments.items() if v is not None}
    stages = [
        (
            m["name"],
            _USE.sub(lambda use: str(given.get(use[1], use[0]))[:_LONGEST], m["image"][:_LONGEST]),
        )
        for m in _FROM.finditer(text)
    ][:_MOST]
    last = stages[-1][1] if stages else ""
    image = target if target in [name for name, _ in stages if name] else last
    # A stage begins with an image, or with a stage before it.
    for name, begins_with in reversed(stages):
        if name == image:
            image = begins_with
    values.note("build", "is not translated: list what its Dockerfile installs as packages")
    known = {} if "$" in image else read_image(image)
    return {} if "image" in known else known


def _runtime(type_: ProjectType, version: str) -> dict[str, object]:
    """A whole major version of Python or PHP is what the type has anyway."""
    match = _VERSION.match(version)
    number = match[1] if match else ""
    is_pin = number and (type_ is _NODE or "." in number)
    found: dict[str, object] = {"type": type_.value}
    return found | ({"runtime": number} if is_pin else {})


def read_features(
    features: object, image: Mapping[str, object], values: Values
) -> Iterator[tuple[str, object]]:
    """``type`` and ``runtime`` of the one runtime that a project has, and ``packages``."""
    packages: list[str] = []
    type_ = image.get("type")
    given = features if isinstance(features, Mapping) else {}
    for ref, options in list(given.items())[:_MOST]:
        name = repository_of(str(ref))
        if name in _RUNTIMES and "image" in image:
            values.note(f"feature {name}", f"is left out: {image['image']} is used as it is")
        elif name in _RUNTIMES and type_ in (None, _RUNTIMES[name].value):
            type_ = _RUNTIMES[name].value
            yield from _runtime(_RUNTIMES[name], _option(options, "version")).items()
        elif name in _RUNTIMES:
            values.note(f"feature {name}", f"is left out: this is a {type_} project; "
                        f"packages can have Debian's")  # fmt: skip
        elif name.startswith("docker-"):
            values.note(f"feature {name}", "is left out: a container never gets an engine")
        elif found := list(_packages(name, options)):
            packages += [p for p in found if is_accepted("packages", [p], values.note)]
        elif name not in _INCLUDED:
            values.note(f"feature {name}", "is not translated")
    if packages:
        yield "packages", packages


def _packages(name: str, options: object) -> Iterator[str]:
    if name in _PACKAGE_LISTS:
        yield from re.split(r"[\s,]+", _option(options, "packages").strip())
    elif name in _PACKAGES:
        yield _PACKAGES[name]
    elif name.endswith("-apt-get"):
        yield name.removesuffix("-apt-get")


def _option(options: object, name: str) -> str:
    """Of a feature; a version may stand in the place of all options."""
    value = options.get(name) if isinstance(options, Mapping) else options
    return str(value)[:1000] if isinstance(value, str | int | float) else ""
