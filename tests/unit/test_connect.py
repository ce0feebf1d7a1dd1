"""Which engine: flags, variables, contexts, the usual places."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debughost_cli.engine.connect import DEFAULT_SOCKET, Address, resolve_address
from debughost_cli.errors import (
    ContextNotFound,
    DebughostError,
    EngineNotTrusted,
    InvalidConfig,
    Usage,
)


@pytest.fixture
def home(tmp_path: Path) -> Any:
    folder = tmp_path / "home"
    (folder / ".docker").mkdir(parents=True)
    return folder


@pytest.fixture
def env(home: Any, tmp_path: Path) -> Any:
    return {"HOME": str(home), "XDG_RUNTIME_DIR": str(tmp_path / "run")}


def digest(name: Any) -> Any:
    return hashlib.sha256(name.encode()).hexdigest()


@pytest.fixture
def add_context(home: Any) -> Any:
    """Makes a context as ``docker context create`` does."""

    def add(
        name: Any,
        host: Any = "tcp://build:2376",
        *,
        tls: Any = (),
        folder: Any = None,
        **endpoint: Any,
    ) -> Any:
        store = (folder or home / ".docker") / "contexts"
        meta = store / "meta" / digest(name)
        meta.mkdir(parents=True)
        document = {"Name": name, "Endpoints": {"docker": {"Host": host} | endpoint}}
        (meta / "meta.json").write_text(json.dumps(document))
        if tls:
            place = store / "tls" / digest(name) / "docker"
            place.mkdir(parents=True)
            for file in tls:
                (place / f"{file}.pem").write_text("x")
        return meta / "meta.json"

    return add


def use_context(home: Any, name: Any) -> None:
    (home / ".docker/config.json").write_text(json.dumps({"currentContext": name}))


def test_the_whole_order_of_the_contract(env: Any, home: Any, add_context: Any) -> None:
    for name in ("flagged", "variable", "current"):
        add_context(name, f"tcp://{name}:1")
    use_context(home, "current")

    def by_context(name: str, source: str) -> Address:
        return Address(f"tcp://{name}:1", source, known_as=f"context {name}")

    assert resolve_address(None, None, env) == by_context("current", "context")
    env["DOCKER_CONTEXT"] = "variable"
    assert resolve_address(None, None, env) == by_context("variable", "DOCKER_CONTEXT")
    env["DOCKER_HOST"] = "tcp://127.0.0.1:1"
    assert resolve_address(None, None, env) == Address("tcp://127.0.0.1:1", "DOCKER_HOST")
    assert resolve_address(None, "flagged", env) == by_context("flagged", "flag")
    given = Address("tcp://given:1", "flag", known_as="tcp://given:1")
    assert resolve_address("tcp://given:1", None, env) == given


def test_host_and_context_exclude_each_other(env: Any) -> None:
    with pytest.raises(Usage):
        resolve_address("tcp://x:1", "y", env)


@pytest.mark.parametrize("variable", ["DOCKER_HOST", "DOCKER_CONTEXT"])
def test_an_empty_variable_is_none(env: Any, variable: str) -> None:
    assert resolve_address(None, None, env | {variable: ""}) == resolve_address(None, None, env)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("unix:///var/run/docker.sock", "unix:///var/run/docker.sock"),
        ("/var/run/docker.sock", "unix:///var/run/docker.sock"),
        ("tcp://host:2376", "tcp://host:2376"),
        ("host:2375", "tcp://host:2375"),
        ("127.0.0.1:2375", "tcp://127.0.0.1:2375"),
        ("tcp://[::1]:2375", "tcp://[::1]:2375"),
        ("https://host:2376/path", "https://host:2376/path"),
        ("ssh://me@host:22", "ssh://me@host:22"),
        (" tcp://host:1 ", "tcp://host:1"),
    ],
)
def test_addresses(env: Any, given: str, url: str) -> None:
    assert resolve_address(given, None, env).url == url


MALFORMED = [
    "unix://", "tcp://", "tcp://:2375", "tcp://host:port", "tcp://host:99999", "tcp://host:0",
    "ftp://host", "host", "-", "tcp:/host", "tcp://[::1", "://", "unix:",
]  # fmt: skip


@pytest.mark.parametrize("text", MALFORMED)
def test_malformed_addresses_on_the_command_line_are_usage_errors(env: Any, text: Any) -> None:
    with pytest.raises(Usage) as caught:
        resolve_address(text, None, env)
    assert repr(text) in caught.value.message
    assert "unix:///" in caught.value.hint


@pytest.mark.parametrize("text", MALFORMED)
def test_malformed_addresses_in_variables_name_the_variable(env: Any, text: Any) -> None:
    with pytest.raises(InvalidConfig) as caught:
        resolve_address(None, None, env | {"DOCKER_HOST": text})
    assert "DOCKER_HOST" in caught.value.message


@given(st.text(min_size=1))
def test_any_text_is_an_address_or_an_error_of_ours(text: Any) -> None:
    with contextlib.suppress(DebughostError):
        assert resolve_address(text, None, {"HOME": "/nonexistent"}).url


@pytest.mark.parametrize(
    ("how", "source"),
    [("flag", "flag"), ("DOCKER_CONTEXT", "DOCKER_CONTEXT"), ("current", "context")],
)
def test_a_context_that_does_not_exist_is_never_a_silent_default(
    env: Any, home: Any, add_context: Any, how: str, source: str
) -> None:
    add_context("work")
    if how == "current":
        use_context(home, "gone")
    elif how == "DOCKER_CONTEXT":
        env["DOCKER_CONTEXT"] = "gone"
    with pytest.raises(ContextNotFound) as caught:
        resolve_address(None, "gone" if how == "flag" else None, env)
    assert source in caught.value.message
    assert caught.value.details == {"context": "gone", "known": ["default", "work"]}
    assert "default, work" in caught.value.hint


def test_without_any_context_store_an_unknown_context_is_still_an_error(env: Any) -> None:
    with pytest.raises(ContextNotFound):
        resolve_address(None, "gone", env)


@pytest.mark.parametrize("name", ["../../etc", "", "a/b", "ü"])
def test_odd_names_of_contexts_do_not_leave_the_store(env: Any, name: str) -> None:
    if name:
        with pytest.raises(ContextNotFound):
            resolve_address(None, name, env)
    else:
        assert resolve_address(None, name, env).source in ("default", "found")


def test_the_default_context_is_the_default_socket(env: Any, home: Any) -> None:
    use_context(home, "default")
    assert resolve_address(None, "default", env) == Address(DEFAULT_SOCKET, "flag")
    assert resolve_address(None, None, env).source in ("default", "found")


def test_docker_config_moves_the_store(env: Any, add_context: Any, tmp_path: Path) -> None:
    add_context("moved", folder=tmp_path / "elsewhere")
    with pytest.raises(ContextNotFound):
        resolve_address(None, "moved", env)
    env["DOCKER_CONFIG"] = str(tmp_path / "elsewhere")
    assert resolve_address(None, "moved", env).url == "tcp://build:2376"


def test_no_context_is_taken_from_the_current_folder(
    env: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, add_context: Any
) -> None:
    """A repository could plant one."""
    add_context("planted", folder=tmp_path / "repo")
    (tmp_path / "repo/config.json").write_text('{"currentContext": "planted"}')
    monkeypatch.chdir(tmp_path / "repo")
    assert resolve_address(None, None, env).source in ("default", "found")


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"currentContext": 3}', '{"currentContext": null}', '{"currentContext": ""}'],
)
def test_a_config_of_docker_that_says_nothing_is_passed_over(
    env: Any, home: Any, text: str
) -> None:
    (home / ".docker/config.json").write_text(text)
    assert resolve_address(None, None, env).source in ("default", "found")


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "{}", '{"Endpoints": {}}', '{"Endpoints": {"docker": {}}}',
     '{"Endpoints": {"docker": {"Host": "nonsense"}}}', '{"Endpoints": {"docker": null}}'],
)  # fmt: skip
def test_a_broken_context_is_an_error_that_names_it(env: Any, add_context: Any, text: str) -> None:
    add_context("broken").write_text(text)
    with pytest.raises(InvalidConfig) as caught:
        resolve_address(None, "broken", env)
    assert (
        "broken" in caught.value.message + caught.value.hint or "nonsense" in caught.value.message
    )


TLS = ("ca", "cert", "key")


def test_a_context_with_tls_is_verified(env: Any, add_context: Any) -> None:
    add_context("secure", tls=TLS)
    found = resolve_address(None, "secure", env)
    assert found.tls
    assert found.verify
    assert [p.name for p in (found.ca, found.cert, found.key)] == ["ca.pem", "cert.pem", "key.pem"]


def test_a_context_may_skip_the_verification(env: Any, add_context: Any) -> None:
    add_context("lax", tls=TLS, SkipTLSVerify=True)
    found = resolve_address(None, "lax", env)
    assert found.tls
    assert not found.verify


@pytest.mark.parametrize("tls", [("ca", "cert"), ("key",), ("ca", "key")])
def test_half_of_the_tls_files_is_never_plain_http(
    env: Any, add_context: Any, tls: tuple[str, ...]
) -> None:
    add_context("half", tls=tls)
    with pytest.raises(InvalidConfig) as caught:
        resolve_address(None, "half", env)
    assert "key.pem" in caught.value.hint


def test_a_context_with_a_ca_alone_is_tls(env: Any, add_context: Any) -> None:
    add_context("ca", tls=("ca",))
    found = resolve_address(None, "ca", env)
    assert (found.tls, found.cert, found.key) == (True, None, None)


@pytest.fixture
def certificates(tmp_path: Path) -> Any:
    folder = tmp_path / "certs"
    folder.mkdir()
    for name in TLS:
        (folder / f"{name}.pem").write_text("x")
    return folder


@pytest.mark.parametrize(
    ("verify", "path", "tls", "verified"),
    [
        ("1", True, True, True),
        ("", True, True, False),
        ("1", False, True, True),
        ("", False, False, True),
    ],
)
def test_dockers_variables_about_tls(
    env: Any, certificates: Any, verify: str, path: bool, tls: bool, verified: bool
) -> None:
    env |= {"DOCKER_TLS_VERIFY": verify, "DOCKER_HOST": "tcp://127.0.0.1:2376"}
    if path:
        env["DOCKER_CERT_PATH"] = str(certificates)
    found = resolve_address(None, None, env)
    assert (found.tls, found.verify) == (tls, verified)


@pytest.mark.parametrize(
    ("url", "is_refused"),
    [
        ("tcp://builder:2375", True),
        ("10.1.2.3:2375", True),
        ("tcp://127.0.0.9:2375", False),
        ("tcp://localhost:2375", False),
        ("tcp://[::1]:2375", False),
        ("ssh://builder", False),
    ],
)
def test_plain_tcp_to_another_machine_is_refused_unless_it_is_asked_for(
    env: Any, add_context: Any, url: str, is_refused: bool
) -> None:
    inherited = env | {"DOCKER_HOST": url}
    if is_refused:
        with pytest.raises(EngineNotTrusted) as caught:
            resolve_address(None, None, inherited)
        assert "--host" in caught.value.hint
    else:
        assert resolve_address(None, None, inherited).source == "DOCKER_HOST"
    assert resolve_address(url, None, env).source == "flag"
    add_context("asked", url)
    assert resolve_address(None, "asked", env).source == "flag"
    assert resolve_address(None, None, inherited | {"DOCKER_TLS_VERIFY": "1"})


def test_dockers_variables_about_tls_do_not_touch_a_socket(env: Any, certificates: Any) -> None:
    env |= {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(certificates)}
    assert not resolve_address("unix:///run/x.sock", None, env).tls


def test_dockers_certificates_may_not_be_half_there(env: Any, certificates: Any) -> None:
    (certificates / "key.pem").unlink()
    env |= {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(certificates)}
    with pytest.raises(InvalidConfig):
        resolve_address("tcp://host:2376", None, env)


@pytest.mark.parametrize(
    "place",
    [".docker/run/docker.sock", ".docker/desktop/docker.sock", ".colima/default/docker.sock"],
)
def test_the_places_of_other_engines(
    env: Any, home: Any, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An engine of this machine would be found first.
    monkeypatch.setattr("debughost_cli.engine.connect.DEFAULT_SOCKET", f"unix://{home}/none.sock")
    path = home / place
    path.parent.mkdir(parents=True, exist_ok=True)
    listen(path)
    assert resolve_address(None, None, env) == Address(f"unix://{path}", "found")


def listen(path: Any) -> None:
    """A socket file may lie deeper than its address may be long."""
    done = threading.Event()

    def make() -> None:
        os.chdir(path.parent)
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
        done.set()

    here = Path.cwd()
    make()
    os.chdir(here)
    assert done.is_set()


def test_a_plain_file_is_no_socket(env: Any, home: Any) -> None:
    path = home / ".docker/run/docker.sock"
    path.parent.mkdir(parents=True)
    path.write_text("")
    assert resolve_address(None, None, env).url != f"unix://{path}"
