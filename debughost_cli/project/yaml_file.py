"""Reads YAML that somebody hostile may have written, in bounded time and memory.

PyYAML is imported here alone, and only where there is a compose file to translate. What it parses
into nodes is converted here: no type of YAML's own is made, so that ``22:22`` and ``on`` stay text,
and an alias is the same object again and never a copy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

DEPTH = 40
"""How deeply lists and mappings may be nested."""
MERGED = 20_000
"""How many keys all merges (``<<``) of a document may have taken together."""
_NULL = ("", "~", "null", "Null", "NULL")


def parse_yaml(text: str) -> object:
    """The first document: mappings, lists, text, and None for nothing.

    Raises ValueError, with a line where there is one.
    """
    import yaml

    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark
        line = f" (at line {mark.line + 1})" if mark else ""
        raise ValueError(f"{exc.problem or 'it is not valid YAML'}{line}") from None
    except (yaml.YAMLError, RecursionError) as exc:
        raise ValueError(str(exc).partition("\n")[0]) from None
    return _Converter().convert(node, 0) if node is not None else None


class _Mark(Protocol):
    line: int


class _Node(Protocol):
    """A node of PyYAML. Its value is text, a list of nodes, or a list of pairs of nodes."""

    id: str
    value: object
    start_mark: _Mark


class _Converter:
    """Converts each node once, so that what is aliased many times takes no time."""

    def __init__(self) -> None:
        self._made: dict[int, object] = {}
        self._open: set[int] = set()
        self._merged = 0

    def convert(self, node: _Node, depth: int) -> object:
        key = id(node)
        if key in self._made:
            return self._made[key]
        if key in self._open:
            raise ValueError(f"it contains itself (at line {node.start_mark.line + 1})")
        if depth > DEPTH:
            raise ValueError(f"it is nested more than {DEPTH} deep")
        self._open.add(key)
        self._made[key] = made = self._value(node, depth)
        self._open.discard(key)
        return made

    def _value(self, node: _Node, depth: int) -> object:
        if not isinstance(node.value, list):
            # The style of text that stands in quotes is the quote.
            is_null = not getattr(node, "style", None) and node.value in _NULL
            return None if is_null else str(node.value)
        if node.id == "sequence":
            return [self.convert(item, depth + 1) for item in node.value]
        own: dict[str, object] = {}
        merged: dict[str, object] = {}
        for key, value in node.value:
            if key.id != "scalar":
                raise ValueError(f"a key is no text (at line {key.start_mark.line + 1})")
            if key.value == "<<":
                self._merge(merged, self.convert(value, depth + 1))
            else:
                own[str(key.value)] = self.convert(value, depth + 1)
        return merged | own

    def _merge(self, into: dict[str, object], value: object) -> None:
        """The first of several has precedence, as YAML has it."""
        for table in value if isinstance(value, list) else [value]:
            if isinstance(table, Mapping):
                self._merged += len(table)
                if self._merged > MERGED:
                    raise ValueError(f"its merges take more than {MERGED} keys")
                for name, item in table.items():
                    into.setdefault(name, item)
