"""A workspace on an engine that does not see this machine's files: it is uploaded."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from .lab import Host, Lab

VOLUME = "debug-host-shop-app"


def test_what_changes_here_is_there_after_the_next_up(lab: Lab, far: Host, shop: Path) -> None:
    (shop / "old" / "inner").mkdir(parents=True)
    (shop / "old" / "inner" / "file").write_text("old")
    first = lab.client("up", "-w", shop, "--json", env=far.tls)
    assert first.project["sync"] == {"state": "current", "files": 0}
    assert far.eye.read("shop", "cat", "/app/index.html") == b"<h1>hello</h1>\n"
    assert far.eye.read("shop", "stat", "-c", "%u", "/app", "/app/index.html") == b"12345\n12345\n"
    again = lab.client("up", "-w", shop, "--json", env=far.tls)
    assert (again.project["action"], again.document["changed"]) == ("unchanged", False)
    far.eye.read("shop", "sh", "-c", "echo own >/app/own; echo own >/app/old/own")
    (shop / "index.html").write_text("changed")
    (shop / "new").symlink_to("index.html")
    (shop / "old" / "inner" / "file").unlink()
    (shop / "old" / "inner").rmdir()
    stale = lab.client("status", "--json", env=far.tls)
    assert stale.project["sync"] == {"state": "stale", "files": 3}
    assert b"shop: workspace: stale (3 files)" in lab.client("status", env=far.tls).stdout
    third = lab.client("up", "-w", shop, "--json", env=far.tls)
    assert (third.project["action"], third.document["changed"]) == ("unchanged", True)
    assert far.eye.read("shop", "cat", "/app/new") == b"changed"
    found = far.eye.read("shop", "find", "/app", "-not", "-path", "*/.debughost*").split()
    assert sorted(found) == [
        b"/app", b"/app/index.html", b"/app/new", b"/app/old", b"/app/old/own", b"/app/own",
    ]  # fmt: skip
    current = lab.client("status", "--json", env=far.tls)
    assert current.project["sync"] == {"state": "current", "files": 0}


def stored(far: Host) -> list[str]:
    return sorted(c["Names"][0] for c in far.eye.client.containers(all=True))


def make_volume(far: Host, shop: Path, options: str) -> None:
    """As ``up`` of this workspace would, on a disk of its own."""
    labels = {
        "debug-host.managed": "true", "debug-host.project": "shop", "debug-host.role": "workspace",
        "debug-host.workspace": str(shop),
    }  # fmt: skip
    opts = {"type": "tmpfs", "device": "tmpfs", "o": options}
    far.eye.client.create_volume(VOLUME, driver_opts=opts, labels=labels)


@pytest.mark.parametrize(
    ("options", "code"), [("size=1m", "DISK_FULL"), ("ro", "VOLUME_NOT_WRITABLE")]
)
def test_nothing_starts_where_the_files_do_not_fit(
    lab: Lab, far: Host, shop: Path, options: str, code: str
) -> None:
    (shop / "large").write_bytes(os.urandom(8 << 20))
    make_volume(far, shop, options)
    failed = lab.client("up", "-w", shop, "--json", env=far.tls, check=9)
    assert failed.error["code"] == code
    assert stored(far) == []


def test_an_upload_that_is_cut_off_is_repeated_and_never_started(
    lab: Lab, far: Host, shop: Path
) -> None:
    rng = random.Random(14)
    for number in range(30):
        (shop / f"{number}.bin").write_bytes(rng.randbytes(1 << 20))
    faults = [signal.SIGINT, signal.SIGTERM, signal.SIGKILL] * 3 + [None]
    for fault in faults:
        process = lab.client.start("up", "-w", shop, env=far.tls)
        assert process.stderr
        for line in process.stderr:
            if line.startswith(b"Uploading"):
                break
        time.sleep(rng.uniform(0, 0.4))
        if fault is None:
            far.crash()
            far.start()
        else:
            process.send_signal(fault)
        process.communicate(timeout=90)
        is_running = far.eye.client.containers(filters={"status": "running"})
        if process.returncode:
            assert not is_running
            (shop / "0.bin").write_bytes(rng.randbytes(1 << 20))
    lab.client("up", "-w", shop, env=far.tls)
    assert len(stored(far)) == 1
    sums = far.eye.read("shop", "sh", "-c", "cd /app && sha256sum *.bin").decode().split()
    assert dict(zip(sums[1::2], sums[::2], strict=True)) == {
        p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in shop.glob("*.bin")
    }


def test_ten_thousand_files_with_all_kinds_of_names(lab: Lab, far: Host, shop: Path) -> None:
    for number in range(10_000):
        folder = shop / f"{number % 100}"
        folder.mkdir(exist_ok=True)
        (folder / f"{number}").write_text(str(number))
    for byte in range(1, 256):
        if byte != ord("/"):
            Path(os.fsdecode(os.fsencode(shop) + b"/odd" + bytes([byte]))).touch()
    (shop / "out").symlink_to("../../etc/passwd")
    lab.client("up", "-w", shop, env=far.tls)
    listing = "LC_ALL=C ls -Ab | grep -v debughost | sha256sum; cat 77/* | sha256sum"
    here = subprocess.run(["sh", "-c", listing], cwd=shop, capture_output=True, check=True)
    assert far.eye.read("shop", "sh", "-c", f"cd /app && {listing}") == here.stdout
    assert far.eye.read("shop", "readlink", "/app/out") == b"../../etc/passwd\n"
    shutil.rmtree(shop / "7")
    up = lab.client("up", "-w", shop, env=far.tls)
    assert "Uploading 0 files (0.0 MB), deleting 101 of shop" in up.err
    assert far.eye.read("shop", "ls", "/app/7").startswith(b"ls: cannot access")
    stopped = lab.client("stop", "shop", env=far.tls)
    assert stopped.code == 0
    shutil.rmtree(shop / "8")
    lab.client("up", "-w", shop, env=far.tls)
    assert far.eye.read("shop", "ls", "/app/8").startswith(b"ls: cannot access")
    assert far.eye.read("shop", "ls", "/app/.debughost").split() == [b"manifest", b"pending"]


def test_a_wrong_clock_changes_nothing(lab: Lab, far: Host, shop: Path) -> None:
    # The library that makes a clock wrong does not let Python sleep.
    lab.at("+1h")("up", "--no-wait", "-w", shop, env=far.tls)
    assert lab.client("status", "--json", env=far.tls).project["sync"]["state"] == "current"
    (shop / "index.html").write_text("changed")
    lab.at("-1h")("up", "--no-wait", "-w", shop, env=far.tls)
    assert far.eye.read("shop", "cat", "/app/index.html") == b"changed"
    assert lab.client("status", "--json", env=far.tls).project["sync"]["state"] == "current"
