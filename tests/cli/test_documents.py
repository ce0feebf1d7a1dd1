"""The JSON of every command is what version 0.1.0 printed, but for additions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from documents import CASES, Case, documents

RECORDED = Path(__file__).parents[1] / "data" / "documents"
TEXTS = {
    "message", "hint", "help", "meaning", "guide", "script", "content", "framework", "condition",
}  # fmt: skip
"""Written for people: the words may become better ones."""
GROWING = {"plan", "checks", "settings", "errors", "commands", "options", "names", "arguments"}
"""Lists to which something may be added, as a key may be added to an object."""


def recorded(case: Case) -> dict[str, Any]:
    path = RECORDED / f"{case.command.replace(' ', '-')}.json"
    return json.loads(path.read_text("utf-8"))[case.name]


def differences(before: Any, now: Any, place: str = "", key: str = "") -> list[str]:
    """Where something that was there is missing or different."""
    if isinstance(before, dict) and isinstance(now, dict):
        missing = [f"{place}/{k} is missing" for k in before if k not in now]
        texts = TEXTS | ({"reason"} if "step" in before else set())
        return missing + [
            found
            for k in before
            if k in now
            for found in _of_member(before[k], now[k], f"{place}/{k}", k, texts)
        ]
    if isinstance(before, list) and isinstance(now, list):
        if key in GROWING:
            return _of_growing(before, now, place)
        if len(before) == len(now):
            pairs = enumerate(zip(before, now, strict=True))
            return [d for i, (b, n) in pairs for d in differences(b, n, f"{place}/{i}")]
    return [] if before == now else [f"{place}: {before!r} became {now!r}"]


def _of_member(before: Any, now: Any, place: str, key: str, texts: set[str]) -> list[str]:
    if key in texts and isinstance(before, str):
        # An empty text means that there is nothing to say.
        same = isinstance(now, str) and bool(now) >= bool(before)
        return [] if same else [f"{place}: {before!r} became {now!r}"]
    return differences(before, now, place, key)


def _of_growing(before: list[Any], now: list[Any], place: str) -> list[str]:
    """Each element is still there, in the same order."""
    left = iter(now)
    missing = [b for b in before if not any(not differences(b, n, place) for n in left)]
    return [f"{place} has no {m!r} any more" for m in missing]


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.command}: {c.name}")
def test_what_was_printed_is_still_there(case: Case, workspace: Path) -> None:
    assert differences(recorded(case), documents(case, workspace.parent)) == []


@pytest.mark.parametrize(
    ("before", "now", "same"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": 1, "b": 2}, {"a": 1}, False),
        ({"a": 1}, {"a": "1"}, False),
        ({"a": [1]}, {"a": [1, 2]}, False),
        ({"names": ["-a", "-b"]}, {"names": ["-a", "--all", "-b"]}, True),
        ({"names": ["-a", "-b"]}, {"names": ["-b", "-a"]}, False),
        ({"message": "x"}, {"message": "y"}, True),
        ({"message": "x"}, {"message": None}, False),
        ({"hint": "x"}, {"hint": ""}, False),
        ({"reason": "crashed"}, {"reason": "oom"}, False),
        ({"plan": [{"step": "a", "reason": "x"}]}, {"plan": [{"step": "a", "reason": "y"}]}, True),
    ],
)
def test_additions_and_changes_are_distinguished(before: Any, now: Any, same: bool) -> None:
    assert (differences(before, now) == []) is same
