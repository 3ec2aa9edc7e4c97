"""Equal data gives equal bytes."""

from __future__ import annotations

from datetime import UTC, datetime

from inventory.text.canonical_json import compact_json, format_timestamp


def test_json_is_compact_ascii() -> None:
    """JSON has no white space, keeps the order of keys, and escapes all but ASCII."""
    assert compact_json({"b": [1, None], "a": "é"}) == '{"b":[1,null],"a":"\\u00e9"}'


def test_times_have_microseconds() -> None:
    """A whole second is written to the microsecond as well, so that times sort as text."""
    second = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
    assert format_timestamp(second) == "2026-11-20T02:00:00.000000Z"
    assert format_timestamp(second.replace(microsecond=7)) == "2026-11-20T02:00:00.000007Z"
