from __future__ import annotations

from inventory.model.database import DatabaseRegion
from tests.builders import a_database, a_key, a_planned_database, an_organization, aws_key_id
from tests.checks.judging import causes, judged, judged_once

TWO = ["us-east-1", "us-west-2"]
TEST_ONLY = {"encryption": "astra-provided", "reason": "test only"}


def test_regions_without_a_key_are_named() -> None:
    """Each region that has no key is a cause of its own."""
    database = a_database(regions=[*TWO, "eu-west-1"])
    found = judged("CMEK-03", an_organization(databases=[database]))
    assert [finding.cause for finding in found] == [
        "without-key:us-west-2",
        "without-key:eu-west-1",
    ]
    finding = found[0]
    assert finding.message == "The region us-west-2 has no key."
    assert finding.action == (
        "Recreate acme-orders once a key for acme-prod / serverless / aws / us-west-2 is "
        "registered, and migrate its data"
    )
    assert (finding.name, finding.severity, finding.databases, finding.existing) == (
        "acme-orders",
        "high",
        1,
        1,
    )


def test_a_planned_database_of_several_regions_does_not_exist() -> None:
    """A planned database is judged as an existing one, and counted as planned."""
    database = a_planned_database(regions=TWO)
    finding = judged_once("CMEK-03", an_organization(databases=[database]))
    assert (finding.status, finding.databases, finding.existing) == ("fail", 1, 0)


def test_a_single_region_is_no_subject() -> None:
    """A database of one region is left to the rule about key scopes."""
    assert judged("CMEK-03", an_organization(keys=[])) == []


def test_regions_of_several_providers_need_a_key_each() -> None:
    """A region with a provider of its own needs a key with that provider."""
    regions = [{"name": "us-east-1"}, {"name": "us-east1", "provider": "gcp"}]
    database = a_database(regions=regions)
    same_name = a_key(provider="aws", region="us-east1")
    organization = an_organization(keys=[a_key(), same_name], databases=[database])
    assert causes("CMEK-03", organization) == ["without-key:us-east1"]
    keys = [a_key(), a_key(provider="gcp", region="us-east1")]
    finding = judged_once("CMEK-03", an_organization(keys=keys, databases=[database]))
    assert (finding.status, finding.message) == ("pass", "Each of 2 regions has its own key.")


def test_a_region_that_can_have_no_key_is_left_to_its_own_rule() -> None:
    """A region of Managed Clusters on Azure is not said to have a key: the other rule is named."""
    regions = [{"name": "us-east-1"}, {"name": "westeurope", "provider": "azure"}]
    database = a_database(type="managed-clusters", regions=regions)
    keys = [a_key(type="managed-clusters")]
    finding = judged_once("CMEK-03", an_organization(keys=keys, databases=[database]))
    assert finding.status == "pass"
    assert finding.message == (
        "Each of 1 regions has its own key. "
        "CMEK-04 judges 1 more, for which Astra has no customer keys."
    )


def test_a_planned_region_without_a_key_is_another_cause() -> None:
    """A region that is only planned has a cause of its own, so its deployment is no known one."""
    regions = [{"name": "us-east-1"}, {"name": "us-west-2", "state": "planned"}]
    planned = an_organization(databases=[a_database(regions=regions)])
    (finding,) = judged("CMEK-03", planned)
    assert finding.cause == "planned-without-key:us-west-2"
    assert finding.action == "Register a key for acme-prod / serverless / aws / us-west-2"
    deployed = an_organization(databases=[a_database(regions=TWO)])
    assert causes("CMEK-03", deployed) == ["without-key:us-west-2"]


def test_regions_that_share_a_key_have_none_of_their_own() -> None:
    """Two regions for which one key id is registered fail, each by its own cause."""
    keys = [a_key(), a_key(region="us-west-2", key_id=aws_key_id())]
    database = a_database(regions=TWO)
    found = judged("CMEK-03", an_organization(keys=keys, databases=[database]))
    assert [(finding.status, finding.cause) for finding in found] == [
        ("fail", "shares-key:us-east-1"),
        ("fail", "shares-key:us-west-2"),
    ]
    assert found[0].message == (
        "The region us-east-1 has no key of its own: it shares one with us-west-2."
    )
    assert found[0].action == f"Give each key scope a key of its own instead of {aws_key_id()}"


def test_an_unread_list_is_a_cause_for_each_region() -> None:
    """Where the keys may not be all, each region without one is inconclusive by itself."""
    gaps = [{"fact": "serverless-keys", "reason": "refused"}]
    organization = an_organization(databases=[a_database(regions=TWO)], gaps=gaps)
    assert causes("CMEK-03", organization) == ["refused:us-west-2"]


def test_the_first_region_that_can_have_a_key_decides_whether_the_rule_applies() -> None:
    """A region that needs a key fails, though a region before it can have none."""
    regions = [{"name": "westeurope", "provider": "azure"}, {"name": "us-east-1"}]
    database = a_database(type="managed-clusters", regions=regions)
    finding = judged_once("CMEK-03", an_organization(keys=[], databases=[database]))
    assert (finding.status, finding.cause) == ("fail", "without-key:us-east-1")


def test_a_region_that_wants_a_key_it_cannot_have_names_its_rule() -> None:
    """Where one region is to have no key and the other cannot, the other one's rule is named."""
    regions = [
        {"name": "us-east-1"},
        {
            "name": "westeurope",
            "provider": "azure",
            "state": "planned",
            "encryption": "customer-managed",
        },
    ]
    database = a_database(type="managed-clusters", regions=regions, **TEST_ONLY)
    finding = judged_once("CMEK-03", an_organization(keys=[], databases=[database]))
    assert (finding.status, finding.reason) == ("not-applicable", "unsupported-combination")


def test_regions_of_both_exemptions_are_counted_apart() -> None:
    """A pass counts the regions that cannot have a key, then those that are to have none."""
    regions = [
        {"name": "us-east-1"},
        {"name": "westeurope", "provider": "azure"},
        {"name": "us-west-2", "state": "planned", **TEST_ONLY},
    ]
    database = a_database(type="managed-clusters", regions=regions)
    keys = [a_key(type="managed-clusters")]
    finding = judged_once("CMEK-03", an_organization(keys=keys, databases=[database]))
    assert finding.status == "pass"
    assert finding.message == (
        "Each of 1 regions has its own key. "
        "CMEK-04 judges 1 more, for which Astra has no customer keys. "
        "1 more are declared to use Astra's keys."
    )


def test_a_region_with_a_second_key_still_shares_the_first() -> None:
    """A region fails if any of its keys is registered elsewhere; its first such key is named."""
    regions = ["us-east-1", "us-west-2", "eu-west-1", "eu-west-2", "ap-south-1"]
    own = a_key(region="us-east-1", key_id=aws_key_id(number=1))
    shared = [
        a_key(region=region, key_id=aws_key_id(number=number))
        for region in regions
        for number in (2, 3)
    ]
    database = a_database(regions=regions)
    finding = judged("CMEK-03", an_organization(keys=[own, *shared], databases=[database]))[0]
    assert (finding.status, finding.cause) == ("fail", "shares-key:us-east-1")
    assert finding.message == (
        "The region us-east-1 has no key of its own: "
        "it shares one with ap-south-1, eu-west-1, eu-west-2, us-west-2."
    )
    assert (
        finding.action == f"Give each key scope a key of its own instead of {aws_key_id(number=2)}"
    )


def test_the_evidence_of_a_pass_is_the_database_and_every_key() -> None:
    """A pass names where the planned region, the database and the key of each region were read."""
    added = DatabaseRegion(name="us-west-2", state="planned").at("plan.yaml", 7)
    keys = [a_key().at("keys.yaml", 1), a_key(region="us-west-2").at("keys.yaml", 2)]
    database = a_database(regions=["us-east-1", added]).at("databases.yaml", 3)
    finding = judged_once("CMEK-03", an_organization(keys=keys, databases=[database]))
    assert (finding.status, finding.evidence) == (
        "pass",
        (("plan.yaml", 7), ("databases.yaml", 3), ("keys.yaml", 1), ("keys.yaml", 2)),
    )


def test_the_evidence_about_a_planned_database_is_its_plan() -> None:
    """A planned database is named once, where the plan holds it."""
    database = a_planned_database(regions=TWO).at("plan.yaml", 2)
    finding = judged_once("CMEK-03", an_organization(databases=[database]))
    assert (finding.status, finding.evidence) == ("fail", (("plan.yaml", 2),))
