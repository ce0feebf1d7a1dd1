"""Why ssh could not be used, in its own words, with what to do about it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from debughost_cli.engine.reachability import (
    not_trusted,
    permission_denied,
    unavailable,
    unreachable,
)
from debughost_cli.errors import DebughostError
from debughost_cli.resources import EngineInfo

_NOT_THERE = (
    "could not resolve hostname", "connection timed out", "no route to host",
    "network is unreachable", "host is down",
)  # fmt: skip
"""Trying again at once would end the same, after as long a wait."""


def ssh_missing(info: EngineInfo, why: str) -> DebughostError:
    """There is no ssh command."""
    return unavailable(info, f"ssh cannot be run: {why}", "Install the OpenSSH client")


def ssh_failed(
    info: EngineInfo, destination: Sequence[str], said: str, code: int
) -> DebughostError:
    """``destination``: the words of the ssh command. ``said``: what ssh wrote on stderr."""
    # The first lines of a changed key are a frame of "@" around a headline.
    lines = [line.strip() for line in said.splitlines() if line.strip(" @\r")]
    text = said.lower()
    last = lines[-1] if lines else f"ssh ended with {code}"
    by_hand = _by_hand(destination)
    if "identification has changed" in text:
        changed = next((line for line in lines if "has changed and" in line), "")
        return not_trusted(info, f"{changed} {last}".strip(), _forget(destination))
    if "host key verification failed" in text or "host key is known" in text:
        hint = f"Log in by hand once, and check the key that it shows: {by_hand}"
        return not_trusted(info, last, hint)
    if "permission denied" in text:
        denied = next(line for line in reversed(lines) if "ermission denied" in line)
        hint = f"It must work without a question (ssh-add, ssh-copy-id): {by_hand} true"
        return permission_denied(f"{info.endpoint}: {denied}", hint)
    hint = f"See what it says by hand: {by_hand} true"
    if any(words in text for words in _NOT_THERE):
        return unreachable(info, last, hint)
    return unavailable(info, last, hint)


def _by_hand(destination: Sequence[str]) -> str:
    """The command that a user would type."""
    options = dict(zip(destination[:-2:2], destination[1:-2:2], strict=True))
    host = destination[-1]
    port = ["-p", options["-p"]] if "-p" in options else []
    return shlex.join(["ssh", *port, f"{options['-l']}@{host}" if "-l" in options else host])


def _forget(destination: Sequence[str]) -> str:
    """What to do about a key that changed."""
    host = destination[-1]
    if "-p" in destination:
        host = f"[{host}]:{destination[destination.index('-p') + 1]}"
    return (
        "Somebody may listen in, or the machine was installed again: if you know that it was, "
        f"forget its old key with: ssh-keygen -R {shlex.quote(host)}"
    )


def no_forward(info: EngineInfo, host: str, place: str, refusal: str) -> DebughostError:
    """Nothing comes through the forward, and there is no docker to connect in its place."""
    return unavailable(
        info,
        f"ssh does not forward {place or 'a socket'} of {host} ({refusal or 'refused'}), and there "
        "is no docker command to connect in its place",
        f"On {host}: allow it in sshd_config (AllowStreamLocalForwarding), or install Docker's "
        "command; and see that the engine runs",
    )


def no_socket(info: EngineInfo, host: str, kind: str, place: str) -> DebughostError:
    """There is no engine for this user on the machine. ``kind`` and ``place``: what was found."""
    if kind == "denied":
        hint = f"On {host}: sudo usermod -aG docker $USER, then log in there again"
        return permission_denied(f"{info.endpoint}: {place} may not be opened by its user", hint)
    if kind == "other":
        why = f"docker on {host} uses {place}, which is no socket of that machine"
        return unavailable(info, why, "Give that address with --host, or ssh://user@host/SOCKET")
    hint = f"Start Docker on {host}, or name its socket: ssh://user@host/PATH/docker.sock"
    return unavailable(info, f"there is no socket {place or 'of an engine'} on {host}", hint)
