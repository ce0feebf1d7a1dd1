"""debughost: one development container for a project, on a Docker Engine.

As a library: ``from debughost_cli import DebugHost``. It is loaded on first use, for ``--version``
needs none of it.
"""

from __future__ import annotations

# As typing's, which would take some milliseconds to load at every start.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from debughost_cli.api import CancelToken as CancelToken
    from debughost_cli.api import DebugHost as DebugHost

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name not in ("CancelToken", "DebugHost"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from debughost_cli import api

    return getattr(api, name)
