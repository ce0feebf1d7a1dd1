"""The JSON of every command fits its schema, and is what 0.1.0 printed but for additions."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from documents import CASES, GROUPS, Case, documents

from cli.conftest import App
from debughost_cli.planning.log_lines import ProjectLine
from debughost_cli.render.logs import LogWriter
from debughost_cli.render.schema import DATA, LINES, command_schema
from debughost_cli.render.streams import Streams
from debughost_cli.resources import LogFragment

RECORDED = Path(__file__).parents[1] / "data" / "documents"
TEXTS = {
    "message", "hint", "help", "meaning", "guide", "script", "content", "framework", "condition",
    "entry",
}  # fmt: skip
"""Written for people: the words may become better ones."""
GROWING = {
    "plan", "checks", "settings", "errors", "commands", "options", "names", "arguments", "volumes",
}  # fmt: skip
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
            # Better commands may be suggested.
            if k in now and k != "next"
            for found in _of_member(before[k], now[k], f"{place}/{k}", k, texts)
        ]
    if isinstance(before, list) and isinstance(now, list):
        if key in GROWING:
            return _of_growing(before, now, place, ordered=key != "plan")
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


def _of_growing(before: list[Any], now: list[Any], place: str, *, ordered: bool) -> list[str]:
    """Each element is still there; the steps of a plan may be carried out in another order."""
    left = iter(now)
    missing = [
        b
        for b in before
        if not any(not differences(b, n, place) for n in (left if ordered else now))
    ]
    return [f"{place} has no {m!r} any more" for m in missing]


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.command}: {c.name}")
def test_what_is_printed_fits_its_schema_and_what_was_printed(case: Case, workspace: Path) -> None:
    found = documents(case, workspace.parent)
    check_schema(case.command, found["documents"])
    assert differences(recorded(case), found) == []


def check_schema(command: str, documents: list[dict[str, Any]]) -> None:
    """The document, and the lines before it."""
    schema = command_schema(command)
    *lines, document = documents
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document, schema)
    assert document["data"] or not document["ok"]
    for line in lines:
        check_line(command, line)


def check_line(command: str, line: dict[str, Any]) -> None:
    """One of the lines that a stream prints before its document; the schema has all its keys."""
    definitions = command_schema(command)["$defs"]
    names = [shape.__name__ for shape in LINES[command]]
    (name,) = [n for n in names if definitions[n]["properties"]["type"]["enum"] == [line["type"]]]
    jsonschema.validate(line, {"$ref": f"#/$defs/{name}", "$defs": definitions})
    assert set(line) <= set(definitions[name]["properties"])


def leaves(nodes: list[dict[str, Any]]) -> list[str]:
    """The commands of a tree, without the groups."""
    return [
        command
        for node in nodes
        for command in (leaves(node["commands"]) if "commands" in node else [node["command"]])
    ]


def test_every_command_has_a_schema(app: App) -> None:
    found = leaves(app("schema", "--commands", "--json").document["data"]["commands"])
    assert sorted(DATA) == sorted(found)
    assert {c.partition(" ")[0] for c in found if " " in c} == set(GROUPS)


def test_every_command_has_a_case(app: App) -> None:
    assert {case.command for case in CASES} == set(DATA)


@pytest.mark.parametrize("command", DATA)
def test_the_schema_is_printed_by_name(app: App, command: str) -> None:
    made = app("schema", *command.split(), "--json").document["data"]
    assert made == command_schema(command)
    # A failure without data, whatever the command.
    failed = app(*command.split(), "--bogus", "--json")
    check_schema(command, [json.loads(failed.out)])


def test_a_group_and_all_commands_have_their_schemas(app: App) -> None:
    made = app("schema", "network", "--json").document["data"]["schemas"]
    assert list(made) == ["network ensure", "network inspect", "network rm"]
    assert list(app("schema", "--json").document["data"]["schemas"]) == list(DATA)


def test_a_line_without_an_end_fits_the_schema() -> None:
    stdout = io.StringIO()
    writer = LogWriter(Streams(stdout, stdout, stdout), ["shop"], json=True, stamps=False)
    writer.write(ProjectLine("shop", LogFragment("stdout", b"no end", "2026-11-29T10:00:00Z")))
    writer.flush()
    line = json.loads(stdout.getvalue())
    assert line["partial"] is True
    check_line("logs", line)


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
