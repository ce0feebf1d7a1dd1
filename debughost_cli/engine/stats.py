"""The counters of a container, from an engine's JSON."""

from __future__ import annotations

from debughost_cli.engine.json_values import Json, as_int, as_list, as_map, time
from debughost_cli.resources import StatsSample


def stats_sample(raw: Json) -> StatsSample:
    """``GET /containers/{id}/stats``. The file cache is left out as ``docker stats`` does:
    ``inactive_file`` with cgroup v2, ``total_inactive_file`` with v1.
    """
    raw = as_map(raw)
    cpu, memory = as_map(raw.get("cpu_stats")), as_map(raw.get("memory_stats"))
    details, usage = as_map(memory.get("stats")), as_int(memory.get("usage"))
    cache = as_int(details.get("total_inactive_file", details.get("inactive_file")))
    networks = [as_map(n) for n in as_map(raw.get("networks")).values()]
    throttling = as_map(cpu.get("throttling_data"))
    read = time(raw.get("read"))
    return StatsSample(
        read_ns=int(read.timestamp() * 1e9) if read else 0,
        cpu_ns=as_int(as_map(cpu.get("cpu_usage")).get("total_usage")),
        system_ns=as_int(cpu.get("system_cpu_usage")),
        online_cpus=as_int(cpu.get("online_cpus"))
        or len(as_list(as_map(cpu.get("cpu_usage")).get("percpu_usage"))),
        memory_bytes=usage - cache if 0 < cache < usage else usage,
        memory_limit_bytes=as_int(memory.get("limit")),
        pids=as_int(as_map(raw.get("pids_stats")).get("current")),
        net_rx_bytes=sum(as_int(n.get("rx_bytes")) for n in networks),
        net_tx_bytes=sum(as_int(n.get("tx_bytes")) for n in networks),
        periods=as_int(throttling.get("periods")),
        throttled_periods=as_int(throttling.get("throttled_periods")),
    )
