"""A workspace on another machine that is kept in step, what comes back, and its ports."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from .harness import Eye, Program, Result, check_document, eventually, write
from .lab import Host, Lab


def files(eye: Eye) -> set[bytes]:
    """All that is in the workspace there."""
    found = eye.read("shop", "sh", "-c", "cd /app && find . -path ./.debughost -prune -o -print0")
    return {path[2:] for path in found.split(b"\0") if path not in (b"", b".")}


class Running:
    """A command that prints lines until it is interrupted."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.lines: list[dict[str, Any]] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(json.loads(line))

    def has(self, event: str, count: int = 1) -> None:
        """Waits until so many events of that kind were printed."""

        def seen() -> bool:
            assert self.process.poll() is None or self.count(event) >= count, self.lines
            return self.count(event) >= count

        eventually(seen, timeout=40)

    def count(self, event: str) -> int:
        return sum(line.get("event") == event for line in self.lines)

    def result(self, code: int) -> dict[str, Any]:
        """The last line, once it has ended by itself or by Ctrl-C."""
        if code in (130, 143):
            self.process.send_signal(code - 128)
        assert self.process.wait(30) == code, self.lines
        self._thread.join(10)
        return check_document(json.dumps(self.lines[-1]), code)


@contextmanager
def running(lab: Lab, host: Host, *words: str, cwd: Path) -> Iterator[Running]:
    process = lab.client.start(*words, "--json", env=host.tls, cwd=cwd)
    try:
        yield Running(process)
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            assert stream
            stream.close()


@contextmanager
def synced(lab: Lab, host: Host, shop: Path, *words: str) -> Iterator[Running]:
    with running(lab, host, "sync", *words, cwd=shop) as found:
        found.has("watching")
        yield found


def on_another_machine(lab: Lab) -> Program:
    """The client as if this were another installation."""
    identity = lab.folder / "machine-id"
    identity.write_text("0123456789abcdef" * 2)
    script = f'mount --bind {identity} /etc/machine-id && exec "$@"'
    return replace(
        lab.client, prefix=(*lab.client.prefix, "unshare", "--mount", "sh", "-c", script, "sh")
    )


def takes(change: Callable[[], object], is_there: Callable[[], bool]) -> float:
    """Seconds from a change here until it is there."""
    change()
    began = time.monotonic()
    eventually(is_there, timeout=20, pause=0.02)
    return time.monotonic() - began


def test_what_is_saved_here_is_there_within_a_second(lab: Lab, far: Host, shop: Path) -> None:
    lab.client("up", "-w", shop, env=far.tls)
    page = shop / "index.html"

    def shown(text: str) -> Callable[[], bool]:
        return lambda: far.eye.read("shop", "cat", "/app/index.html") == text.encode()

    with synced(lab, far, shop) as sync:
        limit = lab.client.slow(1.0)
        assert takes(lambda: page.write_text("saved"), shown("saved")) < limit
        (shop / "new").write_text("renamed")
        assert takes(lambda: (shop / "new").replace(page), shown("renamed")) < limit
        name = b"odd \n\xff'\"$(x)"
        odd = shop / os.fsdecode(name)
        odd.write_text("odd")
        folder = shop / "folder"
        folder.mkdir()
        for number in range(300):
            (folder / f"{number}.txt").write_text(str(number))
        (shop / "out").symlink_to("/etc/passwd")
        eventually(lambda: {name, b"out", b"folder/299.txt"} <= files(far.eye), timeout=20)
        shutil.rmtree(folder)
        folder.write_text("a file now")
        odd.unlink()
        odd.mkdir()
        (odd / "inner").write_text("a folder now")
        (shop / "out").rename(shop / "other")
        want = {b"folder", b"index.html", b"other", name, name + b"/inner"}
        eventually(lambda: files(far.eye) == want, timeout=20)
        assert far.eye.read("shop", "cat", "/app/folder") == b"a file now"
        # What has arrived is noted there a moment later.
        in_step = {"state": "syncing", "files": 0}
        eventually(lambda: lab.client("status", "--json", env=far.tls).project["sync"] == in_step)
        assert b"shop: workspace: syncing" in lab.client("status", env=far.tls).stdout
        another = on_another_machine(lab)("status", "--json", env=far.tls)
        assert another.project["sync"] == {"state": "syncing", "files": None}
        done = sync.result(130)
    status = lab.client("status", "--json", env=far.tls)
    assert status.project["sync"] == {"state": "current", "files": 0}
    assert done["error"]["code"] == "INTERRUPTED"
    assert done["data"]["files"] >= 304
    assert far.eye.inspect("shop")["State"]["Running"]


def test_one_client_at_a_time(lab: Lab, far: Host, shop: Path) -> None:
    lab.client("up", "-w", shop, env=far.tls)
    with synced(lab, far, shop) as first:
        error = lab.client("sync", "--once", "--json", env=far.tls, cwd=shop, check=5).error
        assert error["code"] == "BUSY"
        assert error["details"]["holder"]["pid"] == first.process.pid
        assert error["details"]["holder"]["machine"] in error["message"]
        first.process.kill()
        first.process.wait()

        def is_free() -> bool:
            return lab.client("sync", "--once", env=far.tls, cwd=shop, check=False).code == 0

        eventually(is_free, timeout=10)
    assert b"flock" not in far.eye.read("shop", "sh", "-c", "cat /proc/[0-9]*/cmdline")


def test_what_both_sides_changed_is_never_overwritten(lab: Lab, far: Host, shop: Path) -> None:
    write(shop, {"both": "old", "theirs": "old", "gone": "old", "ignored/.keep": ""})
    write(shop, {".gitignore": "ignored\n"})
    lab.client("up", "-w", shop, env=far.tls)
    script = "cd /app; echo theirs >both; echo theirs >theirs; mkdir -p made ignored; rm gone;"
    script += "echo made >made/file; ln -s /etc/passwd out; ln -s made/file link; mkfifo pipe;"
    script += "echo log >ignored/log; mkdir -p .git/hooks; echo evil >.git/hooks/pre-commit"
    far.eye.read("shop", "sh", "-c", script)
    (shop / "both").write_text("ours")
    for words in (("sync", "--once"), ("pull",), ("pull", "--dry-run")):
        error = lab.client(*words, "--json", env=far.tls, cwd=shop, check=5).error
        assert (error["code"], error["details"]["paths"]) == ("SYNC_CONFLICT", ["both"])
    assert (shop / "both").read_text() == "ours"
    assert not (shop / "made").exists()
    check_other_commands(lab, far, shop)
    planned = pull(lab, far, shop, "theirs", "made", "--dry-run")
    assert {f["path"] for f in planned.data["files"]} == {"theirs", "made", "made/file"}
    assert not (shop / "made").exists()
    done = pull(lab, far, shop, "--overwrite", "--delete")
    changes = {f["path"]: f["change"] for f in done.data["files"]}
    assert changes == {
        "both": "changed", "theirs": "changed", "gone": "deleted", "made": "created",
        "made/file": "created", "link": "created",
    }  # fmt: skip
    assert [w["code"] for w in done.document["warnings"]] == ["FILES_LEFT"]
    assert (shop / "both").read_text() == (shop / "theirs").read_text() == "theirs\n"
    assert (shop / "link").read_text() == "made\n"
    assert not {"gone", "out", "pipe", ".git"} & {p.name for p in shop.iterdir()}
    assert not (shop / "ignored/log").exists()
    assert pull(lab, far, shop, "ignored").document["changed"]
    assert (shop / "ignored/log").read_text() == "log\n"
    lab.client("pull", ".git", env=far.tls, cwd=shop, check=2)
    assert lab.client("status", "--json", env=far.tls).project["sync"]["state"] == "current"


def check_other_commands(lab: Lab, far: Host, shop: Path) -> None:
    """They go on with what the program wrote, whether it runs or not, and send all else."""
    stopped = "stop", "start"
    for number, words in enumerate((("up",), ("restart",), stopped, ("up", "--recreate"))):
        (shop / "new").write_text(f"{number}")
        for word in words if words is stopped else (" ".join(words),):
            done = lab.client(*word.split(), "--json", env=far.tls, cwd=shop)
        (warning,) = [w for w in done.document["warnings"] if w["code"] == "SYNC_CONFLICT"]
        assert "shop: both; nothing was overwritten" in warning["message"]
        assert done.project["sync"] == {"state": "stale", "files": 1}
        assert far.eye.read("shop", "cat", "/app/both", "/app/new") == b"theirs\n%d" % number
    seen = lab.client("run", "cat", "/app/both", env=far.tls, cwd=shop)
    assert seen.stdout == b"theirs\n"
    # Touched on both sides, with the same contents: nothing is lost.
    (shop / "new").write_text("same")
    far.eye.read("shop", "sh", "-c", "printf same >/app/new")
    done = lab.client("up", "--json", env=far.tls, cwd=shop)
    assert "new" not in str(done.document["warnings"])


def pull(lab: Lab, host: Host, shop: Path, *words: str) -> Result:
    return lab.client("pull", *words, "--json", env=host.tls, cwd=shop)


def test_what_was_missed_is_caught_up(lab: Lab, far: Host, shop: Path) -> None:
    """The link is cut, the container is replaced, the engine restarts."""
    lab.client("up", "-w", shop, env=far.tls)
    with running(lab, far, "sync", cwd=shop) as sync:
        sync.has("watching")
        sync.has("listening")
        with far.partitioned():
            (shop / "index.html").write_text("during the partition")
            time.sleep(2)
        want = b"during the partition"
        eventually(lambda: far.eye.read("shop", "cat", "/app/index.html") == want, timeout=60)
        lab.client("up", "--recreate", env=far.tls, cwd=shop)
        (shop / "index.html").write_text("after the recreation")
        want = b"after the recreation"
        eventually(lambda: far.eye.read("shop", "cat", "/app/index.html") == want, timeout=40)
        sync.has("back")
        lab.client("stop", env=far.tls, cwd=shop)
        (shop / "index.html").write_text("while it was stopped")
        lab.client("start", env=far.tls, cwd=shop)
        sync.has("back", 2)
        (shop / "index.html").write_text("while it runs again")
        want = b"while it runs again"
        eventually(lambda: far.eye.read("shop", "cat", "/app/index.html") == want, timeout=40)
        sync.result(130)


def test_the_port_is_here_as_long_as_it_is_forwarded(lab: Lab, far: Host, shop: Path) -> None:
    port = lab.client("up", "-w", shop, "--json", env=far.tls).project["port"]
    url = f"http://127.0.0.1:{port}/"
    with running(lab, far, "forward", cwd=shop) as forward:
        forward.has("listening")
        assert fetched(lab, url) == [b"<h1>hello</h1>\n"]
        assert fetched(lab, url, times=30) == [b"<h1>hello</h1>\n"] * 30
        taken = lab.client("forward", "--json", env=far.tls, cwd=shop, check=5)
        assert taken.error["code"] == "PORT_IN_USE"
        lab.client("up", "--recreate", env=far.tls, cwd=shop)
        eventually(lambda: fetched(lab, url) == [b"<h1>hello</h1>\n"], timeout=20)
        lab.client("stop", env=far.tls, cwd=shop)
        assert fetched(lab, url) == [b""]
        forward.has("failed")
        done = forward.result(130)
    assert done["data"]["connections"] >= 32
    assert fetched(lab, url) == [b""]


SERVICE = """\
$s = IO::Socket::INET->new(LocalPort => 7000, Listen => 5, ReuseAddr => 1);
while ($c = $s->accept) { print $c "HTTP/1.0 200 OK\\r\\n\\r\\nof the service"; close $c }
"""


def test_a_watch_for_programs(lab: Lab, far: Host, shop: Path) -> None:
    """Its lines, the port of a service, and how it ends."""
    command = json.dumps(["perl", "-MIO::Socket::INET", "-e", SERVICE])
    image = far.load("static")
    text = f'[services.api]\nimage = "{image}"\ncommand = {command}\npublish = "7001:7000"\n'
    (shop / "debughost.toml").write_text(text)
    with running(lab, far, "up", "--watch", "-w", str(shop), cwd=shop) as up:
        up.has("watching")
        up.has("listening", 2)
        first = up.lines[0]
        assert (first["type"], first["changed"]) == ("up", True)
        (project,) = first["projects"]
        assert (project["project"], project["action"]) == ("shop", "created")
        listening = {line["name"]: line for line in up.lines if line.get("event") == "listening"}
        assert listening["api"]["port"] == 7001
        assert listening["api"]["service"] == "api"
        assert listening["http"]["service"] is None
        assert fetched(lab, project["url"]) == [b"<h1>hello</h1>\n"]
        assert fetched(lab, "http://127.0.0.1:7001") == [b"of the service"]
        (shop / "index.html").write_text("saved")
        up.has("sent", 1)
        assert fetched(lab, project["url"]) == [b"saved"]
        lab.client("rm", "shop", "-t", "0", env=far.tls, cwd=shop)
        up.has("away")
        done = up.result(143)
    assert done["error"]["code"] == "INTERRUPTED"
    assert done["data"]["projects"][0]["project"] == "shop"


def fetched(lab: Lab, url: str, times: int = 1) -> list[bytes]:
    """The page as the client's machine gets it, at once; empty where nothing answers."""
    words = [*lab.client.prefix, "curl", "-s", "-m", "20", url]
    started = [subprocess.Popen(words, stdout=subprocess.PIPE) for _ in range(times)]
    return [process.communicate()[0] for process in started]
