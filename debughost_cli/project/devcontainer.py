"""Translates a devcontainer.json into settings, as far as these have a place for what it says.

The file is of the workspace and so untrusted: nothing of the host is taken for it. A variable of
the host has the default that the file itself gives it, or is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from debughost_cli.project.compose_values import read_environment
from debughost_cli.project.devcontainer_commands import join_lines, read_commands
from debughost_cli.project.devcontainer_images import read_dockerfile, read_features, read_image
from debughost_cli.project.devcontainer_values import (
    DevcontainerValues,
    read_forwards,
    read_run_arguments,
)
from debughost_cli.project.translation import Translation, is_accepted

_INSTALL = ("onCreateCommand", "updateContentCommand", "postCreateCommand")
_REASONS = {
    "initializeCommand": "is not run: it is for the host",
    "postAttachCommand": "is not run: nobody attaches; what serves is the command",
    "privileged": "is not translated: nothing is privileged in a container",
    "capAdd": "is not translated: a container has no capabilities",
    "securityOpt": "is not translated",
    "workspaceMount": "is not translated: the workspace is at /app",
}
_KNOWN = frozenset(
    {
        "$schema", "name", "image", "build", "dockerFile", "context", "dockerComposeFile",
        "service", "runServices", "features", "overrideFeatureInstallOrder", "forwardPorts",
        "appPort",
        "portsAttributes", "otherPortsAttributes", "containerEnv", "remoteEnv", "remoteUser",
        "containerUser", "updateRemoteUserUID", "userEnvProbe", "overrideCommand", "shutdownAction",
        "init", "waitFor", "workspaceFolder", "mounts", "runArgs", "hostRequirements", "secrets",
        "postStartCommand", "customizations", "settings", "extensions", *_INSTALL,
    }
)  # fmt: skip
"""Keys that are translated, or that make no difference here."""
_MOST = 100
"""How many entries of an object are looked at."""


class Place(Struct, frozen=True):
    """Where the file is. ``source``: the text of a file of the workspace, empty for none."""

    folder: str
    """The name of the workspace's folder."""
    source: Callable[[str], str]
    beside: Callable[[str], str]
    """The path in the workspace of what the file names relative to itself."""


def translate(document: object, place: Place) -> Translation:
    """``document``: as ``parse_jsonc`` returns it. Raises ValueError where it is no object.

    What a compose file has is not in it: see ``compose_names``.
    """
    if not isinstance(document, Mapping):
        raise ValueError("it is no object")  # noqa: TRY004 - as for a text that is no JSON
    notes: list[str] = []
    values = DevcontainerValues(
        lambda what, why: notes.append(f"{what} {why}"), place.folder,
        document.get("workspaceFolder"),
    )  # fmt: skip
    found = dict(_Translator(document, values).translate(place))
    return Translation(found, {}, tuple(dict.fromkeys(notes)))


def before_start(found: Translation) -> Translation:
    """With what would run after an install before each start, for a project without an install."""
    hooks = found.settings.get("hooks")
    if not isinstance(hooks, Mapping) or "after_install" not in hooks:
        return found
    joined = join_lines(list(hooks.values()))
    note = "postCreateCommand runs before each start: nothing is installed here"
    settings = dict(found.settings) | {"hooks": {"before_start": joined}}
    return replace(found, settings=settings, notes=(*found.notes, note))


def compose_names(document: object) -> list[str]:
    """The compose files that it names, relative to itself."""
    given = document.get("dockerComposeFile") if isinstance(document, Mapping) else None
    return [n for n in (given if isinstance(given, list) else [given]) if isinstance(n, str)]


class _Translator:
    def __init__(self, document: Mapping[str, object], values: DevcontainerValues) -> None:
        self._document = document
        self._values = values

    def translate(self, place: Place) -> Iterator[tuple[str, object]]:
        """The settings, first the simple ones, then the tables."""
        values = self._values
        image = self._image(place)
        yield from image.items()
        features = dict(read_features(self._document.get("features"), image, values))
        packages = [str(name) for name in _list(features.pop("packages", None))]
        arguments, published = read_run_arguments(self._document.get("runArgs"), values)
        hooks = self._hooks(packages)
        limits = self._requirements() | {k: v for k, v in arguments.items() if k != "env"}
        candidates = features | self._ports(published) | limits
        candidates |= {"packages": list(dict.fromkeys(packages)), "hooks": hooks}
        for key, value in candidates.items():
            if value and is_accepted(key, value, values.note):
                yield key, value
        env = self._environment(arguments.get("env"))
        if env and is_accepted("env", env, values.note):
            yield "env", env
        self._rest()

    def _image(self, place: Place) -> dict[str, object]:
        build = self._document.get("build")
        table = build if isinstance(build, Mapping) else {}
        dockerfile = table.get("dockerfile", self._document.get("dockerFile"))
        if name := self._values.text(dockerfile, "build"):
            arguments = table.get("args")
            given = arguments if isinstance(arguments, Mapping) else {}
            text = place.source(place.beside(name))
            return read_dockerfile(
                text, given, self._values.text(table.get("target"), "target"), self._values
            )
        image = self._values.text(self._document.get("image"), "image")
        is_usable = image and is_accepted("image", image, self._values.note)
        return read_image(image) if is_usable else {}

    def _hooks(self, packages: list[str]) -> dict[str, str]:
        install = read_commands(self._document, _INSTALL, self._values, packages)
        start = read_commands(self._document, ("postStartCommand",), self._values, packages)
        return {k: v for k, v in (("after_install", install), ("before_start", start)) if v}

    def _ports(self, published: list[str]) -> dict[str, object]:
        """The first is the project's own, with a number that is the same inside and out."""
        keys = (self._document.get(key) for key in ("forwardPorts", "appPort"))
        given = [item for key in keys for item in _list(key)]
        found: dict[str, object] = {}
        further: dict[str, object] = {}
        for port, host in read_forwards([*given, *published], self._values):
            if not found and is_accepted("port", port, self._values.note):
                found["port"] = port
            elif found:
                entry = port if host in ("", str(port)) else f"{host}:{port}"
                if is_accepted("ports", {(name := self._label(port)): entry}, self._values.note):
                    further[name] = entry
        return found | ({"ports": further} if further else {})

    def _label(self, port: int) -> str:
        """The name of a port, from its label."""
        about = self._document.get("portsAttributes")
        table = about.get(str(port)) if isinstance(about, Mapping) else None
        label = table.get("label") if isinstance(table, Mapping) else None
        text = re.sub(r"[^a-z0-9]+", "-", label.lower()[:30]) if isinstance(label, str) else ""
        return text.strip("-") or f"port-{port}"

    def _requirements(self) -> dict[str, object]:
        """What the machine should have, as what the container may use."""
        given = self._document.get("hostRequirements")
        table = given if isinstance(given, Mapping) else {}
        if table.get("gpu"):
            self._values.note("hostRequirements.gpu", "is not translated")
        memory = self._values.text(table.get("memory"), "hostRequirements.memory")
        return {"cpus": table.get("cpus"), "memory": memory.lower().removesuffix("b")}

    def _environment(self, arguments: object) -> dict[str, str]:
        found: dict[str, str] = {}
        for key in ("containerEnv", "remoteEnv"):
            given = self._document.get(key)
            table = given if isinstance(given, Mapping) else {}
            found |= read_environment(
                {k: v for k, v in table.items() if v is not None}, self._values
            )
        return found | (arguments if isinstance(arguments, dict) else {})

    def _rest(self) -> None:
        """Notes on what is not translated; how an editor looks is none of it."""
        document, note = self._document, self._values.note
        for key, why in _REASONS.items():
            if document.get(key):
                note(key, why)
        for key in sorted(k for k in document if k not in _KNOWN | _REASONS.keys())[:_MOST]:
            note(key[:80], "is not translated")
        for mount in _list(document.get("mounts"))[:_MOST]:
            _note_mount(mount, note)
        secrets = document.get("secrets")
        for name in list(secrets)[:_MOST] if isinstance(secrets, Mapping) else []:
            note(f"secret {name}", f"is not set: 'debughost up -e {name}' takes it from yours")
        if "root" in (document.get("remoteUser"), document.get("containerUser")):
            note("user root", "is not translated: the program runs as the workspace's owner")


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _note_mount(mount: object, note: Callable[[str, str], None]) -> None:
    """Says why it is not mounted, but for the workspace itself."""
    if isinstance(mount, Mapping):
        parts = {k: str(v)[:200] for k, v in mount.items() if isinstance(v, str)}
    else:
        parts = dict(part.partition("=")[::2] for part in str(mount)[:1000].split(","))
    target = parts.get("target") or parts.get("dst") or parts.get("destination") or ""
    if parts.get("source", parts.get("src")) == "${localWorkspaceFolder}":
        return
    is_bind = parts.get("type") == "bind"
    why = "nothing of the host is" if is_bind else "home and dependencies are kept without it"
    note(f"mount {target[:80]}", f"is not mounted: {why}")
