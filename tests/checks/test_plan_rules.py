"""What plans change in the verdicts on what exists: nothing for the better."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.errors import InventoryError
from inventory.model.organization import Organization
from inventory.plans import PlannedDatabase, add_plan
from tests.builders import (
    DATABASE,
    ORGANIZATION,
    a_database,
    an_organization,
    database_data,
    key_data,
    planned_data,
)
from tests.checks.judging import RULES, judged, judged_once
from tests.hypothesis_profile import examples

if TYPE_CHECKING:
    from checks.engine.finding import Finding

TEST_ONLY = {"encryption": "astra-provided", "reason": "test only"}
AZURE = {"type": "managed-clusters", "provider": "azure", "regions": ["westeurope"]}


def planning(organization: Organization, *databases: dict[str, Any]) -> Organization:
    """Return ``organization`` with what a plan holds."""
    planned = tuple(PlannedDatabase.model_validate(database) for database in databases)
    return add_plan(organization, Organization(id=ORGANIZATION, name="plan", databases=planned))


def growing(*regions: object, **over: object) -> dict[str, Any]:
    return planned_data(id=DATABASE, name="acme-orders", regions=[*regions], **over)


# --- rules that look at each region ---------------------------------------------------------------


def test_a_plan_does_not_excuse_what_exists() -> None:
    """An existing database without its key fails, whatever a plan wants of its further regions."""
    recorded = an_organization(keys=[])
    planned = planning(recorded, growing("ap-south-1", **TEST_ONLY))
    by_region = {finding.subject.region: finding.status for finding in judged("CMEK-01", planned)}
    assert by_region == {"us-east-1": "fail", "ap-south-1": "not-applicable"}
    by_region = {finding.subject.region: finding.status for finding in judged("CMEK-05", planned)}
    assert by_region == {"us-east-1": "fail", "ap-south-1": "not-applicable"}


def test_regions_with_astras_keys_are_counted_apart() -> None:
    """A database of several regions needs the keys of those regions that are to have one."""
    recorded = an_organization()
    finding = judged_once("CMEK-03", planning(recorded, growing("ap-south-1", **TEST_ONLY)))
    assert (finding.status, finding.message) == (
        "pass",
        "Each of 1 regions has its own key. 1 more are declared to use Astra's keys.",
    )
    without = an_organization(keys=[])
    finding = judged_once("CMEK-03", planning(without, growing("ap-south-1", **TEST_ONLY)))
    assert (finding.status, finding.message) == ("fail", "The region us-east-1 has no key.")


def test_a_region_that_wants_a_key_among_others() -> None:
    """A database that uses Astra's keys needs a key for the one region that is to have one."""
    recorded = an_organization(keys=[], databases=[a_database(**TEST_ONLY)])
    wanted = growing("ap-south-1", encryption="customer-managed")
    finding = judged_once("CMEK-03", planning(recorded, wanted))
    assert (finding.status, finding.message) == ("fail", "The region ap-south-1 has no key.")
    unpaid = {"paid": False, "by": "acme-security", "on": "2026-11-01"}
    both = recorded.model_copy(update={"plan": an_organization(plan=unpaid).plan})
    assert judged_once("CMEK-08", both).status == "not-applicable"
    assert judged_once("CMEK-08", planning(both, wanted)).status == "fail"


@pytest.mark.parametrize(
    ("existing", "planned", "status"),
    [
        ({}, TEST_ONLY, "fail"),
        (TEST_ONLY, {"encryption": "customer-managed"}, "fail"),
        (TEST_ONLY, {}, "pass"),
    ],
)
def test_each_region_of_azure_managed_clusters(
    existing: dict[str, Any], planned: dict[str, Any], status: str
) -> None:
    """A customer key expected in one region of Managed Clusters on Azure fails."""
    recorded = an_organization(keys=[], databases=[a_database(**AZURE | existing)])
    region = {"name": "uksouth"} | planned
    grown = planning(recorded, growing(region, type="managed-clusters", provider="azure"))
    assert judged_once("CMEK-04", grown).status == status


def test_a_region_elsewhere_does_not_speak_for_azure() -> None:
    """Only what is expected in the regions on Azure counts for the rules about them."""
    aws = {"name": "us-east-1", "provider": "aws"}
    own = {"name": "westeurope"} | TEST_ONLY
    for rule, kind, statuses in (
        ("CMEK-04", "managed-clusters", ["pass"]),
        ("CMEK-16", "serverless", []),
    ):
        database = a_database(type=kind, provider="azure", regions=[aws, own])
        found = judged(rule, an_organization(keys=[], databases=[database]))
        assert [finding.status for finding in found] == statuses


def test_a_bare_organization_stays_bare() -> None:
    """That something is planned does not show that an empty record was read in full."""
    recorded = an_organization(keys=[], databases=[])
    before = judged_once("CMEK-14", recorded)
    assert (before.status, before.reason) == ("inconclusive", "empty")
    assert judged_once("CMEK-14", planning(recorded, planned_data())) == before


# --- any plan -------------------------------------------------------------------------------------

REGIONS = ["us-east-1", "us-west-2", "eu-west-1"]
BADNESS = {"pass": 0, "not-applicable": 0, "inconclusive": 1, "fail": 2, "error": 3}
TIMES = st.sampled_from(["2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z", "2026-09-01T00:00:00Z"])
wishes = st.sampled_from([{}, {}, {"encryption": "customer-managed"}, TEST_ONLY])


def dictionaries(**optional: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=optional)


@st.composite
def regions(draw: st.DrawFn, /, **statements: st.SearchStrategy[Any]) -> list[dict[str, Any]]:
    names = draw(st.lists(st.sampled_from(REGIONS), min_size=1, max_size=3, unique=True))
    own = draw(st.sampled_from([st.just({}), wishes]))
    return [{"name": name} | draw(own) | draw(dictionaries(**statements)) for name in names]


kinds = st.sampled_from([{"type": "serverless"}, {"type": "classic"}, {"tier": "developer"}])
providers = st.sampled_from(["aws", "azure"])
attestations = st.just({"encrypted": True, "by": "acme-security", "on": "2026-11-01"})


@st.composite
def existing_databases(draw: st.DrawFn) -> dict[str, Any]:
    own = database_data(
        id=draw(st.sampled_from(["one", "two"])),
        name="acme-orders",
        provider=draw(providers),
        regions=draw(regions(added_at=TIMES)),
    )
    del own["type"], own["created_at"]
    more = draw(dictionaries(created_at=TIMES, data=st.just("stringent")))
    return own | draw(kinds) | draw(wishes) | more


@st.composite
def planned_databases(draw: st.DrawFn, recorded: Organization) -> dict[str, Any]:
    """Draw a planned database, mostly with the id of one of those that are recorded."""
    own: dict[str, Any] = {"name": "acme-other", "provider": draw(providers)} | draw(kinds)
    if recorded.databases and draw(st.integers(0, 3)):
        database = draw(st.sampled_from(recorded.databases))
        own = database.model_dump(include={"id", "name", "provider", "type", "tier"})
        own = {name: value for name, value in own.items() if value not in {None, "unknown"}}
    states = st.sampled_from(["existing", "planned"])
    own["regions"] = draw(regions(provider=providers) | regions(state=states) | regions())
    ids = st.sampled_from(["one", "three"])
    data = st.sampled_from(["ordinary", "stringent"])
    more = dictionaries(id=ids, data=data) | dictionaries(application_encryption=attestations)
    return own | draw(wishes) | draw(st.just({}) | more)


@st.composite
def keys(draw: st.DrawFn) -> dict[str, Any]:
    registered = st.builds(
        lambda time: {"at": time, "by": "acme-security", "on": "2026-11-01"}, TIMES
    )
    own = key_data(
        type=draw(st.sampled_from(["serverless", "classic"])),
        provider=draw(providers),
        region=draw(st.sampled_from(REGIONS)),
    )
    return own | draw(dictionaries(registered=registered))


@st.composite
def organizations(draw: st.DrawFn) -> Organization:
    unique = st.lists(
        existing_databases(), min_size=1, max_size=2, unique_by=lambda each: each["id"]
    )
    listed = st.lists(keys(), max_size=3, unique_by=lambda each: (each["type"], each["key_id"]))
    paid = st.builds(
        lambda paid: {"paid": paid, "by": "acme-security", "on": "2026-11-01"}, st.booleans()
    )
    return an_organization(
        databases=draw(st.sampled_from([None, ()]) | unique | unique | unique),
        keys=draw(st.none() | listed | listed),
        plan=draw(paid),
    )


def worst(findings: list[Finding]) -> dict[tuple[str, str], int]:
    """Return how bad the worst finding of each rule about each subject is."""
    found: dict[tuple[str, str], int] = {}
    for finding in findings:
        place = finding.rule, finding.subject.path
        found[place] = max(found.get(place, 0), BADNESS[finding.status])
    return found


def verdicts(organization: Organization) -> dict[tuple[str, str], int]:
    """Judge by every rule but CMEK-09: a key is registered before what is planned for it."""
    rules = [rule for rule in RULES if rule != "CMEK-09"]
    return worst([finding for rule in rules for finding in judged(rule, organization)])


@examples(300)
@given(st.data(), organizations())
def test_no_plan_makes_anything_better(data: st.DataObject, recorded: Organization) -> None:
    """Whatever a plan says, it is refused, or all that exists is judged no better than without."""
    planned = data.draw(st.lists(planned_databases(recorded), min_size=1, max_size=2))
    before = verdicts(recorded)
    try:
        after = verdicts(planning(recorded, *planned))
    except InventoryError:
        return
    assert {place: bad for place, bad in before.items() if after.get(place, -1) < bad} == {}
