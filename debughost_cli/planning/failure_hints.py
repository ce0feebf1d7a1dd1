"""What to do about failures whose cause stands in a project's last lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from debughost_cli.project.version_ranges import Notation, newest_line

_TLS = (
    r"SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_GET_ISSUER_CERT"
    r"|UNABLE_TO_VERIFY_LEAF_SIGNATURE|certificate[ _]verify[ _]failed|invalid peer certificate"
    r"|certificate verification failed|SSL certificate problem|self[- ]signed certificate"
)
_DNS = (
    r"EAI_AGAIN|ENOTFOUND|temporary failure in name resolution|could not resolve host"
    r"|name or service not known|failed to lookup address|NameResolutionError"
    r"|Failed to resolve '"
)
_NO_MANAGER = (
    r"^(?:env: |sh: |/\S*install: )(?:line )?(?:\d+: )?\W?(npm|pnpm|yarn|composer|uv|poetry)\W?:"
    r" (?:not found|command not found|No such file)"
)
_FROM_SOURCE = (
    r"failed building wheel for (\S+)|failed to build (?:installable wheels for )?`?([\w.-]+)"
    r"|command '\S*(?:gcc|cc|g\+\+|cmake)' failed|pg_config executable not found"
    r"|mysql_config|fatal error: \S+\.h: No such file"
)
_OTHER_PYTHON = (
    r"requires a different Python: (?P<has>\S+) not in '(?P<wants>[^']+)'"
    r"|Python version (?P<has2>\S+) is not supported by the project \((?P<wants2>[^)]+)\)"
    r"|current Python version \((?P<has3>[^)]+)\) does not satisfy Python(?P<wants3>[^\s,]\S*)"
    r"|Python (?P<has4>[\d.]+), which is incompatible with the project's Python requirement: "
    r"`(?P<wants4>[^`]+)"
)
_OTHER_NODE = (
    r'engine "?node"? is incompatible with this module\. Expected version "(?P<wants>[^"]+)"'
    r"(?:\. Got \"(?P<has>[^\"]+)\")?"
    r"|ERR_PNPM_UNSUPPORTED_ENGINE|notsup Unsupported engine|EBADENGINE"
)
_PEERS = r"npm (?:error|ERR!) (?:code )?ERESOLVE|--force,? or --legacy-peer-deps"
_CONFLICT = (
    r"ResolutionImpossible|No solution found when resolving|version solving failed"
    r"|Your requirements could not be resolved to an installable set"
)
_OUTDATED_LOCK_FILES = {
    r"debughost: the lock file does not match package\.json": "npm install --package-lock-only",
    r"ERR_PNPM_OUTDATED_LOCKFILE|pnpm install --lockfile-only": "pnpm install --lockfile-only",
    r"Your lockfile needs to be updated": "yarn install",
    r"YN0028: .*The lockfile would have been": "yarn install --mode=update-lockfile",
    r"since poetry\.lock was last generated|poetry\.lock is not up to date": "poetry lock",
    r"in the lock file as .* does not satisfy|is not present in the lock file": "composer update",
}
_WATCHES = r"number of file watchers|inotify"
_SHARED_MEMORY = r"\bshm\b|shared memory"
_NO_SPACE = r"no space left on device|\bENOSPC\b|bus error"

_TAKEN = re.compile(
    r"^(?:\[ *(?P<label>[^\]\s][^\]]{0,40}?) *\] |(?P<task>[@\w./-]+[:#][\w:-]+): )?"
    r"(?P<line>.*(?:EADDRINUSE|address already in use|\bport \d+ is (?:already )?in use).*)$",
    re.IGNORECASE | re.MULTILINE,
)
"""With the name that concurrently, npm-run-all or turbo puts before the lines of each program."""
_PORT = re.compile(r"(?:[:,]|\bport:?) ?(\d{2,5})\b", re.IGNORECASE)
_PORT_BELOW = re.compile(r"\bport: (\d{2,5})\b")

_Hint = Callable[[re.Match[str]], str]


def is_other_limit(text: str) -> bool:
    """Whether a lack of space that a text reports is one of watches or of shared memory."""
    return bool(_found(_WATCHES, text) or _found(_SHARED_MEMORY, text))


def cannot_resolve(lines: Iterable[str]) -> bool:
    """Whether a name could not be looked up."""
    return bool(_found(_DNS, "\n".join(lines)))


def install_hint(lines: Iterable[str], bundle: str = "") -> str:
    """For an install that failed; empty where nothing is recognised.

    ``bundle``: the file of certificates that the user's own tools trust, or empty.
    """
    text = "\n".join(lines)
    return (
        _first(text, ((_NO_MANAGER, _manager_hint),))
        or _lock_file_hint(text)
        or _tls_hint(text, bundle)
        or _first(text, ((_DNS, _dns_hint),))
        or program_hint(text.splitlines())
        or _first(text, ((_OTHER_PYTHON, _python_hint), (_OTHER_NODE, _node_hint)))
        or _first(text, ((_PEERS, _peers_hint), (_CONFLICT, _conflict_hint)))
        or _first(text, ((r"gyp ERR!", _gyp_hint), (_FROM_SOURCE, _source_hint)))
    )


def program_hint(lines: Iterable[str]) -> str:
    """For a program that ended; empty where nothing is recognised."""
    lines = list(lines)
    text = "\n".join(lines)
    if _found(r"ERR_OSSL_EVP_UNSUPPORTED|envelope routines::unsupported", text):
        return (
            "Its tools are made for Node.js 16 or older: use --image node:16, or "
            "-e NODE_OPTIONS=--openssl-legacy-provider"
        )
    if _found(_NO_SPACE, text) or _found(r"number of file watchers", text):
        if _found(_WATCHES, text):
            return (
                "The limit of watched files is reached, not the disk: on the engine's machine, "
                "sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=1024"
            )
        if _found(_SHARED_MEMORY, text):
            return "It is not the disk that is full but /dev/shm: raise it, as in --shm-size 512m"
    return taken_port(lines)


def taken_port(lines: Iterable[str]) -> str:
    """Where two programs of a project want one port, which one failed and what helps; else empty.

    A container has its ports for itself, so that nothing else can have taken it.
    """
    text = "\n".join(lines)
    # Some take another one by themselves, and say so.
    failed = (m for m in _TAKEN.finditer(text) if not _found(r"trying|instead", m["line"]))
    found = next(failed, None)
    if not found:
        return ""
    name = found["label"] or found["task"]
    # Node.js says it again below, with the number in a line of its own.
    number = _PORT.search(found["line"]) or _PORT_BELOW.search(text, found.end())
    port = int(number[1]) if number else 0
    who = f"The program {name!r}" if name else "A program"
    other = port + 1 if port else "N"
    return (
        f"{who} could not listen on {f'port {port}' if port else 'its port'}: another one of this "
        "project has it already. All of them have the same PORT: give each of the others one of "
        f"its own in its script (PORT={other}), and publish that with --publish {other}"
    )


def _tls_hint(text: str, bundle: str) -> str:
    if not _found(_TLS, text):
        return ""
    named = f"; here, DEBUGHOST_CA_BUNDLE={bundle} is what your own tools trust" if bundle else ""
    return (
        "The container does not trust a certificate: set DEBUGHOST_CA_BUNDLE, or ca_bundle, to a "
        f"PEM file with your root certificates{named}"
    )


def _manager_hint(found: re.Match[str]) -> str:
    return (
        f"The image has no {found[1]}: use one that has it, or leave out --image: the base images "
        "have it, and can be built upon another image ('debughost images build --base')"
    )


def _dns_hint(_: re.Match[str]) -> str:
    return (
        "The container cannot resolve names: check the engine's DNS, and that a VPN, a proxy or a "
        "firewall lets its network out; --no-deps starts without an install"
    )


def _python_hint(found: re.Match[str]) -> str:
    return _versions("Python", "python", found, 2, Notation.PEP440, Notation.POETRY)


def _node_hint(found: re.Match[str]) -> str:
    return _versions("Node.js", "node", found, 1, Notation.NPM)


def _versions(name: str, image: str, found: re.Match[str], parts: int, *notations: Notation) -> str:
    groups = {k.rstrip("234"): v for k, v in found.groupdict().items() if v}
    wants, has = groups.get("wants", "").rstrip(".,"), groups.get("has", "")
    needed = f"{name} {wants}" if wants else f"another version of {name}"
    here = f", the image has {has}" if has else ""
    lines = (newest_line(wants, notation, parts) for notation in notations)
    line = next(filter(None, lines), "VERSION")
    return f"The project needs {needed}{here}: choose one with --image {image}:{line}"


def _lock_file_hint(text: str) -> str:
    update = next((c for pattern, c in _OUTDATED_LOCK_FILES.items() if _found(pattern, text)), "")
    if not update:
        return ""
    return f"The manifest was changed without its lock file: run '{update}' in the workspace"


def _peers_hint(_: re.Match[str]) -> str:
    return (
        "Packages ask for versions of each other that exclude one another: change them in "
        "package.json, or let npm pass over that with -e npm_config_legacy_peer_deps=true"
    )


def _conflict_hint(_: re.Match[str]) -> str:
    return (
        "The package manager found no versions that fit together: change those in the manifest "
        "that its output names"
    )


def _source_hint(found: re.Match[str]) -> str:
    package = next(filter(None, found.groups()), "") or "A package"
    return (
        f"{package} has no wheel for the image's Python and is compiled: --compilers gives the "
        "image with compilers; else use a newer release of it, or an older Python: "
        "--image python:3.11"
    )


def _gyp_hint(_: re.Match[str]) -> str:
    return (
        "A package is compiled here: --compilers gives the image with compilers and Python; "
        "older packages may need an older Node.js, as in --image node:20"
    )


def _first(text: str, table: Iterable[tuple[str, _Hint]]) -> str:
    hints = (hint(found) for pattern, hint in table if (found := _found(pattern, text)))
    return next(hints, "")


def _found(pattern: str, text: str) -> re.Match[str] | None:
    return re.search(pattern, text, re.IGNORECASE | re.MULTILINE)
