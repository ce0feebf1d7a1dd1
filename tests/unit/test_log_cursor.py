"""A cursor as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debughost_cli.planning.log_cursor import BadCursor, Bookmark, decode, encode
from debughost_cli.planning.log_positions import Position

from .test_log_positions import BASE

BOOKMARKS = {
    "shop": Bookmark("abc123", {"stdout": Position(BASE, 17, True), "stderr": Position(7)}),
    "api": Bookmark("def456", {}),
}


def test_a_cursor_comes_back_as_it_went() -> None:
    assert decode(encode(BOOKMARKS)) == BOOKMARKS
    assert set(encode(BOOKMARKS)) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    )


@given(st.text(max_size=80))
def test_what_is_no_cursor(text: str) -> None:
    with pytest.raises(BadCursor):
        decode(text)


def test_a_cursor_that_was_cut_or_changed() -> None:
    text = encode(BOOKMARKS)
    for end in range(len(text)):
        with pytest.raises(BadCursor):
            decode(text[:end])
    for place in range(0, len(text), 7):
        other = "A" if text[place] != "A" else "B"
        with pytest.raises(BadCursor):
            decode(text[:place] + other + text[place + 1 :])


@given(
    st.dictionaries(
        st.sampled_from(["stdout", "stderr"]),
        st.builds(Position, st.integers(0, 1 << 63), st.integers(0, 1 << 62), st.booleans()),
    )
)
def test_any_positions_survive(positions: dict[str, Position]) -> None:
    bookmarks = {"shop": Bookmark("abc", positions)}
    assert decode(encode(bookmarks)) == bookmarks
