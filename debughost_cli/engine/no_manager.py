"""How engines say that no manager of a swarm decides: a worker, or managers without a majority."""

from __future__ import annotations

NO_MANAGER = (
    "not a swarm manager|not have a leader|rpc error: code = DeadlineExceeded"
    "|rpc error: code = Unknown desc = context deadline exceeded"
)
NO_MANAGER_HINT = (
    "Use the engine of a manager, and see that most of them run; what runs goes on meanwhile: "
    "'exec', 'logs' and 'status' work with the engine of its node, --engine NAME"
)
NO_MANAGER_PREFIX = "no manager of the swarm can decide anything: "
