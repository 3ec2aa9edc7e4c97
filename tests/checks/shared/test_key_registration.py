"""What is known of when the key of a scope was registered, and a database deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from checks.engine.context import Context
from checks.shared.key_registration import KeyRegistration, date_registration, deployed_at
from checks.shared.registration import Period, Registration
from inventory.model.key_ids import canonical
from inventory.model.organization_index import scope_of
from tests.builders import (
    AS_OF,
    CAPTURED_AT,
    ORGANIZATION,
    a_database,
    a_key,
    a_support_case,
    aws_key_id,
    moment,
)
from tests.checks.judging import earlier

if TYPE_CHECKING:
    from pathlib import Path

    from inventory.model.key import CustomerKey

SCOPE = scope_of(ORGANIZATION, a_key())


def _attested(at: str, by: str = "acme-it", on: str = "2026-11-01") -> CustomerKey:
    return a_key(registered={"at": at, "by": by, "on": on})


def _date(*keys: CustomerKey, **more: Any) -> KeyRegistration:  # noqa: ANN401 (fields of a context)
    return date_registration(SCOPE, keys, (), CAPTURED_AT, Context(AS_OF, **more))


def test_without_one_key_nothing_is_dated() -> None:
    """No key, or several that are claimed at once, have no period."""
    rivals = (a_key(), a_key(key_id=aws_key_id(number=2)))
    assert (_date(), _date(*rivals)) == (KeyRegistration(), KeyRegistration())


def test_a_key_is_known_from_its_record_on() -> None:
    """A key without attestation and history is registered by the time of its record."""
    known = canonical(a_key().key_id)
    period = Period(Registration(None, CAPTURED_AT), None, (), known)
    assert _date(a_key()) == KeyRegistration((period,))


def test_an_attestation_counts_from_its_day_on() -> None:
    """What is attested after the audit's day does not count yet."""
    late, now = (
        _attested("2026-05-01T00:00:00Z", on="2027-01-01"),
        _attested("2026-05-01T00:00:00Z"),
    )
    assert (_date(late).attested_by, _date(now).attested_by) == ((), ("acme-it",))


def test_attestations_that_contradict_each_other_are_named() -> None:
    """Two times that are attested for one key date nothing."""
    one, two = _attested("2026-05-01T00:00:00Z"), _attested("2026-06-01T00:00:00Z", "acme-dba")
    known = _date(one, two)
    assert known.attested_by == ("acme-it", "acme-dba")
    assert known.contradiction == (
        "Several times of registration are attested for one key: 2026-05-01T00:00:00Z, "
        "2026-06-01T00:00:00Z."
    )


def test_an_attestation_after_a_record_with_the_key_is_contradicted() -> None:
    """A key that a record shows before the attested time contradicts it."""
    key = _attested("2026-11-20T02:00:01Z", on="2026-11-20")
    known = date_registration(SCOPE, [key], (), CAPTURED_AT, Context(AS_OF))
    assert known.contradiction == (
        "The registration at 2026-11-20T02:00:01Z, attested by acme-it, contradicts the dated "
        "records."
    )


def test_the_key_before_is_named(tmp_path: Path) -> None:
    """A record that shows another key gives the period of that one, and its support case."""
    before = {"id": ORGANIZATION, "name": "acme", "keys": [_data(2)], "databases": []}
    case = a_support_case(on="2026-10-01")
    context = Context(AS_OF, history=earlier(tmp_path, on_2026_09_01=before))
    known = date_registration(SCOPE, [a_key()], [case], CAPTURED_AT, context)
    assert [
        (period.key, period.until, period.cases, period.registration.since)
        for period in known.periods
    ] == [
        (canonical(aws_key_id(number=1)), None, (), moment("2026-10-01T00:00:00Z")),
        (canonical(aws_key_id(number=2)), moment("2026-09-01T00:00:00Z"), (case,), None),
    ]


def _data(number: int) -> dict[str, str]:
    scope = {"type": "serverless", "provider": "aws", "region": "us-east-1"}
    return scope | {"key_id": aws_key_id(number=number)}


@pytest.mark.parametrize(
    ("regions", "created", "expected"),
    [
        (["us-east-1"], "2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z"),
        ([{"name": "us-east-1"}], "2026-05-01T00:00:00Z", "2026-05-01T00:00:00Z"),
        ([{"name": "us-east-1"}], None, None),
        ([{"name": "us-east-1"}, {"name": "us-east-2"}], "2026-05-01T00:00:00Z", None),
    ],
)
def test_the_creation_dates_a_single_region(
    regions: list[Any], created: str | None, expected: str | None
) -> None:
    """The region's own time counts first; the creation dates a database of one region only."""
    database = a_database(regions=regions, created_at=created)
    expected_time = moment(expected) if expected else None
    assert deployed_at(database, database.regions[0]) == expected_time
