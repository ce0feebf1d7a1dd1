"""stdout is data, stderr is talk; both are fit for pipes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import jsonschema
import pytest

from .harness import ENVELOPE, Eye, Program, program, write
from .workspaces import PAGE, python

pytestmark = pytest.mark.once  # what is printed where does not depend on the engine

BYTES = r"""
for i in range(5):
    sys.stdout.buffer.write(b"out %d \x00\x07 50%%\r\xc3\xa9 \x1b[31mred\x1b[0m [b]\n" % i)
    sys.stdout.buffer.flush()
    sys.stderr.buffer.write(b"err %d\n" % i)
    sys.stderr.buffer.flush()
"""
"""What would be touched by a reader that means well: control characters, colours, markup."""


@pytest.fixture
def site(run: Program, project: str, tmp_path: Path) -> str:
    """A running static site."""
    run("up", "-p", project, "-w", write(tmp_path / "site", PAGE))
    return project


def test_piped_tables_are_plain_and_whole(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    longest = project + "x" * (63 - len(project))
    try:
        run("up", "-p", longest, "-w", write(tmp_path / "site", PAGE))
        for command in (("status",), ("volumes", "ls"), ("images", "ls")):
            out = run(*command, env={"COLUMNS": "40", "TERM": "xterm-256color"}).out
            assert "\x1b" not in out
            assert "…" not in out
            assert "..." not in out
        (row,) = [r for r in run("status").out.splitlines() if r.startswith(f"{longest} ")]
        assert "running" in row
        assert "http://127.0.0.1:" in row
    finally:
        eye.remove(longest)


def test_colour_is_where_it_belongs(run: Program, site: str) -> None:
    status = ("status", "-p", site, "--no-stats")
    forced = {"FORCE_COLOR": "1", "TERM": "xterm-256color"}
    assert "\x1b[" in run(*status, env=forced).out
    assert "\x1b" not in run(*status, env={**forced, "NO_COLOR": "1"}).out
    assert "\x1b" not in run(*status, "--no-color", env=forced).out


def test_logs_are_the_programs_bytes_each_on_its_stream(
    run: Program, project: str, tmp_path: Path
) -> None:
    run("up", "-p", project, "-w", write(tmp_path / "p", python(BYTES)))
    found = run("logs", "-p", project)
    out = [b"out %d \0\a 50%%\r\xc3\xa9 \x1b[31mred\x1b[0m [b]" % i for i in range(5)]
    assert found.stdout.split(b"\n")[:5] == out
    assert found.stderr.splitlines() == [b"err %d" % i for i in range(5)]


def test_logs_as_json_are_one_object_a_line(run: Program, project: str, tmp_path: Path) -> None:
    run("up", "-p", project, "-w", write(tmp_path / "p", python(BYTES)))
    *lines, last = run("logs", "-p", project, "--json").lines
    assert all(set(line) == {"type", "project", "ts", "stream", "line"} for line in lines)
    assert {line["type"] for line in lines} == {"log"}
    assert {line["project"] for line in lines} == {project}
    first = next(line["line"] for line in lines if line["stream"] == "stdout")
    assert first == "out 0 \0\a 50%\ré \x1b[31mred\x1b[0m [b]"
    assert {line["stream"] for line in lines} == {"stdout", "stderr"}
    assert last["type"] == "result"
    assert set(last) == ENVELOPE | {"type"}


def test_tail_takes_the_last_lines(run: Program, project: str, tmp_path: Path) -> None:
    run("up", "-p", project, "-w", write(tmp_path / "p", python("for i in range(300): print(i)")))
    for tail, count in ((("-n", "3"), 3), ((), 100), (("-n", "all"), 301), (("-n", "0"), 0)):
        lines = run("logs", "-p", project, *tail).out.splitlines()
        assert len(lines) == count
        assert not lines or lines[-1].startswith("listening")


def test_timestamps_are_shown_when_requested(run: Program, site: str) -> None:
    (line, *_) = run("logs", "-p", site, "-t").err.splitlines()
    assert line[:20].count("-") == 2
    assert line[10] == "T"


def test_following_ends_with_the_project(run: Program, project: str, tmp_path: Path) -> None:
    late = "import threading; threading.Timer(3, lambda: (print('last'), os._exit(0))).start()"
    run("up", "-p", project, "-w", write(tmp_path / "p", python(late)))
    found = run("logs", "-p", project, "-f", timeout=20)
    assert found.out.splitlines()[-1] == "last"


def test_head_ends_logs_quietly(run: Program, project: str, tmp_path: Path) -> None:
    many = "for i in range(20000): print('line', i)"
    run("up", "-p", project, "-w", write(tmp_path / "p", python(many)))
    for options in ("-n all", "-n all --json", "-n all -f"):
        piped = subprocess.run(
            ["bash", "-c", f'"$0" logs -p {project} {options} | head -n 1', program()],
            env=dict(run.env), capture_output=True, timeout=30, check=True,
        )  # fmt: skip
        assert b"line 0" in piped.stdout
        assert len(piped.stdout.splitlines()) == 1
        assert piped.stderr == b""


def test_quiet_says_nothing(run: Program, project: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "site", PAGE)
    for args in (("up", "-w", str(folder)), ("restart",), ("stop",), ("rm",)):
        assert run(*args, "-p", project, "--quiet").stderr == b"", args


def test_talk_is_on_stderr_and_the_url_on_stdout(
    run: Program, project: str, tmp_path: Path
) -> None:
    made = run("up", "-p", project, "-w", write(tmp_path / "site", PAGE))
    assert len(made.out.splitlines()) == 1
    assert f"{project} created" in made.out
    assert "http://127.0.0.1:" in made.out
    assert "Creating container" in made.err


@pytest.mark.parametrize(
    "args",
    [
        ("status",), ("volumes", "ls"), ("images", "ls"), ("network", "ensure"),
        ("network", "inspect"), ("doctor",), ("config", "show"), ("config", "validate"),
        ("schema",), ("schema", "--errors"), ("schema", "--commands"), ("guide",),
        ("completion", "bash"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_every_reading_is_one_document(
    run: Program, project: str, tmp_path: Path, args: tuple[str, ...]
) -> None:
    name = " ".join(a for a in args if a.islower() and a != "bash" and a[0] != "-")
    folder = write(tmp_path / project, PAGE)
    for words in ((*args, "--json"), ("--json", *args)):
        found = run(*words, cwd=folder)
        assert found.document["ok"] is True
        assert found.document["command"] == name
        assert len(found.out.splitlines()) == 1
    assert run(*args, cwd=folder, env={"DEBUGHOST_OUTPUT": "json"}).document["ok"] is True


def test_every_command_of_the_contract_is_there(installed: Program) -> None:
    listed = installed("schema", "--commands", "--json").data["commands"]
    words = (
        "up stop restart rm status logs wait exec shell events doctor init schema completion guide"
    )
    groups = {
        "network": ("ensure", "inspect", "rm"), "volumes": ("ls", "prune"),
        "images": ("ls", "build", "pull"), "config": ("show", "validate"),
    }  # fmt: skip
    commands = [f"{group} {name}" for group, names in groups.items() for name in names]
    commands += words.split()
    nested = [sub for c in listed for sub in c.get("commands", [])]
    assert set(commands) <= {c["command"] for c in [*listed, *nested]}
    for command in commands:
        assert installed(*command.split(), "--help").out


def test_the_schema_fits_what_is_printed(run: Program, site: str) -> None:
    runs = {
        "status": ("status", "-p", site), "stop": ("stop", "-p", site),
        "rm": ("rm", "-p", site), "network inspect": ("network", "inspect"),
    }  # fmt: skip
    for command, args in runs.items():
        schema = run("schema", *command.split(), "--json").data
        document = run(*args, "--json").document
        jsonschema.validate(document, schema.get("schema", schema))


def test_exec_ends_with_the_commands_own_code_and_streams(run: Program, site: str) -> None:
    script = "echo out; echo err >&2; exit 7"
    plain = run("exec", "-p", site, "--", "sh", "-c", script, check=7)
    assert (plain.out, plain.err) == ("out\n", "err\n")
    (as_json,) = run("exec", "-p", site, "--json", "--", "sh", "-c", script, check=False).lines
    found = [as_json["data"][key] for key in ("exit_code", "stdout", "stderr", "truncated")]
    assert found == [7, "out\n", "err\n", False]
    assert run("exec", "-p", site, "--", "no-such-command", check=False).code == 127


def test_wait_ends_when_it_came_true_or_never_will(run: Program, site: str) -> None:
    for condition in ("running", "ready", "http", "http=/index.html", "log=Serving"):
        run("wait", "-p", site, "--for", condition, "--json")
    failed = run("wait", "-p", site, "--for", "log=never said", "--timeout", "1", "--json", check=6)
    assert failed.error["code"] == "WAIT_TIMEOUT"
    run("stop", "-p", site)
    run("wait", "-p", site, "--for", "exited")
    over = run("wait", "-p", site, "--for", "ready", "--json", check=7)
    assert over.own_seconds < run.slow(2)


def test_help_and_version_are_plain_data(installed: Program) -> None:
    for args in (("--help",), ("up", "--help"), ("network", "--help"), ("--version",), ()):
        found = installed(*args)
        assert found.out
        assert found.err == ""
        assert "\x1b" not in found.out


def test_next_can_be_run_as_it_is(run: Program, site: str) -> None:
    stopped = run("stop", "-p", site, "--json")
    assert stopped.document["next"]
    for line in stopped.document["next"]:
        name, *words = line.split()
        assert name == "debughost"
        run(*words)


def test_a_reader_that_is_gone_before_the_answer_is_no_failure_story(run: Program) -> None:
    read, written = os.pipe()
    os.close(read)
    done = subprocess.run(
        [program(), "status", "--no-stats", "--json"], stdin=subprocess.DEVNULL, stdout=written,
        stderr=subprocess.PIPE, env=dict(run.env), timeout=30, check=False,
    )  # fmt: skip
    os.close(written)
    assert done.stderr == b""
    assert done.returncode == 141
