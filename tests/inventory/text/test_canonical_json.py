"""Equal data is written as equal bytes: JSON in one line of ASCII, times to the microsecond."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.text.canonical_json import compact_json, format_timestamp

SCALARS = st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=()))
VALUES = st.recursive(
    SCALARS | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [True, None]}, '{"b":1,"a":[true,null]}'),
        ("ü\u2028\n", r'"\u00fc\u2028\n"'),
        ("\ud800", r'"\ud800"'),
        (1.0, "1.0"),
        ([], "[]"),
    ],
)
def test_json_is_compact(value: object, text: str) -> None:
    """There are no spaces, keys keep their order, and what is not ASCII is escaped."""
    assert compact_json(value) == text


@given(VALUES)
def test_json_is_one_line_that_is_read_back(value: Any) -> None:  # noqa: ANN401 (any JSON)
    """Whatever the value is, it is one line of ASCII, from which it is read back."""
    text = compact_json(value)
    assert text.isascii()
    assert len(text.splitlines()) == 1
    assert json.loads(text) == value


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (datetime(2026, 11, 20, 2, tzinfo=UTC), "2026-11-20T02:00:00.000000Z"),
        (datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC), "2026-01-02T03:04:05.000006Z"),
    ],
)
def test_times_have_one_form(time: datetime, text: str) -> None:
    """A time in UTC has all its digits, those that are zero included."""
    assert format_timestamp(time) == text
