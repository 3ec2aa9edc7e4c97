"""What is known of a key's registration, as spans and marks on the line, and in words."""

from __future__ import annotations

from typing import Any

import pytest

from reports.page.timeline.key_marks import (
    Due,
    KeyMark,
    KeySpan,
    lay_out_key,
    next_due,
    registered_facts,
    times_of,
)
from reports.page.timeline.time_scale import TimeScale
from tests.builders import aws_key_id, moment

SCALE = TimeScale(moment("2026-01-01T00:00:00Z"), moment("2026-04-11T00:00:00Z"))
"""One percent of it is a day."""

JANUARY, FEBRUARY, MARCH = (f"2026-0{month}-01T00:00:00Z" for month in (1, 2, 3))
SEEN_UNTIL = moment("2026-04-01T00:00:00Z")
ATTESTED = {"registered": FEBRUARY, "attested_by": "it", "attested_on": "2026-03-01"}


def key_line(**over: object) -> Any:  # noqa: ANN401 (a line of the record)
    """Return what the line of a registered key shows of times."""
    return {"key_id": aws_key_id(), **over}


def _spans(**over: object) -> list[tuple[str, float, float]]:
    return [span[:3] for span in lay_out_key(key_line(**over), SCALE, SEEN_UNTIL).spans]


def _marks(**over: object) -> list[tuple[str, float]]:
    return [mark[:2] for mark in lay_out_key(key_line(**over), SCALE, SEEN_UNTIL).marks]


def test_a_key_without_any_time_may_have_come_at_any() -> None:
    """Nothing is claimed of a key of an undated record: the interval is the whole line."""
    row = lay_out_key(key_line(), SCALE, SEEN_UNTIL)
    title = "registered at an unknown time"
    assert row == (aws_key_id(), [KeySpan("interval", 0, 100, title)], [], [], [title])


def test_an_interval_without_beginning_is_open_to_the_left() -> None:
    """A key that the first record shows may have been registered at any time before."""
    assert _spans(first_seen=MARCH) == [("interval", 0, 59), ("seen", 59, 31)]


def test_an_interval_begins_with_the_record_without_the_key() -> None:
    """A record without the key, and a support case after it, narrow the interval."""
    case = {"since": "2026-02-10T00:00:00Z"}
    assert (
        _spans(first_seen=MARCH, not_before=FEBRUARY)[0],
        _spans(first_seen=MARCH, not_before=FEBRUARY, **case)[0],
    ) == (("interval", 31, 28), ("interval", 40, 19))


def test_an_attested_time_is_exact() -> None:
    """An attested time is a mark; from then on the key is attested, and then seen."""
    facts = {"first_seen": MARCH, **ATTESTED}
    assert (_spans(**facts), _marks(**facts)) == (
        [("attested", 31, 28), ("seen", 59, 31)],
        [("attested", 31)],
    )


def test_an_attested_time_without_a_dated_record_is_all_there_is() -> None:
    """Without a record that shows the key, nothing is seen of it."""
    assert _spans(**ATTESTED) == [("attested", 31, 69)]


def test_a_contradicted_time_dates_nothing() -> None:
    """An attestation that does not count is shown as such, and the interval stays open."""
    row = lay_out_key(
        key_line(first_seen=MARCH, contradiction="Records say so.", **ATTESTED), SCALE, SEEN_UNTIL
    )
    assert [span[:3] for span in row.spans] == [("interval", 0, 59), ("seen", 59, 31)]
    title = "registered 2026-02-01 00:00:00, attested by it: Records say so."
    assert row.marks == [KeyMark("contradicted", 31, title)]


def test_a_key_that_came_back_is_seen_from_then_on() -> None:
    """A key that was absent in between is not shown as there all the time."""
    facts = {"first_seen": JANUARY, "not_before": FEBRUARY, "seen_again": MARCH}
    assert _spans(**facts) == [("interval", 31, 28), ("seen", 59, 31)]


@pytest.mark.parametrize(
    ("cases", "kind", "words"),
    [
        (["TS1", "TS2"], "replaced", "support cases TS1, TS2"),
        ([], "unexplained", "without a support case"),
    ],
)
def test_a_replaced_key_is_on_the_line(cases: list[str], kind: str, words: str) -> None:
    """The key before has its own span, and a mark that says whether a case explains its end."""
    old = {"key_id": "old", "first_seen": JANUARY, "last_seen": FEBRUARY, "cases": cases}
    row = lay_out_key(
        key_line(first_seen=MARCH, not_before=FEBRUARY, replaced=[old]), SCALE, SEEN_UNTIL
    )
    assert [span[:3] for span in row.spans] == [
        ("former", 0, 31),
        ("interval", 31, 28),
        ("seen", 59, 31),
    ]
    title = f"replaced old, last seen 2026-02-01 00:00:00, {words}"
    assert row.marks == [KeyMark(kind, 31, title)]


def test_what_is_not_known_of_a_replaced_key_is_not_claimed() -> None:
    """Several keys at once have no name; a key before has an interval of its own."""
    several = {"last_seen": FEBRUARY, "cases": []}
    bounded = {"first_seen": FEBRUARY, "not_before": "2026-01-11T00:00:00Z", **several}
    assert _spans(first_seen=MARCH, replaced=[several])[:2] == [
        ("former-interval", 0, 31),
        ("former", 31, 0),
    ]
    assert _spans(first_seen=MARCH, replaced=[bounded])[:2] == [
        ("former-interval", 10, 21),
        ("former", 31, 0),
    ]


def test_everything_is_said_in_words() -> None:
    """The words hold every time that the record has of the registration."""
    line = key_line(
        first_seen=JANUARY,
        not_before=FEBRUARY,
        since="2026-02-10T00:00:00Z",
        seen_again=MARCH,
        contradiction="Records say so.",
        replaced=[{"last_seen": FEBRUARY, "cases": ["TS1"]}],
        **ATTESTED,
    )
    assert registered_facts(line) == [
        "registered 2026-02-01 00:00:00, attested by it",
        "this does not count: Records say so.",
        "not registered yet at 2026-02-01 00:00:00",
        "registered 2026-02-10 00:00:00 or later, by a support case",
        "first seen 2026-01-01 00:00:00",
        "seen again 2026-03-01 00:00:00",
        "replaced several keys, last seen 2026-02-01 00:00:00, support case TS1",
    ]
    assert sorted(times_of(line)) == [moment(JANUARY)] + 3 * [moment(FEBRUARY)]


def test_hostile_text_is_named_by_its_characters() -> None:
    """What people typed has no way to reorder or hide the words around it."""
    line = key_line(registered=JANUARY, attested_by="\u202etxt.exe")
    assert registered_facts(line) == ["registered 2026-01-01 00:00:00, attested by (U+202E)txt.exe"]


def test_attestations_end_on_the_line_or_after_it() -> None:
    """An attestation that has ended is a mark; of those to come the first one is named."""
    ended = {"what": "its rotation", "due": "2026-01-31"}
    usable = {"what": "that it is usable", "due": "2026-12-31"}
    lines = [
        key_line(expiries=[ended, usable]),
        key_line(expiries=[usable | {"due": "2027-01-31"}]),
    ]
    assert _marks(expiries=[ended, usable]) == [("expired", 31)]
    assert (next_due(lines, SCALE.end), next_due([key_line()], SCALE.end)) == (
        Due("2026-12-31", "that it is usable"),
        None,
    )


def test_an_attestation_may_count_until_the_last_day_of_the_calendar() -> None:
    """The last day that there is has no day after it."""
    last = {"what": "its rotation", "due": "9999-12-31"}
    assert next_due([key_line(expiries=[last, last])], SCALE.end) == Due(
        "9999-12-31", "its rotation"
    )
