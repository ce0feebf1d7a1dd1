"""Where settings come from: flags, variables, the file, detection, in this order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .harness import Eye, Program, body, free_port, write
from .workspaces import PAGE

pytestmark = pytest.mark.once  # where a setting comes from does not depend on the engine


def env_of(eye: Eye, project: str) -> dict[str, str]:
    return dict(e.split("=", 1) for e in eye.inspect(project)["Config"]["Env"])


def host_of(eye: Eye, project: str) -> dict[str, Any]:
    return eye.inspect(project)["HostConfig"]


def test_every_setting_of_the_file_counts(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    port = free_port(20000, 30000)
    config = f"""\
project = "{project}"
type = "python"
command = ["python3", "-u", "-m", "http.server", "{port}"]
port = {port}
cpus = 0.5
memory = "300m"
pids = 100
restart = "on-failure:3"
env_file = "variables"
[env]
FROM_TABLE = "table"
NUMBER = 5
"""
    files = PAGE | {"debughost.toml": config, "variables": "FROM_FILE='a b'\nFROM_TABLE=file\n"}
    folder = write(tmp_path / "configured", files)
    made = run("up", "--json", cwd=folder).project
    assert (made["project"], made["type"], made["port"]) == (project, "python", port)
    assert made["command"] == ["python3", "-u", "-m", "http.server", str(port)]
    assert "hello" in body(made["url"])
    env, host = env_of(eye, project), host_of(eye, project)
    assert (env["FROM_FILE"], env["FROM_TABLE"], env["NUMBER"]) == ("a b", "table", "5")
    assert (host["NanoCpus"], host["Memory"]) == (500_000_000, 300 * 1024**2)
    assert host["PidsLimit"] == 100
    assert host["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 3}


def test_the_table_in_pyproject_counts_as_well(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    text = f'[tool.debughost]\nproject = "{project}"\ntype = "static"\ncpus = 1.5\n'
    folder = write(tmp_path / "configured", PAGE | {"pyproject.toml": text})
    made = run("up", "--json", cwd=folder).project
    assert (made["project"], made["type"]) == (project, "static")
    assert host_of(eye, project)["NanoCpus"] == 1_500_000_000


def test_flags_win_over_variables_and_those_over_the_file(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "site", PAGE | {"debughost.toml": "cpus = 0.5\n[env]\nA = '1'\n"})
    args = ("up", "-p", project, "-w", folder)
    run(*args)
    assert host_of(eye, project)["NanoCpus"] == 500_000_000
    run(*args, env={"DEBUGHOST_CPUS": "0.75"})
    assert host_of(eye, project)["NanoCpus"] == 750_000_000
    run(*args, "--cpus", "1", "-e", "A=2", env={"DEBUGHOST_CPUS": "0.75"})
    assert host_of(eye, project)["NanoCpus"] == 1_000_000_000
    assert env_of(eye, project)["A"] == "2"


def test_variables_choose_project_workspace_and_output(
    run: Program, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "site", PAGE)
    variables = {
        "DEBUGHOST_PROJECT": project, "DEBUGHOST_WORKSPACE": str(folder),
        "DEBUGHOST_OUTPUT": "json",
    }  # fmt: skip
    made = run("up", env=variables, cwd=write(tmp_path / "elsewhere", {}))
    assert (made.project["project"], made.project["workspace"]) == (project, str(folder))


def test_variables_of_the_command_line(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "site", PAGE)
    listed = write(tmp_path / "lists", {"one": "A=file\nB=file\n# not C=1\n"})
    flags = ("--env-file", listed / "one", "-e", "B=pair", "-e", "MINE", "-e", "EMPTY=")
    run("up", "-p", project, "-w", folder, *flags, env={"MINE": "of the caller"})
    env = env_of(eye, project)
    assert (env["A"], env["B"], env["MINE"], env["EMPTY"]) == ("file", "pair", "of the caller", "")
    assert "C" not in env


def test_values_of_variables_are_in_no_label(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    run("up", "-p", project, "-w", write(tmp_path / "site", PAGE), "-e", "KEY=hush-hush")
    assert "hush-hush" not in str(eye.inspect(project)["Config"]["Labels"])


def test_the_command_after_the_dashes_is_run(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "empty", {"index.html": "from python\n"})
    command = ("sh", "-c", 'exec python3 -u -m http.server "$PORT"')
    made = run("up", "-p", project, "-w", folder, "--type", "python", "--json", "--", *command)
    assert made.project["command"] == list(command)
    assert body(made.project["url"]) == "from python\n"


def test_an_image_of_the_users_own_is_used(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    images = run("images", "ls", "--json").data["images"]
    (ref,) = [i["ref"] for i in images if i["type"] == "python"]
    folder = write(tmp_path / "empty", {})
    command = ("sh", "-c", 'exec python3 -u -m http.server "$PORT"')
    made = run("up", "-p", project, "-w", folder, "--image", ref, "--json", "--", *command)
    assert made.project["container"]["image"] == ref
    assert made.project["ready"] is True


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("port = [", "debughost.toml"),
        ("cpus = true", "cpus"),
        ("memory = 'lots'", "memory"),
        ("prot = 3000", "prot"),
        ("env = 'A=1'", "env"),
        ("command = 5", "command"),
        ("project = 'Not An Id'", "Not An Id"),
    ],
)
def test_a_wrong_file_is_reported_before_anything_happens(
    run: Program, eye: Eye, project: str, tmp_path: Path, text: str, says: str
) -> None:
    folder = write(tmp_path / "site", PAGE | {"debughost.toml": text})
    refused = run("up", "-p", project, "-w", folder, "--json", check=2)
    assert refused.error["code"] in ("INVALID_CONFIG", "INVALID_PROJECT")
    assert says in refused.error["message"]
    assert eye.everything(project) == ([], [])


def test_a_wrong_variable_is_named(run: Program, project: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "site", PAGE)
    wrong = {"DEBUGHOST_MEMORY": "plenty"}
    refused = run("up", "-p", project, "-w", folder, "--json", check=2, env=wrong)
    assert refused.error["code"] == "INVALID_CONFIG"
    assert "DEBUGHOST_MEMORY" in refused.error["message"]


def test_validate_lists_every_fault_and_no_secret(run: Program, tmp_path: Path) -> None:
    text = 'cpus = "many"\nprot = 3000\nmemory = "1g"\n[env]\nKEY = ["hush"]\n'
    folder = write(tmp_path / "site", PAGE | {"debughost.toml": text})
    environ = {"DEBUGHOST_PIDS": "none"}
    found = run("config", "validate", "-w", folder, "--json", check=2, env=environ).error
    assert found["code"] == "INVALID_CONFIG"
    file = str(folder / "debughost.toml")
    assert [
        (f["file"], f["key"], f["value"], f["nearest"]) for f in found["details"]["faults"]
    ] == [
        (file, "cpus", "many", None),
        (file, "prot", None, "port"),
        (file, "env", None, None),
        (None, "DEBUGHOST_PIDS", "none", None),
    ]
    shown = run("config", "validate", "-w", folder, check=2, env=environ).err
    for words in ("cpus in", "'prot'; did you mean 'port'?", "env in", "DEBUGHOST_PIDS must be"):
        assert [line for line in shown.splitlines() if words in line], words
    assert "hush" not in shown + str(found)


def test_a_syntax_error_is_one_fault_with_its_line(run: Program, tmp_path: Path) -> None:
    folder = write(tmp_path / "site", PAGE | {"debughost.toml": "cpus = 1\nport = = 2\n"})
    error = run("config", "validate", "-w", folder, "--json", check=2).error
    (fault,) = error["details"]["faults"]
    assert (fault["key"], fault["line"]) == (None, 2)


def test_the_size_of_shared_memory_can_be_set(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "site", PAGE | {"debughost.toml": 'shm_size = "100m"\n'})
    up = ("up", "-p", project, "-w", folder, "--json")
    size = ("exec", "-p", project, "--json", "--", "df", "-m", "--output=size", "/dev/shm")
    assert run(*up).project["action"] == "created"
    assert run(*size).data["stdout"].split() == ["1M-blocks", "100"]
    changed = run(*up, "--shm-size", "64m", "--memory", "1g", "--dry-run").project
    assert {d["field"] for d in changed["drift"]} == {"shm_bytes", "memory_bytes"}
    assert run(*up, env={"DEBUGHOST_SHM_SIZE": "200m"}).project["action"] == "recreated"
    assert run(*size).data["stdout"].split() == ["1M-blocks", "200"]
    assert host_of(eye, project)["ShmSize"] == 200 * 1024**2
    (folder / "debughost.toml").unlink()
    assert run(*up).project["action"] == "recreated"
    assert run(*size).data["stdout"].split() == ["1M-blocks", "64"]
    assert run(*up).project["action"] == "unchanged"
