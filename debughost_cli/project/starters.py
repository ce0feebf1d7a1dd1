"""Programs that start several others, which then share one environment and its ``PORT``."""

from __future__ import annotations

STARTERS = frozenset(
    {"concurrently", "npm-run-all", "run-p", "turbo", "nx", "lerna", "wireit", "stmux"}
    | {"foreman", "nf", "honcho", "hivemind", "overmind", "pm2-runtime", "mprocs"}
)
