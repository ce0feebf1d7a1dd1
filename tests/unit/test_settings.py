"""Settings: valid and invalid values of each, and their precedence."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from debughost_cli.errors import DebughostError, InvalidConfig, InvalidPort, TypeUnknown, Usage
from debughost_cli.models import PortFrom, ProjectType, RestartMode, RestartPolicy
from debughost_cli.project import parsers
from debughost_cli.project.companions import CompanionSettings
from debughost_cli.project.configuration import file_environment, load_settings
from debughost_cli.project.settings import SETTINGS, Flags, Settings, Source
from debughost_cli.project.variables import BadValue, flag_environment
from debughost_cli.specs import Limits, PortBinding, PortRequest

GIB = 1024**3


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def write(workspace: Path) -> Callable[..., Any]:
    def write(text: str, name: str = "debughost.toml") -> Path:
        (workspace / name).write_text(text, "utf-8")
        return workspace

    return write


def load(workspace: Path, env: Mapping[str, str] | None = None, **flags: Any) -> Settings:
    return load_settings(workspace, Flags(**flags), env or {})


GOOD: dict[str, list[tuple[str, Any]]] = {
    "project": [('"shop"', "shop")],
    "engine": [('"build"', "build"), ('"my.box-2"', "my.box-2")],
    "type": [('"node"', ProjectType.NODE), ('"static"', ProjectType.STATIC)],
    "image": [('"node:24"', "node:24")],
    "command": [
        ('["npm", "start"]', ("npm", "start")),
        ('"npm start | tee log"', ("/bin/sh", "-c", "npm start | tee log")),
    ],
    "port": [
        ("3000", 3000),
        ('"3000"', 3000),
        ('"3000+"', PortFrom(3000)),
        ('"auto"', None),
        ("false", 0),
    ],
    "ports": [
        ("{debug = 9229}", {"debug": PortRequest(9229, 9229)}),
        ('{mail = "8026:8025"}', {"mail": PortRequest(8025, 8026)}),
        ('{mail = "8026+:80"}', {"mail": PortRequest(80, PortFrom(8026))}),
        ('{mail = "127.0.0.1:8025:8025/tcp"}', {"mail": PortRequest(8025, 8025)}),
        (
            '["9229", "ui=9230+", "9300:9100"]',
            {
                "9229": PortRequest(9229, 9229),
                "ui": PortRequest(9230, PortFrom(9230)),
                "9100": PortRequest(9100, 9300),
            },
        ),
        ('"9229,ui=9300:80"', {"9229": PortRequest(9229, 9229), "ui": PortRequest(80, 9300)}),
        ("{}", {}),
    ],
    "env": [('{A = "x", B = 1, C = true, D = 1.5}', {"A": "x", "B": "1", "C": "true", "D": "1.5"})],
    "env_file": [('".env"', (".env",)), ('["a", "b"]', ("a", "b")), ("[]", ())],
    "cpus": [("1", 1.0), ("0.5", 0.5), ('"1.5"', 1.5)],
    "memory": [
        ('"2g"', 2 * GIB),
        ('"512m"', 512 * 1024**2),
        ('"1.5GiB"', 3 * GIB // 2),
        ('"1gb"', GIB),
        ('"8192k"', 8 * 1024**2),
        (str(GIB), GIB),
        (f'"{GIB}"', GIB),
        ('"6m"', 6 * 1024**2),
    ],
    "pids": [("100", 100), ('"100"', 100)],
    "compilers": [("true", True), ("false", False)],
    "debug": [("true", True), ("false", False), ('"on"', True)],
    "isolated": [("true", True), ("false", False), ('"yes"', True)],
    "runtime": [('"22"', "22"), ("22", "22"), ('"3.12.1"', "3.12.1")],
    "git": [("true", True), ("false", False)],
    "hooks": [
        ("{}", {}),
        ('{after_install = "make assets && id"}', {"after_install": "make assets && id"}),
        ('{before_start = ["echo", "a b"]}', {"before_start": "echo 'a b'"}),
    ],
    "packages": [
        ('["ffmpeg", "g++", "ffmpeg"]', ("ffmpeg", "g++")),
        ('"ffmpeg libpq-dev=17.5-1+b1"', ("ffmpeg", "libpq-dev=17.5-1+b1")),
        ("[]", ()),
    ],
    "shm_size": [('"256m"', 256 * 1024**2), ("1", 1), ('"1g"', GIB)],
    "restart": [
        ('"no"', RestartPolicy()),
        ('"always"', RestartPolicy(RestartMode.ALWAYS)),
        ('"unless-stopped"', RestartPolicy(RestartMode.UNLESS_STOPPED)),
        ('"on-failure"', RestartPolicy(RestartMode.ON_FAILURE)),
        ('"on-failure:5"', RestartPolicy(RestartMode.ON_FAILURE, 5)),
    ],
    "ca_bundle": [('"/etc/ca.pem"', "/etc/ca.pem")],
    "dependencies": [("true", True), ("false", False)],
    "wait_timeout": [("90", 90.0), ("0.5", 0.5), ('"90"', 90.0)],
    "install_timeout": [("900", 900.0), ('"0.5"', 0.5)],
    "stable": [("0", 0.0), ("2", 2.0), ('"0"', 0.0), ("1.5", 1.5)],
    "services": [
        ("[]", ()),
        ('["postgres:17"]', (CompanionSettings("postgres", "postgres:17"),)),
        ('"valkey/valkey:8"', (CompanionSettings("valkey", "valkey/valkey:8"),)),
        ('{db = "postgres:17"}', (CompanionSettings("db", "postgres:17"),)),
        (
            '{q = {image = "r/mq@sha256:0", port = 5, volume = "/d", env = {A = 1}, publish = 7000,'
            ' ready = "true", command = "run --x", memory = "1g"}}',
            (
                CompanionSettings(
                    "q",
                    "r/mq@sha256:0",
                    5,
                    "/d",
                    {"A": "1"},
                    ("/bin/sh", "-c", "true"),
                    ("run", "--x"),
                    PortBinding("", 0, 7000),
                    Limits(memory_bytes=GIB),
                ),
            ),
        ),
    ],
}

WRONG: dict[str, list[str]] = {
    "project": ['"Shop!"', "3", "[]", '""'],
    "engine": [
        '"ssh://me@build"',
        '"tcp://1.2.3.4:2375"',
        '"/run/docker.sock"',
        '"h:1"',
        "3",
        '""',
    ],
    "type": ['"ruby"', "1", "[]", '""'],
    "image": ["1", "[]", '""', '"a b"', '"-x"', '"$(a)"', '"a\\n"', f'"{"a" * 513}"'],
    "command": ["1", "[]", '""', '" "', "[1]", "true", '["a", 1]'],
    "port": ["0", "80", "2650", "70000", "-1", "1.5", '"x"', "true", "[]", '""', '"3000 "'],
    "ports": [
        "9229",
        "true",
        '"x"',
        "{debug = true}",
        "{debug = 80}",
        "{debug = 2650}",
        '{debug = ""}',
        "{debug = 70000}",
        "{debug = -1}",
        "{debug = 1.5}",
        "{http = 9229}",
        "{Debug = 9229}",
        '{debug = "9229:0"}',
        '{debug = "9229:65536"}',
        '{debug = "0.0.0.0:9229:9229"}',
        '{debug = "9229/udp"}',
        '{debug = "9229-9231"}',
        "{debug = [9229]}",
        "[9229]",
        '"http=9229"',
        str([f"{port}" for port in range(9000, 9021)]),
    ],
    "env": ['"A=1"', "[]", "{A = [1]}", "{A = {B = 1}}", '{"A=B" = 1}', '{"" = 1}'],
    "env_file": ["1", "[1]", '""', '[""]', str([".env"] * 21), str(["a", "b"] * 9000)],
    "cpus": ["0", "-1", '"x"', "true", "[]", "inf", "nan", '""', "5000"],
    "memory": [
        "0",
        "-1",
        '"x"',
        '"2x"',
        '"5m"',
        "true",
        "[]",
        '""',
        '"-2g"',
        '"1e3g"',
        "1.5",
        '"2 g b"',
    ],
    "pids": ["0", "7", "1.5", '"x"', "true", "[]", "inf", "nan", '"inf"', "5000000"],
    "compilers": ['"perhaps"', "2", "[]"],
    "debug": ['"perhaps"', "9229", "[]"],
    "isolated": ['"perhaps"', "2", "[]"],
    "runtime": ["3.12", '"lts"', '"22-slim"', "true", "[]", '""', "-1"],
    "git": ['"perhaps"', "2", "[]"],
    "hooks": ['"make"', "[]", '{start = "make"}', "{before_start = 1}", '{before_start = ""}'],
    "packages": ["3", '["libc6-"]', '"a;b"', '["$(id)"]', '["x/y"]', "{}"],
    "shm_size": ["0", "-1", '"x"', "true", "[]", '""', '"9999999t"'],
    "restart": ['"maybe"', "1", "true", '"on-failure:0"', '"on-failure:-1"', '"always:3"', '""'],
    "ca_bundle": ["1", "[]", '""'],
    "dependencies": ['"perhaps"', "2", "[]"],
    "wait_timeout": ["0", "-1", '"x"', "true", "[]", "inf", "nan", "90000"],
    "install_timeout": ["0", "-1", '"x"', "true", "[]", "inf", "nan", "90000"],
    "stable": ["-1", '"x"', "true", "false", "[]", "inf", "nan", "90000", '""'],
    "services": [
        "1",
        "true",
        '""',
        "[1]",
        '["postgres:17", "postgres:16"]',
        str([f"image{n}" for n in range(11)]),
        "{db = 1}",
        "{db = {}}",
        '{db = {image = "a b"}}',
        '{Db = "postgres"}',
        '{localhost = "postgres"}',
        '{main = "postgres"}',
        '{project-x = "postgres"}',
        '{db = {image = "postgres", imagee = "x"}}',
        '{db = {image = "postgres", port = 0}}',
        '{db = {image = "postgres", volume = "data"}}',
        '{db = {image = "postgres", volume = "/a/../b"}}',
        '{db = {image = "postgres", publish = 80}}',
        '{db = {image = "postgres", publish = "x"}}',
        '{db = {image = "postgres", env = "A"}}',
        '{db = {image = "postgres", ready = ""}}',
        '{db = {image = "postgres", command = 1}}',
        '{db = {image = "postgres", memory = "1k"}}',
    ],
}


def cases(table: Mapping[str, Sequence[Any]]) -> list[tuple[str, Any]]:
    return [(name, case) for name, items in table.items() for case in items]


def test_every_setting_has_its_cases() -> None:
    in_files = {name for name, setting in SETTINGS.items() if not setting.user_only}
    assert set(GOOD) == set(WRONG) == in_files


@pytest.mark.parametrize(("name", "case"), cases(GOOD))
def test_valid_values_in_a_file(
    write: Callable[..., Any], name: str, case: tuple[Any, ...]
) -> None:
    text, value = case
    found = load(write(f"{name} = {text}\n"))
    assert getattr(found, name) == value
    assert found.source(name) is Source.FILE


@pytest.mark.parametrize(("name", "text"), cases(WRONG))
def test_invalid_values_in_a_file_are_refused(
    write: Callable[..., Any], name: str, text: str
) -> None:
    with pytest.raises(DebughostError) as caught:
        load(write(f"{name} = {text}\n"))
    error = caught.value
    assert error.exit_code == 2
    assert error.message
    assert error.hint
    if isinstance(error, InvalidConfig):
        assert "debughost.toml" in error.message
        assert error.details == {"setting": name}


@pytest.mark.parametrize("name", ["env-file", "ca-bundle", "wait-timeout"])
def test_names_may_be_written_with_hyphens(write: Callable[..., Any], name: str) -> None:
    value = "30" if name == "wait-timeout" else '"x"'
    assert load(write(f"{name} = {value}\n")).source(name.replace("-", "_")) is Source.FILE


@pytest.mark.parametrize(
    ("key", "hint"),
    [("prot", "'port'"), ("comand", "'command'"), ("zzz", "Known settings: project")],
)
def test_an_unknown_setting_is_an_error_with_a_suggestion(
    write: Callable[..., Any], key: str, hint: str
) -> None:
    with pytest.raises(InvalidConfig) as caught:
        load(write(f"{key} = 1\n"))
    assert repr(key) in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.details["key"] == key


@pytest.mark.parametrize(
    "text",
    [
        "port = ", "port", "[port", "port = 3000\nport = 3001", "x = " + "[" * 20_000,
        "x = " + "9" * 5000, "\x00",
    ],
    ids=["no value", "no equals", "half a table", "twice", "very deep", "very long", "binary"],
)  # fmt: skip
def test_a_file_that_is_not_toml_is_an_error(write: Callable[..., Any], text: str) -> None:
    with pytest.raises(InvalidConfig) as caught:
        load(write(text))
    assert "debughost.toml" in caught.value.message


def test_a_file_that_is_not_text_is_an_error(workspace: Any) -> None:
    (workspace / "debughost.toml").write_bytes(b"project = '\xff\xfe'")
    with pytest.raises(InvalidConfig):
        load(workspace)


@pytest.mark.parametrize("name", ["debughost.toml", "vars"])
def test_a_file_is_read_up_to_a_limit(workspace: Any, write: Any, name: str) -> None:
    write('env_file = "vars"\n')
    (workspace / name).write_text("# " + "x" * 1024**2)
    with pytest.raises(InvalidConfig) as caught:
        file_environment(load(workspace), workspace, {})
    assert name in caught.value.message
    assert "1 MiB" in caught.value.message


def test_variables_may_come_from_a_pipe(workspace: Any) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"A=1\n")
    os.close(writing)
    assert flag_environment([], [Path(f"/dev/fd/{reading}")], {}) == {"A": "1"}
    os.close(reading)


def test_a_file_written_on_windows_is_read(workspace: Any) -> None:
    (workspace / "debughost.toml").write_bytes("\ufeffport = 3000\r\n".encode())
    assert load(workspace).port == 3000


def test_without_a_file_there_are_defaults(workspace: Any) -> None:
    found = load(workspace)
    assert found.file is None
    assert (found.cpus, found.memory, found.pids) == (2.0, 2 * GIB, 512)
    assert (str(found.restart), found.wait_timeout) == ("no", 60.0)
    assert found.source("cpus") is Source.DEFAULT
    assert found.image is None
    assert found.source("image") is None


def test_the_table_in_pyproject_is_used(write: Any) -> None:
    write("[project]\nname = 'x'\n[tool.debughost]\nport = 3000\n", "pyproject.toml")
    found = load(write("", "unrelated"))
    assert found.port == 3000
    assert found.file.name == "pyproject.toml"


def test_debughost_toml_takes_precedence_over_pyproject(write: Any) -> None:
    write("[tool.debughost]\nport = 3000\n", "pyproject.toml")
    assert load(write("port = 3001\n")).port == 3001


@pytest.mark.parametrize(
    "text", ["", "[tool.other]\nx = 1\n", "[project]\nname = 'x'\n", "tool = 3"]
)
def test_a_pyproject_without_the_table_is_ignored(write: Any, text: str) -> None:
    assert load(write(text, "pyproject.toml")).file is None


def test_a_section_that_is_not_a_table_is_an_error(write: Any) -> None:
    with pytest.raises(InvalidConfig) as caught:
        load(write("[tool]\ndebughost = 3\n", "pyproject.toml"))
    assert "tool.debughost" in caught.value.message


def test_a_folder_of_that_name_is_ignored(workspace: Any) -> None:
    (workspace / "debughost.toml").mkdir()
    assert load(workspace).file is None


def test_flags_then_variables_then_file_then_defaults(write: Any) -> None:
    workspace = write("cpus = 3\nmemory = '3g'\npids = 300\n")
    env = {"DEBUGHOST_CPUS": "4", "DEBUGHOST_MEMORY": "4g"}
    found = load(workspace, env, cpus="5")
    names = ("cpus", "memory", "pids", "restart")
    assert [(getattr(found, n), found.source(n)) for n in names] == [
        (5.0, Source.FLAG),
        (4 * GIB, Source.ENVIRONMENT),
        (300, Source.FILE),
        (RestartPolicy(), Source.DEFAULT),
    ]


def test_an_empty_variable_is_ignored(write: Any) -> None:
    assert load(write("cpus = 3\n"), {"DEBUGHOST_CPUS": ""}).source("cpus") is Source.FILE


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("DEBUGHOST_PORT", "auto", "port", None),
        ("DEBUGHOST_PORT", "none", "port", 0),
        ("DEBUGHOST_COMMAND", "npm start", "command", ("/bin/sh", "-c", "npm start")),
        ("DEBUGHOST_DEPENDENCIES", "no", "dependencies", False),
        ("DEBUGHOST_DEPENDENCIES", "1", "dependencies", True),
        ("DEBUGHOST_ENV_FILE", "a.env", "env_file", ("a.env",)),
        ("DEBUGHOST_PROJECT", "shop", "project", "shop"),
        ("DEBUGHOST_CA_BUNDLE", "/ca.pem", "ca_bundle", "/ca.pem"),
        ("DEBUGHOST_WAIT_TIMEOUT", "5", "wait_timeout", 5.0),
    ],
)
def test_variables(workspace: Any, variable: str, text: str, name: str, value: Any) -> None:
    found = load(workspace, {variable: text})
    assert (getattr(found, name), found.source(name)) == (value, Source.ENVIRONMENT)


def test_an_invalid_variable_is_named(workspace: Any) -> None:
    with pytest.raises(InvalidConfig) as caught:
        load(workspace, {"DEBUGHOST_CPUS": "many"})
    assert "DEBUGHOST_CPUS" in caught.value.message


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"cpus": "many"}, "--cpus"),
        ({"memory": "1"}, "--memory"),
        ({"wait_timeout": "x"}, "--wait-timeout"),
        ({"pids": "inf"}, "--pids"),
    ],
)
def test_an_invalid_flag_is_a_usage_error_that_names_it(
    workspace: Path, flags: dict[str, Any], words: str
) -> None:
    with pytest.raises(Usage) as caught:
        load(workspace, **flags)
    assert words in caught.value.message


def test_the_error_for_an_unknown_type_lists_the_types() -> None:
    with pytest.raises(TypeUnknown) as caught:
        parsers.parse_type("ruby")
    assert "node, python, php, static" in caught.value.hint


@pytest.mark.parametrize("text", ["x", "-1", "²", "3000.0", " 3000", "0x10"])
def test_text_that_is_not_a_port(text: str) -> None:
    with pytest.raises(InvalidPort):
        parsers.parse_port(text)


anything = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text())
    | st.just(10**400) | st.sampled_from(["inf", "nan", "1e999", "9" * 400, "9" * 5000 + "g"])
    | st.dictionaries(st.text(), st.text())
)  # fmt: skip


@pytest.mark.parametrize("name", list(SETTINGS))
@given(value=anything)
def test_any_value_is_accepted_or_refused_with_a_message(name: Any, value: Any) -> None:
    words = "taken"
    try:
        SETTINGS[name].parse(value)
    except (BadValue, DebughostError) as exc:
        words = str(exc)
    assert 0 < len(words) < 500


@given(st.from_regex(r"[0-9]{1,6}(\.[0-9]{1,3})? ?([kmgtKMGT](i?[bB])?)?", fullmatch=True))
def test_sizes_are_at_least_the_minimum(text: Any) -> None:
    with contextlib.suppress(BadValue):
        assert parsers.parse_memory(text) >= 6 * 1024**2


@given(st.integers())
def test_every_port_is_in_the_allowed_range(number: Any) -> None:
    try:
        port = parsers.parse_port(number)
    except InvalidPort:
        return
    assert port == number
    assert isinstance(port, int)
    assert 1024 <= port <= 65535
    assert not 2601 <= port <= 2699


@given(st.floats())
def test_seconds_are_positive_and_at_most_a_day(number: Any) -> None:
    with contextlib.suppress(BadValue):
        assert 0 < parsers.parse_seconds(number) <= 86400


@pytest.mark.parametrize("name", [n for n, setting in SETTINGS.items() if not setting.user_only])
def test_the_example_of_a_setting_can_be_used_and_shows_its_default(write: Any, name: Any) -> None:
    found = load(write(f"{name} = {SETTINGS[name].example}\n"))
    assert found.source(name) is Source.FILE
    default = getattr(Settings(), name)
    if default not in (None, (), {}):
        assert getattr(found, name) == default


def test_every_flag_has_a_setting() -> None:
    assert set(Flags.__struct_fields__) - {"environment", "allow_nested"} <= set(SETTINGS)


# The label that keeps flags for the next ``restart``


def test_flags_survive_in_a_label_without_values_of_variables() -> None:
    flags = Flags(
        project="shop", port="3000", cpus="1.5", dependencies=False, wait_timeout=5.0,
        command=("npm", "start"), environment={"KEY": "hush", "GONE": "x"},
    )  # fmt: skip
    label = flags.to_label()
    assert json.loads(label) == {
        "port": "3000", "cpus": "1.5", "dependencies": False, "command": ["npm", "start"],
        "env": ["GONE", "KEY"],
    }  # fmt: skip
    kept = replace(flags, project=None, wait_timeout=None, environment={"KEY": "hush"})
    assert Flags.from_label(label, {"KEY": "hush", "PATH": "/bin"}) == kept


@pytest.mark.parametrize(
    ("label", "flags"),
    [
        ("", Flags()),
        ("{", Flags()),
        ("[1]", Flags()),
        ("[" * 100_000, Flags()),
        ('{"env":' * 100_000, Flags()),
        ("{}", Flags()),
        ('{"command": [], "env": []}', Flags()),
        ('{"cpus": 3, "memory": null, "type": "node"}', Flags(type="node")),
        ('{"dependencies": "x", "command": "rm", "env": "A", "environment": "A"}', Flags()),
        ('{"newer": "x", "wait_timeout": "x", "command": [1]}', Flags(command=("1",))),
    ],
)
def test_unknown_content_of_a_label_is_ignored(label: str, flags: Any) -> None:
    assert Flags.from_label(label, {"A": "1"}) == flags


# Variables of the project


def project_env(workspace: Any) -> Any:
    return file_environment(load(workspace), workspace, {"MINE": "hush"})


def test_the_table_of_variables_takes_precedence_over_the_file(write: Any) -> None:
    write("A=file\nB=file\n", "vars")
    assert project_env(write('env_file = "vars"\nenv = {B = "table"}\n')) == {
        "A": "file",
        "B": "table",
    }


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=1", "1"),
        ("export A=1", "1"),
        ("A='a b'", "a b"),
        ('A="a\\nb"', "a\nb"),
        ("A=1 # note", "1"),
        ("A=", ""),
        ("A=$HOME", "$HOME"),
        ("A=x=y", "x=y"),
        ("\r\nA=1\r\n", "1"),
        ("\ufeffA=1", "1"),
    ],
)
def test_lines_of_a_file_of_variables(workspace: Any, line: str, value: str) -> None:
    (workspace / "vars").write_text(line, "utf-8", newline="")
    assert flag_environment([], [workspace / "vars"], {}) == {"A": value}


def test_a_name_alone_in_a_file_takes_the_callers_value(workspace: Any) -> None:
    (workspace / "vars").write_text("MINE\n")
    assert flag_environment([], [workspace / "vars"], {"MINE": "here"}) == {"MINE": "here"}


@pytest.mark.parametrize(
    ("content", "number"),
    [
        (b"A=1\nnothing of 'hush\n", 2),
        (b"A=1\n\n\nB=hush\0hush\n", 4),
        (b'A="hush\nB=2\n', 1),
    ],
)
def test_an_invalid_line_is_reported_without_its_content(
    workspace: Any, content: bytes, number: int
) -> None:
    (workspace / "vars").write_bytes(content)
    with pytest.raises(Usage) as caught:
        flag_environment([], [workspace / "vars"], {})
    assert f"line {number} " in caught.value.message
    assert "hush" not in str(caught.value.to_json())


def test_a_value_that_cannot_be_passed_is_refused_without_showing_it(write: Any) -> None:
    for pair in ("A=hush\udcff", "A=hush\0", "MINE"):
        with pytest.raises(Usage) as caught:
            flag_environment([pair], [], {"MINE": "hush\udcff"})
        assert "hush" not in str(caught.value.to_json())
    with pytest.raises(InvalidConfig) as refused:
        load(write('env = {A = "hush\\u0000"}\n'))
    assert "hush" not in str(refused.value.to_json())


def test_files_of_a_workspace_get_no_variables_of_the_caller(workspace: Any, write: Any) -> None:
    (workspace / "vars").write_text("MINE\nA=1\n")
    assert project_env(write('env_file = "vars"\n')) == {"A": "1"}
    outside = workspace.parent / "outside"
    outside.write_text("KEY=hush\n")
    (workspace / "link").symlink_to(outside)
    for path in ("../outside", "link", str(outside)):
        with pytest.raises(InvalidConfig) as caught:
            project_env(write(f'env_file = "{path}"\n'))
        assert "--env-file" in caught.value.hint
    found = load(write("cpus = 1\n"), {"DEBUGHOST_ENV_FILE": "link"})
    assert file_environment(found, workspace, {}) == {"KEY": "hush"}


def test_pairs_take_precedence_over_files_and_later_ones_over_earlier(workspace: Any) -> None:
    (workspace / "one").write_text("A=1\nB=1\nC=1\n")
    (workspace / "two").write_text("B=2\nC=2\n")
    found = flag_environment(["C=3", "C=4"], [workspace / "one", workspace / "two"], {})
    assert found == {"A": "1", "B": "2", "C": "4"}


def test_a_name_alone_takes_the_callers_value() -> None:
    found = flag_environment(["MINE", "NOBODYS", "EMPTY="], [], {"MINE": "here"})
    assert found == {"MINE": "here", "EMPTY": ""}


@pytest.mark.parametrize("pair", ["", "=x", "="])
def test_a_pair_without_a_name_is_refused(pair: str) -> None:
    with pytest.raises(Usage) as caught:
        flag_environment([pair], [], {})
    assert "NAME=VALUE" in caught.value.message


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", "folder"])
def test_an_unreadable_file_of_variables_is_an_error(
    workspace: Any, write: Any, content: bytes | str | None
) -> None:
    path = workspace / "vars"
    if content == "folder":
        path.mkdir()
    elif content:
        path.write_bytes(content)
    with pytest.raises(Usage) as caught:
        flag_environment([], [path], {})
    assert str(path) in caught.value.message
    with pytest.raises(InvalidConfig):
        project_env(write('env_file = "vars"\n'))
