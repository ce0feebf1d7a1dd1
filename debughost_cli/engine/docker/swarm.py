"""A swarm's manager over docker-py, whose own methods know neither limits of processes nor jobs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from debughost_cli.engine import decode, swarm_decode, swarm_encode
from debughost_cli.engine.docker.caller import Caller
from debughost_cli.engine.docker.client import ApiClient
from debughost_cli.engine.docker.exceptions import raise_for_status
from debughost_cli.engine.docker.log_stream import lines
from debughost_cli.engine.json_values import as_map
from debughost_cli.engine.port import Conflict, LogQuery, NotFound
from debughost_cli.engine.port_swarm_types import (
    SwarmMembership,
    SwarmNode,
    SwarmService,
    SwarmSpec,
    SwarmTask,
)
from debughost_cli.errors import EngineError, NameConflict
from debughost_cli.resources import LogLine, Network

T = TypeVar("T")

TRIES = 5
"""Of an update: the swarm itself changes a service between reading and writing it."""
LOG_TIMEOUT = 5.0
"""Seconds without output after which a task's log ends: that of a lost node never does."""


class DockerSwarm:
    """The part of the port that is about a swarm."""

    def __init__(self, caller: Caller, membership: Callable[[], SwarmMembership]) -> None:
        self._caller = caller
        self._membership = membership

    def membership(self) -> SwarmMembership:
        return self._membership()

    def nodes(self) -> Sequence[SwarmNode]:
        return self._list("listing nodes", "/nodes", {}, swarm_decode.node)

    def services(self, labels: Sequence[str] = ()) -> Sequence[SwarmService]:
        filters = {"label": list(labels)} if labels else {}
        return self._list("listing services", "/services", filters, swarm_decode.service)

    def tasks(self, services: Sequence[str]) -> Sequence[SwarmTask]:
        if not services:
            return ()
        filters = {"service": list(services)}
        return self._caller.read(
            "listing tasks", lambda c: swarm_decode.tasks(_get(c, "/tasks", filters))
        )

    def _list(
        self, doing: str, path: str, filters: Mapping[str, list[str]], one: Callable[[Any], T]
    ) -> Sequence[T]:
        return self._caller.read(doing, lambda c: decode.each(one, _get(c, path, filters)))

    def create(self, spec: SwarmSpec) -> str:
        return self._create(swarm_encode.service(spec))

    def create_job(self, spec: SwarmSpec) -> str:
        body = swarm_encode.job(spec)
        # What a killed command has left; its name is of this project alone.
        self.remove(str(body["Name"]))
        return self._create(body)

    def _create(self, body: dict[str, Any]) -> str:
        def find() -> str | None:
            found = (s for s in self.services() if s.name == body["Name"])
            return next((s.id for s in found if s.labels == body["Labels"]), None)

        def make(client: ApiClient) -> str:
            return decode.identity(_post(client, "/services/create", body), "ID")

        try:
            return self._caller.create("creating the service", make, find)
        except Conflict as exc:
            raise NameConflict(
                f"a service named {body['Name']} exists already",
                hint=f"Inspect it with 'docker service inspect {body['Name']}'",
                details={"name": body["Name"]},
            ) from exc

    def update(self, service: str, spec: SwarmSpec) -> None:
        body = swarm_encode.service(spec)

        def change(present: dict[str, Any]) -> dict[str, Any]:
            forced = as_map(present.get("TaskTemplate")).get("ForceUpdate") or 0
            return body | {"TaskTemplate": body["TaskTemplate"] | {"ForceUpdate": forced}}

        self._change("updating the service", service, change)

    def scale(self, service: str, replicas: int) -> None:
        def change(present: dict[str, Any]) -> dict[str, Any]:
            return present | {"Mode": {"Replicated": {"Replicas": replicas}}}

        self._change("scaling the service", service, change)

    def restart(self, service: str) -> None:
        def change(present: dict[str, Any]) -> dict[str, Any]:
            template = dict(as_map(present.get("TaskTemplate")))
            template["ForceUpdate"] = (template.get("ForceUpdate") or 0) + 1
            mode = {"Replicated": {"Replicas": 1}}
            return present | {"TaskTemplate": template, "Mode": mode}

        self._change("restarting the service", service, change)

    def undo(self, service: str) -> None:
        self._change("taking back the update", service, lambda present: present, "previous")

    def _change(
        self, doing: str, service: str, change: Callable[[dict[str, Any]], dict[str, Any]],
        rollback: str = "",
    ) -> None:  # fmt: skip
        def call(client: ApiClient) -> None:
            found = _get(client, f"/services/{service}", {})
            version = {"version": found["Version"]["Index"], "rollback": rollback}
            _post(client, f"/services/{found['ID']}/update", change(found["Spec"]), version)

        for left in reversed(range(TRIES)):
            try:
                self._caller.read(doing, call)
                return
            except EngineError as exc:
                if "out of sequence" not in exc.engine_message or not left:
                    raise
            self._caller.sleep(0.1)

    def remove(self, service: str) -> None:
        with suppress(NotFound):
            self._caller.read("removing the service", lambda c: c.remove_service(service))

    def task_logs(self, task: str, query: LogQuery) -> Iterator[LogLine]:
        params: dict[str, Any] = {
            "stdout": 1,
            "stderr": 1,
            "timestamps": int(query.stamps),
            "follow": int(query.follow),
            "tail": "all" if query.tail is None else query.tail,
        }
        if query.since is not None:
            params["since"] = f"{query.since:.9f}"
        answer = self._caller.get_raw(
            f"/tasks/{task}/logs", params, "reading logs", timeout=LOG_TIMEOUT
        )
        with self._caller.mapped("reading logs"), answer:
            yield from lines(answer.raw, query, tty=False)

    def create_network(self, name: str, labels: Mapping[str, str]) -> Network:
        body = swarm_encode.network(name, dict(labels))

        def make(client: ApiClient) -> str:
            return decode.identity(_post(client, "/networks/create", body))

        def inspect(ref: str) -> Network:
            return self._caller.read(
                "inspecting a network", lambda c: decode.network(c.inspect_network(ref))
            )

        def find() -> str | None:
            with suppress(NotFound):
                found = inspect(name)
                return found.id if found.labels == labels else None
            return None

        return inspect(self._caller.create("creating the network", make, find))


def _get(client: ApiClient, path: str, filters: Mapping[str, list[str]]) -> Any:
    params = {"filters": json.dumps(filters)} if filters else None
    response = client.get(client.url(path), params=params)
    raise_for_status(response, f"reading {path}")
    return response.json()


def _post(client: ApiClient, path: str, body: Any, params: Mapping[str, Any] | None = None) -> Any:
    response = client.post(client.url(path), json=body, params=params)
    raise_for_status(response, f"writing {path}")
    return response.json()
