"""What each command asks of the engine: as many requests as it needs, and none twice."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .fault_proxy import Fault, Proxy, broken, forwarded
from .harness import UPLOADED, Program, write
from .workspaces import python

LIST = "GET /containers/json"
INSPECT = "GET /containers/ID/json"
STATUS = "HEAD /containers/ID/archive"
NETWORKS = "GET /networks"
VERSION = "GET /version"


@pytest.fixture
def proxy(engine_socket: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """A socket with the engine behind it; while it is the same, the engine's facts are known."""
    folder = tmp_path_factory.mktemp("p")
    with broken(folder, engine_socket, Fault(forwarded), lambda *_: False) as opened:
        yield opened


Counted = Callable[..., Counter[str]]


@pytest.fixture
def counted(run: Program, proxy: Proxy) -> Counted:
    """Runs a command, and returns its requests without version, ids and parameters."""

    def count(*args: str | Path) -> Counter[str]:
        proxy.requests.clear()
        run(*args, env={"DOCKER_HOST": proxy.url}, timeout=240)
        return Counter(map(kind, proxy.requests))

    return count


def kind(request: str) -> str:
    plain = re.sub(r"/v1\.\d+", "", request.partition("?")[0])
    return re.sub(r"/[0-9a-f]{64}", "/ID", re.sub(r"/images/.+/json", "/images/ID/json", plain))


def test_no_command_asks_more_than_it_needs(counted: Counted, project: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "p", python())
    first = counted("up", "-p", project, "-w", folder, "--no-wait")
    assert first.pop("GET /info") == 1, "once for each start of an engine"
    # A network is created where another test has removed it.
    for request in ("POST /networks/create", "GET /networks/debug-host-network"):
        first.pop(request, None)
    # What listens is the proxy: whether the engine sees the workspace is proven, once.
    (probe,) = (r for r in first if "-probe-" in r)
    assert first.pop(probe) == 1
    assert first == {
        VERSION: 1,
        LIST: 3,  # Its flags; what is there, under the lock; whether another client was faster.
        "GET /images/ID/json": 1,
        NETWORKS: 1,
        "GET /volumes": 1,
        # Its packages, what was downloaded, its home; its files where they are uploaded.
        "POST /volumes/create": 3 + len(UPLOADED),
        "POST /containers/create": 2,
        # The image's list of users, and the proof; what the upload came to.
        "GET /containers/ID/archive": 2 + len(UPLOADED),
        "PUT /containers/ID/archive": 1 + len(UPLOADED),
        "POST /containers/ID/start": 1,
        STATUS: 1,
        INSPECT: 1,
    }
    counted("wait", "-p", project)
    manifest = {"GET /containers/ID/archive": 1} if UPLOADED else {}  # of what was uploaded
    assert counted("up", "-p", project, "-w", folder) == manifest | {
        VERSION: 1,
        LIST: 1,
        "GET /images/ID/json": 1,
        INSPECT: 1,
        NETWORKS: 1,
        STATUS: 1,
    }
    assert counted("exec", "-p", project, "--", "true") == {
        VERSION: 1,
        LIST: 1,
        "POST /containers/ID/exec": 1,
        "POST /exec/ID/start": 1,
        "GET /exec/ID/json": 1,
    }
    assert counted("stop", "-p", project) == {
        VERSION: 1,
        LIST: 1,
        "POST /containers/ID/stop": 1,
        INSPECT: 1,
        STATUS: 1,
    }
    counted("rm", "-p", project)
    again = counted("up", "-p", project, "-w", folder, "--no-wait")
    assert again["POST /containers/create"] == 1 + len(UPLOADED), "that it does not may change"


def test_what_usually_happens_loads_nothing_for_what_rarely_does(
    run: Program, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "p", python())
    run("up", "-p", project, "-w", folder)
    for command in (("up", "-w", folder), ("stop",), ("start",), ("exec", "--", "true"), ("rm",)):
        traced = run(command[0], "-p", project, *command[1:], env={"PYTHONPROFILEIMPORTTIME": "1"})
        needed = {"pathspec"} if UPLOADED else set[str]()
        loaded = set(re.findall(r"^import time:.*\| +(\S+)$", traced.err, re.MULTILINE))
        assert "requests" in loaded
        assert not loaded & ({"psutil", "tenacity", "rich", "pathspec"} - needed), command


@pytest.mark.same_machine("its files are not ours")
@pytest.mark.once  # only root may look into the engine's process
def test_nothing_is_proven_where_the_engine_s_process_has_our_files(
    run: Program, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "p", python())
    traced = run("up", "-v", "-p", project, "-w", folder, "--no-wait").err
    assert traced.count("creating the container") == 1, traced


def test_waiting_costs_the_engine_next_to_nothing(
    counted: Counted, project: str, tmp_path: Path
) -> None:
    """Each reading of the status mounts and unmounts the project's volumes."""
    folder = write(tmp_path / "p", python("time.sleep(6)"))
    made = counted("up", "-p", project, "-w", folder)
    assert made["POST /exec/ID/start"] == 1
    assert made[STATUS] < 30, "a look every 50 ms would be 120"


def test_wait_costs_as_little(counted: Counted, project: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "p", python("time.sleep(6)"))
    counted("up", "-p", project, "-w", folder, "--no-wait")
    made = counted("wait", "-p", project)
    assert made["POST /exec/ID/start"] == 1
    assert made[STATUS] < 30
