"""The promises in the README name tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def promises() -> list[str]:
    """The numbered items under "What it promises"."""
    text = (ROOT / "README.md").read_text("utf-8")
    _, _, rest = text.partition("## What it promises")
    section, _, _ = rest.partition("\n## ")
    return re.split(r"^\d+\. ", section, flags=re.MULTILINE)[1:]


def test_every_promise_is_held_by_a_test_that_exists() -> None:
    found = promises()
    assert len(found) == 10
    for promise in found:
        named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", promise)
        assert named, promise
        for file, test in named:
            assert f"def {test}(" in (ROOT / "tests" / "e2e" / file).read_text("utf-8"), test
