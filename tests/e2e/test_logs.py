"""``logs``: what a project wrote, all of it, once, and as it wrote it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .harness import Eye, Program, Result, eventually, finish, program, write
from .workspaces import PAGE

Speak = Callable[..., str]
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z"


@pytest.fixture
def speak(run: Program, new_id: Callable[[], str], tmp_path: Path) -> Speak:
    """Starts a project that runs a shell script; its id."""

    def start(script: str, *options: str, ends: bool = True) -> str:
        project = new_id()
        folder = write(tmp_path / project, PAGE)
        where = ("-p", project, "-w", folder, "--type", "static", "--no-wait")
        run("up", *where, *options, "--", "sh", "-c", script)
        if ends:
            run("wait", "-p", project, "--for", "exited")
        return project

    return start


def lines(result: Result) -> list[dict[str, Any]]:
    """The log lines of a --json run, without its result."""
    found = result.lines
    assert [d["type"] for d in found] == ["log"] * (len(found) - 1) + ["result"]
    assert found[-1]["data"]["lines"] == len(found) - 1
    return found[:-1]


def texts(result: Result) -> list[str]:
    return [line["line"] for line in lines(result)]


# What there is
def test_the_bytes_are_those_of_the_engine(run: Program, eye: Eye, speak: Speak) -> None:
    project = speak(r"printf 'a\377\0\033[1m\r\nb  \n\nno end'; printf 'oops\n\376' >&2")
    ref = eye.inspect(project)["Id"]
    for count in ("all", "100"):
        found = run("logs", "-p", project, "-n", count)
        assert found.stdout == eye.client.logs(ref, stderr=False)
        assert found.stderr == eye.client.logs(ref, stdout=False)
    decoded = lines(run("logs", "-p", project, "--json"))
    assert [(d["line"], d.get("partial")) for d in decoded if d["stream"] == "stdout"] == [
        ("a\ufffd\0\x1b[1m\r", None), ("b  ", None), ("", None), ("no end", True),
    ]  # fmt: skip
    assert ("stderr", "\ufffd", True) in [
        (d["stream"], d["line"], d.get("partial")) for d in decoded
    ]


def test_both_streams_in_one_pipe_keep_the_engines_order(
    run: Program, eye: Eye, speak: Speak
) -> None:
    project = speak("i=0; while [ $i -lt 300 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done")
    want = eye.logs(project)
    for count in ("all", "5000"):
        done = subprocess.run(
            [program(), "logs", "-p", project, "-n", count],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=True,
            env=run.env,
        )
        assert done.stdout.decode() == want


@pytest.mark.docker_only
def test_a_line_of_ten_megabytes(run: Program, speak: Speak) -> None:
    project = speak("echo first; head -c 10000000 /dev/zero | tr '\\0' x; echo; echo last")
    line = b"x" * 10_000_000
    assert run("logs", "-p", project, "-n", "all").stdout == b"first\n" + line + b"\nlast\n"
    assert run("logs", "-p", project).stdout == b"first\n" + line + b"\nlast\n"
    assert run("logs", "-p", project, "-n", "2").stdout == line + b"\nlast\n"
    assert run("logs", "-p", project, "-f", "-n", "2").stdout == line + b"\nlast\n"
    stamped = run("logs", "-p", project, "-n", "2", "-t").stdout
    assert re.fullmatch(rb"%b x{10000000}\n%b last\n" % ((TIME.encode(),) * 2), stamped)
    assert texts(run("logs", "-p", project, "--json", "-n", "2")) == [line.decode(), "last"]
    assert texts(run("logs", "-p", project, "--json", "--grep", "^x{9}|last")) == [
        line.decode(),
        "last",
    ]


@pytest.mark.docker_only
def test_a_terminal_has_one_stream(run: Program, eye: Eye, new_id: Callable[[], str]) -> None:
    project = new_id()
    script = "echo one; head -c 40000 /dev/zero | tr '\\0' x; echo; printf 'no end'"
    image = run("images", "ls", "--json").data["images"][0]["ref"]
    made = foreign(eye, project, image, ["sh", "-c", script], tty=True)
    eye.client.start(made)
    eye.client.wait(made)
    want = b"one\r\n" + b"x" * 40000 + b"\r\nno end"
    for count in ("all", "100"):
        assert run("logs", "-p", project, "-n", count).stdout == want
    assert run("logs", "-p", project, "-f").stdout == want
    assert texts(run("logs", "-p", project, "--json")) == ["one\r", "x" * 40000 + "\r", "no end"]
    assert texts(run("logs", "-p", project, "--json", "--grep", "one$")) == ["one\r"]


def foreign(eye: Eye, project: str, image: str, command: list[str], **options: object) -> str:
    """A container like those of the program, with options that the program never uses."""
    config = eye.client.create_host_config(
        network_mode="none", log_config=options.pop("log_config", None)
    )
    labels = {"debug-host.managed": "true", "debug-host.project": project}
    made = eye.client.create_container(
        image, command, labels=labels, host_config=config, entrypoint=[], **options
    )
    return made["Id"]


def test_tail(run: Program, speak: Speak) -> None:
    project = speak("seq 250")
    numbers = [str(n) for n in range(1, 251)]
    for option, count in (((), 100), (("-n", "3"), 3), (("--tail", "all"), 250), (("-n0",), 0)):
        found = run("logs", "-p", project, *option).out.split()
        assert found == numbers[250 - count :]
        assert texts(run("logs", "-p", project, *option, "--json")) == found


@pytest.mark.docker_only
def test_tail_counts_lines_and_not_parts_of_them(run: Program, speak: Speak) -> None:
    long = "head -c 100000 /dev/zero | tr '\\0' x; echo"
    # The engine reads the two streams apart from each other: only time keeps them in order.
    project = speak(f"seq 30; {long}; {long}; sleep 1; echo err >&2; sleep 1; {long}; echo end")
    found = texts(run("logs", "-p", project, "-n", "5", "--json"))
    assert [len(line) for line in found] == [100000, 100000, 3, 100000, 3]


@pytest.mark.docker_only
def test_since_and_until(run: Program, speak: Speak) -> None:
    project = speak("for i in 1 2 3 4; do echo $i; sleep 0.3; done")
    stamps = [d["ts"] for d in lines(run("logs", "-p", project, "--json"))]
    assert texts(run("logs", "-p", project, "--json", "--since", stamps[1])) == ["2", "3", "4"]
    assert texts(run("logs", "-p", project, "--json", "--until", stamps[1])) == ["1", "2"]
    both = ("--since", stamps[1], "--until", stamps[2])
    for count in ("all", "100"):
        assert texts(run("logs", "-p", project, "--json", *both, "-n", count)) == ["2", "3"]
    assert run("logs", "-p", project, *both, "-n", "all").out == "2\n3\n"
    assert run("logs", "-p", project, "--until", stamps[2], "-n", "1").out == "3\n"
    assert run("logs", "-p", project, "--since", "1h30m").out == "1\n2\n3\n4\n"
    assert run("logs", "-p", project, "--until", "10m").out == ""
    just_before = stamps[1][:-1] + "+00:00"
    assert run("logs", "-p", project, "--since", just_before).out == "2\n3\n4\n"


def test_timestamps_are_the_engines(run: Program, eye: Eye, speak: Speak) -> None:
    project = speak("echo a; echo b; printf c")
    ref = eye.inspect(project)["Id"]
    want = eye.client.logs(ref, timestamps=True).decode()
    assert run("logs", "-p", project, "-t").out == want
    assert [d["ts"] for d in lines(run("logs", "-p", project, "--json"))] == re.findall(TIME, want)


def test_grep_looks_for_the_last_lines_that_match(run: Program, speak: Speak) -> None:
    project = speak("seq 5000; echo zwölf")
    found = run("logs", "-p", project, "--grep", "^12.$", "-n", "4").out.split()
    assert found == ["126", "127", "128", "129"]
    assert run("logs", "-p", project, "--grep", "[öx]lf$").out == "zwölf\n"
    assert len(texts(run("logs", "-p", project, "--grep", "77", "-n", "all", "--json"))) == 95
    assert run("logs", "-p", project, "--grep", "nothing").out == ""


@pytest.mark.docker_only
def test_several_projects_are_merged_by_time(run: Program, speak: Speak) -> None:
    script = "for i in 1 2 3 4 5; do echo $i; sleep 0.2; done"
    one, two = speak(script, ends=False), speak(script + "; echo oops >&2; printf end")
    both = ("-p", one, "-p", two)
    found = lines(run("logs", *both, "--json"))
    assert [d["ts"] for d in found] == sorted(d["ts"] for d in found)
    assert len(found) == 12
    shown = run("logs", *both)
    assert shown.out.splitlines() == [
        f"{d['project']} | {d['line']}" for d in found if d["stream"] == "stdout"
    ]
    assert shown.err == f"{two} | oops\n"
    colored = run("logs", *both, env={"FORCE_COLOR": "1"}).out
    assert len(set(re.findall(r"\x1b\[(\d+)m", colored)) - {"0"}) == 2
    assert "\x1b" not in run("logs", *both, "--no-color", env={"FORCE_COLOR": "1"}).out


def test_max_bytes_keeps_the_newest(run: Program, speak: Speak) -> None:
    project = speak("seq 100 199")
    found = run("logs", "-p", project, "--max-bytes", "10")
    assert found.out == "198\n199\n"
    assert "TRUNCATED" in found.err
    document = run("logs", "-p", project, "--max-bytes", "8", "--json")
    assert texts(document) == ["198", "199"]
    assert document.data["truncated"] is True
    whole = run("logs", "-p", project, "--max-bytes", "400", "--json")
    assert whole.data["truncated"] is False
    assert run("logs", "-p", project, "--max-bytes", "3").out == "99\n"


# What comes
def test_following_ends_with_the_project(run: Program, speak: Speak) -> None:
    project = speak("for i in 1 2 3; do echo $i; sleep 0.5; done; exit 3", ends=False)
    followed = run("logs", "-p", project, "-f")
    assert followed.out == "1\n2\n3\n"
    assert "exit code 3" in followed.err
    again = run("logs", "-p", project, "-f", "--json")
    assert texts(again) == ["1", "2", "3"]
    end = again.data["exit"][project]
    assert (end["code"], end["reason"], end["expected"]) == (3, "crashed", False)


def test_following_shows_lines_at_once(run: Program, speak: Speak) -> None:
    project = speak("while :; do date +%s.%N; sleep 0.2; done", ends=False)
    followed = run.start("logs", "-p", project, "-f", "-n", "1")
    assert followed.stdout
    followed.stdout.readline()
    for _ in range(5):
        assert time.time() - float(followed.stdout.readline()) < 0.5
    followed.send_signal(signal.SIGINT)
    finish(followed)


def test_following_goes_on_through_restarts(run: Program, speak: Speak) -> None:
    script = "echo begin; sleep 0.3; printf 'half '; exit 7"
    project = speak(script, "--restart", "on-failure:2", ends=False)
    followed = run("logs", "-p", project, "-f", "--json")
    assert texts(followed) == ["begin", "half "] * 3
    assert followed.data["exit"][project]["code"] == 7


def test_following_ends_when_it_is_stopped_or_removed(run: Program, speak: Speak) -> None:
    script = "trap 'echo bye; exit 0' TERM; echo hi; while :; do sleep 0.1; done"
    stopped, removed = speak(script, ends=False), speak(script, ends=False)
    followed = [run.start("logs", "-p", p, "-f", "--json") for p in (stopped, removed)]
    time.sleep(1)
    run("stop", "-p", stopped)
    run("rm", "-p", removed)
    ends = []
    for process in followed:
        code, out, _ = finish(process)
        assert code == 0, out
        found = [json.loads(line) for line in out.splitlines()]
        assert [d["line"] for d in found[:-1] if d["stream"] == "stdout"] == ["hi", "bye"]
        ends.append(found[-1]["data"]["exit"])
    assert ends[0][stopped]["reason"] == "stopped"
    assert set(ends[1]) == {removed}


def test_following_several_shows_what_comes(run: Program, speak: Speak) -> None:
    script = "for i in 1 2 3; do echo $i; sleep 0.4; done"
    both = [speak(script, ends=False), speak(script + "; exit 4", ends=False)]
    followed = run("logs", "-p", both[0], "-p", both[1], "-f", "--json")
    assert sorted(texts(followed)) == ["1", "1", "2", "2", "3", "3"]
    assert [followed.data["exit"][p]["code"] for p in both] == [0, 4]


@pytest.mark.alone
def test_an_interruption_leaves_a_result_and_nothing_is_lost(run: Program, speak: Speak) -> None:
    project = speak("i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done", ends=False)
    seen: list[int] = []
    after: tuple[str, ...] = ("-n", "all")
    for _ in range(3):
        followed = run.start("logs", "-p", project, "-f", "--json", *after)
        time.sleep(run.slow(1.5))
        began = time.monotonic()
        followed.send_signal(signal.SIGINT)
        code, out, err = finish(followed)
        assert time.monotonic() - began < 1
        assert code == 130
        assert "Traceback" not in err
        *found, result = [json.loads(line) for line in out.splitlines()]
        assert result["error"]["code"] == "INTERRUPTED"
        seen += [int(d["line"]) for d in found]
        after = ("--after", result["data"]["cursor"])
    assert seen == list(range(1, len(seen) + 1))
    assert len(seen) > 100


def test_an_interruption_is_one_line_for_people(run: Program, speak: Speak) -> None:
    project = speak("while :; do sleep 1; done", ends=False)
    followed = run.start("logs", "-p", project, "-f")
    time.sleep(1.2)
    followed.send_signal(signal.SIGINT)
    code, out, err = finish(followed)
    assert (code, out, len(err.splitlines())) == (130, "", 1)


@pytest.mark.parametrize("script", ["while :; do echo x; done", "echo x; sleep 100"])
@pytest.mark.parametrize("option", ["--json", "--quiet"])
def test_a_reader_that_goes_away_ends_it(
    run: Program, speak: Speak, script: str, option: str
) -> None:
    project = speak(script, ends=False)
    followed = run.start("logs", "-p", project, "-f", option)
    assert followed.stdout
    assert followed.stdout.readline()
    followed.stdout.close()
    assert followed.stderr
    with followed.stderr:
        assert followed.stderr.read() == b""
    assert followed.wait(5) == 141


@pytest.mark.once  # the patience is the program's
def test_half_a_minute_of_silence_is_no_end(run: Program, speak: Speak) -> None:
    project = speak("echo one; printf 'half' ; sleep 33; echo ' line'; echo two", ends=False)
    followed = run("logs", "-p", project, "-f", "--json")
    assert texts(followed) == ["one", "half line", "two"]


@pytest.mark.once  # the program's own memory
@pytest.mark.parametrize(("option", "most"), [("--quiet", 100), ("--json", 180)])
def test_memory_stays_flat(run: Program, speak: Speak, option: str, most: int) -> None:
    """A program that writes without end and without a line's end."""
    script = "while :; do head -c 2000000 /dev/zero | tr '\\0' x; sleep 0.1; done"
    project = speak(script, ends=False)
    followed = run.start("logs", "-p", project, "-f", option)
    assert followed.stdout
    taken = 0
    while taken < 80_000_000:
        taken += len(os.read(followed.stdout.fileno(), 1_000_000))
    status = Path(f"/proc/{followed.pid}/status").read_text()
    followed.kill()
    followed.communicate()
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert peak
    assert int(peak[1]) < most * 1024
    run("rm", "-p", project, "-t", "1")


# Cursors
def test_a_cursor_gives_what_is_new(run: Program, speak: Speak) -> None:
    script = (
        "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo o$i; echo e$i >&2; "
        "[ $((i%50)) = 0 ] && sleep 0.02; done"
    )
    project = speak(script, ends=False)
    found = run("logs", "-p", project, "-n", "all", "--json")
    seen = texts(found)
    while True:
        over = run("status", "-p", project, "--json").project["state"] != "running"
        found = run("logs", "-p", project, "--json", "--after", found.data["cursor"])
        seen += texts(found)
        if over:
            break
    for stream in "oe":
        own = [line for line in seen if line[0] == stream]
        assert own == [f"{stream}{n}" for n in range(1, 3001)]
    assert texts(run("logs", "-p", project, "--json", "--after", found.data["cursor"])) == []


def test_a_cursor_with_no_lines_marks_the_present(run: Program, speak: Speak) -> None:
    project = speak("seq 300; while [ ! -e go ]; do sleep 0.05; done; seq 301 400", ends=False)
    eventually(lambda: "300\n" in run("logs", "-p", project, "-n", "1").out)
    launcher = [
        run("logs", "-p", project, "--json", *options).data["cursor"]
        for options in (("-n", "0"), ("-n", "1"), ("--grep", "zzz"), ("--max-bytes", "1"))
    ]
    run("exec", "-p", project, "--", "touch", "go")
    run("wait", "-p", project, "--for", "exited")
    for mark in launcher:
        new = run("logs", "-p", project, "--json", "--after", mark)
        assert texts(new) == [str(n) for n in range(301, 401)]
    assert run("logs", "-p", project, "--after", launcher[0], "-n", "2").out == "399\n400\n"


def test_a_cursor_of_an_empty_log(run: Program, speak: Speak) -> None:
    project = speak("while [ ! -e go ]; do sleep 0.05; done; echo 1", ends=False)
    mark = run("logs", "-p", project, "--json").data["cursor"]
    run("exec", "-p", project, "--", "touch", "go")
    run("wait", "-p", project, "--for", "exited")
    assert texts(run("logs", "-p", project, "--json", "--after", mark)) == ["1"]


def test_a_cursor_of_another_container(run: Program, speak: Speak) -> None:
    project, other = speak("echo 1"), speak("echo 2")
    mark = run("logs", "-p", project, "--json").data["cursor"]
    assert re.fullmatch(r"[A-Za-z0-9_-]+", mark)
    assert run("logs", "-p", other, "--after", mark, "--json", check=2).error["code"] == "USAGE"
    folder = run("status", "-p", project, "--json").project["workspace"]
    run("up", "-p", project, "-w", folder, "--type", "static", "--no-wait", "--recreate",
        "--", "sh", "-c", "echo 1")  # fmt: skip
    refused = run("logs", "-p", project, "--after", mark, "--json", check=2)
    assert refused.error["code"] == "USAGE"
    assert "recreated" in refused.error["message"]


# What cannot be done
@pytest.mark.parametrize(
    "options",
    [
        ("--grep", "a("),
        ("--grep", "*"),
        ("--since", "soon"),
        ("--since", "2026-13-01"),
        ("--until", ""),
        ("--until", "2026-11-23T25:00:00Z"),
        ("--since", "1x"),
        ("--tail", "-5"),
        ("--tail", "ten"),
        ("--max-bytes", "0"),
        ("--max-bytes", "-1"),
        ("--max-bytes", "x"),
        ("--max-bytes", "10", "--follow"),
        ("--after", "nonsense"),
        ("--after", ""),
        ("--after", "ü"),
        ("--after", "AAAAAAAAAAAA"),
        ("--since", "1m", "--until", "2m"),
    ],
)
def test_bad_input_is_named(run: Program, speak: Speak, options: tuple[str, ...]) -> None:
    refused = run("logs", "-p", "whatever", "--json", *options, check=2)
    assert refused.error["code"] == "USAGE"
    assert options[0] in refused.error["message"]
    (only,) = refused.lines
    assert only["type"] == "result"


def test_a_wrong_expression_says_where(run: Program) -> None:
    refused = run("logs", "--grep", "ab[c", "--json", check=2)
    assert refused.error["details"]["position"] == 2
    assert "character 3" in refused.error["message"]


def test_a_driver_that_keeps_nothing(run: Program, eye: Eye, new_id: Callable[[], str]) -> None:
    project = new_id()
    image = run("images", "ls", "--json").data["images"][0]["ref"]
    made = foreign(eye, project, image, ["echo", "x"], log_config={"Type": "none"})
    eye.client.start(made)
    for options in ((), ("-f",), ("-n", "all")):
        refused = run("logs", "-p", project, "--json", *options, check=1)
        assert refused.error["code"] == "ENGINE_ERROR"
        assert "driver" in refused.error["message"]
