"""Gaps and readings take only known facts and reasons."""

from __future__ import annotations

import pytest

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


@pytest.mark.parametrize(
    ("fields", "remarks"),
    [
        ({}, ""),
        ({"note": "cut"}, "cut"),
        (
            {"passes": [{"entries": 1_234, "page_size": 100}, {"entries": 9, "page_size": 99}]},
            "read 2 times: 1,234 by pages of 100, 9 by pages of 99",
        ),
        (
            {
                "passes": [{"entries": 0, "page_size": 100}],
                "terminated": {"entries": 1_002},
                "note": "cut",
            },
            "read 1 times: 0 by pages of 100; terminated: 1,002; cut",
        ),
        ({"terminated": {"entries": 0, "complete": False}}, "terminated: 0, at least"),
    ],
    ids=["nothing", "note", "passes", "all", "not-whole"],
)
def test_remarks_on_a_reading(fields: dict[str, object], remarks: str) -> None:
    """How a list was read is stated in numbers, and printed in one line."""
    assert Reading.model_validate(READING | fields).remarks == remarks
