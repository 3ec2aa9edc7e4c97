from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.engine.context import (
    RECORDED_MAX_AGE,
    Context,
    UsedKey,
    day,
    fact_label,
    gap_text,
    scope_label,
    summarize,
    utc,
)
from inventory.index.organization_index import index_organization
from inventory.model.gaps import Fact, Gap
from inventory.model.key import KeyScope
from tests.builders import (
    AS_OF,
    ORGANIZATION,
    a_database,
    a_key,
    a_planned_database,
    an_organization,
    key_id_for,
    uuid,
)
from tests.hypothesis_profile import examples

ZONES = st.timezones()


def test_a_context_is_for_recorded_audits_unless_reported() -> None:
    """By itself an audit takes records of up to 30 days, asks for KMS facts, and knows no past."""
    context = Context(AS_OF)
    assert context.max_age == RECORDED_MAX_AGE == timedelta(days=30)
    assert context.kms == "recorded"
    assert context.history.organizations() == {}


@pytest.mark.parametrize(
    ("time", "text", "on"),
    [
        ("2026-11-20T02:00:00+00:00", "2026-11-20T02:00:00Z", date(2026, 11, 20)),
        ("2026-11-20T00:30:00+02:00", "2026-11-19T22:30:00Z", date(2026, 11, 19)),
        ("2026-11-20T23:30:00-01:00", "2026-11-21T00:30:00Z", date(2026, 11, 21)),
        ("2026-11-20T02:00:00.250000+00:00", "2026-11-20T02:00:00.250000Z", date(2026, 11, 20)),
    ],
)
def test_times_are_reported_in_utc(time: str, text: str, on: date) -> None:
    """A time is reported in UTC, as is its day, whatever zone it came in."""
    assert utc(datetime.fromisoformat(time)) == text
    assert day(datetime.fromisoformat(time)) == on


@examples(100)
@given(st.datetimes(datetime(2010, 1, 2), datetime(2100, 1, 1), timezones=ZONES))  # noqa: DTZ001
def test_a_reported_time_is_the_time(time: datetime) -> None:
    """A time can be read back from how it is reported."""
    shown = utc(time)
    assert shown.endswith("Z")
    assert datetime.fromisoformat(shown) == time.astimezone(UTC)


def test_scopes_are_named_for_people() -> None:
    """A key scope goes by its organization's name."""
    scope = KeyScope(ORGANIZATION, "serverless", "aws", "us-east-2")
    assert scope_label(an_organization(), scope) == "acme-prod / serverless / aws / us-east-2"


@pytest.mark.parametrize(
    ("detail", "text"), [("", "refused"), ("403 for the list", "refused (403 for the list)")]
)
def test_a_gap_is_reported_with_its_detail(detail: str, text: str) -> None:
    """Why a fact is missing is told by its code, and what was seen if anything was."""
    assert gap_text(Gap(fact="databases", reason="refused", detail=detail)) == text


@pytest.mark.parametrize(
    ("fact", "label"),
    [("databases", "databases"), ("managed-clusters-keys", "managed clusters keys")],
)
def test_a_fact_is_named_in_words(fact: Fact, label: str) -> None:
    """What could not be read goes by words, and not by its code."""
    assert fact_label(Gap(fact=fact, reason="refused")) == label


def test_a_summary_keeps_keys_and_their_gaps() -> None:
    """Of an organization the rules across them get its keys, and why these may not be all."""
    gaps = [
        {"fact": "databases", "reason": "refused"},
        {"fact": "serverless-keys", "reason": "refused"},
        {"fact": "region-views", "reason": "refused"},
    ]
    key = a_key().at("now.yaml", 4)
    organization = an_organization(keys=[key], databases=[a_database()], gaps=gaps)
    summary = summarize(index_organization(organization.at("now.yaml", 3)))
    assert (summary.id, summary.name, summary.location) == (
        ORGANIZATION,
        "acme-prod",
        ("now.yaml", 3),
    )
    assert summary.keys == (UsedKey(key.key_id, ("now.yaml", 4), 1, 1),)
    assert [gap.fact for gap in summary.gaps] == ["serverless-keys"]


def test_a_summary_of_unrecorded_keys_has_gaps() -> None:
    """Keys that were not recorded are none that are known, and two gaps."""
    summary = summarize(index_organization(an_organization(keys=None)))
    assert summary.keys == ()
    assert {gap.fact for gap in summary.gaps} == {"serverless-keys", "managed-clusters-keys"}


def test_a_summary_counts_the_databases_of_each_key_once() -> None:
    """A database of two regions that share one key rests on it once, and exists if a part does."""
    shared = key_id_for("aws", "us-east-1")
    keys = [
        a_key(),
        a_key(region="us-west-2", key_id=shared),
        a_key(region="eu-west-1"),
        a_key(region="eu-north-1"),
    ]
    planned = {"name": "us-west-2", "state": "planned"}
    databases = [
        a_database(regions=["us-east-1", planned]),
        a_database(id=uuid(1), regions=["us-west-2"]),
        a_planned_database(regions=["us-east-1"]),
        a_planned_database(name="acme-later", regions=["eu-west-1"]),
    ]
    summary = summarize(index_organization(an_organization(keys=keys, databases=databases)))
    assert [(key.key_id, key.databases, key.existing) for key in summary.keys] == [
        (shared, 3, 2),
        (shared, 3, 2),
        (key_id_for("aws", "eu-west-1"), 1, 0),
        (key_id_for("aws", "eu-north-1"), 0, 0),
    ]
