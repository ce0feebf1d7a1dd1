"""The values of a devcontainer.json: its variables, ports, and arguments for ``docker run``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from debughost_cli.names import WORKDIR
from debughost_cli.project.compose_values import Values, read_environment, read_ports

_VARIABLE = re.compile(
    r"\$\{(?P<name>\w{1,80})(?::(?P<of>[\w.-]{1,200}))?(?::(?P<default>[^{}]*))?\}"
)
_MOST = 200
"""How many entries of a list are read."""
_SHORT = {"-m": "--memory", "-e": "--env", "-p": "--publish", "-v": "--volume", "-h": "--hostname"}
_LIMITS = {"--memory": "memory", "--cpus": "cpus", "--shm-size": "shm_size", "--pids-limit": "pids"}
_UNIMPORTANT = frozenset({"--name", "--hostname", "--label", "-l", "--user", "-u"})
_ALONE = frozenset({"--init", "--rm", "--privileged", "-it", "-i", "-t", "-d"})
"""Options without a value."""


class DevcontainerValues(Values):
    """Makes text of what the file says. ``folder``: the name of the workspace's folder."""

    def __init__(self, note: Callable[[str, str], None], folder: str, mounted: object) -> None:
        super().__init__(note)
        inside = f"/workspaces/{folder}"
        self._known = {
            "containerWorkspaceFolder": WORKDIR,
            "containerWorkspaceFolderBasename": WORKDIR.strip("/"),
            "localWorkspaceFolderBasename": folder,
        }
        self._mounted: tuple[str, ...] = (inside,)
        given = self.text(mounted, "workspaceFolder")
        if given.startswith("/") and given.strip("/"):
            self._mounted = (given.rstrip("/"), inside)

    def text(self, value: object, key: str) -> str:
        """With the workspace where it is here; empty, and noted, where it needs the host's."""
        text = self.checked(value, key)
        missing: list[str] = []

        def found(match: re.Match[str]) -> str:
            known = self._known.get(match["name"], match["default"])
            if known is None:
                missing.append(match[0])
            return known or ""

        text = _VARIABLE.sub(found, text)
        if missing:
            self.note(key, f"is left out: {_advice(missing[0], key)}")
            return ""
        for folder in self._mounted:
            text = re.sub(rf"{re.escape(folder)}(?![\w-])", WORKDIR, text)
        return text


def _advice(variable: str, key: str) -> str:
    if variable.startswith(("${localEnv:", "${env:")):
        name = variable.partition(":")[2].rstrip("}")
        given = key if name == key else f'{key}="${name}"'
        return f"{variable} is of this machine; 'debughost up -e {given}' gives it"
    return f"{variable} is not known here"


def read_forwards(given: list[object], values: DevcontainerValues) -> Iterator[tuple[int, str]]:
    """Each port in the container, and the number on the host or empty, with none twice.

    ``given``: numbers, ``HOST:CONTAINER``, and ``SERVICE:PORT``, which is noted.
    """
    seen = set()
    for item in given[:_MOST]:
        text = str(item) if isinstance(item, int) and not isinstance(item, bool) else item
        host = text.partition(":")[0] if isinstance(text, str) and ":" in text else ""
        if re.match(r"[A-Za-z]", host) and host != "localhost":
            values.note(f"port {text}", "is of a service: publish it in [services.NAME]")
            continue
        for port in read_ports([text], values):
            if int(port.container) not in seen:
                seen.add(int(port.container))
                yield int(port.container), port.host


def read_run_arguments(
    arguments: object, values: DevcontainerValues
) -> tuple[dict[str, object], list[str]]:
    """Settings of what ``docker run`` is given, and ports as it has them; the rest is noted."""
    found: dict[str, object] = {}
    ports: list[str] = []
    variables: list[str] = []
    for option, value in _options(arguments, values):
        if option in _LIMITS:
            found[_LIMITS[option]] = value
        elif option == "--env":
            variables.append(value)
        elif option == "--publish":
            ports.append(value)
        elif option not in _UNIMPORTANT | _ALONE or option == "--privileged":
            values.note(f"runArgs {option}", "is not translated")
    env = read_environment(variables, values)
    return found | ({"env": env} if env else {}), ports


def _options(arguments: object, values: DevcontainerValues) -> Iterator[tuple[str, str]]:
    given = arguments[:_MOST] if isinstance(arguments, list) else []
    words = iter(given)
    for word in words:
        text = values.text(word, "runArgs")
        option, sign, value = text.partition("=")
        option = _SHORT.get(option, option)
        if option.startswith("-") and not sign and option not in _ALONE:
            value = values.text(next(words, None), f"runArgs {option}")
        if option:
            yield option, value
