"""Programs that have crashed under a watcher that goes on."""

from __future__ import annotations

import pytest

from debughost_cli.planning.watchers import waits_for_changes


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
        ["the cart is waiting for changes of the price before it is paid"],
    ],
)
def test_what_sounds_alike(lines: list[str]) -> None:
    assert not waits_for_changes(lines)
