"""Every fault of a configuration at once, and no value that may be a secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from debughost_cli.errors import InvalidConfig
from debughost_cli.project.settings import SETTINGS
from debughost_cli.project.validation import check_configuration


@pytest.fixture
def faults(tmp_path: Path) -> Any:
    """Writes a configuration file and returns what is wrong with it, and the error."""

    def faults(text: Any, environ: Any = None, name: Any = "debughost.toml") -> Any:
        (tmp_path / name).write_text(text, "utf-8")
        with pytest.raises(InvalidConfig) as caught:
            check_configuration(tmp_path, environ or {})
        json.dumps(caught.value.to_json())
        return caught.value.details["faults"], caught.value

    return faults


def test_a_valid_configuration_has_no_faults(tmp_path: Path) -> None:
    check_configuration(tmp_path, {})
    (tmp_path / "debughost.toml").write_text("cpus = 1\nenv = {A = 'x'}\n")
    check_configuration(tmp_path, {"DEBUGHOST_MEMORY": "1g"})


def test_every_fault_is_reported_in_the_order_of_the_file(faults: Any, tmp_path: Path) -> None:
    found, error = faults('cpus = "many"\nprot = 3000\nport = 80\nmemory = "1g"\n')
    file = str(tmp_path / "debughost.toml")
    assert [(f["file"], f["key"], f["value"], f["nearest"]) for f in found] == [
        (file, "cpus", "many", None),
        (file, "prot", None, "port"),
        (file, "port", "80", None),
    ]
    assert found[0]["allowed"] == "a number"
    known = [name for name, setting in SETTINGS.items() if not setting.user_only]
    assert found[1]["allowed"] == ", ".join(known)
    assert found[2]["allowed"].startswith("1024 to 65535")
    assert "3 faults" in error.message
    assert len(error.message.splitlines()) == 4
    assert "found 'many'" in error.message
    assert "did you mean 'port'?" in error.message


def test_one_fault_is_reported_as_other_commands_report_it(faults: Any) -> None:
    found, error = faults("cpus = 9999\n")
    assert len(found) == 1
    assert error.message == found[0]["message"]
    assert error.details["setting"] == "cpus"


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("type = 'ruby'", "type", "ruby"),
        ("project = 'No Id'", "project", "No Id"),
        ("pids = 1.5", "pids", "1.5"),
        ("restart = []", "restart", "[]"),
        ("wait-timeout = 0", "wait-timeout", "0"),
        ("memory = 'lots'", "memory", "lots"),
        ("command = 2026-01-01", "command", '"2026-01-01"'),
        (f"image = ' {'x' * 500}'", "image", f" {'x' * 76}..."),
    ],
)
def test_a_fault_has_what_was_found_and_what_is_allowed(
    faults: Any, text: str, key: str, value: str
) -> None:
    ((found,), error) = faults(text)
    assert (found["key"], found["value"]) == (key, value)
    assert found["allowed"]
    assert error.code == "INVALID_CONFIG"


@pytest.mark.parametrize(
    "text",
    [
        "env = 'KEY=hush'",
        "env = {KEY = ['hush']}",
        "evn = {KEY = 'hush'}",
        "api_key = 'hush'",
        "cpus = 'x'\n[env]\nKEY = {hush = 1}",
        "env = {KEY = 'hush\\u0000'}\ncpus = 'x'",
    ],
)
def test_no_value_that_may_be_a_secret_is_shown(faults: Any, text: str) -> None:
    found, error = faults(text)
    assert "hush" not in json.dumps(error.to_json())
    assert all(f["allowed"] for f in found)


@pytest.mark.parametrize(
    ("text", "line"),
    [("cpus = 1\nport = [", 2), ("x", 1), ("x\n\n", 1), ("a = 1\na = 2\n", 2), ("a = [\n\n", 3)],
)
def test_a_syntax_error_is_one_fault_with_its_line(faults: Any, text: str, line: int) -> None:
    ((found,), error) = faults(text)
    assert (found["key"], found["line"]) == (None, line)
    assert found["allowed"] == "valid TOML in UTF-8"
    assert "debughost.toml" in error.message


def test_a_section_that_is_not_a_table_is_one_fault(faults: Any) -> None:
    ((found,), _) = faults("[tool]\ndebughost = 3\n", name="pyproject.toml")
    assert found["file"].endswith("pyproject.toml")
    assert found["allowed"] == "a table"


def test_faults_of_variables_are_listed_as_well(faults: Any) -> None:
    found, _ = faults("cpus = 0\n", {"DEBUGHOST_MEMORY": "plenty", "DEBUGHOST_PORT": "80"})
    assert [(bool(f["file"]), f["key"], f["value"]) for f in found] == [
        (True, "cpus", "0"),
        (False, "DEBUGHOST_PORT", "80"),
        (False, "DEBUGHOST_MEMORY", "plenty"),
    ]


def test_files_that_settings_name_are_checked(faults: Any, tmp_path: Path) -> None:
    (tmp_path / "vars").write_text("A=1\nnothing of 'hush\n")
    found, error = faults('cpus = 0\nca_bundle = "none.pem"\nenv_file = "vars"\n')
    assert [(f["key"], f["value"]) for f in found] == [
        ("cpus", "0"),
        ("ca_bundle", "none.pem"),
        ("env_file", "vars"),
    ]
    assert "line 2" in error.message
    assert "hush" not in json.dumps(error.to_json())
    found, _ = faults("", {"DEBUGHOST_ENV_FILE": "nowhere", "DEBUGHOST_CA_BUNDLE": "none.pem"})
    assert [f["key"] for f in found] == ["DEBUGHOST_CA_BUNDLE", "DEBUGHOST_ENV_FILE"]
