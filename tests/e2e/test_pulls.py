"""Images from a registry that has them not, wants a password, is away, or breaks off."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import pytest
from docker.errors import APIError

from .harness import Eye, Program, check_document, finish, write
from .registry import HOST, door, lacks, push_noise, registry
from .workspaces import PAGE

MIB = 1 << 20


@pytest.fixture(autouse=True)
def _needs_a_registry(unavailable: Callable[[str], NoReturn]) -> None:
    missing = lacks()
    if missing:
        unavailable(missing)


@pytest.fixture
def removed(eye: Eye) -> Iterator[list[str]]:
    """References of images that are to be gone after the test."""
    refs: list[str] = []
    yield refs
    for ref in refs:
        with suppress(APIError):
            eye.client.remove_image(ref, force=True)


def test_why_an_image_is_not_to_be_had(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "a", PAGE)

    def reason(port: int) -> str:
        ref = f"{HOST}:{port}/nobody/has:this"
        args = ("up", "-p", project, "-w", folder, "--image", ref, "--json")
        error = run(*args, check=3).error
        assert error["code"] == "IMAGE_NOT_FOUND"
        assert error["details"]["image"] == ref
        return error["details"]["reason"]

    with registry() as port:
        assert reason(port) == "unknown"
    assert reason(port) == "registry_unreachable"
    with registry(locked=True) as port:
        assert reason(port) == "unauthorized"
    assert eye.everything(project) == ([], [])


def test_a_layer_that_breaks_off_or_falls_silent(
    run: Program, eye: Eye, new_id: Callable[[], str], tmp_path: Path, removed: list[str]
) -> None:
    """The engine tries a layer that breaks off five times, for a minute in all; one that falls
    silent it would wait for without end.
    """
    folder = write(tmp_path / "a", PAGE)
    with registry() as port, door(port) as cutting, door(port) as silent:
        silent.silent = True
        refs = [f"{HOST}:{d.port}/noise/{n}:1" for d, n in ((cutting, "one"), (silent, "two"))]
        removed += refs
        for ref in refs:
            push_noise(eye.client, ref, 4 * MIB)
        cutting.limit = silent.limit = 100_000
        projects = [new_id(), new_id()]
        started = [
            run.start("up", "-p", p, "-w", folder, "--image", ref, "--json")
            for p, ref in zip(projects, refs, strict=True)
        ]
        broke, fell = [finish(process, timeout=180) for process in started]
    error = check_document(broke[1], broke[0])["error"]
    assert error["code"] == "IMAGE_NOT_FOUND"
    assert error["details"]["reason"] == "registry_unreachable"
    document = check_document(fell[1], fell[0])
    assert document["error"]["code"] == "ENGINE_TIMEOUT"
    assert 29_000 < document["duration_ms"] < 60_000
    assert [eye.everything(p) for p in projects] == [([], [])] * 2


def test_the_bytes_of_a_pull_are_shown(
    run: Program, eye: Eye, project: str, tmp_path: Path, removed: list[str]
) -> None:
    folder = write(tmp_path / "a", PAGE)
    with registry() as port:
        removed.append(f"{HOST}:{port}/noise/progress:1")
        push_noise(eye.client, removed[0], 24 * MIB)
        args = ("up", "-p", project, "-w", folder, "--image", removed[0], "--no-wait")
        lines = run(*args, "--progress", "json").err.splitlines()
    pulled = [x["line"] for x in map(json.loads, lines) if x["kind"] == "pull" and x["line"]]
    assert any(re.fullmatch(r"[0-9.]+ of 25\.2 MB, 0 of 1 layers", line) for line in pulled), pulled
    assert len(pulled) == len(set(pulled)), "each amount once"


def test_an_image_without_a_shell(
    run: Program, eye: Eye, project: str, tmp_path: Path, removed: list[str]
) -> None:
    folder = write(tmp_path / "a", PAGE)
    with registry() as port:
        removed.append(f"{HOST}:{port}/noise/noise:1")
        push_noise(eye.client, removed[0], MIB)
        args = ("up", "-p", project, "-w", folder, "--image", removed[0], "--json")
        error = run(*args, check=7).error
    assert error["code"] == "START_FAILED"
    assert "/bin/sh" in error["message"]
    ended = run("status", "-p", project, "--json").project["exit"]
    assert (ended["reason"], ended["code"]) == ("never_started", 127)
