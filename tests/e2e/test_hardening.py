"""Nobody gets out of a container, or into it from elsewhere: tried for real, from inside."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from .conftest import RUN
from .harness import UID, UPLOADED, Eye, Program, body, eventually, fetch, listing, write
from .workspaces import PAGE, python

PROBE = """\
import ctypes, json, os, socket, stat, sys
libc = ctypes.CDLL(None, use_errno=True)

def call(answer):
    if answer != 0:
        raise OSError(ctypes.get_errno(), "refused")

def look(*paths):
    found = [p for p in paths if os.path.exists(p)]
    if not found:
        raise FileNotFoundError(2, "nothing")

host = sys.argv[1]
tries = {
    "mount": lambda: call(libc.mount(b"none", b"/mnt", b"tmpfs", 0, None)),
    "remount": lambda: call(libc.mount(b"none", b"/proc/sys", None, 4096, None)),
    "raw socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
    "packet socket": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
    "device": lambda: os.mknod("/tmp/disk", 0o600 | stat.S_IFBLK, os.makedev(8, 0)),
    "chroot": lambda: os.chroot("/tmp"),
    "new mounts": lambda: call(libc.unshare(0x00020000)),
    "new users": lambda: call(libc.unshare(0x10000000)),
    "host name": lambda: socket.sethostname("pwned"),
    "kernel setting": lambda: open("/proc/sys/kernel/core_pattern", "w"),
    "magic keys": lambda: open("/proc/sysrq-trigger", "w"),
    "host's process": lambda: open(f"/proc/{host}/cmdline").read(),
    "signal to the host": lambda: os.kill(int(host), 0),
    "engine's socket": lambda: look("/var/run/docker.sock", "/run/docker.sock"),
    "disks": lambda: look(*[f"/dev/{d}" for d in ("sda", "vda", "nvme0n1", "mem", "kmsg")]),
    "another's file": lambda: open("/app/others", "a"),
    "another's secret": lambda: open("/app/secret").read(),
}
came = {}
for name, attempt in tries.items():
    # In a child each, for some would change what comes after them.
    read, written = os.pipe()
    if os.fork() == 0:
        try:
            attempt()
            os.write(written, b"done")
        except OSError as exc:
            os.write(written, type(exc).__name__.encode())
        os._exit(0)
    os.wait()
    came[name] = os.read(read, 100).decode()
print(json.dumps(came))
"""
REFUSED = {"PermissionError", "FileNotFoundError", "ProcessLookupError", "OSError"}
OTHER = 54321
"""Owns what is none of the project's business."""


@pytest.fixture(scope="module")
def cell(run: Program, eye: Eye, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running project with two files of somebody else in its workspace."""
    project = f"{RUN}cell"
    folder = write(tmp_path_factory.mktemp("cell"), python())
    for name, mode in (("others", 0o644), ("secret", 0o600)):
        (folder / name).write_text("mine")
        (folder / name).chmod(mode)
        os.chown(folder / name, OTHER, OTHER)
    # Root in the container may look into it, as everybody else.
    folder.chmod(0o755)
    run("up", "-p", project, "-w", folder)
    yield project
    eye.remove(project)


def inside(run: Program, project: str, *command: str, user: str = "") -> str:
    as_user = ("--user", user) if user else ()
    return run("exec", "-p", project, *as_user, "--", *command, check=False).out


def test_the_engine_reports_that_it_is_locked_in(eye: Eye, cell: str) -> None:
    found = eye.inspect(cell)
    host = found["HostConfig"]
    assert host["Privileged"] is False
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["Init"] is True
    assert not host["Devices"]
    assert (host["PidMode"], host["UTSMode"], host["UsernsMode"]) == ("", "", "")
    assert host["IpcMode"] == "private"
    assert host["NetworkMode"] == "debug-host-network"
    assert found["Config"]["User"] == f"{UID}:{UID}"
    published = [b for bindings in host["PortBindings"].values() for b in bindings]
    assert {b["HostIp"] for b in published} == {"127.0.0.1"}
    mounted = {m["Destination"] for m in found["Mounts"]}
    assert mounted <= {
        "/app", "/app/.venv", "/var/cache/debughost", "/.debughost/home",
    }  # fmt: skip


@pytest.mark.parametrize("user", ["", "0"], ids=["its user", "root"])
def test_its_processes_have_no_capability(run: Program, cell: str, user: str) -> None:
    text = inside(run, cell, "cat", "/proc/self/status", user=user)
    status = dict(line.split(":\t", 1) for line in text.splitlines())
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[kind], 16) == 0, kind
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"


@pytest.mark.parametrize("user", ["", "0"], ids=["its user", "root"])
def test_every_way_out_is_shut(run: Program, cell: str, user: str) -> None:
    came = json.loads(inside(run, cell, "python3", "-c", PROBE, str(os.getpid()), user=user))
    # What was uploaded is a copy, which belongs to the project.
    copied = {"another's file": "done"} if UPLOADED and not user else {}
    assert {name: how for name, how in came.items() if how not in REFUSED} == copied


def test_root_with_dockers_usual_capabilities_gets_further(eye: Eye, cell: str) -> None:
    """So that what is refused above is not refused for a reason of its own."""
    image = eye.inspect(cell)["Image"]
    made = eye.client.create_container(
        image, ["python3", "-c", PROBE, "1"], labels={"debug-host.project": cell},
        entrypoint=[],
    )  # fmt: skip
    try:
        eye.client.start(made["Id"])
        assert eye.client.wait(made["Id"])["StatusCode"] == 0
        came = json.loads(eye.client.logs(made["Id"]))
    finally:
        eye.client.remove_container(made["Id"], force=True)
    usual = {"raw socket", "packet socket", "device", "chroot"}
    assert {name for name in usual if came[name] != "done"} == set()
    assert (came["host's process"], came["signal to the host"]) == ("done", "done")


def test_a_setuid_program_gives_nothing(run: Program, cell: str) -> None:
    made = "cp /usr/bin/id /usr/local/bin/id0 && chmod 4755 /usr/local/bin/id0 && id0 -u"
    assert inside(run, cell, "sh", "-c", made, user="0") == "0\n"
    assert inside(run, cell, "stat", "-c", "%a %u", "/usr/local/bin/id0") == "4755 0\n"
    assert inside(run, cell, "id0", "-u") == f"{UID}\n"


def test_it_writes_nowhere_but_in_its_own_places(run: Program, cell: str) -> None:
    script = """\
for place in / /etc /usr/bin /usr/local/bin /root /home /srv /var/lib /opt /sys /proc/sys \
    /.debughost /.debughost/launch /.debughost/ca-bundle.pem /.debughost/run /.debughost/home \
    /app /app/.venv /var/cache/debughost /tmp; do
    if [ -d $place ]; then (: >$place/written) 2>/dev/null; else (: >>$place) 2>/dev/null; fi &&
        echo $place && rm -f $place/written
done"""
    control = ["/.debughost/run", "/.debughost/home"]
    own = [*control, "/app", "/app/.venv", "/var/cache/debughost", "/tmp"]
    assert inside(run, cell, "sh", "-c", script).split() == own


def test_the_volumes_of_another_user_are_shut(
    run: Program, eye: Eye, cell: str, project: str, tmp_path: Path
) -> None:
    """Neither is the cache shared, nor does root in the container write what is not its own."""
    folder = write(tmp_path / "other", python())
    for path in (folder, *folder.rglob("*")):
        os.chown(path, OTHER, OTHER)
    run("up", "-p", project, "-w", folder)
    try:
        volumes = [{m["Name"] for m in eye.inspect(p)["Mounts"] if m["Type"] == "volume"}
                   for p in (cell, project)]  # fmt: skip
        assert volumes[0].isdisjoint(volumes[1])
        for place in ("/app", "/app/.venv", "/var/cache/debughost"):
            touch = ("touch", f"{place}/of-root")
            assert run("exec", "-p", cell, "-u", "0", "--", *touch, check=False).code == 1
    finally:
        eye.remove(project)


def test_it_is_reached_on_no_other_address(run: Program, eye: Eye, cell: str) -> None:
    port = run("status", "-p", cell, "--no-stats", "--json").project["port"]
    assert fetch(f"http://127.0.0.1:{port}")[0] == 200
    own = {a.address for found in psutil.net_if_addrs().values() for a in found
           if a.family is socket.AF_INET and not a.address.startswith("127.")}  # fmt: skip
    assert own
    for address in sorted(own):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((address, port), timeout=3)


def slowest(url: str, seconds: float) -> float:
    """How long the slowest of many pages took; every one of them came."""
    worst, end = 0.0, time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        assert "hello" in body(url)
        worst = max(worst, time.monotonic() - began)
        time.sleep(0.05)
    return worst


@pytest.mark.alone
def test_a_fork_bomb_harms_nobody_else(
    run: Program, new_id: Callable[[], str], tmp_path: Path
) -> None:
    bomb, other = new_id(), new_id()
    url = run("up", "-p", other, "-w", write(tmp_path / "other", PAGE), "--json").project["url"]
    shell = 'bomb() { bomb | bomb & }; python3 -m http.server "$PORT" & bomb; wait; sleep 60'
    args = ("--type", "static", "--pids", "64", "--cpus", "0.5", "--no-wait", "--", "bash", "-c")
    images = {i["type"]: i["ref"] for i in run("images", "ls", "--json").data["images"]}
    folder = write(tmp_path / "bomb", {})
    run("up", "-p", bomb, "-w", folder, "--image", images["python"], *args, shell)

    def is_full() -> bool:
        found = run("status", "-p", bomb, "--json").project
        return (found["stats"] or {}).get("pids", 0) >= 60

    eventually(is_full, timeout=30)
    found = run("status", "-p", bomb, "--json")
    assert found.project["stats"]["pids"] <= 64
    assert "NEAR_PROCESS_LIMIT" in {w["code"] for w in found.document["warnings"]}
    subprocess.run(["true"], check=True, timeout=5)
    assert slowest(url, 2) < run.slow(1)
    assert run("rm", "-p", bomb, "-t", "1", "--json").own_seconds < run.slow(5)


@pytest.mark.alone
def test_a_memory_hog_harms_nobody_else(
    run: Program, new_id: Callable[[], str], tmp_path: Path
) -> None:
    hog, other = new_id(), new_id()
    url = run("up", "-p", other, "-w", write(tmp_path / "other", PAGE), "--json").project["url"]
    eat = "import time; time.sleep(1); held = [bytearray(8 << 20) for _ in range(10000)]"
    folder = write(tmp_path / "hog", python(eat))
    run("up", "-p", hog, "-w", folder, "-m", "64m", "--no-wait")
    assert slowest(url, 2) < run.slow(1)
    found = eventually(lambda: run("status", "-p", hog, "--no-stats", "--json").project["exit"])
    assert (found["reason"], found["signal"]) == ("oom", "SIGKILL")
    assert run("status", "-p", other, "--no-stats", "--json").project["ready"] is True


REFUSED_PLACES = [
    "/",
    "/etc",
    "/var",
    "/var/lib",
    "/var/lib/docker",
    "/run",
    "/var/run",
    "/home",
    "~",
]


@pytest.mark.parametrize("place", REFUSED_PLACES)
@pytest.mark.parametrize("way", ["itself", "link", "dots"])
def test_folders_that_hand_over_the_host_are_refused(
    run: Program, eye: Eye, project: str, tmp_path: Path, place: str, way: str
) -> None:
    path = os.path.expanduser(place)  # noqa: PTH111 - pathlib would tidy up what is tested
    (tmp_path / "link").symlink_to(path)
    given = {
        "itself": path,
        "link": f"{tmp_path}/link",
        "dots": f"{tmp_path}/link/../{'../' * 20}{path}",
    }
    args = ("up", "-p", project, "-w", given[way], "--type", "static", "--json")
    failed = run(*args, check=2)
    assert failed.error["code"] == "INVALID_WORKSPACE"
    assert "--allow-workspace" in failed.error["hint"]
    assert eye.everything(project) == ([], [])


def test_a_socket_of_this_machine_in_it_is_refused_unless_it_is_allowed_by_name(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "site", PAGE)
    args = ("up", "-p", project, "-w", folder, "--json")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "engine.sock"))
        server.listen()
        failed = run(*args, check=2)
        assert failed.error["code"] == "INVALID_WORKSPACE"
        assert "engine.sock" in failed.error["message"]
        run(*args, "--allow-workspace", tmp_path, check=2)
        run(*args, check=2, env={"DEBUGHOST_ALLOW_WORKSPACE": str(folder)})
        before = listing(folder)
        assert run(*args, "--allow-workspace", folder).project["action"] == "created"
        assert run("restart", "-p", project, "--json").project["ready"] is True
        assert run("status", "-p", project, "--json").document["warnings"] == []
        run("rm", "-p", project, "--volumes")
        assert listing(folder) == before
    (folder / "debughost.toml").write_text(f'allow_workspace = "{folder}"\n')
    assert run(*args, check=2).error["code"] == "INVALID_CONFIG"
    assert eye.everything(project) == ([], [])
