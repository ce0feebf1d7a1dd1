"""Moments as people write them: RFC 3339, a span before now, or seconds since the epoch."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

from debughost_cli.errors import Usage

_SPAN = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?", re.ASCII)
_SECONDS = (86400, 3600, 60, 1)


def parse_time(text: str, option: str, now: float | None = None) -> float:
    """Seconds since the epoch. Raises Usage, naming ``option``.

    ``10m``, ``1h30m``, ``2d``, ``90s`` are spans before ``now``; a date without a zone is UTC.
    """
    span = _SPAN.fullmatch(text) if text else None
    if span:
        before = sum(float(n or 0) * s for n, s in zip(span.groups(), _SECONDS, strict=True))
        return max(0.0, (time.time() if now is None else now) - before)
    if re.fullmatch(r"\d{1,12}(\.\d{1,9})?", text, re.ASCII):
        return float(text)
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, moment.timestamp())
    except (ValueError, OverflowError):
        raise Usage(
            f"{option} {text[:60]!r} is not a time",
            hint=f"For example {option} 10m, or {option} 2026-11-23T10:15:00Z",
        ) from None
