from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, get_args

import pytest

from checks.engine.context import Context, KnownOrganization
from checks.engine.reasons import gap_action, recollect_action
from checks.shared.remedies import FIND_TYPE
from inventory.model.gaps import Fact, GapReason
from inventory.plans import add_plan, read_plan
from tests.builders import (
    AS_OF,
    DATABASE,
    ORGANIZATION,
    OTHER_ORGANIZATION,
    a_database,
    a_view,
    an_organization,
    aws_key_id,
    database_data,
    organization_data,
    plan_data,
    planned_data,
    uuid,
    write_yaml,
)
from tests.checks.judging import causes, earlier, judged, judged_once, of_unknown_type

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from checks.engine.finding import Finding
    from inventory.history import History
    from inventory.model.organization import Organization

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
    assert finding.message == "Read in full: 1 key, 1,200 databases."


@pytest.mark.parametrize("fact", get_args(Fact))
@pytest.mark.parametrize("reason", get_args(GapReason))
def test_every_gap_is_reported(fact: str, reason: str) -> None:
    """Whatever could not be read, and why, keeps the record from being relied on."""
    organization = an_organization(gaps=[{"fact": fact, "reason": reason, "detail": "as seen"}])
    finding = judged_once("CMEK-14", organization)
    assert (finding.status, finding.reason) == ("inconclusive", reason)
    words = fact.replace("-", " ")
    assert finding.message == f"The list of {words} may be incomplete: {reason} (as seen)."
    assert finding.action == gap_action(organization.gaps[0], organization).sentence


@pytest.mark.parametrize("absent", ["keys", "databases"])
def test_a_list_that_is_not_recorded_is_a_gap(absent: str) -> None:
    """A record without its list of keys, or of databases, is not one without any."""
    lists: dict[str, Any] = {absent: None}
    facts = {"keys": ["serverless-keys", "managed-clusters-keys"], "databases": ["databases"]}
    found = judged("CMEK-14", an_organization(**lists))
    assert {finding.status for finding in found} == {"inconclusive"}
    assert [finding.cause for finding in found] == [
        f"not-recorded:{fact}" for fact in facts[absent]
    ]


def test_several_gaps_of_one_kind_are_counted() -> None:
    """A further gap of the same fact and reason is a further cause, whatever its words are."""
    gap = {"fact": "databases", "reason": "malformed"}
    one = an_organization(gaps=[gap | {"detail": "entry 1"}])
    two = an_organization(gaps=[gap | {"detail": "entry 7"}, gap | {"detail": "entry 9"}])
    assert causes("CMEK-14", one) == ["malformed:databases"]
    assert causes("CMEK-14", two) == ["malformed:databases", "malformed:databases,2"]


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
    assert (
        finding.message
        == "Astra lists no database; a token that may see none gets the same answer."
    )
    assert finding.action == (
        "Attest that acme-prod has no database yet, or let the token see its databases"
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
    """Databases whose tier has no type are counted once each, by tier: each tier is a cause."""
    two = of_unknown_type(id=uuid(1), regions=["us-east-1", "us-west-2"])
    other = two.model_copy(update={"id": uuid(2), "tier": "cloudnative"})
    gone = two.model_copy(update={"id": uuid(3), "status": "TERMINATED"})
    third = two.model_copy(update={"id": uuid(4)})
    found = judged("CMEK-14", an_organization(databases=[two, other, gone, third]))
    assert [(finding.status, finding.cause, finding.message) for finding in found] == [
        (
            "inconclusive",
            "unknown-type:cloudnative",
            "Tier 'cloudnative' does not identify the database type (1 database).",
        ),
        (
            "inconclusive",
            "unknown-type:developer",
            "Tier 'developer' does not identify the database type (2 databases).",
        ),
    ]
    assert {finding.action for finding in found} == {FIND_TYPE.sentence}


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


def test_the_age_is_reported() -> None:
    """A stale record is reported with its time, the limit and the time of the audit."""
    finding = judged_once("CMEK-14", an_organization(captured_at="2026-01-01T00:00:00Z"))
    assert finding.message == (
        "The record is of 2026-01-01T00:00:00Z, more than 30 days before 2026-11-21T02:00:00Z."
    )
    future = judged_once("CMEK-14", an_organization(captured_at="2026-12-01T00:00:00Z"))
    assert future.message == (
        "The record is of 2026-12-01T00:00:00Z, later than the audit of 2026-11-21T02:00:00Z."
    )


def test_a_record_without_a_time_is_doubted() -> None:
    """A record that does not say when it was made may be of any age."""
    finding = judged_once("CMEK-14", an_organization(captured_at=None))
    assert (finding.status, finding.reason) == ("inconclusive", "time-not-recorded")


def test_no_doubt_hides_another() -> None:
    """Several doubts are several findings, one for each cause."""
    organization = an_organization(keys=None, databases=[of_unknown_type()], captured_at=None)
    assert [(finding.cause, finding.message) for finding in judged("CMEK-14", organization)] == [
        (
            "not-recorded:serverless-keys",
            (
                "The list of serverless keys may be incomplete: not-recorded (the record has no "
                "such list)."
            ),
        ),
        (
            "not-recorded:managed-clusters-keys",
            (
                "The list of managed clusters keys may be incomplete: "
                "not-recorded (the record has no such list)."
            ),
        ),
        (
            "unknown-type:developer",
            "Tier 'developer' does not identify the database type (1 database).",
        ),
        ("time-not-recorded", "The record does not show when it was made."),
    ]


def test_vanished_databases_are_named(tmp_path: Path) -> None:
    """Each database that was living earlier and is not listed now is a failure of its own."""
    before = [database_data(id=uuid(n), name=f"acme-{n}") for n in range(1, 8)]
    history = earlier(tmp_path, on_2026_06_01=organization_data(databases=before))
    one = judge(history, databases=[a_database(id=uuid(n)) for n in range(2, 8)])
    assert (one.status, one.cause) == ("fail", f"vanished:{uuid(1)}")
    assert one.message == (
        f"A known database is missing without being terminated: acme-1 ({uuid(1)})."
    )
    assert one.action == f"Find out what happened to acme-1 ({uuid(1)})"
    left = an_organization(databases=[a_database(id=uuid(7))])
    context = Context(AS_OF, history=history)
    assert causes("CMEK-14", left, context=context) == [f"vanished:{uuid(n)}" for n in range(1, 7)]


def test_a_vanished_database_hides_no_doubt(tmp_path: Path) -> None:
    """A database that vanished from a record that is too old is one cause, and its age another."""
    history = earlier(tmp_path, on_2026_01_01=organization_data())
    stale = an_organization(databases=[], captured_at="2026-02-01T00:00:00Z")
    found = judged("CMEK-14", stale, context=Context(AS_OF, history=history))
    assert [(finding.status, finding.cause) for finding in found] == [
        ("fail", f"vanished:{DATABASE}"),
        ("inconclusive", "stale"),
    ]


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
    context = Context(AS_OF, history=history)
    found = judged("CMEK-14", an_organization(**over), context=context)
    assert {finding.status for finding in found} == {"inconclusive"}


def test_what_a_part_of_a_list_does_not_show_is_named(tmp_path: Path) -> None:
    """Of a list that was read in part, each known database that it does not show is a cause."""
    before = [database_data(id=uuid(n), name=f"acme-{n}") for n in range(1, 4)]
    history = earlier(tmp_path, on_2026_06_01=organization_data(databases=before))
    gaps = [{"fact": "databases", "reason": "cut-short"}]
    partly = an_organization(databases=[a_database(id=uuid(2))], gaps=gaps)
    context = Context(AS_OF, history=history)
    assert causes("CMEK-14", partly, context=context) == [
        "cut-short:databases",
        f"unseen:{uuid(1)}",
        f"unseen:{uuid(3)}",
    ]
    unread = an_organization(databases=None)
    assert causes("CMEK-14", unread, context=context) == ["not-recorded:databases"]


def test_organizations_of_earlier_records_are_missed(tmp_path: Path) -> None:
    """An organization that only earlier records hold fails, under the name it had last."""
    gone = {"id": OTHER_ORGANIZATION, "keys": []}
    history = earlier(
        tmp_path,
        on_2026_01_01=organization_data(**gone, name="acme-old"),
        on_2026_06_01=organization_data(**gone, name="acme-new"),
    )
    found = judged("CMEK-14", an_organization(), context=Context(AS_OF, history=history))
    assert [finding.status for finding in found] == ["pass", "fail"]
    missing = found[1]
    assert (
        missing.message == "The organization acme-new is in an earlier record and is missing now."
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
    assert {finding.status for finding in judged("CMEK-14", planned)} == {"inconclusive"}


def test_organizations_that_are_there_are_not_missed(tmp_path: Path) -> None:
    """An organization is known by its id, whatever its name was."""
    history = earlier(tmp_path, on_2026_06_01=organization_data(name="acme-old"))
    found = judged("CMEK-14", an_organization(), context=Context(AS_OF, history=history))
    assert [finding.status for finding in found] == ["pass"]


def test_organizations_of_the_baseline_that_are_missing() -> None:
    """An organization that only the baseline holds fails, at the baseline's place."""
    place = ("audits/last/audit.json", 1)
    known = {
        OTHER_ORGANIZATION: KnownOrganization("acme-test", place),
        ORGANIZATION: KnownOrganization("acme-prod", place),
    }
    found = judged("CMEK-14", an_organization(), context=Context(AS_OF, baseline=known))
    assert [finding.status for finding in found] == ["pass", "fail"]
    assert found[1].subject.organization == OTHER_ORGANIZATION
    assert found[1].evidence == (place,)


def test_databases_of_the_baseline_are_missed() -> None:
    """A database that only the baseline knew vanished, without any earlier record."""
    known = KnownOrganization("acme-prod", ("last/audit.json", 1), {uuid(9): "acme-nine"})
    context = Context(AS_OF, baseline={ORGANIZATION: known})
    (finding,) = judged("CMEK-14", an_organization(), context=context)
    assert (finding.status, finding.cause) == ("fail", f"vanished:{uuid(9)}")
    there = an_organization(databases=[a_database(id=uuid(9))])
    assert judged_once("CMEK-14", there, context=context).status == "pass"


@pytest.mark.parametrize(
    ("own", "before", "causes"),
    [
        (AS_OF, AS_OF - timedelta(days=1), []),
        (AS_OF, AS_OF, []),
        (AS_OF, None, []),
        (AS_OF - timedelta(days=1), AS_OF, ["older-than-baseline"]),
        (None, AS_OF, ["time-not-recorded"]),
    ],
)
def test_a_record_that_is_older_than_the_one_of_the_baseline_is_doubted(
    own: datetime | None, before: datetime | None, causes: list[str]
) -> None:
    """A record from before the last audit's shows nothing of what happened since."""
    known = KnownOrganization("acme-prod", ("last/audit.json", 1), captured_at=before)
    context = Context(AS_OF, baseline={ORGANIZATION: known})
    found = judged("CMEK-14", an_organization(captured_at=own), context=context)
    assert [finding.cause for finding in found if finding.status == "inconclusive"] == causes


def test_a_database_of_two_organizations_is_found() -> None:
    """One database id that two organizations list fails once for each, and a third is new."""
    organizations = [
        an_organization(id=uuid(n), name=f"acme-{n}", databases=[a_database()]) for n in (1, 2, 3)
    ]
    alone = an_organization(id=uuid(4), databases=[a_database(id="acme-own")])
    two = judged("CMEK-14", *organizations[:2], alone)
    found = [
        (finding.status, finding.subject.path, finding.cause) for finding in two if finding.cause
    ]
    path = f"./database/{DATABASE}"
    assert [finding.subject.organization for finding in two if finding.cause] == [uuid(1), uuid(2)]
    assert found == [
        ("fail", path, f"listed-by:{uuid(1)}"),
        ("fail", path, f"listed-by:{uuid(2)}"),
    ]
    three = judged("CMEK-14", *organizations)
    known = {each.id for each in two}
    assert [finding.cause for finding in three if finding.cause and finding.id not in known] == [
        f"listed-by:{uuid(3)}"
    ]


@pytest.mark.parametrize("identity", ["acme-own", DATABASE, DATABASE.upper()])
def test_any_form_of_id_can_be_shared(identity: str) -> None:
    """Ids are compared exactly, whether they are UUIDs or not."""
    databases = [a_database(id=identity)]
    two = [an_organization(id=uuid(n), databases=databases) for n in (1, 2)]
    found = [finding for finding in judged("CMEK-14", *two) if finding.cause]
    assert {finding.subject.database for finding in found} == {identity}


def test_counts_that_differ_are_doubted() -> None:
    """What independent counts differ in is a finding of this rule, one for each difference."""
    account = {"type": "serverless", "provider": "aws", "account": "111122223333"}
    accounts = [account | {"region": region} for region in ("eu-west-1", "eu-west-2")]
    organization = an_organization(region_views=[a_view()], vendor_accounts=accounts)
    assert causes("CMEK-14", organization) == [
        "differ:vendor-accounts,serverless/aws/us-east-1",
        "differ:vendor-accounts,serverless/aws/eu-west-1",
        "differ:vendor-accounts,serverless/aws/eu-west-2",
    ]


def test_counts_that_other_findings_explain_are_not_doubted_again() -> None:
    """A difference that another rule judges, or that a gap explains, is no doubt of its own."""
    other_view = an_organization(region_views=[a_view(key_id=aws_key_id(number=9))])
    assert judged_once("CMEK-14", other_view).status == "pass"
    gap = {"fact": "vendor-accounts", "reason": "refused"}
    unread = an_organization(region_views=[a_view()], vendor_accounts=[], gaps=[gap])
    assert causes("CMEK-14", unread) == ["refused:vendor-accounts"]


def test_a_difference_says_what_differs_and_what_to_do() -> None:
    """A doubt about counts names the key scope in which they differ."""
    account = {"type": "serverless", "provider": "aws", "account": "111122223333"}
    accounts = [account | {"region": region} for region in ("us-east-1", "eu-west-1")]
    organization = an_organization(region_views=[a_view()], vendor_accounts=accounts)
    finding = judged_once("CMEK-14", organization)
    assert finding.message == ("Counts differ: serverless / aws / eu-west-1: accounts, but no key.")
    assert finding.action == recollect_action(organization).sentence


def test_each_finding_names_its_evidence(tmp_path: Path) -> None:
    """What is missing or doubted is shown by the organization, or by the record that knew it."""
    history = earlier(tmp_path, on_2026_06_01=organization_data())
    organization = an_organization(databases=[], captured_at=None).at("now.yaml", 2)
    found = judged("CMEK-14", organization, context=Context(AS_OF, history=history))
    assert [(finding.cause, finding.evidence) for finding in found] == [
        (f"vanished:{DATABASE}", (("now.yaml", 2),)),
        ("time-not-recorded", (("now.yaml", 2),)),
    ]
    whole = judged_once("CMEK-14", an_organization().at("now.yaml", 2))
    assert (whole.status, whole.evidence) == ("pass", (("now.yaml", 2),))


def test_a_shared_database_says_who_lists_it() -> None:
    """Each organization that lists the database has a finding, at the place of its own record."""
    two = [
        an_organization(id=uuid(n), name=f"acme-{n}", databases=[a_database()]).at("now.yaml", n)
        for n in (1, 2)
    ]
    found = [finding for finding in judged("CMEK-14", *two) if finding.cause]
    assert [(finding.message, finding.action, finding.evidence) for finding in found] == [
        (
            f"acme-{n} is one of 2 organizations that list it: acme-1, acme-2.",
            f"Find out which organization owns the database {DATABASE}",
            (("now.yaml", n),),
        )
        for n in (1, 2)
    ]


def test_missing_organizations_are_named_in_the_order_of_their_ids() -> None:
    """The order of the baseline does not show in the findings."""
    place = ("audits/last/audit.json", 1)
    known = {uuid(n): KnownOrganization(f"acme-{n}", place) for n in (9, 7, 8)}
    found = judged("CMEK-14", an_organization(), context=Context(AS_OF, baseline=known))[1:]
    assert [(finding.message, finding.action) for finding in found] == [
        (
            f"The organization acme-{n} is in an earlier record and is missing now.",
            f"Collect acme-{n}, or find out what happened to it",
        )
        for n in (7, 8, 9)
    ]


def test_what_is_not_seen_in_a_part_says_so(tmp_path: Path) -> None:
    """A database that a part of a list does not show is asked for by recording it in full."""
    history = earlier(tmp_path, on_2026_06_01=organization_data())
    gaps = [{"fact": "databases", "reason": "cut-short"}]
    organization = an_organization(databases=[], gaps=gaps)
    found = judged("CMEK-14", organization, context=Context(AS_OF, history=history))
    assert [(finding.message, finding.action) for finding in found[1:]] == [
        (
            (f"A known database is not among those that could be read: acme-orders ({DATABASE})."),
            recollect_action(organization).sentence,
        )
    ]


@pytest.mark.parametrize("absent", ["keys", "databases"])
def test_what_was_recorded_in_part_is_not_missing(tmp_path: Path, absent: str) -> None:
    """An organization with one list recorded is there, whatever is planned for it."""
    context = Context(AS_OF, history=earlier(tmp_path, on_2026_06_01=organization_data()))
    (planned,) = read_plan(write_yaml(tmp_path / "plan.yaml", plan_data())).organizations
    lists: dict[str, Any] = {absent: None}
    found = judged("CMEK-14", add_plan(an_organization(**lists), planned), context=context)
    assert {finding.status for finding in found} == {"inconclusive"}


def test_a_planned_database_does_not_stand_for_one_that_vanished(tmp_path: Path) -> None:
    """A database that is only planned now, under the id of one that existed, has vanished."""
    context = Context(AS_OF, history=earlier(tmp_path, on_2026_06_01=organization_data()))
    planned = an_organization(databases=[planned_data(id=DATABASE)])
    assert causes("CMEK-14", planned, context=context) == [f"vanished:{DATABASE}"]


def test_vanished_databases_are_named_in_the_order_of_their_ids(tmp_path: Path) -> None:
    """The order in which an earlier record lists databases does not show in the findings."""
    before = [database_data(id=uuid(n)) for n in (3, 1, 2)]
    history = earlier(tmp_path, on_2026_06_01=organization_data(databases=before))
    context = Context(AS_OF, history=history)
    organization = an_organization(databases=[])
    assert causes("CMEK-14", organization, context=context) == [
        f"vanished:{uuid(n)}" for n in (1, 2, 3)
    ]


def test_views_that_the_baseline_had_are_missed() -> None:
    """A record without the views that the baseline was made with sees less, and says so."""
    known = KnownOrganization("acme-prod", ("last/audit.json", 1), has_views=True)
    context = Context(AS_OF, baseline={ORGANIZATION: known})
    assert causes("CMEK-14", an_organization(), context=context) == ["views-not-recorded"]
    viewed = an_organization(region_views=[a_view()])
    assert judged_once("CMEK-14", viewed, context=context).status == "pass"
    refused = an_organization(gaps=[{"fact": "region-views", "reason": "refused"}])
    assert causes("CMEK-14", refused, context=context) == ["refused:region-views"]
