"""Tokens: set once, waited for, with callbacks."""

from __future__ import annotations

import pytest

from debughost_cli.cancel import CancelToken


def test_a_callback_is_called_once_by_the_token_or_its_parent() -> None:
    parent = CancelToken()
    token = CancelToken(parent)
    called: list[str] = []
    with token.on_cancel(lambda: called.append("x")):
        parent.cancel()
        parent.cancel()
        token.cancel()
    assert called == ["x"]
    assert token.is_set()


def test_a_callback_that_comes_late_is_called_at_once() -> None:
    token = CancelToken()
    token.cancel()
    called: list[str] = []
    with token.on_cancel(lambda: called.append("x")):
        assert called == ["x"]
    assert called == ["x"]


def test_after_the_block_nothing_is_called() -> None:
    token = CancelToken(CancelToken())
    with pytest.raises(ZeroDivisionError), token.on_cancel(pytest.fail):
        _ = 1 / 0
    token.cancel()
