"""Something new at least every second at a terminal, and a line every ten seconds in a pipe."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import jsonschema
import pytest

from .fault_proxy import Exchange, Fault, broken, forwarded
from .harness import Eye, Program, write
from .terminals import Recording, is_tame, record
from .workspaces import python

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def cold_node(eye: Eye, project: str, tmp_path: Path) -> Iterator[Path]:
    """The example, with an image that has to be built first, and nothing installed."""
    folder = tmp_path / "node"
    shutil.copytree(EXAMPLES / "node", folder, ignore=shutil.ignore_patterns("node_modules"))
    (folder / "debughost.toml").write_text('packages = ["hello"]\n')
    yield folder
    images = eye.client.images(filters={"label": "debug-host.packages=hello"})
    eye.remove(project)
    for image in images:
        eye.client.remove_image(image["Id"])


def shown(recording: Recording) -> str:
    """All that was on the screen at any time."""
    return "\n".join(line for _, lines in recording.screens() for line in lines)


def check_silence(run: Program, recording: Recording) -> None:
    """No more than a second of it, once a busy machine has loaded the program."""
    first, *later = recording.silences()
    assert first[1] <= run.slow(2.0)
    assert max(end - begin for begin, end in later) <= run.slow(1.0), later


@pytest.mark.once
@pytest.mark.alone  # an interval of a second, on a machine that others use
@pytest.mark.parametrize("columns", [80])
def test_a_cold_up_shows_something_new_every_second(
    run: Program, project: str, cold_node: Path, columns: int
) -> None:
    recording = record(run, "up", "-p", project, "-w", cold_node, columns=columns, timeout=300)
    assert recording.code == 0, recording.sent
    assert is_tame(recording.sent)
    check_silence(run, recording)
    text = shown(recording)
    assert re.search(r"\[\d+/\d+\] RUN", text), "the steps of the build"
    assert f"Installing the dependencies of {project}" in text
    *_, (_, last) = recording.screens()
    done = [line for line in last if line.startswith("✓")]
    assert any("Building image" in line for line in done)
    assert any("Installing" in line for line in done)
    assert not any(line[:1] in "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏" for line in last if line)


@pytest.mark.once
@pytest.mark.alone  # the same of ten seconds
def test_in_a_pipe_it_has_a_line_every_ten_seconds(
    run: Program, project: str, cold_node: Path
) -> None:
    with (cold_node / "debughost.toml").open("a") as file:
        file.write('[hooks]\nbefore_start = "echo preparing; sleep 21"\n')
    times, lines = [time.monotonic()], []
    with run.start("up", "-p", project, "-w", cold_node) as process:
        assert process.stderr is not None
        for line in process.stderr:
            times.append(time.monotonic())
            lines.append(line.decode().rstrip())
    assert process.returncode == 0, lines
    silences = [b - a for a, b in pairwise([*times, time.monotonic()])]
    assert max(silences) <= run.slow(10.0), silences
    hook = f"Running the hook before_start of {project}"
    assert f"{hook} (9s): preparing" in lines
    assert f"{hook} (19s): preparing" in lines
    assert any(line.startswith(f"{hook}: done after 2") for line in lines)


@pytest.mark.once
@pytest.mark.alone  # an interval of a second
def test_what_pip_does_is_seen(run: Program, project: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "p", python() | {"requirements.txt": "django\nsphinx\npandas\n"})
    recording = record(run, "up", "-p", project, "-w", folder, columns=200, timeout=300)
    assert recording.code == 0, recording.sent
    check_silence(run, recording)
    # Of lines that follow each other faster than it draws, some are never shown.
    assert re.search("Collecting|Downloading|Successfully", shown(recording))


def test_an_interruption_leaves_the_terminal_as_it_was(
    run: Program, project: str, tmp_path: Path
) -> None:
    def interrupt(process: subprocess.Popen[bytes], data: bytes) -> None:
        if b"listens on port" in data and process.poll() is None:
            process.send_signal(signal.SIGINT)

    folder = write(tmp_path / "p", python("time.sleep(60)"))
    recording = record(run, "up", "-p", project, "-w", folder, meanwhile=interrupt)
    assert recording.code == 130
    assert recording.sent.count(b"\x1b[?7l") == recording.sent.count(b"\x1b[?7h")
    assert b"\x1b[?25l" not in recording.sent
    *_, (_, last) = recording.screens()
    assert not any(line[:1] in "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏" for line in last if line)
    assert any(line.startswith("✗ Waiting until") for line in last)


def delayed(exchange: Exchange) -> None:
    time.sleep(2.5)
    forwarded(exchange)


@pytest.mark.alone  # an interval of a second
@pytest.mark.parametrize("args", [("status",), ("rm", "--if-exists", "-p"), ("volumes", "ls")])
def test_a_slow_engine_is_waited_for_visibly(
    run: Program,
    project: str,
    engine_socket: Path,
    tmp_path_factory: pytest.TempPathFactory,
    args: tuple[str, ...],
) -> None:
    words = (*args, project) if args[-1] == "-p" else args
    with broken(
        tmp_path_factory.mktemp("p"), engine_socket, Fault(delayed), lambda *_: True
    ) as proxy:
        recording = record(run, *words, env={"DOCKER_HOST": proxy.url})
    assert recording.code == 0, recording.sent
    check_silence(run, recording)
    assert "engine" in shown(recording)


def test_every_line_of_json_is_as_the_schema_says(
    run: Program, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "p", python("print('loading', flush=True); time.sleep(1.5)"))
    schema = json.loads(run("schema", "progress").out)
    done = run("up", "-p", project, "-w", folder, "--json", "--progress", "json")
    lines = [json.loads(line) for line in done.err.splitlines()]
    for line in lines:
        jsonschema.validate(line, schema)
    assert {"phase_started", "phase_output", "phase_ended"} <= {line["type"] for line in lines}
    assert "loading" in [line["line"] for line in lines]
    (wait,) = [x for x in lines if x["type"] == "phase_ended" and x["kind"] == "wait"]
    assert wait["duration_ms"] >= 1000
    assert wait["project"] == project


def test_a_failure_in_json_is_on_stderr_as_json_too(run: Program) -> None:
    failed = run("stop", "-p", "no-such-project", env={"DEBUGHOST_PROGRESS": "json"}, check=3)
    messages = [json.loads(line)["message"] for line in failed.err.splitlines()]
    assert any("no-such-project" in m for m in messages if m)


def test_a_value_that_does_not_exist_is_refused(run: Program) -> None:
    assert "--progress" in run("status", "--progress", "loud", check=2).err
    assert "DEBUGHOST_PROGRESS" in run("status", env={"DEBUGHOST_PROGRESS": "x"}, check=2).err
