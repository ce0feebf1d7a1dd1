"""The table from an engine's refusals to errors: status and pattern; the first row that fits.

No other module matches the wording of engines and registries. The messages are those of moby
(20.10 to 29) and of Podman's service; ``tests/data/*/refusals.json`` has recorded ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from debughost_cli import errors
from debughost_cli.engine.no_entry import NO_ENTRY, NO_ENTRY_HINT, NO_ENTRY_PREFIX
from debughost_cli.engine.no_manager import NO_MANAGER, NO_MANAGER_HINT, NO_MANAGER_PREFIX
from debughost_cli.engine.port_types import (
    Conflict,
    ContainerCorrupted,
    DiskUsageBusy,
    ImageMissing,
    LogsUnsupported,
    NotFound,
    NotPaused,
    RemovalInProgress,
)
from debughost_cli.engine.reachability import not_writable, permission_denied
from debughost_cli.engine.setup_faults import HINT, PREFIX, SETUP_FAULT
from debughost_cli.planning.disk_full import DISK_FULL


class Refusal(NamedTuple):
    """An answer that is no success. ``status``: 0 where it came inside a stream.

    ``doing`` completes "while ..."; ``image``: the image that a pull or a build needs.
    """

    status: int
    text: str
    doing: str
    image: str = ""


Factory = Callable[[Refusal], errors.DebughostError]


class Rule(NamedTuple):
    """A row of a table: ``statuses`` None for any, and a pattern that is searched in the text."""

    statuses: range | None
    pattern: str  # Compiled where it is needed: most runs of the program get no refusal.
    make: Factory

    def matches(self, refusal: Refusal) -> bool:
        by_status = self.statuses is None or refusal.status in self.statuses
        return by_status and re.search(self.pattern, refusal.text, re.IGNORECASE) is not None


def _rule(statuses: range | int | None, make: Factory, *patterns: str) -> Rule:
    """Patterns are alternatives, in any case; none of them: any text."""
    accepted = range(statuses, statuses + 1) if isinstance(statuses, int) else statuses
    return Rule(accepted, "|".join(patterns), make)


def _first(rules: Sequence[Rule], refusal: Refusal) -> errors.DebughostError:
    return next(rule.make(refusal) for rule in rules if rule.matches(refusal))


def from_answer(status: int, text: str, doing: str) -> errors.DebughostError:
    """The error for an HTTP status and the engine's explanation."""
    return _first(_RULES, Refusal(status, str(text).strip(), doing))


def from_stream(text: str, doing: str) -> errors.DebughostError:
    """The error for a message inside a progress stream; its operation knows what it means."""
    return _first(_STREAM_RULES, Refusal(0, text, doing))


def image_unavailable(ref: str, text: str) -> errors.DebughostError:
    """Why an image could not be pulled, from the registry's or the engine's message."""
    return _first(_IMAGE_RULES, Refusal(0, text, "pulling an image", ref))


def build_failed(base: str, exc: errors.EngineError) -> errors.DebughostError:
    """Why an image could not be built: a base that cannot be pulled, or a step that failed."""
    text = exc.engine_message or exc.message
    return _first(_BUILD_RULES, Refusal(exc.http_status or 0, text, "building an image", base))


def network_in_use(text: str) -> errors.InUse:
    """A network that cannot be removed yet."""
    return errors.InUse(
        f"the network is in use: {text}",
        hint="Remove what is attached to it first; 'debughost network inspect' lists it",
        details={"engine": text},
    )


def disk_full(text: str) -> errors.DiskFull:
    """The engine's disk is full, and what may free some of it."""
    return errors.DiskFull(
        f"the engine's disk is full: {text[:300]}",
        hint="See what uses it with 'docker system df'; "
        "'debughost volumes prune' removes unused dependency volumes",
        details={"engine": text[:1000]},
    )


def _engine_error(cls: type[errors.EngineError], hint: str = "", prefix: str = "") -> Factory:
    def make(refusal: Refusal) -> errors.EngineError:
        return cls(
            prefix + (refusal.text or f"{cls.__name__} while {refusal.doing}"),
            hint=hint,
            http_status=refusal.status,
            engine_message=refusal.text,
        )

    return make


def _error(cls: type[errors.DebughostError], hint: str = "", prefix: str = "") -> Factory:
    return lambda refusal: cls(prefix + refusal.text, hint=hint, details={"engine": refusal.text})


def _in_stream(refusal: Refusal) -> errors.EngineError:
    return errors.EngineError(refusal.text, engine_message=refusal.text)


def _not_ready(refusal: Refusal) -> errors.EngineUnavailable:
    return errors.EngineUnavailable(
        f"the engine is not ready ({refusal.status}) while {refusal.doing}: {refusal.text}",
        hint="Try again in a moment; 'debughost doctor' checks more",
    )


def _unknown(refusal: Refusal) -> errors.EngineError:
    status, text, doing, _ = refusal
    return errors.EngineError(
        f"the engine answered {status or 'an error'} while {doing}: {text[:500]}",
        hint="Run again with --verbose to see the requests",
        details={"status": status},
        http_status=status,
        engine_message=text,
    )


def _image(reason: str, hint: str, *, retryable: bool = False) -> Factory:
    return lambda refusal: errors.ImageNotFound(
        f"image {refusal.image} is neither on the engine nor can it be pulled "
        f"({reason.replace('_', ' ')}): {refusal.text[:300]}",
        hint=hint,
        details={"image": refusal.image, "reason": reason, "engine": refusal.text[:500]},
        retryable=retryable,
    )


def _build_step(refusal: Refusal) -> errors.EngineError:
    return errors.EngineError(
        f"the image could not be built: {refusal.text[:500]}",
        hint="Run 'debughost images build --verbose' to see each step",
        engine_message=refusal.text,
    )


_CHANGED = "Another client seems to change the same objects: check 'debughost status', try again"

_full = Rule(None, DISK_FULL, lambda refusal: disk_full(refusal.text))
_unknown_image = _image("unknown", "Check the name and tag; 'docker images' lists what is here")

_WRONG_STATE = r"container state improper|name is already in use|container \w+ is not running"
_RULES = (
    _full,
    _rule(
        None,
        _error(errors.PortInUse),
        "port is already allocated|address already in use|ports are not available",
    ),
    _rule(
        None,
        _error(errors.NetworkConflict),
        "pool overlaps|overlaps with|conflicts with network|networks have overlapping"
        "|subnet .* is already used",
    ),
    _rule(None, lambda r: network_in_use(r.text), "has active endpoints|network is being used"),
    _rule(
        None,
        _error(errors.InUse, "Remove the containers that use it first", "the volume is in use: "),
        "volume is in use|volume is being used",
    ),
    _rule(None, _engine_error(NotFound, _CHANGED), "rwlayer.* is unexpectedly nil"),  # Going.
    _rule(
        None,
        _error(
            errors.InvalidConfig,
            "Set --cpus or --memory to what the engine has",
            "the engine refuses the limits: ",
        ),
        "range of cpus is from|minimum memory limit",
    ),
    _rule(
        None,
        _error(
            errors.InvalidWorkspace,
            "'debughost up --recreate' finds out again whether the engine sees the workspace",
            "the engine does not have a folder or file of this machine: ",
        ),
        "bind source path does not exist",
    ),
    _rule(
        None,
        _error(
            errors.InvalidConfig,
            "Write it as name:tag, in lower case",
            "not the name of an image: ",
        ),
        "invalid reference format",
    ),
    _rule(None, _engine_error(LogsUnsupported), "does not support reading"),
    # Engine 20.10 measures for one client at a time; Podman fails where a volume goes meanwhile.
    _rule(None, _engine_error(DiskUsageBusy), r"disk usage .* already running|lstat \S+/volumes/"),
    _rule(None, _engine_error(NotPaused), "is not paused"),
    _rule(None, _engine_error(RemovalInProgress), "removal of container .* already in progress"),
    # An engine was killed while it started one: moby issues 36145, 39630, 50040; seen on 20.10.
    _rule(
        None,
        _engine_error(
            ContainerCorrupted,
            "Recreate the container with 'debughost up --recreate'",
            "the engine lost track of the container's processes when it ended: ",
        ),
        "task [0-9a-f]+: already exists|container with (given )?id (already )?exists"
        "|id already in use|failed to start shim: mkdir .*: file exists",
    ),
    _rule(None, _engine_error(errors.EngineError, HINT, PREFIX), SETUP_FAULT),
    _rule(None, lambda r: not_writable(r.text), "read-only file system|marked read-only"),
    _rule(None, _error(errors.StartFailed, NO_ENTRY_HINT, NO_ENTRY_PREFIX), NO_ENTRY),
    _rule(
        None,
        _error(
            errors.StartFailed,
            "The image must have /bin/sh and be built for the engine's architecture; "
            "choose another with --image",
            "the engine could not start the container: ",
        ),
        "oci runtime|runc create failed|failed to create shim|failed to create task|crun:"
        "|exec format error",
    ),
    _rule(404, _engine_error(ImageMissing), "no such image", "image not known"),
    _rule(404, _engine_error(NotFound, _CHANGED)),
    _rule(409, _engine_error(Conflict, _CHANGED)),
    # Podman has 500 for these, Docker for a command in what has just ended.
    _rule(500, _engine_error(NotFound, _CHANGED), "network not found"),
    _rule(500, _engine_error(Conflict, _CHANGED), _WRONG_STATE),
    _rule(range(401, 404), lambda refusal: permission_denied(refusal.text), "permission denied"),
    _rule(None, _error(errors.NotAManager, NO_MANAGER_HINT, NO_MANAGER_PREFIX), NO_MANAGER),
    _rule(429, _not_ready),
    _rule(range(502, 505), _not_ready),
    _rule(None, _unknown),
)
_STREAM_RULES = (_full, _rule(None, _in_stream))
_IMAGE_RULES = (
    _full,
    _rule(
        None,
        _image(
            "rate_limited",
            "Try again later, or log in for a higher limit: docker login",
            retryable=True,
        ),
        "toomanyrequests|too many requests|rate limit",
    ),
    _rule(
        None,
        _image(
            "registry_unreachable",
            "Check the network or proxy of the engine; an image that is already on it can be "
            "used with --image, or as a base with 'debughost images build TYPE --base REF'",
        ),
        r"dial tcp|no such host|i/o timeout|connection refused|tls handshake timeout"
        r"|client\.timeout exceeded|request canceled|network is unreachable|proxyconnect"
        r"|x509:|: eof|unexpected eof|connection reset by peer",
    ),
    # Registries answer so for repositories that do not exist.
    _rule(None, _unknown_image, "may require 'docker login'"),
    _rule(
        None,
        _image("unauthorized", "Log in first: docker login"),
        "unauthorized|authentication required|no basic auth|access forbidden",
    ),
    _rule(None, _unknown_image),
)
_BUILD_RULES = (
    _rule(None, _build_step, "returned a non-zero code"),
    _rule(
        None,
        lambda refusal: _first(_IMAGE_RULES, refusal),
        "manifest|pull access denied|not found|no such image|dial tcp|registry|repository"
        "|toomanyrequests|too many requests|rate limit",
    ),
    _rule(None, _build_step),
)
