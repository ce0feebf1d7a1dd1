"""The private attributes of docker-py, requests and urllib3 that are needed, and no others.

There is no public way to any of them; every other module uses public names alone, which a test
holds. A new version of one of these libraries is checked here.
"""

from __future__ import annotations

from typing import Any

import docker
import requests


def socket_path(client: docker.APIClient) -> str:
    """The path of a unix socket, as docker-py has parsed it from the address."""
    return str(client._custom_adapter.socket_path)


def buffered_file(body: Any) -> Any:
    """The file that ``http.client`` reads a body from, below its decoding of chunks; None where
    there is none.
    """
    return getattr(getattr(body, "_fp", None), "fp", None)


def upgraded(response: requests.Response) -> tuple[Any, Any]:
    """The buffered reader and the socket below it of a connection that was upgraded."""
    reader = buffered_file(response.raw)
    raw = reader.raw
    return reader, raw.take_over() if hasattr(raw, "take_over") else raw._sock
