"""Programs that have crashed under a watcher that goes on."""

from __future__ import annotations

import pytest

from debughost_cli.planning.watchers import (
    ends_in_traceback,
    is_reloaded,
    waits_for_changes,
)


@pytest.mark.parametrize(
    "line",
    [
        "Failed running 'server.js'. Waiting for file changes before restarting...",
        "Failed running 'server.js'",
        "Completed running 'src/index.ts'. Waiting for file changes before restarting...",
        "[nodemon] app crashed - waiting for file changes before starting...",
        "[nodemon] clean exit - waiting for changes before restart",
        "  [nodemon] app crashed - waiting for file changes before starting...  ",
        "Process exited with code 1, waiting for changes...",
        "Node.js v20.20.2",
        "Node.js v22.0.0-nightly20240101",
    ],
)
def test_last_words(line: str) -> None:
    assert waits_for_changes(["Error: no database", line])
    assert waits_for_changes([line, "", " "])
    assert not waits_for_changes([line, "Restarting 'server.js'"])


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [""],
        ["listening on 3000"],
        ["Watching for file changes with StatReloader"],
        ["Found 0 errors. Watching for file changes."],
        ["[nodemon] starting `node server.js`"],
        ["Node.js v20.20.2 is what this server runs on"],
        ["the cart is waiting for changes of the price before it is paid"],
    ],
)
def test_what_sounds_alike(lines: list[str]) -> None:
    assert not waits_for_changes(lines)


FRAME = ['  File "/app/main.py", line 2, in <module>', "    import nosuch"]
CAUSE = "ModuleNotFoundError: No module named 'nosuch'"


@pytest.mark.parametrize(
    "lines",
    [
        [*FRAME, CAUSE],
        ["Traceback (most recent call last):", *FRAME, CAUSE, ""],
        [*FRAME, "KeyboardInterrupt"],
        [*FRAME, "django.core.exceptions.ImproperlyConfigured: set SECRET_KEY"],
        [*FRAME, "pydantic_core._pydantic_core.ValidationError: 1 error for S", "port", "  Input"],
        ['  File "/app/main.py", line 3', "    def (", "        ^", "SyntaxError: invalid syntax"],
    ],
)
def test_output_that_ends_in_a_traceback(lines: list[str]) -> None:
    assert ends_in_traceback(lines)


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [CAUSE],
        FRAME,
        [*FRAME, CAUSE, *[f"GET /{n} 200" for n in range(8)]],
        [*FRAME, "[12:00] retrying in 5 s"],
    ],
)
def test_output_that_does_not(lines: list[str]) -> None:
    assert not ends_in_traceback(lines)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("python manage.py runserver 0.0.0.0:5000", True),
        ("uvicorn main:app --reload --port 5000", True),
        ("flask --app shop run --debug", True),
        ("watchfiles 'python worker.py' src", True),
        ("python main.py", False),
        ("gunicorn shop.wsgi --reload-extra-file x", False),
        ("python watcher.py", False),
    ],
)
def test_reloaders_of_python(command: str, expected: bool) -> None:
    assert is_reloaded(command.split()) is expected
