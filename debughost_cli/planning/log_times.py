"""Times on the command line and in the engine's log, as nanoseconds since the epoch.

They are integers: a float of seconds is not precise enough for nanoseconds.
"""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal

SECOND = 10**9
_LAST = 253402300800 * SECOND
"""The end of the year 9999: later times are typing errors."""
_UNITS = {
    "w": 604800 * SECOND, "d": 86400 * SECOND, "h": 3600 * SECOND, "m": 60 * SECOND, "s": SECOND,
    "ms": SECOND // 1000,
}  # fmt: skip
_PART = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|[wdhms])", re.ASCII)
_DURATION = re.compile(rf"(?:{_PART.pattern})+", re.ASCII)
_UNIX = re.compile(r"(\d{1,12})(?:\.(\d+))?", re.ASCII)
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d)?)(?:\.(\d+))?([Zz]|[+-]\d\d:?\d\d)?)?", re.ASCII
)


def parse_time(text: str, now: int) -> int:
    """A time in nanoseconds: RFC 3339, a duration before ``now`` as ``1h30m``, or a Unix time.

    Without a zone it is local time; times before 1970 become 1970. Raises ValueError.
    """
    text = text.strip()
    if _DURATION.fullmatch(text):
        return max(0, now - sum(_duration(*part) for part in _PART.findall(text)))
    unix = _UNIX.fullmatch(text)
    moment = int(unix[1]) * SECOND + _fraction(unix[2]) if unix else to_ns(text)
    if moment >= _LAST:
        raise ValueError("later than the year 9999")
    return max(0, moment)


def _duration(number: str, unit: str) -> int:
    return int(Decimal(number) * _UNITS[unit])


def to_ns(stamp: str) -> int:
    """An RFC 3339 time with up to nine digits after the second. Raises ValueError."""
    match = _MOMENT.fullmatch(stamp)
    if not match:
        raise ValueError(f"not a time: {stamp!r}")
    day, clock, fraction, zone = match.groups()
    moment = datetime.fromisoformat(f"{day}T{clock or '00:00'}{(zone or '').upper()}")
    try:
        return int(moment.timestamp()) * SECOND + _fraction(fraction)
    except (OverflowError, OSError):
        raise ValueError(f"no such time: {stamp}") from None


def _fraction(digits: str | None) -> int:
    return int((digits or "0")[:9].ljust(9, "0"))


def as_seconds(ns: int | None) -> Decimal | None:
    """As the engine's parameters require it, exactly."""
    return None if ns is None else Decimal(ns).scaleb(-9)
