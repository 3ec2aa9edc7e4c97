"""One organization through time, in few numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.model.key import KeyScope
from inventory.past.moments import (
    DatabaseState,
    KeyState,
    KnownDatabase,
    Moment,
    Observation,
    Place,
)
from inventory.past.timeline import OrganizationTimeline, OutOfOrderError
from tests.builders import DATABASE, ORGANIZATION, OTHER_DATABASE
from tests.hypothesis_profile import examples

if TYPE_CHECKING:
    from collections.abc import Sequence

SCOPE = KeyScope(ORGANIZATION, "serverless", "aws", "us-east-1")
START = datetime(2026, 1, 1, tzinfo=UTC)
ABSENT: tuple[str, ...] = ()
UNREAD = None


def at(night: int) -> datetime:
    """Return the time of a night."""
    return START + timedelta(days=night)


def state(shown: tuple[str, ...] | None) -> KeyState:
    """Return what shows these key ids in the scope; unread without any."""
    if shown is None:
        return KeyState({}, Place(0), frozenset({"serverless-keys"}))
    return KeyState({SCOPE: (shown, Place(1))} if shown else {}, Place(0), frozenset())


def moment(
    night: int, shown: tuple[str, ...] | None, *databases: DatabaseState, name: str = "acme"
) -> Moment:
    """Return one night."""
    file = f"{night}.ndjson"
    return Moment(ORGANIZATION, name, at(night), file, 10 + night, state(shown), databases)


def timeline(moments: Sequence[Moment]) -> OrganizationTimeline:
    """Return the timeline of these moments."""
    built = OrganizationTimeline(ORGANIZATION, [moment.file for moment in moments])
    for number, one in enumerate(moments):
        built.add(one, number)
    return built


def observed(night: int, shown: tuple[str, ...], records: int = 1) -> Observation:
    """Return what one night shows."""
    line = 10 + night + bool(shown)
    return Observation(at(night), shown, f"{night}.ndjson", line, records)


def test_first_and_last_of_a_run() -> None:
    """Of records in a row that show the same, the first and the last one are given."""
    nights = [ABSENT, ("a",), ("a",), UNREAD, ("a",), ("b",), ABSENT, ABSENT]
    seen = timeline([moment(night, shown) for night, shown in enumerate(nights)])
    assert list(seen.observations(SCOPE, [])) == [
        observed(0, ()),
        observed(1, ("a",), records=2),
        observed(4, ("a",)),
        observed(5, ("b",)),
        observed(6, ()),
        observed(7, ()),
    ]
    assert seen.scopes() == {SCOPE}
    assert len(seen.segments) == 6
    assert seen.latest == ("7.ndjson", 17)


def test_around_other_times() -> None:
    """Where something else is known, the records before and after it are given, too."""
    seen = timeline([moment(night, ("a",)) for night in range(10)])
    between = [at(4) + timedelta(hours=1), at(0), at(20)]
    assert list(seen.observations(SCOPE, between)) == [
        observed(0, ("a",), records=4),
        observed(4, ("a",)),
        observed(5, ("a",), records=4),
        observed(9, ("a",)),
    ]


@examples(200)
@given(
    nights=st.lists(st.sampled_from([UNREAD, ABSENT, ("a",), ("b",), ("a", "b")]), max_size=12),
    between=st.lists(st.integers(-1, 30), max_size=3),
)
def test_nothing_between_is_lost(nights: list[tuple[str, ...] | None], between: list[int]) -> None:
    """Every record is counted once, and every change is between two observations in a row."""
    seen = timeline([moment(night, shown) for night, shown in enumerate(nights)])
    times = [at(0) + timedelta(hours=12 * half) for half in between]
    every = [observed(night, shown) for night, shown in enumerate(nights) if shown is not None]
    given_ = list(seen.observations(SCOPE, times))
    assert sum(observation.records for observation in given_) == len(every)
    bare = [observation._replace(records=1) for observation in given_]
    assert [observation for observation in every if observation in bare] == bare
    for one, two in pairwise(every):
        around = any(one.at < time < two.at for time in times)
        if one.key_ids != two.key_ids or around:
            assert one in bare
            assert two in bare
    for night in range(-1, len(nights) + 1):
        is_read = 0 <= night < len(nights) and nights[night] is not None
        assert seen.shows(SCOPE, at(night)) is is_read


def test_databases() -> None:
    """A database is known as the latest record that shows it knew it."""
    one = DatabaseState(DATABASE, "one", False, None, Place(2))
    two = DatabaseState(OTHER_DATABASE, "two", True, "TERMINATED", Place(3))
    seen = timeline([moment(0, (), one), moment(1, (), one, two), moment(2, (), two)])
    assert seen.databases() == {
        DATABASE: KnownDatabase(DATABASE, "one", False, at(1), "1.ndjson", 13),
        OTHER_DATABASE: KnownDatabase(
            OTHER_DATABASE, "two", True, at(2), "2.ndjson", 15, "TERMINATED"
        ),
    }
    spans = [(span.state.id, span.first, span.last) for span in seen.spans()]
    assert [(identity, last - first) for identity, first, last in spans] == [
        (DATABASE, 86_400_000_000),
        (OTHER_DATABASE, 86_400_000_000),
    ]


def test_times_and_name() -> None:
    """Each record has its time; the name is that of the latest."""
    seen = timeline([moment(0, (), name="old"), moment(1, (), name="new")])
    assert seen.name == "new"
    assert list(seen.times()) == [(at(0), "0.ndjson", 10), (at(1), "1.ndjson", 11)]


def test_out_of_order() -> None:
    """A moment that is not later than the last one is refused."""
    seen = timeline([moment(1, ())])
    for night in (0, 1):
        with pytest.raises(OutOfOrderError):
            seen.add(moment(night, ()), 0)
    later = timeline([moment(0, ())]).segments[0]
    with pytest.raises(OutOfOrderError):
        seen.restore(later)


def test_what_was_written_down() -> None:
    """A timeline continues what was written down."""
    known = timeline([moment(night, ("a",)) for night in range(3)])
    restored = OrganizationTimeline(ORGANIZATION, ["0.ndjson", "1.ndjson", "2.ndjson", "3.ndjson"])
    for segment in known.segments:
        restored.restore(segment)
    for span in known.spans():
        restored.restore_database(span)
    restored.add(moment(3, ("a",)), 3)
    assert list(restored.observations(SCOPE, [])) == [
        observed(0, ("a",), records=3),
        observed(3, ("a",)),
    ]
