"""The GitHub Action: the project's own job with it, a project that fails, and hostile inputs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from .composite import Job
from .harness import SSH, Eye, Program, environment, own

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / ".github/workflows/ci.yml"
INSTALLED = (
    "action.yml",
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "debughost_cli",
    "man",
    "scripts",
)
PYTHON = Path(getattr(sys, "_base_executable", sys.executable))

pytestmark = pytest.mark.once


@pytest.fixture
def make_job(tmp_path: Path, run: Program, eye: Eye) -> Callable[[str], Job]:
    """A job in a checkout whose example has a name of its own, for one machine runs many."""

    def make(project: str) -> Job:
        folder = tmp_path / "checkout"
        for name in (*INSTALLED, "examples"):
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            (folder / name).parent.mkdir(exist_ok=True)
            copy(ROOT / name, folder / name)
        example = folder / "examples/node"
        shutil.rmtree(example / "node_modules", ignore_errors=True)
        (example / "debughost.toml").write_text(f'project = "{project}"\n')
        own(example)
        tools = tmp_path / "python"
        tools.mkdir()
        (tools / "python3").symlink_to(PYTHON)
        env = environment(tmp_path / "state") | {
            "PATH": f"{tools}:{SSH}:/usr/local/bin:/usr/bin:/bin"
        }
        return Job(folder, folder, tmp_path / "runner", env)

    return make


def test_our_own_job_brings_the_example_up_and_removes_it(
    make_job: Callable[[str], Job], project: str, eye: Eye
) -> None:
    job = make_job(project)
    job.run(yaml.safe_load(WORKFLOW.read_text())["jobs"]["action"]["steps"])
    assert not job.failed, job.log
    found = job.outputs["example"]
    assert found["id"] == project
    assert found["url"] == f"http://127.0.0.1:{found['port']}"
    assert json.loads(found["document"])["data"]["projects"][0]["ready"] is True
    assert f"| {project} | node | running | http://127.0.0.1:" in job.summary.read_text()
    assert eye.everything(project) == ([], [])


def test_a_project_that_fails_says_why(make_job: Callable[[str], Job], project: str) -> None:
    job = make_job(project)
    uv = Path(sys.executable).with_name("uv")  # In the place of pip.
    (Path(job.env["PATH"].split(":")[0]) / "uv").symlink_to(uv)
    words = 'node -e \'console.log("::warning::from the program"); throw new Error("no ```x```")\''
    job.run([{"id": "a", "uses": "./", "with": {"project-folder": "examples/node", "args": words}}])
    assert job.failed
    assert job.outputs["a"]["id"] == project
    group = re.search(
        r"^::group::Logs of .*\n::stop-commands::(\w+)\n(?s:(.*?))\n::\1::$", job.log, re.MULTILINE
    )
    assert group, job.log
    assert "::warning::from the program" in group[2]
    assert "::error title=debughost CRASHED::" in job.log
    summary = job.summary.read_text()
    assert "### debughost: CRASHED" in summary
    assert "\n````text\n" in summary


@pytest.mark.parametrize(
    "value", ["$(touch planted)", "`touch planted`", '"; touch planted; "', "'\ntouch planted\n'"]
)
@pytest.mark.parametrize(
    "name", ["project-folder", "type", "port", "args", "wait-timeout", "version"]
)
def test_an_input_is_never_run(
    make_job: Callable[[str], Job], project: str, name: str, value: str
) -> None:
    job = make_job(project)
    if name != "version":
        already_installed(job)
    job.run([{"uses": "./", "with": {"project-folder": "examples/node", name: value}}])
    assert job.failed
    assert not list(job.folder.rglob("planted"))
    assert "Traceback" not in job.log


def already_installed(job: Job) -> None:
    """Puts programs where the action looks for them, so that the test installs nothing."""
    tools = job.temp / "debughost/bin"
    tools.mkdir(parents=True)
    (tools / "debughost").symlink_to(Path(sys.executable).with_name("debughost"))
    uv = Path(job.env["PATH"].split(":")[0]) / "uv"
    uv.write_text("#!/bin/sh\n")
    uv.chmod(0o755)


def test_inputs_are_variables_and_not_parts_of_scripts() -> None:
    about = yaml.safe_load((ROOT / "action.yml").read_text())
    assert not [step for step in about["runs"]["steps"] if "${{" in step["run"]]
    jobs = yaml.safe_load(WORKFLOW.read_text())["jobs"]
    scripts = [s["run"] for job in jobs.values() for s in job["steps"] if "run" in s]
    assert not [run for run in scripts if "${{ steps." in run or "${{ github." in run]


@pytest.mark.parametrize(
    ("schema", "file"), [("actions", "action.yml"), ("workflows", ".github/workflows/ci.yml")]
)
def test_the_files_are_what_github_reads(schema: str, file: str) -> None:
    command = [
        Path(sys.executable).with_name("uv"), "tool", "run", "--python", sys.executable,
        "check-jsonschema", "--builtin-schema", f"vendor.github-{schema}", ROOT / file,
    ]  # fmt: skip
    done = subprocess.run(
        list(map(str, command)), env=os.environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
