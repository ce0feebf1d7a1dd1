"""Whatever is typed, put into a file, or sent by an engine: one document, and no defect of ours."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import changed, places
from unit.fault_server import Server, serving

from cli.conftest import App, Run

DATA = Path(__file__).parents[1] / "data"
FUZZ = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

# An argument of a process holds no zero byte, and what is no UTF-8 arrives as a surrogate.
words = st.text(st.characters(exclude_characters="\0"), max_size=30)
numbers = st.sampled_from(
    ["0", "-1", "1e400", "nan", "inf", "", " ", "0x10", "١٢", "1" * 400, "2.5", "--", "1k", "½"]
)
values = words | numbers
OPTIONS = {
    "up --dry-run": ["-p", "-w", "--type", "--image", "--port", "-e", "--env-file", "--cpus", "-m",
                     "--pids", "--restart", "--wait-timeout", "--pull"],
    "stop": ["-p", "-t"],
    "rm --dry-run": ["-p", "-t"],
    "status --no-stats": ["-p", "--interval", "--sort"],
    "logs": ["-p", "-n", "--since", "--until", "--grep", "--after", "--max-bytes"],
    "wait --timeout 0.1": ["-p", "--for"],
    "network ensure": ["--subnet"],
    "volumes prune": ["-p"],
    "images build": ["--base"],
    "config show": ["-w"],
    "schema": [],
}  # fmt: skip


@st.composite
def command_lines(draw: st.DrawFn) -> list[str]:
    command = draw(st.sampled_from(list(OPTIONS)))
    line = command.split()
    for option in draw(st.lists(st.sampled_from(OPTIONS[command] or ["-q"]), max_size=3)):
        line += [option, draw(values)]
    return ["--json", *line, *draw(st.lists(values, max_size=1))]


def check(run: Run) -> None:
    """One document, whose error, if any, is not a defect of the program."""
    last = json.loads(run.out.splitlines()[-1])
    assert len(run.out.splitlines()) == 1 or all('"type"' in x for x in run.out.splitlines())
    assert last["error"] is None or last["error"]["code"] != "INTERNAL", last["error"]
    assert "Traceback" not in run.err


@FUZZ
@given(line=command_lines())
def test_any_command_line(app: App, line: list[str]) -> None:
    run = app(*line)
    check(run)


KEYS = ["project", "type", "image", "port", "env", "cpus", "memory", "pids", "restart", "command",
        "dependencies", "wait_timeout", "ca_bundle", "workspace", "other"]  # fmt: skip
toml_values = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | words,
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)


def toml(value: Any) -> str:
    """A value as TOML; JSON's strings and lists are TOML's as well."""
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value)


@FUZZ
@given(table=st.dictionaries(st.sampled_from(KEYS), toml_values, max_size=4))
def test_any_value_in_the_file(app: App, workspace: Path, table: dict[str, Any]) -> None:
    text = "".join(f"{k} = {toml(v)}\n" for k, v in table.items())
    (workspace / "debughost.toml").write_text(text, encoding="utf-8", errors="replace")
    for line in (["config", "validate"], ["config", "show"], ["up", "--dry-run"]):
        check(app(*line, "--json"))


@FUZZ
@given(data=st.binary(max_size=200))
@pytest.mark.parametrize(
    "name",
    ["debughost.toml", "pyproject.toml", "package.json", "composer.json", "requirements.txt"],
)
def test_any_bytes_in_a_file_that_is_read(
    app: App, workspace: Path, name: str, data: bytes
) -> None:
    (workspace / name).write_bytes(data)
    check(app("up", "--dry-run", "--json"))


def answers(engine: str) -> dict[str, Any]:
    """What an engine with one project said, by the end of the path that was asked for."""

    def load(name: str) -> Any:
        return json.loads((DATA / engine / f"{name}.json").read_text("utf-8"))

    return {
        r"/containers/json": load("containers"),
        r"/containers/[^/]+/json": load("inspect-crashed"),
        r"/containers/[^/]+/stats": load("stats-running"),
        r"/images/[^/]+.*/json": load("image"),
        r"/networks": load("networks"),
        r"/networks/[^/]+": load("network"),
        r"/volumes": {"Volumes": load("volumes")},
        r"/system/df": {"Volumes": load("df-volumes")},
        r"/containers/[^/]+/logs": b"",
    }


RECORDED = {p.name: answers(p.name) for p in sorted(DATA.glob("[0-9]*"))}
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("engine"), lambda *_: (404, {"message": "none"})) as made:
        yield made


@FUZZ
@pytest.mark.parametrize("engine_version", list(RECORDED))
@given(data=st.data())
def test_any_answer_of_an_engine(
    workspace: Path, server: Server, engine_version: str, data: st.DataObject
) -> None:
    table = RECORDED[engine_version]
    asked = data.draw(st.sampled_from([k for k in table if not k.endswith("logs")]))
    place = data.draw(st.sampled_from([(), *places(table[asked])]))
    odd = {**table, asked: changed(table[asked], place, data.draw(any_json))}

    def script(method: str, path: str) -> tuple[int, Any] | None:
        if path == "/version":
            return None
        bare = path.partition("?")[0]
        for pattern, answer in odd.items():
            if re.fullmatch(rf"/v1\.\d+{pattern}", bare):
                return 200, answer
        return 404, {"message": f"nothing at {bare}"}

    server.script = script
    line = data.draw(
        st.sampled_from(
            ["status", "status --no-stats -p shop", "logs -p shop", "network inspect", "images ls",
             "volumes ls", "up --dry-run -p shop", "wait -p shop --for ready --timeout 0.1",
             "rm --dry-run -p shop", "volumes prune --dry-run"]
        )
    )  # fmt: skip
    check(App(None)(*line.split(), "--json", "--host", server.url))
