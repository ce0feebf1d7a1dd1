"""What docker-py alone takes: a client of a few lines with the requests of a debughost command.

    python scripts/bench_alone.py up PROJECT FOLDER IMAGE PORT ARGUMENT...
    python scripts/bench_alone.py exec|stop|rm PROJECT    of a container that `up` of this made
    python scripts/bench_alone.py logs PROJECT            of a project of debughost
    python scripts/bench_alone.py status                  of all of them

``scripts/bench`` runs it in turns with debughost: the difference is what debughost itself costs,
and no program with docker-py is faster.
"""

from __future__ import annotations

import io
import struct
import sys
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import docker
from docker.types import Mount
from docker.utils import kwargs_from_env

OLDEST_API, NEWEST_API = "1.41", 51
PROJECT = "debug-host.project"
OURS = "debughost-bench.project"
"""The label of containers that are made here: debughost does not take them for its own."""
NETWORK = "debug-host-network"
STATUS_PATH = "/run/debughost-bench"
LAUNCHER_BYTES = 20_000
SAMPLE_SECONDS = 0.1
"""Between two readings of the counters."""
WORKERS = 16
CHUNK = 256 * 1024
FRAME = struct.Struct(">BxxxL")
"""Of a log: the stream, and how many bytes follow."""


def connect() -> Any:
    """A client for the newest API version of both sides, which takes one request."""
    client = docker.APIClient(version=OLDEST_API, max_pool_size=64, **kwargs_from_env())
    theirs = int(client.version(api_version=False)["ApiVersion"].split(".")[1])
    client._version = f"1.{min(theirs, NEWEST_API)}"
    return client


def find(client: Any, project: str, label: str = OURS) -> str:
    """The ID of the project's container, or nothing."""
    found = client.containers(all=True, filters={"label": f"{label}={project}"})
    return str(found[0]["Id"]) if found else ""


def read_status(client: Any, container: str) -> None:
    """What says how the program in a container is."""
    client.head(client._url("/containers/{0}/archive", container), params={"path": STATUS_PATH})


def up(project: str, folder: str, image: str, port: str, *command: str) -> None:
    """Creates and starts a container, or finds it running."""
    client = connect()
    container = find(client, project)
    client.inspect_image(image)
    if container:
        client.inspect_container(container)
        client.networks()
        read_status(client, container)
        return
    find(client, project)
    client.networks()
    client.volumes()
    settings = client.create_host_config(
        mounts=[Mount("/app", folder, type="bind")],
        port_bindings={port: ("127.0.0.1", port)},
        network_mode=NETWORK,
        init=True,
        nano_cpus=2 * 10**9,
        mem_limit="2g",
    )
    made = client.create_container(
        image,
        list(command),
        name=project,
        labels={OURS: project},
        environment={"PORT": port},
        working_dir="/app",
        ports=[port],
        host_config=settings,
    )["Id"]
    client.put_archive(made, "/", launcher())
    find(client, project)
    client.start(made)
    read_status(client, made)
    client.inspect_container(made)


def launcher() -> bytes:
    """An archive with one file."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo("run/debughost-bench")
        entry.size = LAUNCHER_BYTES
        tar.addfile(entry, io.BytesIO(b"#" * LAUNCHER_BYTES))
    return archive.getvalue()


def exec_(project: str) -> None:
    """Runs ``true``."""
    client = connect()
    command = client.exec_create(find(client, project), ["true"])["Id"]
    client.exec_start(command)
    client.exec_inspect(command)


def stop(project: str) -> None:
    """Stops the container."""
    client = connect()
    container = find(client, project)
    client.stop(container, timeout=10)
    client.inspect_container(container)
    read_status(client, container)


def rm(project: str) -> None:
    """Removes the container."""
    client = connect()
    container = find(client, project)
    client.inspect_container(container)
    read_status(client, container)
    client.volumes()
    find(client, project)
    client.remove_container(container, v=True)


def logs(project: str) -> None:
    """The whole log, written as it comes."""
    client = connect()
    container = find(client, project, PROJECT)
    client.inspect_container(container)
    answer = client.get(
        client._url("/containers/{0}/logs", container),
        params={"stdout": 1, "stderr": 1, "tail": "all"},
        stream=True,
    )
    pending = b""
    for chunk in answer.raw.stream(CHUNK):
        pending = write_frames(pending + chunk)


def write_frames(data: bytes) -> bytes:
    """Writes what is complete; returns the rest."""
    at = 0
    while len(data) - at >= FRAME.size:
        length = FRAME.unpack_from(data, at)[1]
        start = at + FRAME.size
        if len(data) - start < length:
            break
        sys.stdout.buffer.write(data[start : start + length])
        at = start + length
    return data[at:]


def status() -> None:
    """Of every project that runs: two samples of its counters, and how it is."""
    client = connect()
    listed = client.containers(all=True, filters={"label": PROJECT})
    client.networks()
    running = [found["Id"] for found in listed if found["State"] == "running"]

    def sample(container: str) -> Any:
        url = client._url("/containers/{0}/stats", container)
        return client.get(url, params={"stream": "false", "one-shot": "true"}).json()

    def look(container: str) -> None:
        client.inspect_container(container)
        read_status(client, container)

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(sample, running))
        began = time.monotonic()
        list(pool.map(look, running))
        time.sleep(max(0.0, SAMPLE_SECONDS - (time.monotonic() - began)))
        list(pool.map(sample, running))


COMMANDS = {"up": up, "exec": exec_, "stop": stop, "rm": rm, "logs": logs, "status": status}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](*sys.argv[2:])
