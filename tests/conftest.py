"""For every test: the rule for what a machine may lack."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NoReturn

import pytest


@pytest.fixture(scope="session")
def unavailable() -> Callable[[str], NoReturn]:
    """Ends a test that needs what this machine lacks: skipped on a desk, a failure in CI."""

    def end(what: str) -> NoReturn:
        if os.environ.get("CI", "").lower() in ("true", "1"):
            pytest.fail(f"needed in CI: {what}")
        pytest.skip(what)

    return end
