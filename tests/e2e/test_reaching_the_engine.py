"""The engine's address: where it comes from, and what is said when nobody is there."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from .harness import Eye, Program, Result, check_document, finish

RETRIES = 3

pytestmark = pytest.mark.once  # what is found where does not depend on what answers there


def unavailable_after_retries(failed: Result) -> None:
    assert failed.error["code"] == "ENGINE_UNAVAILABLE"
    assert failed.error["retryable"] is True
    assert 6.9 < failed.own_seconds < 14
    assert failed.err.count("trying again in") == RETRIES
    assert all(f"in {s} s" in failed.err for s in (1, 2, 4))


@contextmanager
def socket_file(path: Path, mode: int) -> Iterator[Path]:
    """A Unix socket that listens and never answers."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(path))
        server.listen(16)
        path.chmod(mode)
        yield path


@contextmanager
def deaf_port() -> Iterator[str]:
    """A port that answers no attempt to connect: its queue is full and nobody takes from it."""
    with socket.socket() as server, ExitStack() as queue:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(4):
            waiting = queue.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"


def context(config: Path, name: str, host: str) -> None:
    """A Docker context as the docker command line keeps it."""
    folder = config / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
    folder.mkdir(parents=True)
    meta = {"Name": name, "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": False}}}
    (folder / "meta.json").write_text(json.dumps(meta))


@pytest.fixture(scope="module")
def vain(installed: Program, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """Commands that wait in vain, all at the same time: they take 7 and 30 s each."""
    folder = tmp_path_factory.mktemp("sockets")
    missing = f"unix://{folder}/none.sock"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        refusing = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
    hanging = folder / "s"
    with ThreadPoolExecutor() as pool, socket_file(hanging, 0o666), deaf_port() as deaf:
        started = {
            "deaf": pool.submit(installed, "status", "-H", deaf, "--json", check=4),
            "missing": pool.submit(
                installed, "status", "--json", env={"DOCKER_HOST": missing}, check=4
            ),
            "refusing": pool.submit(installed, "status", "-H", refusing, "--json", check=4),
            "people": pool.submit(installed, "-H", missing, "status", check=4),
            "hanging": pool.submit(
                installed, "status", "-H", f"unix://{hanging}", "--json", check=4, timeout=60
            ),
        }
        return {name: future.result() for name, future in started.items()}


def test_no_engine_at_all(vain: dict[str, Result]) -> None:
    unavailable_after_retries(vain["missing"])
    engine = vain["missing"].document["engine"]
    assert engine["endpoint"].endswith("none.sock")
    assert engine["source"] == "DOCKER_HOST"


def test_an_engine_that_refuses(vain: dict[str, Result]) -> None:
    unavailable_after_retries(vain["refusing"])


def test_an_engine_that_takes_no_connection_is_given_5_seconds_each_time(
    vain: dict[str, Result],
) -> None:
    failed = vain["deaf"]
    assert failed.error["code"] == "ENGINE_UNAVAILABLE"
    assert "no connection within 5 s" in failed.error["message"]
    assert failed.err.count("trying again in") == RETRIES
    assert 4 * 5 + 7 <= failed.own_seconds < 40


def test_people_read_it_once(vain: dict[str, Result]) -> None:
    assert vain["people"].out == ""
    assert vain["people"].err.count("[ENGINE_UNAVAILABLE]") == 1
    assert "Hint: " in vain["people"].err


def test_an_engine_that_hangs_is_abandoned(vain: dict[str, Result]) -> None:
    assert vain["hanging"].error["code"] == "ENGINE_TIMEOUT"
    assert vain["hanging"].own_seconds < 40


@pytest.mark.parametrize("command", ["status", "doctor"])
def test_an_engine_that_hangs_does_not_hold_up_an_interruption(
    installed: Program, tmp_path: Path, command: str
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(tmp_path / "s"))
        server.listen()
        process = installed.start(command, "-H", f"unix://{tmp_path}/s", "--json")
        held, _ = server.accept()
        process.send_signal(signal.SIGINT)
        with held:
            code, out, _ = finish(process)
    document = check_document(out, code)
    assert document["duration_ms"] < 1000 * installed.slow(2)
    assert document["error"]["code"] == "INTERRUPTED"
    assert code == 130


def test_an_engine_that_comes_back_meanwhile(
    installed: Program, real_socket: str, tmp_path: Path
) -> None:
    place = tmp_path / "late.sock"
    process = installed.start("status", "--no-stats", "--json", "-H", f"unix://{place}")
    assert process.stderr
    assert b"trying again in 1 s" in process.stderr.readline()
    place.symlink_to(real_socket)
    code, out, err = finish(process)
    assert check_document(out, code)["ok"] is True
    assert "trying again" not in err


@pytest.fixture
def real_socket(eye: Eye, unavailable: Callable[[str], NoReturn]) -> str:
    """The path of the engine's socket."""
    adapter = eye.client.get_adapter(eye.client.base_url)
    path = getattr(adapter, "socket_path", None)
    if not path:
        unavailable("an engine at a Unix socket")
    return str(path)


def test_an_engine_that_this_user_may_not_speak_to(
    installed: Program, tmp_path: Path, unavailable: Callable[[str], NoReturn]
) -> None:
    prefix: tuple[str, ...] = ()
    if os.geteuid() == 0:
        setpriv = shutil.which("setpriv")
        if not setpriv:
            unavailable("setpriv, for root may do everything")
        # Root without its powers, but for reading: the program may be anywhere.
        prefix = (setpriv, "--bounding-set=-all,+dac_read_search", "--inh-caps=-all")
    with socket_file(tmp_path / "s", 0o000) as place:
        address = ("-H", f"unix://{place}")
        failed = installed("status", *address, "--json", check=4, prefix=prefix)
    assert failed.error["code"] == "ENGINE_PERMISSION_DENIED"
    assert failed.error["retryable"] is False
    assert failed.own_seconds < installed.slow(2)
    assert "trying again" not in failed.err


@pytest.mark.parametrize("how", ["flag", "variable", "current"])
def test_a_context_that_does_not_exist_is_no_silent_default(
    installed: Program, tmp_path: Path, how: str
) -> None:
    env = {"DOCKER_CONFIG": str(tmp_path), "DOCKER_HOST": None}
    flags: tuple[str, ...] = ()
    if how == "flag":
        flags = ("--context", "nowhere")
    elif how == "variable":
        env["DOCKER_CONTEXT"] = "nowhere"
    else:
        (tmp_path / "config.json").write_text('{"currentContext": "nowhere"}')
    failed = installed("status", *flags, "--json", env=env, check=3)
    assert failed.error["code"] == "CONTEXT_NOT_FOUND"
    assert "nowhere" in failed.error["message"]
    assert failed.own_seconds < installed.slow(2)


@pytest.mark.parametrize(
    "wrong", ["http//x", "unix://", "tcp://:x", "ftp://x", "tcp://h:99999", " "]
)
def test_a_malformed_address_is_refused_at_once(installed: Program, wrong: str) -> None:
    failed = installed("status", "--host", wrong, "--json", check=2)
    assert failed.error["code"] == "USAGE"
    assert failed.own_seconds < installed.slow(2)
    by_variable = installed("status", "--json", env={"DOCKER_HOST": wrong}, check=2)
    assert by_variable.error["code"] in ("USAGE", "INVALID_CONFIG")


def test_flags_win_over_variables_and_those_over_the_current_context(
    installed: Program, real_socket: str, tmp_path: Path
) -> None:
    place = real_socket
    for name in ("by-flag", "by-variable", "current"):
        (tmp_path / f"{name}.sock").symlink_to(place)
        context(tmp_path, name, f"unix://{tmp_path}/{name}.sock")
    (tmp_path / "host.sock").symlink_to(place)
    (tmp_path / "config.json").write_text('{"currentContext": "current"}')
    config = {"DOCKER_CONFIG": str(tmp_path), "DOCKER_HOST": None, "DOCKER_CONTEXT": None}
    host = {"DOCKER_HOST": f"unix://{tmp_path}/host.sock"}
    variable = {"DOCKER_CONTEXT": "by-variable"}

    def used(*flags: str, env: dict[str, str | None]) -> tuple[str, str]:
        found = installed("status", "--no-stats", "--json", *flags, env=config | env)
        engine = found.document["engine"]
        return Path(engine["endpoint"]).stem, engine["source"]

    assert used(env={}) == ("current", "context")
    assert used(env={**variable}) == ("by-variable", "DOCKER_CONTEXT")
    assert used(env={**variable, **host}) == ("host", "DOCKER_HOST")
    assert used("-c", "by-flag", env={**variable, **host}) == ("by-flag", "flag")
    assert used("-H", f"unix://{place}", env={**variable, **host})[1] == "flag"
