from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, get_args

import pytest

from checks.common import FIND_TYPE
from checks.context import Context
from checks.gaps import settling
from inventory.gaps import Fact, GapReason
from inventory.plans import read_plan
from tests.builders import (
    AS_OF,
    ORGANIZATION,
    OTHER_ORGANIZATION,
    a_database,
    an_organization,
    database_data,
    organization_data,
    plan_data,
    planned_data,
    uuid,
    write_yaml,
)
from tests.checks.judging import earlier, judged, judged_once, of_unknown_type

if TYPE_CHECKING:
    from pathlib import Path

    from checks.finding import Finding
    from inventory.history import History
    from inventory.models import Organization

ATTESTED = {"by": "acme-security", "on": "2026-11-01"}


def judge(history: History, **organization: object) -> Finding:
    return judged_once(
        "CMEK-14", an_organization(**organization), context=Context(AS_OF, history=history)
    )


def test_a_whole_record_passes() -> None:
    """A pass counts what was read."""
    databases = [a_database(id=uuid(number)) for number in range(1200)]
    finding = judged_once("CMEK-14", an_organization(databases=databases))
    assert (finding.status, finding.severity) == ("pass", "critical")
    assert finding.says == "Read in full: 1 keys, 1,200 databases."


@pytest.mark.parametrize("fact", get_args(Fact))
@pytest.mark.parametrize("reason", get_args(GapReason))
def test_every_gap_is_told(fact: str, reason: str) -> None:
    """Whatever could not be read, and why, keeps the record from being relied on."""
    organization = an_organization(gaps=[{"fact": fact, "reason": reason, "detail": "as seen"}])
    finding = judged_once("CMEK-14", organization)
    assert (finding.status, finding.reason) == ("inconclusive", reason)
    assert finding.says == f"The {fact} may not be all: {reason} (as seen)."
    assert finding.action == settling(organization.gaps[0], organization)


@pytest.mark.parametrize("absent", ["keys", "databases"])
def test_a_list_that_is_not_recorded_is_a_gap(absent: str) -> None:
    """A record without its list of keys, or of databases, is not one without any."""
    lists: dict[str, Any] = {absent: None}
    finding = judged_once("CMEK-14", an_organization(**lists))
    assert (finding.status, finding.reason) == ("inconclusive", "not-recorded")


def test_empty_lists_are_doubted() -> None:
    """An organization that shows neither key nor database may have shown nothing at all."""
    finding = judged_once("CMEK-14", an_organization(keys=[], databases=[]))
    assert (finding.status, finding.reason) == ("inconclusive", "empty")
    assert judged_once("CMEK-14", an_organization(keys=[])).status == "pass"
    assert judged_once("CMEK-14", an_organization(databases=[])).status == "pass"


def live(**over: object) -> Organization:
    """Make an organization that was read from Astra, with a key and no database."""
    reading = {"fact": "databases", "address": "/v2/databases", "requests": 2, "answers": {}}
    return an_organization(**{"databases": [], "readings": [reading]} | over)


def test_an_organization_that_lists_no_database_is_doubted() -> None:
    """Astra answers alike to a token that may see nothing, whatever keys it lists."""
    finding = judged_once("CMEK-14", live())
    assert (finding.status, finding.reason) == ("inconclusive", "empty")
    assert finding.says == "Astra lists no database, as it does to a token that may see none."
    assert finding.action == (
        "Attest that acme-prod has no database yet, or let the token see them"
    )


@pytest.mark.parametrize(
    ("over", "status"),
    [
        ({"no_databases": ATTESTED}, "pass"),
        ({"no_databases": ATTESTED, "keys": []}, "pass"),
        ({"no_databases": ATTESTED | {"on": "2025-11-20"}}, "inconclusive"),
        ({"no_databases": ATTESTED | {"on": "2026-11-22"}}, "inconclusive"),
        ({"no_databases": ATTESTED | {"due": "2026-11-20"}}, "inconclusive"),
        ({"databases": [planned_data()]}, "inconclusive"),
        ({"databases": [database_data(status="TERMINATED")]}, "inconclusive"),
        ({"databases": [database_data()]}, "pass"),
        ({"databases": [database_data()], "keys": []}, "pass"),
    ],
)
def test_no_database_has_to_be_attested(over: dict[str, Any], status: str) -> None:
    """An empty list counts as long as somebody attests it; what is planned or gone fills none."""
    assert judged_once("CMEK-14", live(**over)).status == status


def test_an_attestation_does_not_replace_a_list() -> None:
    """Databases that could not be read are a gap, whoever attests that there are none."""
    gaps = [{"fact": "databases", "reason": "refused"}]
    for lists in ({"databases": None}, {"gaps": gaps}):
        finding = judged_once("CMEK-14", live(no_databases=ATTESTED, **lists))
        assert finding.status == "inconclusive"


def test_an_attested_emptiness_does_not_hide_what_vanished(tmp_path: Path) -> None:
    """A database that an earlier record knew is missed, whoever attests that there is none."""
    history = earlier(tmp_path, on_2026_06_01=organization_data())
    context = Context(AS_OF, history=history)
    assert judged_once("CMEK-14", live(no_databases=ATTESTED), context=context).status == "fail"


def test_unknown_tiers_are_counted_and_named() -> None:
    """Databases whose tier tells no type are counted once each, with every such tier."""
    two = of_unknown_type(id=uuid(1), regions=["us-east-1", "us-west-2"])
    other = two.model_copy(update={"id": uuid(2), "tier": "cloudnative"})
    gone = two.model_copy(update={"id": uuid(3), "status": "TERMINATED"})
    finding = judged_once("CMEK-14", an_organization(databases=[two, other, gone]))
    assert (finding.status, finding.reason) == ("inconclusive", "unknown-type")
    assert finding.says == (
        "2 databases have a tier that tells no type: 'cloudnative', 'developer'."
    )
    assert finding.action == FIND_TYPE


@pytest.mark.parametrize(
    ("age", "max_age", "reason"),
    [
        (timedelta(), timedelta(days=30), ""),
        (timedelta(days=30), timedelta(days=30), ""),
        (timedelta(days=30, microseconds=1), timedelta(days=30), "stale"),
        (timedelta(hours=24), timedelta(hours=24), ""),
        (timedelta(hours=24, seconds=1), timedelta(hours=24), "stale"),
        (timedelta(microseconds=-1), timedelta(days=30), "impossible-time"),
    ],
)
def test_a_record_is_fresh_up_to_the_greatest_age(
    age: timedelta, max_age: timedelta, reason: str
) -> None:
    """A record counts up to its greatest age to the moment, and never if it is of the future."""
    organization = an_organization(captured_at=AS_OF - age)
    finding = judged_once("CMEK-14", organization, context=Context(AS_OF, max_age))
    assert finding.reason == reason
    assert finding.status == ("inconclusive" if reason else "pass")


def test_the_age_is_told() -> None:
    """A stale record is told with its time, the limit and the time of the audit."""
    finding = judged_once("CMEK-14", an_organization(captured_at="2026-01-01T00:00:00Z"))
    assert finding.says == (
        "The record is of 2026-01-01T00:00:00Z, more than 30 days, 0:00:00 "
        "before 2026-11-21T02:00:00Z."
    )
    future = judged_once("CMEK-14", an_organization(captured_at="2026-12-01T00:00:00Z"))
    assert future.says == (
        "The record is of 2026-12-01T00:00:00Z, later than the audit of 2026-11-21T02:00:00Z."
    )


def test_a_record_without_a_time_is_doubted() -> None:
    """A record that does not say when it was made may be of any age."""
    finding = judged_once("CMEK-14", an_organization(captured_at=None))
    assert (finding.status, finding.reason) == ("inconclusive", "time-not-recorded")


def test_all_doubts_are_told_together() -> None:
    """Several doubts make one finding, whose reason is the first of them."""
    organization = an_organization(keys=None, databases=[of_unknown_type()], captured_at=None)
    finding = judged_once("CMEK-14", organization)
    assert finding.reason == "not-recorded"
    assert finding.says == (
        "The serverless-keys may not be all: not-recorded (the record holds no such list). "
        "The managed-clusters-keys may not be all: not-recorded (the record holds no such list). "
        "1 database has a tier that tells no type: 'developer'. "
        "The record does not say when it was made."
    )


def test_vanished_databases_are_named(tmp_path: Path) -> None:
    """A database that was living earlier and is not listed now fails, five of them by name."""
    before = [database_data(id=uuid(n), name=f"acme-{n}") for n in range(1, 8)]
    history = earlier(tmp_path, on_2026_06_01=organization_data(databases=before))
    one = judge(history, databases=[a_database(id=uuid(n)) for n in range(2, 8)])
    assert one.status == "fail"
    assert one.says == (
        f"Known elsewhere, missing here without being terminated: acme-1 ({uuid(1)})."
    )
    five = judge(history, databases=[a_database(id=uuid(n)) for n in range(6, 9)])
    assert "more" not in five.says
    six = judge(history, databases=[a_database(id=uuid(7))])
    assert six.action == (
        "Find out what became of "
        + ", ".join(f"acme-{n} ({uuid(n)})" for n in range(1, 6))
        + " and 1 more"
    )


def test_vanished_databases_outweigh_doubts(tmp_path: Path) -> None:
    """A database that vanished is a failure, also in a record that is too old."""
    history = earlier(tmp_path, on_2026_01_01=organization_data())
    finding = judge(history, databases=[], captured_at="2026-02-01T00:00:00Z")
    assert finding.status == "fail"


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({"status": "TERMINATED"}, []),
        ({"state": "planned", "created_at": None, "regions": [{"name": "us-east-1"}]}, []),
        ({}, [database_data(status="TERMINATED")]),
        ({}, [database_data(status="terminated")]),
        ({}, [database_data(status="PARKED", name="acme-renamed")]),
    ],
)
def test_what_is_known_to_be_gone_has_not_vanished(
    tmp_path: Path, before: dict[str, Any], now: list[dict[str, Any]]
) -> None:
    """A database that was terminated then or now, or only planned, is not missing."""
    history = earlier(
        tmp_path, on_2026_06_01=organization_data(databases=[database_data(**before)])
    )
    assert judge(history, databases=now).status == "pass"


def test_the_latest_record_of_a_database_counts(tmp_path: Path) -> None:
    """A database that a later record knew as terminated is not missing now."""
    gone = organization_data(databases=[database_data(status="TERMINATED")])
    history = earlier(tmp_path, on_2026_01_01=organization_data(), on_2026_06_01=gone)
    assert judge(history, databases=[]).status == "pass"


@pytest.mark.parametrize(
    "over",
    [{"databases": None}, {"databases": [], "gaps": [{"fact": "databases", "reason": "refused"}]}],
)
def test_a_list_that_is_not_whole_misses_nothing(tmp_path: Path, over: dict[str, Any]) -> None:
    """Where the databases may not be all, one that is not listed is no failure yet."""
    history = earlier(tmp_path, on_2026_06_01=organization_data())
    assert judge(history, **over).status == "inconclusive"


def test_organizations_of_earlier_records_are_missed(tmp_path: Path) -> None:
    """An organization that only earlier records hold fails, under the name it had last."""
    gone = {"id": OTHER_ORGANIZATION, "keys": []}
    history = earlier(
        tmp_path,
        on_2026_01_01=organization_data(**gone, name="acme-old"),
        on_2026_06_01=organization_data(**gone, name="acme-new"),
    )
    found = judged("CMEK-14", an_organization(), context=Context(AS_OF, history=history))
    assert [each.status for each in found] == ["pass", "fail"]
    missing = found[1]
    assert (
        missing.says == "The organization acme-new stands in an earlier record and is missing now."
    )
    assert missing.subject.organization == OTHER_ORGANIZATION
    (place,) = missing.evidence
    assert place[0].endswith("on_2026_06_01.yaml")


def test_a_plan_does_not_replace_an_organization_that_is_missing(tmp_path: Path) -> None:
    """That somebody plans a database for an organization does not show that it is still there."""
    gone = organization_data(id=OTHER_ORGANIZATION, name="acme-old", keys=[])
    context = Context(AS_OF, history=earlier(tmp_path, on_2026_06_01=gone))
    file = write_yaml(tmp_path / "plan.yaml", plan_data(organization=OTHER_ORGANIZATION))
    (planned,) = read_plan(file).organizations
    found = judged("CMEK-14", an_organization(), planned, context=context)
    assert found == judged("CMEK-14", an_organization(), context=context)
    assert judged_once("CMEK-14", planned).status == "inconclusive"


def test_organizations_that_are_there_are_not_missed(tmp_path: Path) -> None:
    """An organization is known by its id, whatever its name was."""
    history = earlier(tmp_path, on_2026_06_01=organization_data(name="acme-old"))
    found = judged("CMEK-14", an_organization(), context=Context(AS_OF, history=history))
    assert [each.status for each in found] == ["pass"]


def test_organizations_of_the_baseline_that_are_missing() -> None:
    """An organization that only the baseline holds fails, at the baseline's place."""
    place = ("audits/last/audit.json", 1)
    known = {OTHER_ORGANIZATION: ("acme-test", place), ORGANIZATION: ("acme-prod", place)}
    found = judged("CMEK-14", an_organization(), context=Context(AS_OF, baseline=known))
    assert [each.status for each in found] == ["pass", "fail"]
    assert found[1].subject.organization == OTHER_ORGANIZATION
    assert found[1].evidence == (place,)
