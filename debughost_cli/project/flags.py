"""What the command line of ``up`` gives, and how it is kept for later runs."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import asdict, replace


class Flags(Struct, frozen=True):
    """What the command line of ``up`` gave, not parsed yet; None where it gave nothing."""

    project: str | None = None
    type: str | None = None
    image: str | None = None
    runtime: str | None = None
    port: str | None = None
    ports: tuple[str, ...] | None = None
    cpus: str | None = None
    memory: str | None = None
    pids: str | None = None
    shm_size: str | None = None
    restart: str | None = None
    dependencies: bool | None = None
    compilers: bool | None = None
    isolated: bool | None = None
    swarm: bool | None = None
    debug: bool | None = None
    shared_cache: bool | None = None
    allow_nested: bool | None = None
    wait_timeout: float | None = None
    install_timeout: float | None = None
    stable: float | None = None
    command: tuple[str, ...] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    def to_label(self) -> str:
        """JSON for the label of the container, which everyone can read: of variables the names."""
        kept: dict[str, object] = {
            name: value
            for name, value in asdict(self).items()
            if value is not None and name not in ("project", *_WAITS, "environment")
        }
        kept |= {"command": list(self.command or ()), "env": sorted(self.environment)}
        return json.dumps(kept, sort_keys=True)

    def over(self, earlier: Flags) -> Flags:
        """These, and of ``earlier`` what is not given again; variables and ports one by one."""
        kept = {
            name: getattr(earlier, name)
            for name in self.__struct_fields__
            if getattr(self, name) is None and name not in ("project", *_WAITS)
        }
        environment = {**earlier.environment, **self.environment}
        words = (*(earlier.ports or ()), *(self.ports or ()))
        ports = tuple({port_name(word): word for word in words}.values()) or None
        return replace(self, **(kept | {"ports": ports, "environment": environment}))

    def words(self) -> tuple[str, ...]:
        """As they would be typed, of variables the names: ``--memory 4g``, ``-e DEBUG``."""
        found = [
            f"--{name.replace('_', '-')} {shlex.quote(getattr(self, name))}"
            for name in self.__struct_fields__
            if name not in (*_NOT_TEXT, "project") and getattr(self, name) is not None
        ]
        given = {name: getattr(self, name) for name in _SWITCHES}
        found += [_SWITCHES[name][value] for name, value in given.items() if value is not None]
        found += [f"--publish {shlex.quote(word)}" for word in self.ports or ()]
        found += [f"-e {name}" for name in sorted(self.environment)]
        return (*found, f"-- {shlex.join(self.command)}") if self.command else tuple(found)

    @staticmethod
    def has_variables(label: str) -> bool:
        """Whether ``from_label`` needs the container's environment for what ``to_label`` wrote."""
        return bool(_list(_label(label).get("env")))

    @classmethod
    def from_label(cls, label: str, environment: Mapping[str, str]) -> Flags:
        """What ``to_label`` wrote, without anything that this version does not know.

        ``environment``: the container's, which holds the values of the variables.
        """
        kept = _label(label)
        texts = {name: kept.get(name) for name in cls.__struct_fields__ if name not in _NOT_TEXT}
        switches = {name: kept[name] for name in _SWITCHES if isinstance(kept.get(name), bool)}
        variables = [str(name) for name in _list(kept.get("env"))]
        make: Callable[..., Flags] = cls
        return make(
            command=tuple(map(str, _list(kept.get("command")))) or None,
            ports=tuple(map(str, _list(kept.get("ports")))) or None,
            environment={name: environment[name] for name in variables if name in environment},
            **switches,
            **{name: value for name, value in texts.items() if isinstance(value, str)},
        )


def port_name(word: str) -> str:
    """The name of a port on the command line: its own, else the number that it has inside."""
    name, equals, numbers = word.rpartition("=")
    return name if equals else numbers.removesuffix("/tcp").rpartition(":")[2].rstrip("+")


def _label(text: str) -> Mapping[str, object]:
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


_SWITCHES: Mapping[str, tuple[str, str]] = {
    "dependencies": ("--no-deps", "--deps"),
    "compilers": ("--no-compilers", "--compilers"),
    "isolated": ("--no-isolated", "--isolated"),
    "swarm": ("--no-swarm", "--swarm"),
    "debug": ("--no-debug", "--debug"),
    "shared_cache": ("--no-shared-cache", "--shared-cache"),
    "allow_nested": ("", "--allow-nested"),
}
"""How each is typed where it is off and on."""
_WAITS = ("wait_timeout", "install_timeout", "stable")
_NOT_TEXT = {*_SWITCHES, *_WAITS, "command", "environment", "ports"}


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()
