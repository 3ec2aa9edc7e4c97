"""Times, days, names and ids of entries, and the location of an entry."""

from __future__ import annotations

import copy
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from inventory.model.attestations import (
    Attestation,
)
from inventory.model.base import Entry
from inventory.model.database import Database, DatabaseRegion
from inventory.model.kms import KmsFacts
from inventory.model.organization import Organization
from tests.builders import (
    AS_OF,
    a_key,
    database_data,
    moment,
    organization_data,
)
from tests.hypothesis_profile import examples
from tests.inventory.model.refusals import BY, refusal


def observed(value: object) -> datetime:
    return KmsFacts.model_validate({"observed_at": value}).observed_at


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20T02:00:00Z",
        "2026-11-20T02:00:00+00:00",
        "2026-11-20 03:30:00+01:30",
        "2026-11-19T21:00:00.000000-05:00",
        "20261120T020000Z",
        "2026-11-20T02:00:00,000Z",
    ],
)
def test_times_in_utc(text: str) -> None:
    """A time is read in any zone and kept in UTC."""
    time = observed(text)
    assert time == moment("2026-11-20T02:00:00Z")
    assert time.tzinfo is UTC


@examples(100)
@given(
    time=st.datetimes(datetime(2010, 1, 2), datetime(9999, 12, 30)),  # noqa: DTZ001 (zoned below)
    minutes=st.integers(-23 * 60, 23 * 60),
)
def test_any_zoned_time(time: datetime, minutes: int) -> None:
    """A time in any zone keeps its instant, as text and as an object."""
    zoned = time.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert observed(zoned.isoformat()) == observed(zoned) == zoned


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-20T02:00:00",
        "2026-11-20",
        "2026-13-01T00:00:00Z",
        "yesterday",
        "1795140000",
        "",
        1795140001,
        1795140002.0,
        True,
        [],
        date(2026, 11, 20),
        datetime(2026, 11, 20),  # noqa: DTZ001 (that is the point)
    ],
)
def test_refused_times(value: object) -> None:
    """A time without a zone, a bare day, a number and other text are refused."""
    text = "a time with its zone, as text, such as 2026-11-20T02:00:00Z"
    assert refusal(KmsFacts, {"observed_at": value}) == (("observed_at",), text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_times_out_of_range(text: str) -> None:
    """A time that UTC cannot express is refused."""
    text = refusal(KmsFacts, {"observed_at": text})[1]
    assert text == "a time between the years 1 and 9999"


def test_times_before_astra() -> None:
    """A time before 2010 is refused, such as the zero of a clock; the first moment of it is not."""
    expected = "a time after 2010, as Astra did not exist before"
    for text in ("2009-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "2010-01-01T00:00:00+00:01"):
        assert refusal(KmsFacts, {"observed_at": text}) == (("observed_at",), expected)
    assert observed("2010-01-01T00:00:00Z") == moment("2010-01-01")


@pytest.mark.parametrize(
    "value", ["2026-11-20T02:00:00Z", "20261120", "2026-W47-5", "", 20261121, AS_OF, "٢٠٢٦-11-20"]
)
def test_refused_days(value: object) -> None:
    """A day with a time, in another notation or as a number is refused."""
    loc, text = refusal(Attestation, BY | {"on": value})
    assert (loc, text) == (("on",), "a day, as text, such as 2026-11-20")


def test_days() -> None:
    """A day is read as text or as an object; one that does not exist is refused."""
    day = date(2026, 11, 20)
    assert Attestation.model_validate(BY | {"on": "2026-11-20"}).on == day
    assert Attestation.model_validate(BY | {"on": day}).on == day
    loc, text = refusal(Attestation, BY | {"on": "2026-02-30"})
    assert loc == ("on",)
    assert "day value is outside expected range" in text


@pytest.mark.parametrize(
    ("kind", "data"), [(Organization, organization_data()), (Database, database_data())]
)
@pytest.mark.parametrize("name", ["", " ", "\u200b\ufeff", "\u2800", "\U000e0041"])
def test_names_that_nobody_sees(kind: type[Entry], data: dict[str, Any], name: str) -> None:
    """A name has a character that a reader sees."""
    assert refusal(kind, data | {"name": name})[0] == ("name",)


@pytest.mark.parametrize("value", ["", "us east 1", "us-east-1\n", "é", "x" * 2049, 1, None])
def test_identifiers(value: object) -> None:
    """An id or a region's name is visible ASCII without spaces, and not boundless."""
    assert refusal(DatabaseRegion, {"name": value})[0] == ("name",)
    assert DatabaseRegion.model_validate({"name": "x" * 2048}).name == "x" * 2048


def test_frozen_and_closed() -> None:
    """An entry cannot be changed, and takes no field that it does not know."""
    key = a_key()
    with pytest.raises(ValidationError, match="frozen"):
        key.region = "us-east-2"  # type: ignore[misc]
    assert refusal(DatabaseRegion, {"name": "a", "zone": "b"})[0] == ("zone",)


def test_place() -> None:
    """An entry remembers its file and line, also in a copy; the place is no part of its content."""
    made, read = a_key(), a_key().at("a.yaml", 7)
    assert (made.file, made.line) == ("", 0)
    assert (read.file, read.line) == ("a.yaml", 7)
    copied = copy.copy(read.model_copy(update={"region": "us-east-2"}))
    assert (copied.file, copied.line) == ("a.yaml", 7)
    assert made == read
    assert made.model_dump() == read.model_dump()
