"""Which engine: the address, from flags, variables, Docker contexts and the usual places.

The context store is read here and not by docker-py, which looks for it relative to the current
folder where there is no ``config.json``, turns a context with part of its TLS files into plain
HTTP, and answers an unknown context with the local socket.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct, field
from msgspec.structs import replace

from debughost_cli.engine.reachability import is_elsewhere
from debughost_cli.errors import (
    ContextNotFound,
    DebughostError,
    EngineNotTrusted,
    InvalidConfig,
    Usage,
)
from debughost_cli.project.engines import EngineEntry, check_named

DEFAULT_SOCKET = (
    "npipe:////./pipe/docker_engine" if os.name == "nt" else "unix:///var/run/docker.sock"
)
_PROXIES = {
    "httpProxy": "HTTP_PROXY",
    "httpsProxy": "HTTPS_PROXY",
    "ftpProxy": "FTP_PROXY",
    "noProxy": "NO_PROXY",
    "allProxy": "ALL_PROXY",
}
_SCHEMES = ("unix", "npipe", "tcp", "http", "https", "ssh")


class Address(Struct, frozen=True):
    """Where an engine is, and where that was read.

    ``source``: ``flag``, ``DOCKER_HOST``, ``DOCKER_CONTEXT``, ``context``, ``default`` or
    ``found`` (one of the places where other engines put their socket); for an engine that was
    named, ``DEBUGHOST_ENGINE``, the file of the workspace or ``engines`` (all of them).
    """

    url: str
    source: str
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    tls: bool = False
    verify: bool = True
    known_as: str = ""
    """``context NAME``, or the address of another machine: what should lead to the same engine."""
    proxies: Mapping[str, str] = field(default_factory=dict)
    """What docker sets in containers and builds of this engine."""


def resolve_address(
    host: str | None, context: str | None, environ: Mapping[str, str] | None = None
) -> Address:
    """The address, by the contract's order.

    Raises ContextNotFound, Usage, InvalidConfig, EngineNotTrusted.
    """
    env = os.environ if environ is None else environ
    found = _find(host, context, env)
    return replace(found, proxies=_proxies(found.url, env))


def resolve_name(
    name: str,
    source: str,
    engines: Mapping[str, EngineEntry],
    environ: Mapping[str, str] | None = None,
) -> Address:
    """The address of an engine by its name: of the user's ``engines``, else a Docker context.

    Raises ContextNotFound, InvalidConfig.
    """
    env = os.environ if environ is None else environ
    entry = engines.get(name)
    if entry is None:
        check_named(name, source, engines, ["default", *context_names(env)])
        found = _from_context(name, source, env)
    elif entry.context:
        found = _from_context(entry.context, source, env)
    else:
        found = _checked(entry.host, f"engines.{name}")
        found = _with_tls(found, entry.tls, verify=True) if entry.tls else found
        found = replace(found, known_as=f"engine {name}" if found.known_as else "")
    return replace(found, source=source, proxies=_proxies(found.url, env))


def _find(host: str | None, context: str | None, env: Mapping[str, str]) -> Address:
    if host and context:
        raise Usage("--host and --context exclude each other", hint="Give one of the two")
    if host:
        return _with_environment_tls(_checked(host, "flag"), env)
    if context:
        return _from_context(context, "flag", env)
    if env.get("DOCKER_HOST"):
        return _inherited(_with_environment_tls(_checked(env["DOCKER_HOST"], "DOCKER_HOST"), env))
    if env.get("DOCKER_CONTEXT"):
        return _from_context(env["DOCKER_CONTEXT"], "DOCKER_CONTEXT", env)
    current = _current_context(env)
    if current:
        return _from_context(current, "context", env)
    return next(_found(env), Address(DEFAULT_SOCKET, "default"))


def _checked(url: str, source: str) -> Address:
    """The address of a URL that was given; a bare path or ``host:port`` is completed."""
    text = url.strip()
    if text.startswith("/"):
        text = f"unix://{text}"
    elif re.fullmatch(r"[\w.-]+:\d+", text, re.ASCII):
        text = f"tcp://{text}"
    try:
        parts = urlsplit(text)
        port_ok = parts.scheme in ("unix", "npipe") or parts.port is None or parts.port > 0
    except ValueError:
        raise _malformed(url, source) from None
    place = parts.path if parts.scheme in ("unix", "npipe") else parts.hostname
    if parts.scheme not in _SCHEMES or not place or not port_ok:
        raise _malformed(url, source)
    return Address(text, source, known_as=text if is_elsewhere(text) else "")


def _malformed(url: str, source: str) -> DebughostError:
    kind = Usage if source == "flag" else InvalidConfig
    return kind(
        f"{url!r} ({source}) is not an engine's address",
        hint="Write unix:///path/to/docker.sock, tcp://host:2376 or ssh://user@host",
    )


def _inherited(address: Address) -> Address:
    """The address itself; raises EngineNotTrusted for plain TCP to another machine.

    A variable may come from anywhere; who means it gives the address as ``--host`` or in a context.
    """
    if not address.tls and address.url.startswith(("tcp:", "http:")) and is_elsewhere(address.url):
        raise EngineNotTrusted(
            f"DOCKER_HOST is {address.url}, with neither TLS nor ssh: whoever is on that network "
            "can read and change everything",
            hint="Use ssh://user@host, or TLS (DOCKER_TLS_VERIFY, DOCKER_CERT_PATH); on a network "
            f"that you trust, ask for it by name: --host {address.url}, or DEBUGHOST_HOST",
            details={"endpoint": address.url, "source": address.source},
        )
    return address


def _with_environment_tls(address: Address, env: Mapping[str, str]) -> Address:
    if not address.url.startswith(("tcp://", "https://")):
        return address
    folder = env.get("DOCKER_CERT_PATH")
    if not (env.get("DOCKER_TLS_VERIFY") or folder):
        return address
    base = Path(folder) if folder else _config_folder(env)
    return _with_tls(address, base, verify=bool(env.get("DOCKER_TLS_VERIFY")))


def _with_tls(address: Address, folder: Path, *, verify: bool) -> Address:
    files = {n: folder / f"{n}.pem" for n in ("ca", "cert", "key")}
    present = {n: f if f.is_file() else None for n, f in files.items()}
    if bool(present["cert"]) != bool(present["key"]):
        raise InvalidConfig(
            f"the TLS files in {folder} are not complete",
            hint="Both cert.pem and key.pem are needed, or neither",
        )
    return replace(
        address,
        ca=present["ca"],
        cert=present["cert"],
        key=present["key"],
        tls=True,
        verify=verify,
    )


def _config_folder(env: Mapping[str, str]) -> Path:
    return Path(env.get("DOCKER_CONFIG") or Path(env.get("HOME") or Path.home()) / ".docker")


def _config(env: Mapping[str, str]) -> Mapping[str, object]:
    try:
        config = json.loads((_config_folder(env) / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}


def _proxies(url: str, env: Mapping[str, str]) -> dict[str, str]:
    """Those of this engine's address, else the default ones, as variables in both cases."""
    tables = _config(env).get("proxies")
    found = tables.get(url, tables.get("default")) if isinstance(tables, dict) else None
    table = found if isinstance(found, dict) else {}
    variables: dict[str, str] = {}
    for key, name in _PROXIES.items():
        value = table.get(key)
        if isinstance(value, str) and value and "\0" not in value:
            variables |= {name: value, name.lower(): value}
    return variables


def _current_context(env: Mapping[str, str]) -> str | None:
    name = _config(env).get("currentContext")
    return name if isinstance(name, str) and name not in ("", "default") else None


def _from_context(name: str, source: str, env: Mapping[str, str]) -> Address:
    if name == "default":
        return Address(DEFAULT_SOCKET, source)
    folder = _config_folder(env) / "contexts"
    digest = hashlib.sha256(name.encode()).hexdigest()
    try:
        meta = json.loads((folder / "meta" / digest / "meta.json").read_text("utf-8"))
        endpoint = meta["Endpoints"]["docker"]
        address = _checked(str(endpoint["Host"]), "context")
        address = replace(address, source=source, known_as=f"context {name}")
    except OSError:
        raise _no_context(name, source, folder) from None
    except (ValueError, KeyError, TypeError) as exc:
        raise InvalidConfig(
            f"the Docker context {name!r} cannot be read: {exc}",
            hint=f"Make it again: docker context rm {name}; docker context create {name} ...",
        ) from None
    tls = folder / "tls" / digest / "docker"
    if tls.is_dir():
        return _with_tls(address, tls, verify=not endpoint.get("SkipTLSVerify"))
    return address


def _no_context(name: str, source: str, folder: Path) -> ContextNotFound:
    known = sorted(_names_in(folder))
    return ContextNotFound(
        f"there is no Docker context {name!r} ({source})",
        hint=f"Known contexts: {', '.join(['default', *known])}",
        details={"context": name, "known": ["default", *known]},
    )


def context_names(env: Mapping[str, str]) -> list[str]:
    """The Docker contexts of this user, but for the default one, which is always there."""
    return sorted(_names_in(_config_folder(env) / "contexts"))


def _names_in(folder: Path) -> Iterator[str]:
    for meta in (folder / "meta").glob("*/meta.json"):
        try:
            name = json.loads(meta.read_text("utf-8")).get("Name")
        except (OSError, ValueError, AttributeError):
            continue
        if isinstance(name, str):
            yield name


def _found(env: Mapping[str, str]) -> Iterator[Address]:
    """The default socket, then where other engines put theirs; the first that exists."""
    if os.name == "nt":
        return
    home = Path(env.get("HOME") or Path.home())
    runtime = Path(env.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    places = [
        home / ".docker/run/docker.sock",
        home / ".docker/desktop/docker.sock",
        runtime / "docker.sock",
        home / ".colima/default/docker.sock",
        home / ".colima/docker.sock",
        runtime / "podman/podman.sock",
        Path("/run/podman/podman.sock"),
    ]
    if _is_socket(Path(DEFAULT_SOCKET.removeprefix("unix://"))):
        yield Address(DEFAULT_SOCKET, "default")
    for place in places:
        if _is_socket(place):
            yield Address(f"unix://{place}", "found")


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.stat().st_mode)
    except OSError:
        return False
