"""Commands in containers over docker-py, whose own start of a command is not used: see exec.py."""

from __future__ import annotations

from collections.abc import Sequence

from debughost_cli.engine import decode
from debughost_cli.engine.docker.caller import Caller
from debughost_cli.engine.docker.client import ApiClient
from debughost_cli.engine.docker.exceptions import raise_for_status
from debughost_cli.engine.docker.exec import DockerExec
from debughost_cli.engine.output_buffer import OutputBuffer
from debughost_cli.engine.port import ExecResult, ExecSpec, Execution
from debughost_cli.engine.reachability import READ_TIMEOUT

DETACH_KEYS = ",".join(["ctrl-@", "ctrl-_"] * 4)
"""The engine holds back the first of them until the next key comes, and its default begins with
ctrl-p, which every shell uses. Nothing shows after ctrl-@; no user types all eight."""


class DockerCommands:
    """The part of the port that is about commands in containers."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def start(self, ref: str, spec: ExecSpec) -> Execution:
        """The start is never repeated, for it may have happened; a command that was prepared and
        not started does nothing.
        """
        doing = "starting a command in the container"
        prepared = self._caller.read("preparing a command", lambda c: _prepare(c, ref, spec))
        with self._caller.once(doing) as client:
            response = client.post(
                client.url(f"/exec/{prepared}/start"),
                json={"Detach": False, "Tty": spec.tty},
                headers={"Connection": "Upgrade", "Upgrade": "tcp"},
                stream=True,
                timeout=READ_TIMEOUT,
            )
            raise_for_status(response, doing)
            return DockerExec(self._caller, prepared, response, spec)

    def run(
        self, ref: str, command: Sequence[str], *, user: str = "", workdir: str = ""
    ) -> ExecResult:
        output = OutputBuffer()
        started = self.start(ref, ExecSpec(tuple(command), user, workdir))
        started.pump(None, output)
        return output.result(started.wait())


def _prepare(client: ApiClient, ref: str, spec: ExecSpec) -> str:
    made = client.exec_create(
        ref,
        list(spec.command),
        stdin=spec.stdin,
        tty=spec.tty,
        user=spec.user,
        environment=dict(spec.environment),
        workdir=spec.workdir or None,
        detach_keys=DETACH_KEYS,
    )
    return decode.identity(made)
