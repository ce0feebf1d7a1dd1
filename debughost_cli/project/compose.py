"""Translates a compose file into settings, as far as these have a place for what it says.

The file is of the workspace and so untrusted: nothing of the host is taken for it. A variable has
the default that the file itself gives it, or is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from debughost_cli.errors import DebughostError
from debughost_cli.project.companions import MOST_SERVICES, parse_services, repository_of
from debughost_cli.project.compose_values import (
    Values,
    is_named_volume,
    read_environment,
    read_ports,
    read_volumes,
    words_or_line,
)
from debughost_cli.project.detect.service_names import kind_of_image
from debughost_cli.project.translation import Translation, is_accepted
from debughost_cli.project.variables import BadValue

MOST_COMPOSED = 40
"""How many services of a file are looked at."""
_UNIMPORTANT = frozenset(
    {
        "build", "image", "depends_on", "restart", "container_name", "hostname", "networks",
        "links", "logging", "labels", "annotations", "init", "stdin_open", "tty", "pull_policy",
        "stop_signal", "stop_grace_period", "attach", "develop", "expose", "platform",
        "healthcheck", "ports", "volumes", "environment", "env_file", "command", "mem_limit",
        "cpus", "shm_size", "pids_limit", "deploy", "mem_reservation", "memswap_limit",
    }
)  # fmt: skip
"""Keys of a service that are translated, or that make no difference here."""
_RUNTIMES = frozenset({"node", "python", "php", "bun", "deno"})
"""Images that run a folder that is mounted."""


def translate(document: object, has_file: Callable[[str], bool]) -> Translation:
    """``document``: as ``parse_yaml`` returns it; ``has_file``: whether the workspace has one.

    Raises ValueError where it is no compose file.
    """
    composed = document.get("services") if isinstance(document, Mapping) else None
    if not isinstance(document, Mapping) or not isinstance(composed, Mapping):
        raise ValueError("it has no services")  # noqa: TRY004 - as for a text that is no YAML
    return _Translator(has_file).translate(document, composed)


class _Translator:
    def __init__(self, has_file: Callable[[str], bool]) -> None:
        self._has_file = has_file
        self._notes: list[str] = []
        self._services: dict[str, Mapping[str, object]] = {}

    def translate(
        self, document: Mapping[str, object], composed: Mapping[str, object]
    ) -> Translation:
        for key in sorted(document.keys() & {"include", "secrets", "configs"}):
            self._note("", key, "is not translated")
        tables = {n: t for n, t in composed.items() if isinstance(t, Mapping)}
        for name in list(composed)[MOST_COMPOSED:]:
            tables.pop(name, None)
        program = _program(tables)
        for name, table in tables.items():
            if name != program:
                self._service(name, table)
        settings = self._program(program, tables[program]) if program else {}
        if not program:
            self._notes.append("no service is built from this folder: the program is detected")
        if len(composed) > MOST_COMPOSED:
            self._notes.append(f"only the first {MOST_COMPOSED} services were looked at")
        return Translation(settings, self._services, tuple(self._notes))

    def _note(self, name: str, what: str, why: str) -> None:
        self._notes.append(f"{name}: {what} {why}" if name else f"{what} {why}")

    def _values(self, name: str) -> Values:
        return Values(lambda what, why: self._note(name, what, why))

    def _service(self, name: str, table: Mapping[str, object]) -> None:
        """A companion, or a note on why there is none."""
        values = self._values(name)
        image = values.text(table.get("image"), "image")
        if "build" in table or not image:
            what = "it is built from files" if "build" in table else "it has no image"
            self._note(name, "is left out:", f"{what}; run that as a project of its own")
            return
        if len(self._services) == MOST_SERVICES:
            self._note(name, "is left out:", f"a project has at most {MOST_SERVICES} services")
            return
        found: dict[str, object] = {"image": image}
        found |= self._connections(table, image, values)
        env = read_environment(table.get("environment"), values)
        found |= {"env": env} if env else {}
        if "env_file" in table:
            values.note("env_file", "is not translated for a service: write its variables as env")
        command = words_or_line(table.get("command"), "command", values)
        found |= {"command": command} if command else {}
        found |= _limits(table, values)
        self._rest(table, values)
        try:
            parse_services({name: found})
        except (BadValue, DebughostError) as exc:
            self._note(name, "is left out:", f"{exc}")
            return
        self._services[name] = found

    def _connections(
        self, table: Mapping[str, object], image: str, values: Values
    ) -> Iterator[tuple[str, object]]:
        """Its port, the path of its data, and its check: of images that are not known alone."""
        is_known = kind_of_image(image) != ("", False)
        published, inner = None, None
        for port in read_ports(table.get("ports"), values):
            inner = inner or port.container
            if port.host and published is None:
                published = f"{port.host}:{port.container}"
                yield "publish", published
            elif port.host:
                values.note(f"port {port.host}:{port.container}", "is not published: one is")
        if inner and not is_known:
            yield "port", inner
        data = [v for v in read_volumes(table.get("volumes"), values) if is_named_volume(v)]
        if data and not is_known:
            yield "volume", data[0].target
        for volume in data[1:]:
            values.note(f"volume {volume.target}", "is not kept: one is")
        if not is_known:
            yield from _check(table, values)

    def _program(self, name: str, table: Mapping[str, object]) -> dict[str, object]:
        values = self._values(name)
        candidates: dict[str, object] = {}
        if "build" not in table:
            candidates["image"] = values.text(table.get("image"), "image")
        candidates["command"] = words_or_line(table.get("command"), "command", values)
        candidates |= _program_ports(table, values)
        candidates |= _limits(table, values)
        candidates |= self._env_files(table, values)
        candidates["env"] = read_environment(table.get("environment"), values)
        found = {k: v for k, v in candidates.items() if v and is_accepted(k, v, values.note)}
        for volume in read_volumes(table.get("volumes"), values):
            if is_named_volume(volume) and "node_modules" not in volume.target:
                values.note(f"volume {volume.target}", "is not kept")
        if "healthcheck" in table:
            values.note("healthcheck", "is not needed: 'up' waits until the program listens")
        self._rest(table, values)
        return found

    def _env_files(self, table: Mapping[str, object], values: Values) -> dict[str, object]:
        given = table.get("env_file")
        names = []
        for item in given if isinstance(given, list) else [given]:
            path = item.get("path") if isinstance(item, Mapping) else item
            text = values.text(path, "env_file").removeprefix("./")
            if text and self._has_file(text):
                names.append(text)
            elif text:
                values.note(f"env_file {text}", "is not a file of this folder")
        return {"env_file": names} if names else {}

    def _rest(self, table: Mapping[str, object], values: Values) -> None:
        for key in sorted(k for k in table if k not in _UNIMPORTANT and not k.startswith("x-")):
            values.note(key, "is not translated")


def _program(tables: Mapping[str, Mapping[str, object]]) -> str:
    """The service that runs this folder; of several, one that publishes a port; empty for none."""
    built = [n for n, t in tables.items() if _is_of_folder(t)]
    return next((n for n in built if tables[n].get("ports")), built[0] if built else "")


def _is_of_folder(table: Mapping[str, object]) -> bool:
    build = table.get("build")
    context = build.get("context", ".") if isinstance(build, Mapping) else build
    if build is not None:
        return context in (".", "./", None)
    image, volumes = table.get("image"), table.get("volumes")
    if not isinstance(image, str) or not isinstance(volumes, list):
        return False
    mounts = (v for v in volumes if isinstance(v, str))
    return repository_of(image) in _RUNTIMES and any(re.match(r"\./?:/", m) for m in mounts)


def _program_ports(table: Mapping[str, object], values: Values) -> dict[str, object]:
    """The first is the project's own, with a number that is the same inside and out."""
    found: dict[str, object] = {}
    further: dict[str, object] = {}
    for port in read_ports(table.get("ports"), values):
        if "port" not in found:
            found["port"] = int(port.host or port.container)
            if port.host not in ("", port.container):
                values.note(
                    f"port {port.host}:{port.container}",
                    f"is {port.host} inside as well: the program has to listen on $PORT",
                )
        else:
            further[f"port-{port.container}"] = f"{port.host or port.container}:{port.container}"
    return found | ({"ports": further} if further else {})


def _limits(table: Mapping[str, object], values: Values) -> dict[str, object]:
    deploy = table.get("deploy")
    resources = deploy.get("resources") if isinstance(deploy, Mapping) else None
    limits = resources.get("limits") if isinstance(resources, Mapping) else None
    given = limits if isinstance(limits, Mapping) else {}
    found = {
        "memory": table.get("mem_limit") or given.get("memory"),
        "cpus": table.get("cpus") or given.get("cpus"),
        "shm_size": table.get("shm_size"),
        "pids": table.get("pids_limit") or given.get("pids"),
    }
    texts = {key: values.text(value, key) for key, value in found.items()}
    return {k: v for k, v in texts.items() if v and is_accepted(k, v, values.note)}


def _check(table: Mapping[str, object], values: Values) -> Iterator[tuple[str, object]]:
    check = table.get("healthcheck")
    test = check.get("test") if isinstance(check, Mapping) else None
    if isinstance(test, list) and test[:1] in (["CMD"], ["CMD-SHELL"]):
        test = test[1:] if test[0] == "CMD" else test[1] if len(test) == 2 else None
    if test and test not in (["NONE"], "NONE"):
        ready = words_or_line(test, "healthcheck", values)
        if ready:
            yield "ready", ready
