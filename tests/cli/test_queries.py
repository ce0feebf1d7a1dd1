"""``status`` and ``logs``: what is reported, and where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeEngine, exits, ignores_sigterm, install_fails, never_listens

from cli.conftest import App, node_project
from debughost_cli.engine.port import NotFound
from debughost_cli.errors import EngineError, EngineUnavailable


@pytest.fixture
def up(app: App, workspace: Path) -> None:
    assert app("up").code == 0


P = {
    "project", "type", "state", "ready", "health", "url", "port", "workspace", "command",
    "container", "created_at", "started_at", "uptime_seconds", "restart_count", "stats", "exit",
    "drift", "dependencies",
}  # fmt: skip


@pytest.mark.usefixtures("up")
def test_status_of_a_running_project(app: App, engine: FakeEngine) -> None:
    before = len(engine.changes)
    run = app("status", "--json")
    project = run.project
    assert run.code == 0
    assert set(project) >= P
    assert (project["state"], project["ready"], project["type"]) == ("running", True, "node")
    assert project["exit"] is None
    assert project["uptime_seconds"] >= 0
    stats = project["stats"]
    assert stats["memory_bytes"] == 16 * 1024**2
    assert stats["memory_limit_bytes"] == 2 * 1024**3
    assert stats["memory_percent"] == pytest.approx(0.78, abs=0.01)
    assert stats["cpu_limit"] == 2.0
    assert 20 < stats["cpu_percent"] < 30
    assert run.document["changed"] is False
    assert engine.changes[before:] == []


def test_status_of_nothing(app: App) -> None:
    run = app("status", "--json")
    assert (run.code, run.document["data"]) == (0, {"projects": []})
    shown = app("status")
    assert (shown.code, shown.out) == (0, "")
    assert "debughost up" in shown.err


@pytest.mark.usefixtures("up")
def test_status_without_stats(app: App, engine: FakeEngine) -> None:
    assert app("status", "--no-stats", "--json").project["stats"] is None
    assert "containers.stats" not in {c[0] for c in engine.calls}


@pytest.mark.usefixtures("up")
def test_status_after_a_crash(app: App, engine: FakeEngine, workspace: Path) -> None:
    ref = engine.container("shop").id
    engine.write_log(ref, "boom")
    engine.crash(ref, 137, oom=True)
    run = app("status", "--json")
    project = run.project
    assert (project["state"], project["stats"], project["uptime_seconds"]) == (
        "crashed",
        None,
        None,
    )
    assert (project["exit"]["reason"], project["exit"]["log_tail"]) == ("oom", ["boom"])
    more = f"debughost up -p shop -w {workspace} --memory 4096m"
    assert run.document["next"] == [more, "debughost logs -p shop"]
    shown = app("status").out
    assert "crashed" in shown
    assert "memory limit" in shown


@pytest.mark.usefixtures("up")
def test_status_of_those_named(app: App, tmp_path: Path) -> None:
    app("up", "-w", str(node_project(tmp_path / "api")))
    assert set(app("status", "--json").projects) == {"api", "shop"}
    assert set(app("status", "-p", "api", "--json").projects) == {"api"}
    assert set(app("status", "-p", "api", "-p", "shop", "-p", "api", "--json").projects) == {
        "api",
        "shop",
    }


@pytest.mark.usefixtures("up")
def test_check_makes_the_state_the_exit_code(app: App, engine: FakeEngine) -> None:
    assert app("status", "--check").code == 0
    app("stop")
    run = app("status", "--check", "--json")
    assert run.code == 7
    assert app("status").code == 0


def test_check_of_one_that_is_not_ready(app: App, engine: FakeEngine) -> None:
    engine.program = never_listens()
    app("up", "--no-wait")
    assert app("status", "--check").code == 7
    assert "starting" in app("status").out


@pytest.mark.usefixtures("up")
def test_one_that_goes_while_it_is_read_is_left_out(app: App, engine: FakeEngine) -> None:
    engine.before("containers.inspect", engine.stored_containers.clear)
    run = app("status", "--json", "--no-stats")
    assert (run.code, run.document["data"]["projects"]) == (0, [])


@pytest.mark.usefixtures("up")
@pytest.mark.parametrize("error", [EngineError("odd"), EngineUnavailable("gone")])
def test_an_engine_that_fails_is_an_error_and_no_empty_list(
    app: App, engine: FakeEngine, error: Any
) -> None:
    engine.fail("containers.list", error, times=9)
    run = app("status", "--json")
    assert run.error["code"] == error.code


@pytest.mark.usefixtures("up")
def test_stats_that_fail_do_not_hide_the_rest(app: App, engine: FakeEngine) -> None:
    engine.fail("containers.stats", EngineError("odd"), times=9)
    run = app("status", "--json")
    assert run.document["error"] is None
    assert (run.project["state"], run.project["stats"]) == ("running", None)


@pytest.mark.usefixtures("up")
def test_the_table_is_for_people_and_not_cut(app: App) -> None:
    run = app("status")
    assert run.out.splitlines()[0].split()[:4] == ["PROJECT", "STATE", "CPU", "MEMORY"]
    assert "http://127.0.0.1:" in run.out
    assert "…" not in run.out
    assert run.err == ""


# logs


@pytest.fixture
def written(app: App, engine: FakeEngine, up: Any) -> Any:
    ref = engine.container("shop").id
    engine.write_log(ref, "one", "two", "three")
    engine.write_log(ref, "oops", stream="stderr")
    return ref


@pytest.mark.usefixtures("written")
def test_logs_go_where_they_came_from(app: App) -> None:
    run = app("logs")
    assert (run.code, run.out, run.err) == (0, "one\ntwo\nthree\n", "oops\n")


@pytest.mark.usefixtures("written")
def test_logs_as_json_lines(app: App) -> None:
    run = app("logs", "--json")
    *lines, result = run.lines
    assert run.code == 0
    assert all(set(line) == {"type", "project", "ts", "stream", "line"} for line in lines)
    assert [(line["type"], line["project"], line["stream"], line["line"]) for line in lines] == [
        ("log", "shop", "stdout", "one"),
        ("log", "shop", "stdout", "two"),
        ("log", "shop", "stdout", "three"),
        ("log", "shop", "stderr", "oops"),
    ]
    assert result["ok"] is True
    assert all(line["ts"].endswith("Z") for line in lines)


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize(
    ("tail", "lines"), [("2", 2), ("0", 0), ("all", 4), ("999999999", 4), ("1", 1)]
)
def test_tail(app: App, tail: str, lines: int) -> None:
    assert len(app("logs", "-n", tail, "--json").lines) == lines + 1


@pytest.mark.parametrize("tail", ["-1", "x", "1.5", "", "9" * 20])
def test_a_tail_that_is_none(app: App, up: Any, tail: str) -> None:
    run = app("logs", f"--tail={tail}", "--json")
    (last,) = run.lines
    assert (run.code, last["error"]["code"]) == (2, "USAGE")


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize(
    ("options", "lines"),
    [
        (("stdout",), ["one", "two", "three"]),
        (("stderr",), ["oops"]),
        (("stdout", "-n", "2"), ["two", "three"]),
        (("stdout", "-n", "all"), ["one", "two", "three"]),
        (("stderr", "--grep", "o"), ["oops"]),
        (("stdout", "--max-bytes", "100"), ["one", "two", "three"]),
    ],
)
def test_one_stream_alone_is_on_stdout(
    app: App, options: tuple[str, ...], lines: list[str]
) -> None:
    run = app("logs", "-q", "--stream", *options)
    assert (run.code, run.out.splitlines(), run.err) == (0, lines, "")
    found = app("logs", "--json", "--stream", *options).lines[:-1]
    assert [(line["stream"], line["line"]) for line in found] == [
        (options[0], line) for line in lines
    ]


def test_a_stream_that_does_not_exist(app: App, up: Any) -> None:
    run = app("logs", "--stream", "log", "--json")
    assert (run.code, run.lines[-1]["error"]["hint"]) == (2, "Use stdout or stderr")


@pytest.mark.usefixtures("written")
def test_a_search_in_the_output_of_what_still_runs_says_so(app: App, engine: FakeEngine) -> None:
    said = "shop is still running; 'logs -f' waits for more"
    assert said in app("logs", "--grep", "nothing like it").err
    for options in (("-q",), ("--json",), ("--until", "1s")):
        assert said not in app("logs", "--grep", "one", *options).err
    assert said not in app("logs").err
    engine.crash(engine.container("shop").id, 1)
    assert said not in app("logs", "--grep", "one").err


@pytest.mark.usefixtures("written")
def test_timestamps_are_shown_when_requested(app: App) -> None:
    first = app("logs", "--timestamps").out.splitlines()[0]
    stamp, _, line = first.partition(" ")
    assert stamp.endswith("Z")
    assert line == "one"


@pytest.mark.usefixtures("written")
def test_logs_of_several_are_merged_by_time(app: App, engine: FakeEngine, tmp_path: Path) -> None:
    app("up", "-w", str(node_project(tmp_path / "api")))
    engine.write_log(engine.container("api").id, "later")
    run = app("logs", "-p", "api", "-p", "shop")
    shown = [line.replace(" ", "") for line in run.out.splitlines()]
    assert shown == ["shop|one", "shop|two", "shop|three", "api|later"]
    found = [line["line"] for line in app("logs", "-p", "api", "-p", "shop", "--json").lines[:-1]]
    assert found == ["one", "two", "three", "oops", "later"]


def test_logs_of_what_has_crashed_are_still_there(app: App, engine: FakeEngine) -> None:
    engine.program = exits(1, "boom")
    app("up")
    assert app("logs").out == "boom\n"


@pytest.mark.usefixtures("up")
def test_logs_that_are_no_text_break_nothing(app: App, engine: FakeEngine) -> None:
    engine.write_log(engine.container("shop").id, "\udcff\x1b[31m\rx")
    run = app("logs", "--json")
    assert run.lines[0]["line"] == "\ufffd\x1b[31m\rx"
    assert run.out.isascii()


@pytest.mark.usefixtures("written")
def test_an_engine_that_goes_in_the_middle_is_reported_after_what_came(
    app: App, engine: FakeEngine
) -> None:
    engine.fail("containers._logs", EngineUnavailable("gone"))
    run = app("logs", "--json")
    last = json.loads(run.out.splitlines()[-1])
    assert (run.code, last["type"], last["error"]["code"]) == (4, "result", "ENGINE_UNAVAILABLE")


def test_a_stream_that_fails_ends_with_a_result_as_well(app: App, up: Any) -> None:
    (last,) = app("logs", "-p", "nobody", "--json").lines
    assert last["error"]["code"] == "PROJECT_NOT_FOUND"


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize(
    ("pattern", "lines"), [("t(w|h)", ["two", "three"]), ("^o", ["one", "oops"])]
)
def test_grep(app: App, pattern: str, lines: list[str]) -> None:
    found = app("logs", "--grep", pattern, "--json").lines[:-1]
    assert [line["line"] for line in found] == lines


@pytest.mark.parametrize(
    "argv", [["--grep", "("], ["--since", "soon"], ["--until", "x"], ["--since", "2026-99-99"]]
)
def test_what_is_no_pattern_and_no_time(app: App, up: Any, argv: list[str]) -> None:
    run = app("logs", *argv, "--json")
    assert (run.code, run.lines[-1]["error"]["code"]) == (2, "USAGE")


# wait


@pytest.mark.usefixtures("up")
@pytest.mark.parametrize("condition", ["running", "ready"])
def test_wait_for_what_is_true_already(app: App, condition: str) -> None:
    run = app("wait", "--for", condition, "--json")
    assert (run.code, run.project["state"]) == (0, "running")


@pytest.mark.usefixtures("up")
def test_wait_for_an_end(app: App, engine: FakeEngine) -> None:
    assert (
        app("wait", "--for", "exited", "--timeout", "0.1", "--json").error["code"] == "WAIT_TIMEOUT"
    )
    engine.container("shop").program = ignores_sigterm()
    engine.crash(engine.container("shop").id, 3)
    run = app("wait", "--for", "exited", "--json")
    assert (run.code, run.project["exit"]["code"]) == (0, 3)


@pytest.mark.usefixtures("up")
def test_wait_for_a_line(app: App, engine: FakeEngine) -> None:
    engine.write_log(engine.container("shop").id, "server is up")
    assert app("wait", "--for", "log=is up$", "--timeout", "1").code == 0


@pytest.mark.usefixtures("up")
@pytest.mark.parametrize("condition", ["ready", "running", "http", "log=x"])
def test_wait_for_what_can_no_longer_come_true_fails_at_once(
    app: App, engine: FakeEngine, condition: str
) -> None:
    engine.crash(engine.container("shop").id, 3)
    run = app("wait", "--for", condition, "--timeout", "30", "--json")
    assert (run.code, run.error["code"]) == (7, "CRASHED")


@pytest.mark.usefixtures("up")
@pytest.mark.parametrize("condition", ["", "soon", "log=", "log=(", "http=x", "ready=1"])
def test_wait_for_what_is_no_condition(app: App, condition: str) -> None:
    run = app("wait", "--for", condition, "--json")
    assert (run.code, run.error["code"]) == (2, "USAGE")


def test_waiting_for_what_crashed_changes_nothing(app: App, engine: FakeEngine) -> None:
    engine.program = exits(1, "boom")
    app("up")
    before = len(engine.changes)
    run = app("wait", "--for", "ready", "--json")
    assert (run.code, run.error["code"]) == (7, "CRASHED")
    assert engine.changes[before:] == []


def test_last_words_about_a_full_disk_are_understood(app: App, engine: FakeEngine) -> None:
    words = "OSError: [Errno 28] No space left on device"
    engine.program = exits(1, words, flags=("full-disk",))
    assert app("up", "--json").error["code"] == "DISK_FULL"
    assert app("wait", "--for", "ready", "--json").error["code"] == "DISK_FULL"


@pytest.mark.parametrize(
    ("words", "flags", "said"),
    [
        ("OSError: [Errno 28] No space left on device", ("full-shm",), "Its /dev/shm is full"),
        ("Error: ENOSPC, write", ("full-shm",), "--shm-size 512m"),
        ("Bus error (core dumped)", ("full-shm",), "--shm-size 512m"),
        ("cp: write error: No space left on device", (), "no disk is full"),
        ("Error: ENOSPC, write", (), "--shm-size 512m"),
    ],
)
def test_no_space_is_a_full_disk_only_where_a_disk_is_full(
    app: App, engine: FakeEngine, words: str, flags: tuple[str, ...], said: str
) -> None:
    engine.program = exits(1, words, flags=flags)
    up = app("up", "--json").error
    waited = app("wait", "--for", "ready", "--json").error
    assert (up["code"], waited["code"]) == ("CRASHED", "CRASHED")
    assert said in up["hint"]
    assert said in waited["hint"]
    assert "image" not in up["hint"]


def test_more_shared_memory_than_there_is(app: App, engine: FakeEngine) -> None:
    engine.program = exits(135, flags=("full-shm",))
    assert "--shm-size 2048m" in app("up", "--shm-size", "1g", "--json").error["hint"]


def test_an_install_without_space_is_believed(app: App, engine: FakeEngine) -> None:
    engine.program = install_fails(1, "npm error ENOSPC: no space left on device, write")
    assert app("up", "--json").error["code"] == "DISK_FULL"


def test_a_container_that_is_always_gone_when_it_is_read_is_not_found(
    app: App, engine: FakeEngine
) -> None:
    app("up")
    engine.fail("containers.inspect", NotFound("gone"), times=10**6)
    run = app("wait", "--for", "ready", "--json")
    assert (run.code, run.error["code"]) == (3, "PROJECT_NOT_FOUND")


@pytest.mark.usefixtures("up")
def test_output_that_was_rotated_away_is_a_warning(app: App, engine: FakeEngine) -> None:
    (ref,) = engine.stored_containers
    engine.write_log(ref, "one")
    cursor = app("logs", "--json").lines[-1]["data"]["cursor"]
    engine.write_log(ref, "two", "three")
    del engine.stored_containers[ref].log[:-1]
    *lines, last = app("logs", "--json", "--after", cursor).lines
    assert [line["line"] for line in lines] == ["three"]
    (warning,) = last["warnings"]
    assert warning["code"] == "LOGS_ROTATED"
    assert "shop" in warning["message"]
