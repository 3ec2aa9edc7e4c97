"""Gaps and readings take only known facts and reasons."""

from __future__ import annotations

from inventory.model.gaps import Gap, Reading
from tests.inventory.model.refusals import refusal

READING = {"fact": "databases", "address": "/v2/databases", "requests": 1, "answers": {"200": 1}}


def test_an_unknown_fact_is_refused() -> None:
    """A gap is about one of the lists that an audit reads."""
    assert refusal(Gap, {"fact": "weather", "reason": "refused"})[0] == ("fact",)


def test_an_unknown_reason_is_refused() -> None:
    """A gap has one of the reason codes, which say who acts and how."""
    assert refusal(Gap, {"fact": "databases", "reason": "shrug"})[0] == ("reason",)


def test_counts_of_a_reading_are_whole_numbers() -> None:
    """A reading counts its requests and answers; no count is negative, or merely looks like one."""
    reading = Reading.model_validate(READING)
    assert (reading.entries, reading.sha256, reading.note) == (None, "", "")
    assert refusal(Reading, READING | {"requests": -1})[0] == ("requests",)
    assert refusal(Reading, READING | {"requests": "1"})[0] == ("requests",)
    assert refusal(Reading, READING | {"answers": {"200": -1}})[0] == ("answers", "200")
