"""On which machine the published ports of a project are."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from debughost_cli import names
from debughost_cli.models import THIS_MACHINE
from debughost_cli.resources import EngineInfo

_LOOPBACK = ("localhost", "127.0.0.1", "::1", None)


def url_host(engine: EngineInfo, labels: Mapping[str, str]) -> str:
    """The machine on which the ports of a container with these labels are published.

    An address alone does not tell: a socket of this machine may be the end of a tunnel. An engine
    to which the workspace was uploaded is another machine, whatever its address.
    """
    host = urlsplit(engine.endpoint).hostname
    if labels.get(names.TRANSPORT) == "volume":
        return engine.endpoint if host in _LOOPBACK else str(host)
    return THIS_MACHINE if host in _LOOPBACK else str(host)
