"""Runs a job of a workflow, with the composite action of this repository, as GitHub's runner does.

What is supported is what our own files use: inputs with defaults, ``env``, ``${{ inputs.NAME }}``,
``${{ steps.ID.outputs.NAME }}``, ``if: always()``, and the files for outputs, paths and summaries.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_EXPRESSION = re.compile(r"\$\{\{\s*([\w.-]+)\s*\}\}")
_HEREDOC = re.compile(r"^(\w+)<<(\S+)\n(.*?)\n\2$", re.MULTILINE | re.DOTALL)
_SHELLS = {None: ("bash", "-e"), "bash": ("bash", "--noprofile", "--norc", "-eo", "pipefail")}


@dataclass
class Job:
    """A job that runs in ``folder``. ``env``: of the machine; ``temp``: the runner's own folder."""

    action: Path
    folder: Path
    temp: Path
    env: dict[str, str]
    log: str = ""
    failed: bool = False
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.temp.mkdir()
        self.summary = self.temp / "summary"
        self.env |= {"RUNNER_TEMP": str(self.temp), "GITHUB_STEP_SUMMARY": str(self.summary)}

    def run(self, steps: list[dict[str, Any]]) -> None:
        """All steps; after one that failed only those with ``if: always()``."""
        for step in steps:
            if self.failed and step.get("if") != "always()":
                continue
            if str(step.get("uses", "")).startswith("actions/"):
                continue
            given = {k: self._value(v, {}) for k, v in step.get("with", {}).items()}
            outputs = self.use(given) if "uses" in step else self._step(step, {})
            self.outputs[str(step.get("id"))] = outputs

    def use(self, given: Mapping[str, str]) -> dict[str, str]:
        """The action with inputs. Returns its outputs."""
        about = yaml.safe_load((self.action / "action.yml").read_text())
        assert set(given) <= set(about["inputs"])
        inputs = {name: given.get(name, it["default"]) for name, it in about["inputs"].items()}
        own = {f"inputs.{name}": value for name, value in inputs.items()}
        for step in about["runs"]["steps"]:
            if not self.failed:
                outputs = self._step(step, own)
                own |= {f"steps.{step.get('id')}.outputs.{k}": v for k, v in outputs.items()}
        return {k: self._value(v["value"], own) for k, v in about["outputs"].items()}

    def _step(self, step: dict[str, Any], known: Mapping[str, str]) -> dict[str, str]:
        out, path, script = (self.temp / name for name in ("out", "path", "script.sh"))
        out.write_text("")
        path.write_text("")
        script.write_text(self._value(step["run"], known))
        env = self.env | {k: self._value(v, known) for k, v in step.get("env", {}).items()}
        files = {"GITHUB_OUTPUT": str(out), "GITHUB_PATH": str(path)}
        done = subprocess.run(
            [*_SHELLS[step.get("shell")], str(script)],
            env=env | files | {"GITHUB_ACTION_PATH": str(self.action)},
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
        )
        self.log += done.stdout
        self.failed |= done.returncode != 0
        added = [*reversed(path.read_text().split("\n")[:-1])]
        self.env["PATH"] = os.pathsep.join([*added, self.env["PATH"]])
        return {name: value for name, _, value in _HEREDOC.findall(out.read_text())}

    def _value(self, text: object, known: Mapping[str, str]) -> str:
        """With the values of expressions; what a step did not write is empty."""
        of_steps = {
            f"steps.{step}.outputs.{name}": value
            for step, outputs in self.outputs.items()
            for name, value in outputs.items()
        }
        return _EXPRESSION.sub(lambda m: (of_steps | dict(known)).get(m[1], ""), str(text))
