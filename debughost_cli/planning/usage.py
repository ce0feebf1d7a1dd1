"""Resource usage as ``docker stats`` shows it, from two samples of the counters."""

from __future__ import annotations

from debughost_cli.models import Project, State, Stats, Warn
from debughost_cli.resources import Container, StatsSample

NEAR_LIMIT = 90.0
"""Percent of the memory or process limit above which there is a warning."""
THROTTLED = 25.0
"""Percent of the scheduler's periods above which a project counts as throttled."""
RESTART_LOOP = 3
"""Number of restarts by the policy from which they are a loop, if the last one is recent."""
RECENT_SECONDS = 60.0


def usage(before: StatsSample, after: StatsSample, container: Container) -> Stats | None:
    """CPU in percent of one core between the samples; everything else at the second sample.

    None where the container has no control groups of its own: a rootless engine that was given none
    counts the whole machine instead.
    """
    if not after.pids and after.memory_limit_bytes != container.limits.memory_bytes:
        return None
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
    """Over the samples' own clock, in nanoseconds: the host's CPU time, by which ``docker stats``
    divides, has steps of 10 ms, too coarse for a short interval.
    """
    elapsed, used = after.read_ns - before.read_ns, after.cpu_ns - before.cpu_ns
    return 100 * used / elapsed if elapsed > 0 and used > 0 else 0.0


def _throttled_percent(before: StatsSample, after: StatsSample) -> float:
    periods = after.periods - before.periods
    throttled = after.throttled_periods - before.throttled_periods
    return 100 * throttled / periods if periods > 0 and throttled > 0 else 0.0


def warnings(project: Project) -> list[Warn]:
    """Conditions under which the project may soon fail."""
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
    if project.swarm and project.swarm.reason:
        code = "NODE_LOST" if project.swarm.is_lost else "SWARM"
        found.append(Warn(code, f"{project.project}: {project.swarm.reason}{_advice(project)}"))
    if _is_looping(project):
        count = project.restart_count
        found.append(Warn("RESTART_LOOP", f"{project.project} was restarted {count} times"))
    return found


def _advice(project: Project) -> str:
    """What to do about a node that is lost, or that nobody but the manager reaches."""
    place = project.swarm
    if not place or not (place.is_lost or place.task == "running"):
        return ""
    return f"; wait, or bring it to another: debughost move --to NAME -p {project.project}"


def _is_looping(project: Project) -> bool:
    is_recent = (project.uptime_seconds or 0.0) < RECENT_SECONDS
    is_alive = project.state in (State.RUNNING, State.RESTARTING)
    return project.restart_count >= RESTART_LOOP and is_alive and is_recent
