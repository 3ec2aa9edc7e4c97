"""The life of a key: what its cloud and the portal show, on the line and in words."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.page.timeline.key_life import (
    LEGEND,
    ROOM,
    LifeKind,
    LifeMark,
    RegionLook,
    coming,
    events_of,
    life_marks,
    life_times,
    look_marks,
    look_times,
    place,
)
from reports.page.timeline.time_scale import TimeScale
from tests.builders import moment
from tests.hypothesis_profile import examples

SCALE = TimeScale(moment("2026-01-01T00:00:00Z"), moment("2026-04-11T00:00:00Z"))
"""One percent of it is a day."""

CLOUD = {
    "observed_at": "2026-04-10T00:00:00Z",
    "created_at": "2026-01-11T00:00:00Z",
    "vendor_grants": {"number": 2, "first": "2026-01-21T00:00:00Z", "last": "2026-02-01T00:00:00Z"},
    "rotated_at": "2026-02-10T00:00:00Z",
    "next_rotation_at": "2026-05-01T00:00:00Z",
    "last_used_at": "2026-04-01T08:30:00Z",
    "deletion_at": "2026-04-20T00:00:00Z",
    "expires_at": "2026-06-01T00:00:00Z",
    "dead_versions": [
        {"id": "7", "state": "DESTROY_SCHEDULED", "destroy_at": "2026-03-02T00:00:00Z"},
        {"id": "6", "state": "DISABLED"},
    ],
}
LOOK = {"status": "in-use", "by": "Kim\u202e", "on": "2026-03-12", "due": "2027-03-12"}


def _key(**over: object) -> Any:  # noqa: ANN401 (a line of the record)
    return {"key_id": "k", "provider": "aws", **over}


def test_every_kind_of_mark_has_its_words() -> None:
    """The legend has a line for each kind of mark."""
    assert set(LEGEND) == set(get_args(LifeKind))


def test_a_key_without_facts_has_no_life() -> None:
    """Nothing is shown of a key of which neither its cloud nor the portal shows anything."""
    assert (events_of(_key()), life_marks(_key(), SCALE)) == ([], [])
    assert events_of(_key(cloud={"observed_at": CLOUD["observed_at"], "never_used": True})) == []


def test_what_was_is_on_the_line_and_what_will_be_is_not() -> None:
    """Past events are marks in the order of time; what comes after the audit is listed apart."""
    key = _key(cloud=CLOUD, portal=LOOK)
    assert [(mark.kind, mark.x, mark.title) for mark in life_marks(key, SCALE)] == [
        ("created", 10, "created 2026-01-11 00:00:00"),
        ("granted", 20, "first grant by the vendor’s account 2026-01-21 00:00:00"),
        ("rotated", 40, "rotated 2026-02-10 00:00:00"),
        ("ends", 60, "destruction of version 7 2026-03-02 00:00:00"),
        (
            "looked",
            70,
            (
                "the portal showed it in use on 2026-03-12, seen by Kim(U+202E) "
                "(counts until 2027-03-12)"
            ),
        ),
        ("used", 90.35, "last used 2026-04-01 08:30:00"),
    ]
    assert [(event.kind, event.brief) for event in coming(key, SCALE.end)] == [
        ("ends", "deletion 2026-04-20"),
        ("rotated", "next rotation 2026-05-01"),
        ("ends", "expiry 2026-06-01"),
    ]
    assert len(list(life_times(key, SCALE.end))) == 6


def test_what_shows_nothing_says_so() -> None:
    """The portal calls each key in Azure available: the words say that this shows nothing."""
    look = LOOK | {"status": "available"}
    words = {
        provider: events_of(_key(provider=provider, portal=look))[0].words
        for provider in ("azure", "gcp")
    }
    assert "available on" in words["gcp"]
    assert "(counts until 2027-03-12)" in words["gcp"]
    assert "(which shows nothing of a key in Azure)" in words["azure"]


# --- places ---------------------------------------------------------------------------------------


def test_marks_that_are_close_are_in_different_rows() -> None:
    """A mark that would cover another one is in the row below it; later ones are above again."""
    points: Any = [("created", 1, "a"), ("used", 1, "b"), ("used", 2, "c"), ("used", 9, "d")]
    assert place(points) == [
        LifeMark("created", 1, 0, "a"),
        LifeMark("used", 1, 1, "b"),
        LifeMark("used", 2, 2, "c"),
        LifeMark("used", 9, 0, "d"),
    ]


@examples(100)
@given(places=st.lists(st.floats(0, 100), max_size=12).map(sorted))
def test_no_mark_covers_another(places: list[float]) -> None:
    """In each row two marks have room between them, and none is lost."""
    marks = place(("used", x, "") for x in places)
    assert [mark.x for mark in marks] == places
    for row in range(len(marks)):
        own = [mark.x for mark in marks if mark.row == row]
        assert all(b - a >= ROOM for a, b in pairwise(own))


# --- looks at regions -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("look", "number", "words"),
    [
        (
            RegionLook("2026-03-12", "customer", "2027-03-12"),
            1,
            "the portal shows a customer key for 1 database, looked at on 2026-03-12",
        ),
        (
            RegionLook("2026-03-12", "astra", "2026-04-01"),
            2,
            (
                "the portal showed Astra’s key for 2 databases, looked at on 2026-03-12, which no "
                "longer counts"
            ),
        ),
    ],
)
def test_looks_at_regions_are_marks_with_numbers(look: RegionLook, number: int, words: str) -> None:
    """A look at regions says what it showed, of how many databases, and whether it still counts."""
    assert look_marks({look: number}, SCALE) == [LifeMark("looked", 70, 0, words)]
    assert list(look_times([look], SCALE.end)) == [moment("2026-03-12T00:00:00Z")]


def test_a_look_in_the_future_is_not_on_the_line() -> None:
    """A look that is dated after the audit has no place on the line."""
    late = RegionLook("2026-05-01", "customer", "2027-05-01")
    assert (look_marks({late: 1}, SCALE), list(look_times([late], SCALE.end))) == ([], [])
