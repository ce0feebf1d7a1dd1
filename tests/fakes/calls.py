"""Requests to the fake engine: recorded, and with the faults that a test ordered."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fakes.engine import FakeEngine


@dataclass
class Fault:
    """What goes wrong, when, and how often."""

    error: BaseException
    times: int
    after: bool
    when: Callable[..., bool]


def _call(changes: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """One request: recorded, under the engine's lock, with the faults that were ordered for it."""

    def decorate(method: Callable[..., Any]) -> Callable[..., Any]:

        @functools.wraps(method)
        def request(self: FakeEngine | Part, *args: Any, **kwargs: Any) -> Any:
            engine, name = (
                (self.engine, f"{self.name}.{method.__name__}")
                if isinstance(self, Part)
                else (self, method.__name__)
            )
            with engine.guard:
                for hook in engine.take_hooks(name):
                    hook()
                engine.calls.append((name, *args))
                with engine.counting_failures():
                    engine.require_answer()
                    fault = engine.take_fault(name, args, kwargs)
                    if fault and not fault.after:
                        raise fault.error
                    if changes:
                        engine.changes.append((name, *args))
                    result = method(self, *args, **kwargs)
                    if fault:
                        raise fault.error
                    return result

        return request

    return decorate


reading = _call(changes=False)
changing = _call(changes=True)


class Part:
    """A part of the port; what it holds is its engine's."""

    name = ""

    def __init__(self, engine: FakeEngine) -> None:
        self.engine = engine
