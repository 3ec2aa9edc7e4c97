"""What the rules say of databases and keys that Terraform plans or manages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from checks.shared.comparisons import reconcile
from checks.shared.remedies import HIDDEN, determine
from inventory.model.database import Database, DatabaseRegion
from inventory.model.gaps import Gap
from inventory.model.terraform_managed import (
    ManagedDatabase,
    ManagedKey,
    ManagedResources,
    UndeterminedDatabase,
)
from tests.builders import (
    DATABASE,
    ORGANIZATION,
    a_database,
    a_key,
    a_planned_database,
    an_organization,
    uuid,
)
from tests.checks.judging import judged, judged_once, statuses

if TYPE_CHECKING:
    from checks.engine.finding import Finding
    from inventory.model.base import SourceLocation
    from inventory.model.organization import Organization

KEYS = ("CMEK-01", "CMEK-03", "CMEK-05")
ADDRESS = 'module.app["eu"].astra_database.new'
PLACE: SourceLocation = ("main.tf", 7, ADDRESS)
KEY: SourceLocation = ("plan.json", 3, "astra_customer_key.new")
POLICY = {"types": {"serverless": {"encryption": "astra-provided", "reason": "only tests"}}}


def undetermined(organization: Organization, name: str = "acme-new") -> Organization:
    """Plan a database of which it is not told where it will lie."""
    missing = "regions known only after apply"
    database = UndeterminedDatabase(name=name, missing=missing).at(*PLACE)
    return organization.with_managed(ManagedResources(undetermined=(database,)))


def bare(**over: object) -> Organization:
    """Make an organization that has nothing yet."""
    return an_organization(**({"keys": [], "databases": []} | over))


# --- databases of which the place is not told -----------------------------------------------------


@pytest.mark.parametrize("rule", KEYS)
def test_a_place_that_is_not_reported_is_inconclusive(rule: str) -> None:
    """A planned database may lie where no key is, so each rule about keys is inconclusive of it."""
    finding = judged_once(rule, undetermined(bare()))
    assert (finding.status, finding.reason) == ("inconclusive", "not-determined")
    assert finding.message == (
        f"The plan does not show where {ADDRESS} will be deployed: regions known only after apply."
    )
    assert finding.evidence == (PLACE,)
    assert (finding.name, finding.databases, finding.existing) == ("acme-new", 1, 0)
    assert finding.severity == ("high" if rule == "CMEK-03" else "critical")
    assert finding.action.startswith("Plan again")


@pytest.mark.parametrize("rule", [*KEYS, "CMEK-09"])
@pytest.mark.parametrize(
    ("later", "hidden", "action"),
    [
        (True, False, determine([]).sentence),
        (False, True, f"{HIDDEN}; then audit a new plan"),
        (True, True, f"{HIDDEN}; then audit a plan in which the rest is known, too"),
    ],
)
def test_what_helps(rule: str, action: str, *, later: bool, hidden: bool) -> None:
    """A place that is marked as sensitive is in no later plan, either, so another step helps."""
    database = UndeterminedDatabase(name="new", missing="x", is_later=later, is_hidden=hidden)
    organization = bare(keys=[a_key()] if rule == "CMEK-09" else [])
    placed = ManagedResources(undetermined=(database.at(*PLACE),))
    assert judged_once(rule, organization.with_managed(placed)).action == action


def test_what_helps_with_several() -> None:
    """A key that may be for one of several databases gets the steps for all of them."""
    two = tuple(
        UndeterminedDatabase(name="new", missing="x", is_later=later, is_hidden=not later).at(
            *PLACE
        )
        for later in (True, False)
    )
    organization = bare(keys=[a_key()]).with_managed(ManagedResources(undetermined=two))
    both = f"{HIDDEN}; then audit a plan in which the rest is known, too"
    assert judged_once("CMEK-09", organization).action == both


def test_what_is_not_reported_is_one_action() -> None:
    """All that is not told is settled by one step."""
    findings = [judged_once(rule, undetermined(bare())) for rule in KEYS]
    assert len({finding.action for finding in findings}) == 1
    assert len({finding.subject for finding in findings}) == 1
    assert len({finding.id for finding in findings}) == len(KEYS)


def test_what_is_reported_beside_it_is_judged() -> None:
    """A region that is reported is judged beside one that is not, each as a subject of its own."""
    known = a_planned_database(name="acme-new").at(*PLACE)
    findings = judged("CMEK-05", undetermined(bare(databases=[known])))
    assert sorted(finding.status for finding in findings) == ["fail", "inconclusive"]
    assert len({finding.subject.path for finding in findings}) == 2
    assert {finding.subject.database for finding in findings} == {f"planned {ADDRESS}"}


@pytest.mark.parametrize("rule", KEYS)
def test_astras_keys_are_expected_anywhere(rule: str) -> None:
    """Where Serverless is to use Astra's keys, it does not matter where a database will lie."""
    finding = judged_once(rule, undetermined(bare(policy=POLICY)))
    assert (finding.status, finding.reason) == ("not-applicable", "astra-provided")
    assert finding.message == "Declared to use Astra's keys: only tests"


def test_an_idle_key_may_serve_what_is_not_reported() -> None:
    """A key without databases may be meant for a planned one whose place is not told."""
    finding = judged_once("CMEK-09", undetermined(bare(keys=[a_key()])))
    assert (finding.status, finding.reason) == ("inconclusive", "not-determined")
    assert (
        finding.message == "A plan does not show where acme-new will be deployed; it may be here."
    )


@pytest.mark.parametrize(
    ("policy", "status"), [({}, "fail"), (POLICY, "not-applicable")], ids=["ours", "astra's"]
)
def test_what_is_not_reported_asks_for_a_paid_plan(policy: dict[str, Any], status: str) -> None:
    """A planned database that is to have a customer key needs a paid plan wherever it lies."""
    unpaid = {"paid": False, "by": "acme-security", "on": "2026-11-01"}
    organization = undetermined(bare(plan=unpaid, policy=policy))
    assert statuses("CMEK-08", organization) == [status]


def test_a_managed_key_asks_for_a_paid_plan() -> None:
    """A key that Terraform manages is a customer key, which needs a paid plan."""
    unpaid = {"paid": False, "by": "acme-security", "on": "2026-11-01"}
    assert statuses("CMEK-08", managing(bare(plan=unpaid))) == ["fail"]


# --- keys -----------------------------------------------------------------------------------------


def managing(organization: Organization, region: str = "us-east-1") -> Organization:
    """Let Terraform's state hold a key."""
    key = ManagedKey(provider="aws", region=region).at(*KEY)
    return organization.with_managed(ManagedResources(keys=(key,)))


HELD = " astra_customer_key.new is in Terraform's state, which does not prove a registration."


@pytest.mark.parametrize("rule", ["CMEK-01", "CMEK-05"])
def test_a_managed_key_is_no_registered_one(rule: str) -> None:
    """A key in the state helps no planned database, and the words say why."""
    organization = managing(bare(databases=[a_planned_database().at(*PLACE)]))
    finding = judged_once(rule, organization)
    assert (finding.status, finding.severity) == ("fail", "critical")
    assert finding.message.endswith(f".{HELD}")
    assert finding.evidence == (PLACE,)


def test_a_managed_key_of_another_region_is_not_named() -> None:
    """A key that Terraform manages elsewhere has nothing to do with the database."""
    organization = managing(bare(databases=[a_planned_database()]), "eu-west-1")
    assert judged_once("CMEK-01", organization).message == "No customer key is registered."


def test_a_registered_key_counts_whoever_manages_it() -> None:
    """A key that Astra lists is registered, also if Terraform manages it."""
    organization = managing(bare(databases=[a_planned_database()], keys=[a_key()]))
    assert [*statuses("CMEK-01", organization), *statuses("CMEK-05", organization)] == ["pass"] * 2


# --- regions that are added -----------------------------------------------------------------------


def grown(*keys: str) -> Organization:
    """Make a database in us-east-1 that is to get us-west-2, with keys in ``keys``."""
    added = DatabaseRegion(name="us-west-2", state="planned").at(*PLACE)
    database = a_database().at("inventory.yaml", 12)
    regions = (*database.regions, added)
    database = database.model_copy(update={"regions": regions})
    registered = {"at": "2026-05-01T00:00:00Z", "by": "acme-security", "on": "2026-05-01"}
    return bare(
        databases=[database], keys=[a_key(region=key, registered=registered) for key in keys]
    )


def _by_region(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.subject.region: finding for finding in findings}


def test_an_added_region_needs_its_key() -> None:
    """A region that is added is judged as planned, at the place that plans it."""
    findings = _by_region(judged("CMEK-05", grown("us-east-1")))
    shown = {name: (each.status, each.severity, each.existing) for name, each in findings.items()}
    assert shown == {"us-east-1": ("pass", "high", 1), "us-west-2": ("fail", "critical", 0)}
    assert findings["us-west-2"].evidence == (PLACE,)
    assert findings["us-west-2"].subject.database == DATABASE


def test_an_added_region_with_its_key_passes() -> None:
    """A region that is added after its key was registered complies."""
    findings = _by_region(judged("CMEK-05", grown("us-east-1", "us-west-2")))
    assert {name: each.status for name, each in findings.items()} == {
        "us-east-1": "pass",
        "us-west-2": "pass",
    }
    assert findings["us-west-2"].message == "The key is registered; the region is only planned."


def test_the_scope_of_an_added_region() -> None:
    """The key scope of a region that is added holds a planned database, and is that grave."""
    findings = _by_region(judged("CMEK-01", grown("us-east-1")))
    failing = findings["us-west-2"]
    assert (failing.status, failing.severity, failing.databases, failing.existing) == (
        *("fail", "critical"),
        *(1, 0),
    )
    assert failing.evidence == (PLACE,)
    assert findings["us-east-1"].status == "pass"


def test_an_added_region_makes_several() -> None:
    """A database of one region that gets another is one of several, and leads to what adds it."""
    finding = judged_once("CMEK-03", grown("us-east-1"))
    assert (finding.status, finding.message) == ("fail", "The region us-west-2 has no key.")
    assert finding.evidence == (PLACE, ("inventory.yaml", 12))
    assert judged_once("CMEK-03", grown("us-east-1", "us-west-2")).status == "pass"


def test_a_planned_database_of_several_regions() -> None:
    """The evidence for a planned database of several regions is its own place, once."""
    planned = a_planned_database(regions=["us-east-1", "us-west-2"]).at(*PLACE)
    found = judged("CMEK-03", bare(databases=[planned]))
    assert [finding.cause for finding in found] == [
        "planned-without-key:us-east-1",
        "planned-without-key:us-west-2",
    ]
    assert {(finding.status, finding.evidence) for finding in found} == {("fail", (PLACE,))}


# --- databases in the state -----------------------------------------------------------------------


def holding(organization: Organization, *ids: str) -> Organization:
    """Let databases of these ids stand in Terraform's state."""
    held = tuple(ManagedDatabase(id=each, name=f"acme-{each[-1]}") for each in ids)
    return organization.with_managed(ManagedResources(databases=held))


def test_a_database_in_the_state_that_nobody_lists() -> None:
    """A database that Terraform manages and Astra does not list is a hole in the population."""
    finding = judged_once("CMEK-14", holding(an_organization(), DATABASE, uuid(7)))
    assert (finding.status, finding.severity) == ("fail", "critical")
    named = f"acme-7 ({uuid(7)})"
    assert finding.message == f"A known database is missing without being terminated: {named}."
    assert finding.action == f"Find out what happened to {named}"


@pytest.mark.parametrize("status", ["ACTIVE", "PARKED", "TERMINATED"])
def test_a_database_in_the_state_that_is_listed(status: str) -> None:
    """A database in the state that is listed, even as terminated, is none."""
    organization = holding(an_organization(databases=[a_database(status=status)]), DATABASE)
    assert "fail" not in statuses("CMEK-14", organization)


EAST, WEST = ("aws", "us-east-1"), ("aws", "us-west-2")


def held_in(*regions: tuple[str, str], missing: str = "", **over: object) -> Organization:
    """Let Terraform's state hold the database of an organization in ``regions``."""
    data = {"id": DATABASE, "name": "acme-d1", "regions": regions, "missing": missing}
    database = ManagedDatabase.model_validate(data).at(*PLACE)
    return an_organization(**over).with_managed(ManagedResources(databases=(database, database)))


@pytest.mark.parametrize(
    ("place", "text"),
    [(WEST, "aws/us-west-2"), (("gcp", "us-east-1"), "gcp/us-east-1")],
    ids=["region", "provider"],
)
def test_a_region_in_the_state_that_nobody_lists(place: tuple[str, str], text: str) -> None:
    """A region or a provider of a listed database that only the state has is a hole."""
    finding = judged_once("CMEK-14", held_in(EAST, place))
    assert (finding.status, finding.severity) == ("fail", "critical")
    assert finding.cause == f"region-missing:{DATABASE},{text}"
    named = f"acme-d1 ({DATABASE}) in {text}"
    assert finding.message == f"Terraform's state has {named}; the record does not."
    assert finding.evidence[-1] == PLACE
    [comparison] = reconcile(held_in(EAST, place))
    assert (comparison["agree"], comparison["differences"]) == (
        False,
        [f"{named}: not listed there"],
    )


def test_a_planned_region_fills_no_hole_either() -> None:
    """That a plan adds the region which the state has does not show that it was recorded."""
    added = {"name": "us-west-2", "state": "planned"}
    databases = [a_database(regions=["us-east-1", added])]
    assert statuses("CMEK-14", held_in(EAST, WEST, databases=databases)) == ["fail"]


def test_regions_in_the_state_have_no_case() -> None:
    """A region that somebody wrote in another case is the one that Astra lists."""
    assert "fail" not in statuses("CMEK-14", held_in(("aws", "US-East-1")))


def test_a_key_for_a_region_in_another_case_is_named() -> None:
    """A planned region in another case than that of its key fails, and the words say why."""
    planned = a_planned_database(regions=["US-East-1"])
    finding = judged_once("CMEK-05", bare(databases=[planned], keys=[a_key()]))
    assert finding.status == "fail"
    assert finding.message.endswith(
        " A key exists for us-east-1: region names are compared as they are written."
    )


@pytest.mark.parametrize(
    "over", [{}, {"databases": [a_database(status="TERMINATED")]}], ids=["listed", "terminated"]
)
def test_regions_in_the_state_that_are_listed(over: dict[str, Any]) -> None:
    """Regions that both have are no hole, and neither are those of a terminated database."""
    regions = (EAST, WEST) if over else (EAST,)
    assert "fail" not in statuses("CMEK-14", held_in(*regions, **over))


def test_a_region_in_the_state_beside_a_list_that_was_not_read() -> None:
    """Where the databases were not read in full, a further region is one that was not seen."""
    gaps = [Gap(fact="databases", reason="refused", detail="403")]
    found = judged("CMEK-14", held_in(EAST, WEST, gaps=gaps))
    assert {finding.status for finding in found} == {"inconclusive"}
    assert f"region-unseen:{DATABASE},aws/us-west-2" in {finding.cause for finding in found}


def test_a_state_that_hides_regions_is_not_compared() -> None:
    """Where the state does not show all regions of a database, nothing agrees."""
    hiding = held_in(EAST, missing="regions marked as sensitive")
    finding = judged_once("CMEK-14", hiding)
    assert (finding.status, finding.cause) == ("inconclusive", f"state-not-shown:{DATABASE}")
    assert finding.message == (
        "Terraform's state does not show where acme-d1 is: regions marked as sensitive."
    )
    assert "nonsensitive()" in finding.action
    assert [comparison["agree"] for comparison in reconcile(hiding)] == [False]


def test_a_planned_database_fills_no_hole() -> None:
    """That a plan adds a region to a database does not show that it exists."""
    planned = Database.model_validate(
        {**a_planned_database().model_dump(exclude_unset=True), "id": uuid(7)}
    )
    organization = an_organization(databases=[a_database(), planned])
    assert statuses("CMEK-14", holding(organization, uuid(7))) == ["fail"]


@pytest.mark.parametrize("over", [{"databases": None}, {"gaps": "databases"}])
def test_a_list_that_was_not_read_hides_no_hole(over: dict[str, Any]) -> None:
    """Where the databases were not read in full, what the state holds proves no hole in them."""
    if "gaps" in over:
        over = {"gaps": [Gap(fact="databases", reason="refused", detail="403")]}
    found = statuses("CMEK-14", holding(an_organization(**over), uuid(7)))
    assert set(found) == {"inconclusive"}


def test_what_is_managed_changes_nothing_else() -> None:
    """An organization whose state holds what Astra lists is judged as one without Terraform."""
    plain = an_organization()
    managed = managing(holding(plain, DATABASE))
    for rule in (*KEYS, "CMEK-08", "CMEK-09", "CMEK-14"):
        assert judged(rule, managed) == judged(rule, plain)
    assert plain.id == ORGANIZATION
