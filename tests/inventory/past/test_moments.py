"""What an earlier moment shows, and where."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.model.key import KeyScope
from inventory.past.moments import KeyState, Place, datetime_of, microseconds, place_of
from tests.builders import ORGANIZATION

SCOPE = KeyScope(ORGANIZATION, "serverless", "aws", "us-east-1")
MANAGED = KeyScope(ORGANIZATION, "managed-clusters", "aws", "us-east-1")


@given(
    at=st.datetimes(min_value=datetime(2010, 1, 1), max_value=datetime(9999, 1, 1)),  # noqa: DTZ001
)
def test_times_as_numbers(at: datetime) -> None:
    """A time is kept to the microsecond."""
    exact = at.replace(tzinfo=UTC)
    assert datetime_of(microseconds(exact)) == exact


@pytest.mark.parametrize(
    ("file", "line", "place"),
    [
        ("ev/b/inventory.ndjson", 7, Place(4)),
        ("ev/b/exchanges/0001.ndjson", 2, Place(2, "exchanges/0001.ndjson", is_inside=True)),
        ("other.yaml", 9, Place(9, "other.yaml")),
    ],
)
def test_places(file: str, line: int, place: Place) -> None:
    """A place is relative to its organization, and resolved from there."""
    own = ("ev/b/inventory.ndjson", 3)
    assert place_of(file, line, own) == place
    assert place.resolve(*own) == (file, line)


def test_place_beside_a_file_without_folder() -> None:
    """A file in the working directory has no folder that another could be inside of."""
    assert place_of("b.yaml", 2, ("a.yaml", 1)) == Place(2, "b.yaml")


def test_what_was_read() -> None:
    """The keys of a scope are known if they were listed without a gap, or if there is one."""
    key = {SCOPE: (("id",), Place(1))}
    listed = KeyState(key, Place(0), frozenset({"managed-clusters-keys"}))
    assert (listed.has_read(SCOPE), listed.has_read(MANAGED)) == (True, False)
    assert (listed.key_ids(SCOPE), listed.place(SCOPE)) == (("id",), Place(1))
    assert (listed.key_ids(MANAGED), listed.place(MANAGED)) == ((), Place(0))
    unlisted = KeyState(key, None, frozenset())
    assert (unlisted.has_read(SCOPE), unlisted.has_read(MANAGED)) == (True, False)
