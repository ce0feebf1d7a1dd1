"""What people see, and what programs read."""

from __future__ import annotations

import io
import json
import re
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.console import Console

from debughost_cli.errors import Busy, Crashed
from debughost_cli.models import (
    Action,
    ContainerRef,
    Drift,
    Exit,
    ExitReason,
    Project,
    State,
    Stats,
    Warn,
)
from debughost_cli.planning.up import Plan, Step, StepKind
from debughost_cli.render import human, status, text
from debughost_cli.render.json import (
    dumps,
    envelope,
    images_json,
    network_json,
    pretty,
    project_json,
    projects_json,
    volumes_json,
)
from debughost_cli.render.streams import Streams, clean, inline, message_line
from debughost_cli.resources import EngineInfo, Image, Network, Volume
from debughost_cli.services.results import (
    ImageEntry,
    ImagesResult,
    ProjectResult,
    ProjectsResult,
    VolumesResult,
)

MOMENT = datetime(2026, 11, 23, 10, 15, 0, 123456, tzinfo=UTC)
ESCAPES = re.compile(r"\x1b\[")


class Terminal(io.StringIO):
    def isatty(self) -> Any:
        return True


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.fixture
def piped() -> Any:
    return Streams(io.StringIO(), io.StringIO(), io.StringIO())


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("COLUMNS", "120")
    return Streams(Terminal(), Terminal(), Terminal())


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (None, "-"),
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1 KiB"),
        (1536, "1.5 KiB"),
        (84410368, "80 MiB"),
        (2 * 1024**3, "2 GiB"),
        (1024**4, "1 TiB"),
        (5000 * 1024**4, "5000 TiB"),
    ],
)
def test_sizes(count: int | None, shown: str) -> None:
    assert text.size(count) == shown


@given(st.integers(0, 2**70))
def test_no_size_is_wide(count: Any) -> None:
    assert re.fullmatch(r"\d+(\.\d)? ([KMGT]i)?B", text.size(count))


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, "-"),
        (0, "0s"),
        (0.9, "0s"),
        (59.9, "59s"),
        (60, "1m 0s"),
        (4384, "1h 13m"),
        (86400, "1d 0h"),
        (90061, "1d 1h"),
        (100 * 86400, "100d 0h"),
    ],
)
def test_durations(seconds: float | int | None, shown: str) -> None:
    assert text.duration(seconds) == shown


@pytest.mark.parametrize(
    ("project", "word"),
    [
        (Project("p"), "gone"),
        (Project("p", state=State.RUNNING, ready=True), "running"),
        (Project("p", state=State.RUNNING), "starting"),
        (Project("p", state=State.RUNNING, ready=True, health="unhealthy"), "unhealthy"),
        (Project("p", state=State.CRASHED), "crashed"),
        (Project("p", state=State.STOPPED), "stopped"),
    ],
)
def test_the_state_is_never_shown_by_colour_alone(project: Any, word: str) -> None:
    assert text.state_word(project) == word


@pytest.mark.parametrize(
    ("given_", "shown"),
    [
        ("plain", "plain"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("over\rwritten", r"over\rwritten"),
        ("back\x08space", r"back\x08space"),
        ("\x9b31m", r"\x9b31m"),
        ("\x00", r"\x00"),
        ("right\u202eto left", r"right\u202eto left"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("soft\xadhyphen", r"soft\xadhyphen"),
        ("tag\U000e0041", r"tag\U000e0041"),
        ("\ufeffmark", r"\ufeffmark"),
        ("zwölf € 文", "zwölf € 文"),
    ],
)
def test_control_characters_of_others_are_shown_and_not_obeyed(given_: str, shown: str) -> None:
    assert clean(given_) == shown


def test_no_character_of_the_categories_cc_and_cf_is_left() -> None:
    hidden = [
        chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) in ("Cc", "Cf")
    ]
    assert {c for c in hidden if clean(c) == c} == {"\n", "\t"}


def test_what_an_agent_reads_in_json_is_cleaned_as_well() -> None:
    hidden = "a\u200b\U000e0041\x1b[2J"
    document = envelope(
        command="up", changed=False, data={}, warnings=[Warn("X", hidden)], next_=[], engine=None,
        error={"message": hidden, "details": {"reason": [hidden], "port": 3000}}, duration_ms=1,
    )  # fmt: skip
    shown = r"a\u200b\U000e0041\x1b[2J"
    assert document["warnings"][0]["message"] == shown
    assert document["error"] == {"message": shown, "details": {"reason": [shown], "port": 3000}}


def test_a_message_that_quotes_megabytes_is_cut(piped: Any) -> None:
    flood = "x" * 1024**2
    failure = Busy(flood, hint=flood, details={"holder": {"command": flood}})
    document = envelope(
        command="up", changed=False, data={}, warnings=[Warn("X", flood)], next_=[], engine=None,
        error=failure.to_json(), duration_ms=1,
    )  # fmt: skip
    assert len(json.dumps(document)) < 20_000
    human.error(piped, failure)
    assert len(piped.stderr.getvalue()) < 10_000
    assert len(message_line("\n" * 1024**2)) < 10_000


@given(st.text())
def test_a_cell_of_a_table_is_one_line(given_: Any) -> None:
    assert len(inline(given_).splitlines()) <= 1


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_left(given_: Any) -> None:
    shown = clean(given_)
    assert not [c for c in shown if (ord(c) < 32 and c not in "\n\t") or 127 <= ord(c) < 160]


@pytest.mark.parametrize(
    ("variables", "no_color", "tty", "color"),
    [
        ({}, False, True, True),
        ({}, False, False, False),
        ({"TERM": "dumb"}, False, True, False),
        ({"NO_COLOR": "1"}, False, True, False),
        ({"NO_COLOR": ""}, False, True, True),
        ({"FORCE_COLOR": "1"}, False, False, True),
        ({"FORCE_COLOR": "0"}, False, True, True),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, False, False, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, True, False),
        ({"FORCE_COLOR": "1"}, True, True, False),
        ({}, True, True, False),
    ],
)
def test_colour(
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    no_color: bool,
    tty: bool,
    color: bool,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    stream = Terminal() if tty else io.StringIO()
    streams = Streams(io.StringIO(), stream, stream, no_color)
    assert streams.has_color(stream) is color
    assert bool(ESCAPES.search(streams.styled("x", "red", stream))) is color


def test_a_closed_stream_is_no_terminal() -> None:
    closed = io.StringIO()
    closed.close()
    assert not Streams(closed, closed, closed).is_interactive()


STATS = Stats(3.14, 2.0, 84410368, 2 * 1024**3, 3.9, 23, 1, 2)
RUNNING = Project(
    "shop",
    type="node",
    state=State.RUNNING,
    ready=True,
    url="http://127.0.0.1:3000",
    port=3000,
    stats=STATS,
    uptime_seconds=4384.0,
)
CRASHED = Project(
    "api",
    state=State.CRASHED,
    exit=Exit(137, "SIGKILL", ExitReason.OOM, False, "used up its memory\x1b[31m", MOMENT),
)
LONG = replace(RUNNING, project="p" * 63, url="http://127.0.0.1:3000/" + "x" * 300)


def test_a_piped_table_is_never_cut_and_has_no_colour(piped: Any) -> None:
    status.show(piped, [RUNNING, CRASHED, LONG])
    shown = piped.stdout.getvalue()
    assert "…" not in shown
    assert not ESCAPES.search(shown)
    assert LONG.project in shown
    assert LONG.url in shown
    assert "http://127.0.0.1:3000" in shown
    assert shown.splitlines()[0].split() == ["PROJECT", "STATE", "CPU", "MEMORY", "URL", "UPTIME"]
    assert len(shown.splitlines()) == 5
    assert piped.stderr.getvalue() == ""


@pytest.mark.parametrize("projects", [[RUNNING], [CRASHED], [RUNNING, CRASHED, LONG]])
def test_a_piped_table_has_the_columns_that_rich_makes(piped: Any, projects: Any) -> None:
    status.show(piped, projects)
    width = 1000
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(status.table(projects, width=width, pretty=False))
    assert isinstance(console.file, io.StringIO)
    assert piped.stdout.getvalue().startswith(console.file.getvalue())


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [("port", 3000, "default")],
        [("a", "", "x"), ("longer", "two words", "\t")],
        [("name", "日本", "wide")],
    ],
)
def test_a_piped_table_of_anything_has_the_columns_that_rich_makes(piped: Any, rows: Any) -> None:
    headings = ("SETTING", ">VALUE", "SOURCE")
    human.table(piped, headings, rows)
    human.table(piped, headings, [*rows, ("é", "", "")])
    shown = piped.stdout.getvalue().splitlines()
    half = len(rows) + 1
    # The second one has a cell that only rich can measure.
    assert [line.rstrip() for line in shown[:half]] == [
        line.rstrip() for line in shown[half : 2 * half]
    ]


def test_why_something_ended_stands_under_the_table(piped: Any) -> None:
    status.show(piped, [CRASHED])
    assert piped.stdout.getvalue().splitlines()[-1] == r"api: used up its memory\x1b[31m"


def test_the_table_in_a_terminal_has_colour_and_fits(terminal: Any) -> None:
    status.show(terminal, [RUNNING, CRASHED])
    shown = terminal.stdout.getvalue()
    assert ESCAPES.search(shown)
    bare = re.sub(r"\x1b(\[[0-9;]*m|\]8;[^\x1b]*\x1b\\)", "", shown)
    assert max(map(len, bare.splitlines())) <= 120


@pytest.mark.parametrize("columns", [60, 80, 99, 100, 200])
def test_the_table_in_a_terminal_of_any_width(
    terminal: Any, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    status.show(terminal, [RUNNING, CRASHED, replace(LONG, url=RUNNING.url)])
    shown = terminal.stdout.getvalue()
    assert "running" in shown
    assert "3000" in shown


def test_the_narrowest_terminal_is_no_reason_to_fail(
    terminal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "10")
    status.show(terminal, [RUNNING, CRASHED, LONG])


def test_a_table_in_a_terminal_without_colour(terminal: Any) -> None:
    terminal.no_color = True
    status.show(terminal, [RUNNING])
    assert not ESCAPES.search(terminal.stdout.getvalue())


@pytest.mark.parametrize("limit", [0.0, 0.01, 2.0])
def test_no_limit_makes_the_table_fail(terminal: Any, limit: float) -> None:
    status.show(terminal, [replace(RUNNING, stats=replace(STATS, cpu_limit=limit))])
    assert "3.1%" in terminal.stdout.getvalue()


def test_no_projects_is_no_data(piped: Any) -> None:
    status.show(piped, [])
    assert piped.stdout.getvalue() == ""
    assert "debughost up" in piped.stderr.getvalue()


def test_a_failure_for_people(piped: Any) -> None:
    error = Crashed("it crashed\x1b[2J", hint="look", details={"log_tail": ["last\x07", "words"]})
    human.error(piped, error)
    assert piped.stderr.getvalue().splitlines() == [
        r"Error: it crashed\x1b[2J [CRASHED]",
        r"  | last\x07",
        "  | words",
        "Hint: look",
    ]
    assert piped.stdout.getvalue() == ""


def result(action: Action, project: Project = RUNNING, **more: Any) -> ProjectsResult:
    return ProjectsResult((ProjectResult(project, action, **more),))


STOPPED = replace(
    RUNNING,
    state=State.STOPPED,
    ready=False,
    exit=Exit(143, "SIGTERM", ExitReason.STOPPED, True, "ended by itself after SIGTERM", MOMENT),
)


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (result(Action.CREATED), "shop created, running at http://127.0.0.1:3000"),
        (result(Action.UNCHANGED), "shop unchanged, running at http://127.0.0.1:3000"),
        (
            result(Action.STARTED, replace(RUNNING, ready=False)),
            "shop started, running at http://127.0.0.1:3000 (not ready yet)",
        ),
        (result(Action.STOPPED, STOPPED), "shop stopped: it ended by itself after SIGTERM"),
        (result(Action.UNCHANGED, STOPPED), "shop is stopped already"),
        (result(Action.REMOVED, replace(RUNNING, state=None)), "shop removed"),
    ],
)
def test_one_line_for_what_was_done(piped: Any, made: Any, line: str) -> None:
    human.projects(piped, made)
    assert piped.stdout.getvalue() == f"{line}\n"


def test_a_plan_for_people(piped: Any) -> None:
    plan = Plan(Action.RECREATED, (Step(StepKind.CREATE_CONTAINER, "shop", "changed: port"),))
    project = replace(RUNNING, drift=(Drift("port", 3001, 3000),))
    human.projects(piped, result(Action.RECREATED, project, plan=plan))
    assert piped.stdout.getvalue().splitlines() == [
        "shop would be recreated",
        "  create container shop (changed: port)",
        "  port: 3000 -> 3001",
    ]


def test_of_several_each_failure_is_reported(piped: Any) -> None:
    failed = ProjectResult(Project("api"), Action.FAILED, Busy("another command holds it"))
    human.projects(piped, ProjectsResult((ProjectResult(RUNNING, Action.STARTED), failed)))
    assert "another command holds it" in piped.stderr.getvalue()
    assert "shop started" in piped.stdout.getvalue()


NETWORK = Network("n1", "net", "bridge", "172.28.0.0/16", "172.28.0.1", {}, ("c1",))


def test_a_network_for_people(piped: Any) -> None:
    human.network(piped, NETWORK, done="created")
    assert piped.stdout.getvalue() == (
        "net created: bridge, subnet 172.28.0.0/16, gateway 172.28.0.1, 1 container\n"
    )


VOLUMES = VolumesResult(
    (Volume("debug-host-shop-venv", {"debug-host.project": "shop"}, MOMENT, 10 * 1024**2, True),)
)


def test_volumes_for_people(piped: Any) -> None:
    human.volumes(piped, VOLUMES)
    assert piped.stdout.getvalue().splitlines()[1].split() == [
        "debug-host-shop-venv", "shop", "10", "MiB", "yes",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("image", "current", "state"),
    [(None, False, "missing"), (Image("i", (), {}, 5, None), True, "here"),
     (Image("i", (), {}, 5, None), False, "outdated")],
)  # fmt: skip
def test_images_for_people(piped: Any, image: Any, current: bool, state: str) -> None:
    human.images(piped, ImagesResult((ImageEntry("node", "debug-host/node:x", image, current),)))
    assert state in piped.stdout.getvalue()


# JSON

P = {
    "project", "type", "state", "ready", "not_ready", "health", "url", "port", "workspace",
    "command", "container", "created_at", "started_at", "uptime_seconds", "restart_count", "stats",
    "exit", "drift", "drift_unknown", "flags", "memory_limit_bytes", "dependencies", "ports",
    "services", "sync", "engine", "swarm", "url_host",
}  # fmt: skip


def test_a_project_has_all_the_contracts_keys() -> None:
    full = replace(
        RUNNING,
        container=ContainerRef("id", "name", "image"),
        created_at=MOMENT,
        exit=CRASHED.exit,
        drift=(Drift("image", "a", "b"),),
        command=("npm", "run"),
    )
    for project in (full, Project("bare")):
        assert set(project_json(project)) == P
    made = project_json(full)
    assert set(made["container"]) == {"id", "name", "image"}
    assert set(made["stats"]) >= {
        "cpu_percent", "cpu_limit", "memory_bytes", "memory_limit_bytes", "memory_percent", "pids",
        "net_rx_bytes", "net_tx_bytes",
    }  # fmt: skip
    assert set(made["exit"]) == {
        "code", "signal", "reason", "expected", "message", "finished_at", "log_tail",
    }  # fmt: skip
    assert made["drift"] == [{"field": "image", "want": "a", "have": "b"}]
    assert made["created_at"] == "2026-11-23T10:15:00.123Z"
    assert made["command"] == ["npm", "run"]


def test_a_failed_project_carries_its_error() -> None:
    failed = ProjectResult(Project("api"), Action.FAILED, Busy("held", hint="wait"))
    (made,) = projects_json(ProjectsResult((failed,)))["projects"]
    assert made["action"] == "failed"
    assert made["error"] == {
        "code": "BUSY",
        "message": "held",
        "hint": "wait",
        "retryable": True,
        "details": {},
    }


def test_an_envelope() -> None:
    made = envelope(
        command="up",
        changed=True,
        data={},
        warnings=[Warn("A", "b")],
        error=None,
        next_=("debughost status",),
        engine=EngineInfo("unix:///x", "default", "28.5.2"),
        duration_ms=5,
    )
    assert json.loads(dumps(made)) == {
        "schema_version": 1,
        "ok": True,
        "command": "up",
        "changed": True,
        "data": {},
        "warnings": [{"code": "A", "message": "b"}],
        "error": None,
        "next": ["debughost status"],
        "engine": {"endpoint": "unix:///x", "source": "default", "version": "28.5.2"},
        "duration_ms": 5,
    }


def test_other_shapes() -> None:
    assert (
        network_json(NETWORK)["network"].items()
        >= {
            "name": "net",
            "id": "n1",
            "driver": "bridge",
            "subnet": "172.28.0.0/16",
            "gateway": "172.28.0.1",
            "containers": ["c1"],
        }.items()
    )
    (volume,) = volumes_json(VOLUMES)["volumes"]
    assert (
        volume.items()
        >= {
            "name": "debug-host-shop-venv",
            "project": "shop",
            "type": None,
            "size_bytes": 10 * 1024**2,
            "in_use": True,
            "created_at": "2026-11-23T10:15:00.123Z",
        }.items()
    )
    (image,) = images_json(ImagesResult((ImageEntry("node", "ref", None),)))["images"]
    assert (image["type"], image["ref"], image["present"]) == ("node", "ref", False)


@given(st.dictionaries(st.text(), st.text() | st.floats() | st.none()))
def test_a_document_is_always_one_line_of_ascii(data: Any) -> None:
    made = dumps(data)
    assert made.isascii()
    assert len(made.splitlines()) == 1


@pytest.mark.parametrize("write", [dumps, pretty])
def test_half_a_character_of_a_name_that_is_not_utf_8_is_replaced(write: Any) -> None:
    made = write({"path": "caf\udce9", "face": "\U0001f600", "escaped": "\\udce9"})
    assert json.loads(made) == {
        "path": "caf?", "face": "\U0001f600", "escaped": "\\udce9",
    }  # fmt: skip


def test_times_in_any_zone_are_shown_in_utc() -> None:
    zone = datetime(2026, 11, 23, 12, tzinfo=UTC) + timedelta(hours=0)
    assert (
        project_json(replace(RUNNING, created_at=zone))["created_at"] == "2026-11-23T12:00:00.000Z"
    )
