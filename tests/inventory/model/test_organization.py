"""What the models demand, default and refuse."""

from __future__ import annotations

import copy
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from inventory.model.attestations import (
    ATTESTATION_DAYS,
    Attestation,
    RegistrationAttestation,
    RotationAttestation,
)
from inventory.model.base import Entry
from inventory.model.database import Database, DatabaseRegion
from inventory.model.gaps import Gap
from inventory.model.key import KmsFacts, RegionView, SupportCase
from inventory.model.organization import Expectation, Organization, Policy
from tests.builders import (
    AS_OF,
    CAPTURED_AT,
    a_database,
    a_key,
    a_planned_database,
    an_organization,
    database_data,
    moment,
    organization_data,
    planned_data,
)

BY = {"by": "acme-security", "on": "2026-11-01"}


def refusal(model: type[Entry], data: object) -> tuple[tuple[int | str, ...], str]:
    """Return where and why the only complaint about ``data`` is made."""
    with pytest.raises(ValidationError) as caught:
        model.model_validate(data)
    (detail,) = caught.value.errors(include_url=False)
    return detail["loc"], detail["msg"]


# --- times ----------------------------------------------------------------------------------------


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


@settings(deadline=None, max_examples=100)
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


# --- attestations ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("as_of", "is_current"),
    [
        ("2026-10-31T23:59:59Z", False),
        ("2026-11-01T00:00:00Z", True),
        ("2026-11-01T23:00:00-05:00", True),
        ("2026-11-01T01:00:00+05:00", False),
        ("2026-11-10T23:59:59Z", True),
        ("2026-11-11T00:00:00Z", False),
    ],
)
def test_attested_days(as_of: str, is_current: bool) -> None:  # noqa: FBT001
    """An attestation counts from the UTC day of its making to its last day, both included."""
    attestation = Attestation.model_validate(BY | {"due": "2026-11-10"})
    assert attestation.is_current(datetime.fromisoformat(as_of)) is is_current


def test_attested_without_end() -> None:
    """An attestation without a last day counts 365 days."""
    attestation = Attestation.model_validate(BY)
    assert attestation.last_day() == date(2027, 11, 1)
    assert attestation.is_current(moment("2027-11-01T23:59:59Z"))
    assert not attestation.is_current(moment("2027-11-02T00:00:00Z"))
    assert ATTESTATION_DAYS == 365


def test_attested_at_the_end_of_time() -> None:
    """An attestation of the last day that there is has a last day, too."""
    attestation = Attestation.model_validate(BY | {"on": "9999-12-31"})
    assert attestation.last_day() == date.max
    assert not attestation.is_current(AS_OF)


@pytest.mark.parametrize("by", ["", " ", "\t\n", "\u3000", "\u200b", "\u2800\u3164", "\U000e0041"])
def test_attested_by_nobody(by: str) -> None:
    """An attestation names who states it."""
    assert refusal(Attestation, BY | {"by": by})[0] == ("by",)


@pytest.mark.parametrize(
    ("kind", "data"), [(Organization, organization_data()), (Database, database_data())]
)
@pytest.mark.parametrize("name", ["", " ", "\u200b\ufeff", "\u2800", "\U000e0041"])
def test_names_that_nobody_sees(kind: type[Entry], data: dict[str, Any], name: str) -> None:
    """A name has a character that a reader sees."""
    assert refusal(kind, data | {"name": name})[0] == ("name",)


@pytest.mark.parametrize("value", ["true", "yes", 1, 0, None])
def test_attested_without_a_clear_word(value: object) -> None:
    """What is attested is true or false, and nothing that merely looks like it."""
    assert refusal(RotationAttestation, BY | {"automatic": value})[0] == ("automatic",)


def test_registered_after_the_statement() -> None:
    """A registration is stated on its UTC day or later, not before it happened."""
    for at in ("2026-11-01T23:59:59Z", "2026-11-02T00:30:00+01:00"):
        assert RegistrationAttestation.model_validate(BY | {"at": at}).on == date(2026, 11, 1)
    text = "a time no later than the day of the statement"
    for at in ("2026-11-02T00:00:00Z", "2026-11-01T23:30:00-01:00"):
        assert refusal(RegistrationAttestation, BY | {"at": at}) == ((), text)


# --- databases ------------------------------------------------------------------------------------


def without(data: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name not in names}


DATABASE: dict[str, Any] = {
    "id": "00000000-0000-4000-8000-0000000000d1",
    "name": "acme-orders",
    "type": "serverless",
    "provider": "aws",
    "regions": [{"name": "us-east-1"}],
}


def test_defaults_of_a_database() -> None:
    """A database exists, is active and ordinary, and leaves its encryption to the policy."""
    database = Database.model_validate(DATABASE)
    assert (database.state, database.status, database.data) == ("existing", "ACTIVE", "ordinary")
    assert database.encryption is None
    assert not database.is_planned
    assert not database.is_terminated
    assert database.identity == DATABASE["id"]


def test_existing_without_id() -> None:
    """An existing database has an id; a planned one goes by its name."""
    data = without(DATABASE, "id")
    assert refusal(Database, data) == ((), "an id, or state: planned")
    planned = Database.model_validate(data | {"state": "planned"})
    assert planned.is_planned
    assert planned.identity == "planned acme-orders"


def test_astra_provided_without_reason() -> None:
    """Astra's own keys are meant only with a reason, for a database and in a policy."""
    meant = {"encryption": "astra-provided"}
    text = "a reason with encryption: astra-provided"
    assert refusal(Database, DATABASE | meant) == ((), text)
    assert refusal(Expectation, meant) == ((), text)
    assert refusal(Expectation, meant | {"reason": " "})[0] == ("reason",)
    reason = meant | {"reason": "holds public data only"}
    assert Database.model_validate(DATABASE | reason).reason == "holds public data only"
    assert Expectation.model_validate(reason).reason == "holds public data only"


@pytest.mark.parametrize(
    ("tier", "meant"),
    [("serverless", "serverless"), ("C10", "managed-clusters"), ("developer", "unknown")],
)
def test_type_of_tier(tier: str, meant: str) -> None:
    """The tier that Astra reported tells the type, or that it is unknown."""
    database = Database.model_validate(without(DATABASE, "type") | {"tier": tier})
    assert (database.type, database.tier) == (meant, tier)


def test_type_and_tier() -> None:
    """A type may stand beside a tier that says the same, and beside no other."""
    assert Database.model_validate(DATABASE | {"tier": "serverless"}).type == "serverless"
    text = "no type that contradicts the tier"
    for tier in ("C10", "developer"):
        assert refusal(Database, DATABASE | {"tier": tier}) == ((), text)


def test_neither_type_nor_tier() -> None:
    """A database states its type or its tier; that its type is unknown is no statement."""
    text = "a type, or the tier that Astra reported"
    assert refusal(Database, without(DATABASE, "type")) == ((), text)
    assert refusal(Database, without(DATABASE, "type") | {"tier": None}) == ((), text)
    told = "a database type, or the tier that Astra reported"
    for tier in ({}, {"tier": "serverless"}):
        assert refusal(Database, DATABASE | {"type": "unknown"} | tier) == (("type",), told)


def test_regions_once() -> None:
    """A database has at least one region, and each at most once."""
    one, two = {"name": "us-east-1"}, {"name": "us-east-2"}
    assert len(Database.model_validate(DATABASE | {"regions": [one, two]}).regions) == 2
    text = "each region at most once"
    again = one | {"added_at": "2026-06-01T00:00:00Z"}
    assert refusal(Database, DATABASE | {"regions": [one, two, again]}) == ((), text)
    assert refusal(Database, DATABASE | {"regions": []})[0] == ("regions",)


@pytest.mark.parametrize(
    ("status", "is_terminated"),
    [
        ("TERMINATED", True),
        ("terminated", True),
        ("ACTIVE", False),
        ("TERMINATING", False),
        ("ERROR", False),
        ("", False),
        ("TERMINATED ", False),
    ],
)
def test_terminated(status: str, is_terminated: bool) -> None:  # noqa: FBT001
    """Only a database that Astra calls terminated is gone."""
    assert a_database(status=status).is_terminated is is_terminated


@pytest.mark.parametrize(
    ("over", "text"),
    [
        ({"status": "terminated"}, "no status other than ACTIVE with state: planned"),
        ({"status": "PARKED"}, "no status other than ACTIVE with state: planned"),
        ({"created_at": "2026-06-01T00:00:00Z"}, "no created_at with state: planned"),
        ({"created_at": "2099-01-01T00:00:00Z"}, "no created_at with state: planned"),
        ({"seen": "exchanges/0001/0002.json:3"}, "no seen with state: planned"),
        (
            {"regions": [{"name": "us-east-1", "added_at": "2026-06-01T00:00:00Z"}]},
            "no added_at of a region with state: planned of its database",
        ),
    ],
)
def test_what_a_planned_database_cannot_have(over: dict[str, Any], text: str) -> None:
    """What has a time, a status or a place of its own exists, and is not planned."""
    assert refusal(Database, planned_data() | over) == ((), text)


def test_a_region_with_a_time_is_not_planned() -> None:
    """A region that was added at some time is not planned, though the time may be to come."""
    region = {"name": "us-east-1", "state": "planned"}
    data = database_data(regions=["us-west-2", region | {"added_at": "2099-01-01T00:00:00Z"}])
    assert refusal(Database, data) == (("regions", 1), "no added_at with state: planned")


def test_an_existing_database_lies_somewhere() -> None:
    """A database all of whose regions are planned is planned itself."""
    data = database_data(regions=[{"name": "us-east-1", "state": "planned"}])
    expected = "a region without state: planned, or state: planned for the database"
    assert refusal(Database, data) == ((), expected)


@pytest.mark.parametrize("value", ["", "us east 1", "us-east-1\n", "é", "x" * 2049, 1, None])
def test_identifiers(value: object) -> None:
    """An id or a region's name is visible ASCII without spaces, and not boundless."""
    assert refusal(DatabaseRegion, {"name": value})[0] == ("name",)
    assert DatabaseRegion.model_validate({"name": "x" * 2048}).name == "x" * 2048


# --- entries --------------------------------------------------------------------------------------


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


def test_stated_fields() -> None:
    """An entry states the fields that were given; a database always its type and its state."""
    assert a_key().stated() == {"type", "provider", "region", "key_id"}
    database = Database.model_validate(without(DATABASE, "type") | {"tier": "serverless"})
    assert database.stated() == {"id", "name", "type", "tier", "provider", "regions", "state"}


def test_region_views_without_key() -> None:
    """A region view says which key was shown, and none only in so many words."""
    place = {"type": "serverless", "provider": "aws", "region": "us-east-1"}
    assert RegionView.model_validate(place | {"key_id": None}).key_id is None
    assert refusal(RegionView, place) == (("key_id",), "Field required")


def test_support_cases_with_ticket() -> None:
    """A support case names its ticket."""
    case = {"type": "serverless", "provider": "aws", "region": "us-east-1"} | BY
    assert refusal(SupportCase, case | {"ticket": " "})[0] == ("ticket",)


# --- organizations --------------------------------------------------------------------------------


def test_default_policy() -> None:
    """Customer keys are expected of every database unless the policy says otherwise."""
    policy = an_organization().policy
    assert policy == Policy()
    assert policy.default == Expectation(encryption="customer-managed")
    assert policy.types == {}


def test_policy_in_two_spellings() -> None:
    """A policy speaks of each database type at most once, whatever it is called."""
    wanted = {"encryption": "customer-managed"}
    twice = {"types": {"classic": wanted, "Managed Clusters": wanted}}
    assert refusal(Policy, twice) == (("types",), "each database type at most once")
    assert refusal(Policy, {"types": ["classic"]})[0] == ("types",)
    assert set(Policy.model_validate({"types": {"Classic": wanted}}).types) == {"managed-clusters"}


def test_missing_lists() -> None:
    """A list that was not recorded is a gap, and an empty one is none."""
    bare = Organization.model_validate({"id": "acme", "name": "acme"})
    assert [(gap.fact, gap.reason) for gap in bare.missing()] == [
        ("serverless-keys", "not-recorded"),
        ("managed-clusters-keys", "not-recorded"),
        ("databases", "not-recorded"),
    ]
    assert an_organization(keys=[], databases=[]).missing() == ()
    refused = Gap(fact="region-views", reason="refused", detail="HTTP 403")
    assert an_organization(gaps=[refused], keys=None).missing()[0] == refused


def test_builders() -> None:
    """The organization that the tests build on is whole, fresh, and at a paid plan."""
    organization = an_organization()
    assert organization.missing() == ()
    assert organization.captured_at == CAPTURED_AT < AS_OF
    assert organization.plan is not None
    assert organization.plan.paid
    assert organization.plan.is_current(AS_OF)
    assert a_planned_database().is_planned
