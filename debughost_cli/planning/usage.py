"""From counters to shares: what ``docker stats`` shows, from two samples."""

from __future__ import annotations

from debughost_cli.models import Project, State, Stats, Warn
from debughost_cli.resources import Container, StatsSample

NEAR_LIMIT = 90.0
"""Percent of the memory or process limit from which on a warning is due."""
THROTTLED = 25.0
"""Percent of the scheduler's periods from which on a project counts as held back."""
RESTART_LOOP = 3
"""Restarts by the policy from which on it is a loop, while the last one is fresh."""
FRESH_SECONDS = 60.0


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
        pids_limit=container.limits.pids or None,
        cpu_throttled_percent=round(_throttled_percent(before, after), 2),
    )


def _cpu_percent(before: StatsSample, after: StatsSample) -> float:
    """Over the samples' own clock, in nanoseconds: the host's CPU time, which ``docker stats``
    divides by, moves in steps of 10 ms, too coarse for a short while.
    """
    elapsed, used = after.read_ns - before.read_ns, after.cpu_ns - before.cpu_ns
    return 100 * used / elapsed if elapsed > 0 and used > 0 else 0.0


def _throttled_percent(before: StatsSample, after: StatsSample) -> float:
    periods = after.periods - before.periods
    held_back = after.throttled_periods - before.throttled_periods
    return 100 * held_back / periods if periods > 0 and held_back > 0 else 0.0


def warnings(project: Project) -> list[Warn]:
    """What a user should look at before it becomes an end."""
    found = []
    stats = project.stats
    if stats and stats.memory_percent >= NEAR_LIMIT:
        used = f"{stats.memory_percent:.0f} % of its memory limit"
        found.append(Warn("NEAR_MEMORY_LIMIT", f"{project.project} uses {used}"))
    if stats and stats.pids_limit and stats.pids >= stats.pids_limit * NEAR_LIMIT / 100:
        used = f"{stats.pids} of its {stats.pids_limit} processes"
        found.append(Warn("NEAR_PROCESS_LIMIT", f"{project.project} has {used}"))
    if stats and stats.cpu_throttled_percent >= THROTTLED:
        share = f"{stats.cpu_throttled_percent:.0f} % of the time"
        found.append(Warn("CPU_THROTTLED", f"{project.project} waits for its CPU limit {share}"))
    if _is_looping(project):
        count = project.restart_count
        found.append(Warn("RESTART_LOOP", f"{project.project} was restarted {count} times"))
    return found


def _is_looping(project: Project) -> bool:
    fresh = (project.uptime_seconds or 0.0) < FRESH_SECONDS
    alive = project.state in (State.RUNNING, State.RESTARTING)
    return project.restart_count >= RESTART_LOOP and alive and fresh
