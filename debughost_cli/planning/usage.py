"""From counters to shares: what ``docker stats`` shows, from two samples."""

from __future__ import annotations

from debughost_cli.models import Container, Stats, StatsSample


def usage(before: StatsSample, after: StatsSample, container: Container) -> Stats:
    """CPU in percent of one core over the time between the samples, and the rest as it is now."""
    limit = container.limits.memory_bytes or after.memory_limit_bytes
    return Stats(
        cpu_percent=round(_cpu_percent(before, after), 2),
        cpu_limit=container.limits.cpus or float(after.online_cpus),
        memory_bytes=after.memory_bytes,
        memory_limit_bytes=limit,
        memory_percent=round(100 * after.memory_bytes / limit, 2) if limit else 0.0,
        pids=after.pids,
        net_rx_bytes=after.net_rx_bytes,
        net_tx_bytes=after.net_tx_bytes,
    )


def _cpu_percent(before: StatsSample, after: StatsSample) -> float:
    """Over the samples' own clock, in nanoseconds: the host's CPU time, which ``docker stats``
    divides by, moves in steps of 10 ms, too coarse for a short while.
    """
    elapsed, used = after.read_ns - before.read_ns, after.cpu_ns - before.cpu_ns
    return 100 * used / elapsed if elapsed > 0 and used > 0 else 0.0
