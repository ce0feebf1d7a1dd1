"""Errors are immutable, and control flow reads their classes and typed fields alone."""

from __future__ import annotations

import ast
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from contract_codes import EXITS

import debughost_cli
from debughost_cli import errors
from debughost_cli.models import ExitReason

PACKAGE = Path(debughost_cli.__file__).parent


@pytest.mark.parametrize("name", ["message", "hint", "details", "changed", "reason", "anything"])
def test_no_field_of_an_error_can_change(name: str) -> None:
    error = errors.Crashed("it ended", hint="look", reason=ExitReason.OOM)
    with pytest.raises(AttributeError, match="with_context"):
        setattr(error, name, "other")
    with pytest.raises(AttributeError, match="with_context"):
        delattr(error, name)


def test_the_details_cannot_change_either() -> None:
    given = {"port": 1}
    error = errors.PortInUse("in use", details=given)
    given["port"] = 2
    assert error.details == {"port": 1}
    with pytest.raises(TypeError):
        error.details["port"] = 3  # type: ignore[index]


def test_context_is_added_to_a_new_error_of_the_same_class() -> None:
    old = errors.Crashed("it ended", hint="look", details={"a": 1}, reason=ExitReason.OOM)
    new = old.with_context(hint="look again", details={"b": 2}, changed=True)
    assert type(new) is errors.Crashed
    assert (new.message, str(new), new.hint) == ("it ended", "it ended", "look again")
    assert (dict(new.details), new.changed, new.reason) == ({"a": 1, "b": 2}, True, ExitReason.OOM)
    assert (old.hint, dict(old.details), old.changed) == ("look", {"a": 1}, False)


@pytest.mark.parametrize("cls", errors.all_errors())
def test_every_error_can_be_copied_with_context(cls: type[errors.Failure]) -> None:
    error = errors.Interrupted(15) if cls is errors.Interrupted else cls("text", hint="a")
    copy = error.with_context(hint="b")
    assert (type(copy), copy.message, copy.hint) == (cls, error.message, "b")
    assert copy.status == error.status


def test_an_error_can_be_raised_from_another_and_annotated() -> None:
    old = errors.Busy("held")
    with pytest.raises(errors.Busy) as caught:
        raise old.with_context(changed=True) from old
    caught.value.add_note("a note")
    assert caught.value.__cause__ is old
    assert "a note" in "".join(traceback.format_exception(caught.value))


def decisions(tree: ast.AST) -> Iterator[ast.expr]:
    """The expressions that decide something: conditions and comparisons."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If | ast.IfExp | ast.While | ast.Assert):
            yield node.test
        elif isinstance(node, ast.Compare | ast.BoolOp):
            yield node
        elif isinstance(node, ast.comprehension):
            yield from node.ifs


def reads_of_text(expression: ast.expr) -> bool:
    """``exc.message``, ``exc.details`` and ``str(exc)`` of what is named like an error."""
    for node in ast.walk(expression):
        if isinstance(node, ast.Attribute) and node.attr in ("message", "details", "hint"):
            value = node.value
            if isinstance(value, ast.Name) and value.id in NAMES_OF_ERRORS:
                return True
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "str":
            argument = node.args[0] if node.args else None
            if isinstance(argument, ast.Name) and argument.id in NAMES_OF_ERRORS:
                return True
    return False


NAMES_OF_ERRORS = {"exc", "error", "conflict", "outcome", "failed"}


@pytest.mark.parametrize("folder", ["services", "planning", "deployment", "cli"])
def test_no_decision_reads_the_text_or_the_details_of_an_error(folder: str) -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{expression.lineno}"
        for path in sorted((PACKAGE / folder).rglob("*.py"))
        for expression in decisions(ast.parse(path.read_text("utf-8")))
        if reads_of_text(expression)
    ]
    assert found == []


def test_every_public_error_has_a_code_and_an_exit_code_of_its_own() -> None:
    codes = [cls.code for cls in errors.all_errors()]
    assert len(codes) == len(set(codes))
    assert "INTERNAL" in codes


@pytest.mark.parametrize(("exit_code", "codes"), EXITS.items())
def test_the_contracts_table_of_codes(exit_code: Any, codes: Any) -> None:
    found = {cls.code for cls in errors.all_errors() if int(cls.exit_code) == exit_code}
    assert codes <= found


@pytest.mark.parametrize(("number", "status"), [(2, 130), (15, 143)])
def test_an_interruption_ends_as_shells_report_it(number: int, status: int) -> None:
    assert errors.Interrupted(number).status == status
    # Or who goes on after an error would go on after it as well.
    assert not issubclass(errors.Interrupted, Exception)
