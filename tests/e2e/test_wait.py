"""``wait``: the answer comes with the moment, or at once where the moment never will."""

from __future__ import annotations

import io
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from .harness import Eye, Program, Result, finish, write
from .workspaces import PAGE, python

ANSWER = 0.3
"""Seconds from the moment to the answer, as promised; the program's own end comes on top."""
GATE = "while not os.path.exists('go'): time.sleep(0.005)"
PAGES = """\
class Pages(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if os.path.exists('go') else 503)
        self.end_headers()
http.server.SimpleHTTPRequestHandler = Pages
"""
LATER = f"""\
import threading
def later():
    {GATE}
    print("it is 12 o'clock", flush=True)
threading.Thread(target=later, daemon=True).start()
"""
Watch = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "w"


@pytest.fixture
def watch(run: Program) -> Watch:
    """Starts ``wait``, and comes back when it has begun to look."""

    def start(*args: str) -> subprocess.Popen[bytes]:
        process = run.start("wait", *args, "--json")
        time.sleep(run.slow(0.7))
        assert process.poll() is None, finish(process)
        return process

    return start


def answer(process: subprocess.Popen[bytes]) -> Result:
    """What it came to, and after how long from now."""
    began = time.monotonic()
    code, out, err = finish(process)
    took = time.monotonic() - began
    return Result(("wait",), code, out.encode(), err.encode(), took, True)


@pytest.mark.alone
@pytest.mark.parametrize(
    ("condition", "before"),
    [
        ("ready", GATE),
        ("http=/index.html", PAGES),
        ("http", GATE),
        ("log=^it is \\d+ o'clock$", LATER),
        ("exited", f"{GATE}\nsys.exit(0)"),
    ],
)
def test_the_answer_comes_with_the_moment(
    run: Program, eye: Eye, watch: Watch, project: str, folder: Path,
    condition: str, before: str,
) -> None:  # fmt: skip
    write(folder, python(before))
    run("up", "-p", project, "-w", folder, "--no-wait")
    waiting = watch("-p", project, "--for", condition)
    eye.touch(project, folder / "go")
    found = answer(waiting)
    assert found.code == 0, str(found)
    assert found.project["project"] == project
    assert found.seconds < run.slow(ANSWER + 0.2)


@pytest.mark.alone
def test_running_is_answered_when_it_goes_on(
    run: Program, eye: Eye, watch: Watch, project: str,
    folder: Path,
) -> None:  # fmt: skip
    run("up", "-p", project, "-w", write(folder, PAGE))
    ref = eye.inspect(project)["Id"]
    eye.client.pause(ref)
    waiting = watch("-p", project, "--for", "running")
    eye.client.unpause(ref)
    found = answer(waiting)
    assert (found.code, found.project["state"]) == (0, "running")
    assert found.seconds < run.slow(ANSWER + 0.2)


# Health checks
@pytest.fixture
def checked(run: Program, eye: Eye, project: str) -> Iterator[str]:
    """An image with a health check: healthy once there is a file "go", and not with one "bad"."""
    base = run.image("static")
    tag = f"debughost-tests/checked:{project}"
    check = "test -e /app/bad && exit 1; while ! test -e /app/go; do sleep 0.01; done"
    text = f"FROM {base}\nHEALTHCHECK --interval=100ms --timeout=30s --retries=1 CMD {check}\n"
    said = list(eye.client.build(fileobj=io.BytesIO(text.encode()), tag=tag, rm=True, decode=True))
    try:
        assert not any("error" in line for line in said), said
        yield tag
    finally:
        eye.remove(project)
        eye.client.remove_image(tag, force=True)


@pytest.mark.alone
def test_healthy_is_answered_when_the_check_passes(
    run: Program, eye: Eye, watch: Watch, project: str, folder: Path, checked: str
) -> None:
    run("up", "-p", project, "-w", write(folder, PAGE), "--image", checked)
    waiting = watch("-p", project, "--for", "healthy")
    eye.touch(project, folder / "go")
    found = answer(waiting)
    answered = time.time()
    assert (found.code, found.project["health"]) == (0, "healthy")
    checks = eye.inspect(project)["State"]["Health"]["Log"]
    passed = next(c["End"] for c in checks if c["ExitCode"] == 0)
    assert answered - datetime.fromisoformat(passed[:26]).replace(tzinfo=UTC).timestamp() < (
        run.slow(ANSWER + 0.2)
    )
    run("stop", "-p", project)
    over = run("wait", "-p", project, "--for", "healthy", "--json", check=7)
    assert over.error["code"] == "CRASHED", "it ended, whatever the engine says of its health"


def test_an_unhealthy_project_is_reported_at_once(
    run: Program, project: str, folder: Path, checked: str
) -> None:
    write(folder, {**PAGE, "bad": ""})
    run("up", "-p", project, "-w", folder, "--image", checked)
    over = run("wait", "-p", project, "--for", "healthy", "--timeout", "20", "--json", check=7)
    assert over.error["code"] == "UNHEALTHY"
    assert over.own_seconds < run.slow(3)


# What never comes true
@pytest.mark.alone
@pytest.mark.parametrize("condition", ["running", "ready", "http", "log=never", "healthy"])
def test_an_end_is_reported_at_once_with_its_reason(
    run: Program, eye: Eye, watch: Watch, project: str, folder: Path, condition: str
) -> None:
    write(folder, python(f"print('last words', flush=True)\n{GATE}\nsys.exit(3)"))
    run("up", "-p", project, "-w", folder, "--no-wait")
    if condition in ("running", "healthy"):
        # The one has come true already, the other has no check: it is asked after the end.
        eye.touch(project, folder / "go")
        run("wait", "-p", project, "--for", "exited")
        over = run("wait", "-p", project, "--for", condition, "--json", check=7)
    else:
        waiting = watch("-p", project, "--for", condition)
        eye.touch(project, folder / "go")
        over = answer(waiting)
    assert over.code == 7
    assert over.seconds < run.slow(ANSWER + 0.7)
    assert over.error["code"] == "CRASHED"
    assert over.error["details"]["exit_code"] == 3
    assert over.error["details"]["log_tail"] == ["last words"]
    assert condition in over.error["message"]


def test_healthy_without_a_check_is_reported_at_once(
    run: Program, project: str, folder: Path
) -> None:
    run("up", "-p", project, "-w", write(folder, PAGE))
    over = run("wait", "-p", project, "--for", "healthy", "--json", check=7)
    assert over.error["code"] == "UNHEALTHY"
    assert "no health check" in over.error["message"]
    assert "--for ready" in over.error["hint"]


@pytest.mark.parametrize("condition", ["exited", "http=/missing", "log=never said"])
def test_a_timeout_ends(run: Program, project: str, folder: Path, condition: str) -> None:
    run("up", "-p", project, "-w", write(folder, PAGE))
    args = ("wait", "-p", project, "--for", condition, "--timeout", "1.5", "--json")
    failed = run(*args, check=6)
    assert failed.error["code"] == "WAIT_TIMEOUT"
    assert 1.5 <= failed.own_seconds < run.slow(3)
    assert failed.error["details"]["condition"] == condition
    assert "--timeout" in failed.error["hint"]


# What somebody else does meanwhile
def test_one_that_is_missing(run: Program, project: str) -> None:
    missing = run("wait", "-p", project, "--json", check=3)
    assert missing.error["code"] == "PROJECT_NOT_FOUND"
    assert missing.own_seconds < run.slow(2)


@pytest.mark.alone
@pytest.mark.parametrize("condition", ["log=never", "http=/missing"])
def test_one_that_is_removed_meanwhile(
    run: Program, eye: Eye, watch: Watch, project: str, folder: Path, condition: str
) -> None:
    run("up", "-p", project, "-w", write(folder, PAGE))
    waiting = watch("-p", project, "--for", condition)
    eye.remove(project)
    gone = answer(waiting)
    # The engine kills it first, and that may be seen as well.
    assert gone.code in (3, 7), str(gone)
    if gone.code == 3:
        assert gone.error["code"] == "PROJECT_NOT_FOUND"
    else:
        assert gone.error["details"]["reason"] == "killed"
    assert gone.seconds < run.slow(1)


@pytest.mark.parametrize("words", [("restart",), ("up", "-e", "NEW=1"), ("up", "--recreate")])
def test_a_restart_meanwhile_is_no_end(
    run: Program, watch: Watch, project: str, folder: Path, words: tuple[str, ...]
) -> None:
    """It is down for a while, but a command is at work on it."""
    leave = "signal.signal(signal.SIGTERM, lambda *_: (time.sleep(0.5), os._exit(0)))"
    say = "print('again' if os.path.exists('go') else 'first', flush=True)"
    run("up", "-p", project, "-w", write(folder, python(f"{leave}; {say}")))
    waiting = watch("-p", project, "--for", "log=^again$")
    (folder / "go").touch()
    place = ("-w", str(folder)) if words[0] == "up" else ()
    run(*words, "-p", project, *place)
    found = answer(waiting)
    assert found.code == 0, str(found)


def test_several_each_have_their_own_answer(
    run: Program, new_id: Callable[[], str], folder: Path, tmp_path: Path
) -> None:
    there, over, missing = new_id(), new_id(), new_id()
    run("up", "-p", there, "-w", write(folder, PAGE))
    other = write(tmp_path / "x", python("sys.exit(5)"))
    run("up", "-p", over, "-w", other, "--no-wait")
    all_of_them = ("-p", there, "-p", over, "-p", missing)
    found = run("wait", *all_of_them, "--json", check=8)
    assert found.error["code"] == "PARTIAL"
    errors = {p["project"]: p.get("error") for p in found.data["projects"]}
    assert errors[there] is None
    assert errors[over]["details"]["exit_code"] == 5
    assert errors[missing]["code"] == "PROJECT_NOT_FOUND"
    run("wait", "-p", there, "-p", there, "--for", "http")


# Bad input
@pytest.mark.parametrize(
    "words",
    [
        *(("--timeout", t) for t in ("0", "-1", "1e99", "86401", "nan", "inf", "soon", "")),
        *(("--for", f) for f in ("log=(", "log=", "http=health", "http=/a b", "happy", "")),
    ],
    ids=" ".join,
)
def test_bad_input_is_named(run: Program, project: str, words: tuple[str, ...]) -> None:
    failed = run("wait", "-p", project, *words, "--json", check=2)
    assert failed.error["code"] == "USAGE"
    said = f"{failed.error['message']} {failed.error['hint']}"
    assert words[0] in said or words[1].partition("=")[2] in said
