"""Which engine a context or an address led to, as ssh knows hosts by their keys.

Kept for this user in a file; an engine of this machine that nobody named is not looked up.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from debughost_cli.errors import EngineChanged, Usage
from debughost_cli.names import rfc3339
from debughost_cli.private_folder import private_folder

if TYPE_CHECKING:
    from debughost_cli.engine.port import Engine

_MAX_ENGINES = 1000


def checked_identity(engine: Engine) -> str:
    """The identity of an engine on which something is to be changed. Raises EngineChanged."""
    check_known(engine)
    return engine.identity()


def check_known(engine: Engine) -> None:
    """Raises EngineChanged where its context or address led to another one the last time."""
    info = engine.info
    name = info.known_as
    if not name:
        return
    identity, kept = engine.identity(), _load()
    match kept.get(name):
        case {"id": str(before), "endpoint": str(endpoint), "since": str(since)}:
            if before != identity:
                raise _changed(name, (identity, info.endpoint), (before, endpoint), since)
        case _:
            now = rfc3339(datetime.now(UTC))
            entry = {"id": identity, "endpoint": info.endpoint, "since": now}
            others = [(n, e) for n, e in kept.items() if n != name]
            _write(dict(others[1 - _MAX_ENGINES :]) | {name: entry})


def _changed(name: str, now: tuple[str, str], before: tuple[str, str], since: str) -> EngineChanged:
    its_name = name.partition(" ")[2] or name
    return EngineChanged(
        f"{name} leads to the engine {now[0]} at {now[1]}, and led to the engine {before[0]} at "
        f"{before[1]} since {since}",
        hint="Nothing was changed. If you mean the new one: debughost engines forget "
        f"{shlex.quote(its_name)}",
        details={
            "name": its_name,
            "engine": {"id": now[0], "endpoint": now[1]},
            "known": {"id": before[0], "endpoint": before[1], "since": since},
        },
    )


def forget(name: str) -> tuple[str, ...]:
    """Forgets which engine a context, an engine of the user's, or an address led to.

    Returns their names; the next command that changes something learns them again. Raises Usage
    where nothing is known of that name.
    """
    kept = _load()
    gone = tuple(n for n in kept if name in (n, n.partition(" ")[2]))
    if not gone:
        names = [n.partition(" ")[2] or n for n in kept]
        raise Usage(
            f"no engine is known by the name {name!r}",
            hint=f"Known are: {', '.join(names)}" if names else "No engine is known by a name",
            details={"known": names},
        )
    _write({n: entry for n, entry in kept.items() if n not in gone})
    return gone


def _path() -> Path | None:
    folder = private_folder("engines")
    return folder / "known.json" if folder else None


def _load() -> Mapping[str, object]:
    path = _path()
    try:
        found = json.loads(path.read_text("utf-8")) if path else {}
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(entries: Mapping[str, object]) -> None:
    from debughost_cli.whole_file import replace_file

    path = _path()
    with suppress(OSError):
        if path:
            replace_file(path, json.dumps(entries, indent=1))
