"""What is known of when the key of a scope was registered, and a database deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from checks.engine.context import Context
from checks.shared.key_registration import KeyRegistration, date_registration
from checks.shared.registration import Period, Registration
from inventory.index.organization_index import scope_of
from inventory.model.key_ids import canonical
from tests.builders import (
    AS_OF,
    CAPTURED_AT,
    ORGANIZATION,
    a_key,
    a_support_case,
    an_organization,
    aws_key_id,
    moment,
)
from tests.checks.judging import earlier

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from inventory.history import History
    from inventory.model.key import CustomerKey, SupportCase

SCOPE = scope_of(ORGANIZATION, a_key())


def _attested(at: str, by: str = "acme-it", on: str = "2026-11-01") -> CustomerKey:
    return a_key(registered={"at": at, "by": by, "on": on})


def _date(*keys: CustomerKey, **more: Any) -> KeyRegistration:  # noqa: ANN401 (fields of a context)
    return date_registration(SCOPE, keys, (), an_organization(), Context(AS_OF, **more))


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
    known = date_registration(SCOPE, [key], (), an_organization(), Context(AS_OF))
    assert known.contradiction == (
        "The registration at 2026-11-20T02:00:01Z, attested by acme-it, contradicts the dated "
        "records."
    )


def test_the_key_before_is_named(tmp_path: Path) -> None:
    """A record that shows another key gives the period of that one, and its support case."""
    before = {"id": ORGANIZATION, "name": "acme", "keys": [_data(2)], "databases": []}
    case = a_support_case(on="2026-10-01")
    context = Context(AS_OF, history=earlier(tmp_path, on_2026_09_01=before))
    known = date_registration(SCOPE, [a_key()], [case], an_organization(), context)
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


# --- what the cloud shows -------------------------------------------------------------------------

VENDOR = "999988887777"
FIRST, SECOND, THIRD, FOURTH = (f"2026-0{month}-01T00:00:00Z" for month in (3, 4, 5, 6))


def _in_cloud(created: str | None = None, used: str | None = None, **over: Any) -> CustomerKey:  # noqa: ANN401 (fields of a key)
    grant = {"id": "g", "grantee": VENDOR, "operations": ["Decrypt"], "issued_by": VENDOR}
    grants = [grant | {"created_at": used}] if used else None
    kms = {"observed_at": "2026-11-20T01:00:00Z", "created_at": created, "grants": grants}
    return a_key(kms=kms, **over)


def _date_by_cloud(
    key: CustomerKey,
    history: History | None = None,
    cases: Sequence[SupportCase] = (),
    **over: Any,  # noqa: ANN401 (fields of an organization)
) -> KeyRegistration:
    account = {"type": "serverless", "provider": "aws", "region": "us-east-1", "account": VENDOR}
    whole = an_organization(keys=[key], vendor_accounts=[account], **over)
    context = Context(AS_OF, history=history) if history else Context(AS_OF)
    return date_registration(SCOPE, [key], cases, whole, context)


def test_creation_and_use_bound_the_registration(tmp_path: Path) -> None:
    """What the cloud shows is added to the interval of the key of now, and to no other period."""
    history = earlier(tmp_path, on_2026_02_01={"id": ORGANIZATION, "name": "acme", "keys": []})
    known = _date_by_cloud(_in_cloud(FIRST, SECOND), history)
    registration = known.periods[0].registration
    assert (registration.after, registration.created, registration.used, registration.by) == (
        moment("2026-02-01"),
        moment(FIRST),
        moment(SECOND),
        CAPTURED_AT,
    )
    assert (known.contradiction, registration.may_replace) == ("", False)


@pytest.mark.parametrize(
    ("on", "may_replace"), [("2026-02-28", False), ("2026-03-01", True), ("2026-08-01", True)]
)
def test_a_case_after_the_creation_may_be_a_replacement(
    on: str,
    may_replace: bool,  # noqa: FBT001 (a parameter)
) -> None:
    """A support case since the key was created may have put it in the place of another one."""
    known = _date_by_cloud(_in_cloud(FIRST), cases=[a_support_case(on=on)])
    assert known.periods[0].registration.may_replace is may_replace
    used_only = _date_by_cloud(_in_cloud(None, FIRST), cases=[a_support_case(on=on)])
    assert used_only.periods[0].registration.may_replace is False


BY_IT = {"by": "acme-it", "on": "2026-11-01"}


@pytest.mark.parametrize(
    ("created", "used", "registered", "text"),
    [
        (FIRST, THIRD, SECOND, ""),
        (FIRST, FIRST, FIRST, ""),
        (
            SECOND,
            None,
            FIRST,
            f"The registration is attested for {FIRST}, the key was created {SECOND}.",
        ),
        (
            None,
            FIRST,
            SECOND,
            f"The registration is attested for {SECOND}, Astra used the key {FIRST}.",
        ),
        (SECOND, FIRST, None, "A grant of the key is older than the key itself."),
        (
            "2026-11-20T02:00:01Z",
            None,
            None,
            (
                "A record of 2026-11-20T02:00:00Z shows the key, which was created "
                "2026-11-20T02:00:01Z."
            ),
        ),
    ],
)
def test_times_that_cannot_all_be_true_are_a_contradiction(
    created: str | None, used: str | None, registered: str | None, text: str
) -> None:
    """Creation, use, attestation and record of one key contradict each other, or nothing does."""
    over = {"registered": {"at": registered} | BY_IT} if registered else {}
    assert _date_by_cloud(_in_cloud(created, used, **over)).contradiction == text


def test_a_use_before_an_absence_is_a_contradiction(tmp_path: Path) -> None:
    """A key that the vendor used while a record shows no key, or an older presence, contradicts."""
    bare = {"id": ORGANIZATION, "name": "acme", "keys": []}
    history = earlier(tmp_path, on_2026_05_01=bare)
    assert _date_by_cloud(_in_cloud(None, SECOND), history).contradiction == (
        f"Astra used the key {SECOND}, but it was not yet registered at {THIRD}."
    )
    assert _date_by_cloud(_in_cloud(None, FOURTH), history).contradiction == ""
    seen = earlier(tmp_path, on_2026_03_01=bare | {"keys": [a_key().model_dump(mode="json")]})
    assert _date_by_cloud(_in_cloud(SECOND), seen).contradiction == (
        f"A record of {FIRST} shows the key, which was created {SECOND}."
    )


def test_an_undated_record_contradicts_no_creation() -> None:
    """A record without a time shows the key at none, and a key may be as old as it likes."""
    known = _date_by_cloud(_in_cloud("2026-11-19T00:00:00Z"), captured_at=None)
    assert (known.contradiction, len(known.periods)) == ("", 1)
