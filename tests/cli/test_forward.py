"""``forward``, and on which machine a URL is valid."""

from __future__ import annotations

import signal
import socket
import threading
import time
from contextlib import suppress

import pytest
from fakes import FakeEngine

from cli.conftest import App
from debughost_cli.api import DebugHost
from debughost_cli.deployment.places import url_host
from debughost_cli.resources import EngineInfo

pytestmark = pytest.mark.usefixtures("workspace")


@pytest.fixture
def remote() -> App:
    """The program with an engine on another machine."""
    engine = FakeEngine(endpoint="ssh://me@far.example")
    engine.add_base_images()
    return App(engine)


@pytest.mark.parametrize(
    ("endpoint", "transport", "host"),
    [
        ("unix:///var/run/docker.sock", "bind", "this machine"),
        ("npipe:////./pipe/docker_engine", "", "this machine"),
        ("tcp://localhost:2375", "bind", "this machine"),
        ("ssh://me@far.example:22", "volume", "far.example"),
        ("tcp://10.0.0.1:2376", "", "10.0.0.1"),
        ("unix:///tmp/tunnel.sock", "volume", "unix:///tmp/tunnel.sock"),
    ],
)
def test_the_machine_of_a_url(endpoint: str, transport: str, host: str) -> None:
    labels = {"debug-host.transport": transport} if transport else {}
    assert url_host(EngineInfo(endpoint, "flag"), labels) == host


def test_a_project_says_on_which_machine_it_is(app: App, remote: App) -> None:
    assert app("up", "--json").project["url_host"] == "this machine"
    assert "forward" not in app("status").out
    made = remote("up")
    assert made.out.rstrip().endswith("on far.example; debughost forward -p shop")
    assert remote("status", "--json").project["url_host"] == "far.example"
    assert "on far.example; debughost forward -p shop" in remote("status").out
    assert remote("stop").code == 0
    assert "forward" not in remote("status").out, "nothing can be forwarded"


def test_on_this_machine_there_is_nothing_to_forward(app: App) -> None:
    port = app("up", "--json").project["port"]
    done = app("forward")
    assert (done.code, done.out) == (0, "")
    assert f"shop is on this machine already: 127.0.0.1:{port}" in done.err
    (line,) = app("forward", "--json").lines
    assert line["data"] == {"ports": [], "connections": 0}


def test_a_port_that_is_in_use_here(remote: App) -> None:
    port = remote("up", "--json").project["port"]
    with socket.create_server(("127.0.0.1", port)):
        error = remote("forward", "--json").lines[-1]["error"]
    assert error["code"] == "PORT_IN_USE"
    assert error["details"]["next_free"] > port
    assert f"--port {error['details']['next_free']}+" in error["hint"]


def test_a_project_that_does_not_run(remote: App) -> None:
    assert remote("up").code == 0
    assert remote("stop").code == 0
    assert remote("forward", "--json").lines[-1]["error"]["code"] == "PROJECT_NOT_FOUND"


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals of one thread")
def test_lines_until_it_is_interrupted(remote: App) -> None:
    port = remote("up", "--json").project["port"]
    main = threading.main_thread().ident

    def visit_and_end() -> None:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with suppress(ConnectionError), socket.create_connection(("127.0.0.1", port)) as client:
                with suppress(ConnectionError):
                    client.recv(1)
                break
        time.sleep(0.2)
        signal.pthread_kill(main, signal.SIGINT)

    visitor = threading.Thread(target=visit_and_end)
    visitor.start()
    run = remote("forward", "--json")
    visitor.join()
    assert run.code == 130
    first, second, last = run.lines
    assert (first["type"], first["event"], first["port"]) == ("forward", "listening", port)
    assert (first["host"], first["url"]) == ("far.example", f"http://127.0.0.1:{port}")
    assert (second["event"], second["message"]) == (
        "failed", "nothing listens on the port http of shop",
    )  # fmt: skip
    assert last["data"]["connections"] >= 1
    assert last["error"]["code"] == "INTERRUPTED"


def test_the_port_is_free_again_afterwards(remote: App) -> None:
    port = remote("up", "--json").project["port"]
    with DebugHost(engine=remote.engine) as host, host.forward("shop") as forwarding:
        assert [p.port for p in forwarding.ports] == [port]
    with socket.create_server(("127.0.0.1", port)):
        pass
