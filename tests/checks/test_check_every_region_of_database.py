from __future__ import annotations

from tests.builders import a_database, a_key, a_planned_database, an_organization, aws_key_id
from tests.checks.judging import causes, judged, judged_once

TWO = ["us-east-1", "us-west-2"]


def test_regions_without_a_key_are_named() -> None:
    """Each region that has no key is a cause of its own."""
    database = a_database(regions=[*TWO, "eu-west-1"])
    found = judged("CMEK-03", an_organization(databases=[database]))
    assert [each.cause for each in found] == ["without-key:us-west-2", "without-key:eu-west-1"]
    finding = found[0]
    assert finding.says == "The region us-west-2 has no key."
    assert finding.action == (
        "Recreate the databases of acme-prod / serverless / aws / us-west-2 "
        "once its key is registered"
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
    assert (finding.status, finding.says) == ("pass", "Each of 2 regions has its own key.")


def test_a_region_that_can_have_no_key_is_left_to_its_own_rule() -> None:
    """A region of Managed Clusters on Azure is not said to have a key: the other rule is named."""
    regions = [{"name": "us-east-1"}, {"name": "westeurope", "provider": "azure"}]
    database = a_database(type="managed-clusters", regions=regions)
    keys = [a_key(type="managed-clusters")]
    finding = judged_once("CMEK-03", an_organization(keys=keys, databases=[database]))
    assert finding.status == "pass"
    assert finding.says == (
        "Each of 1 regions has its own key. "
        "CMEK-04 judges 1 more, where Astra has no customer keys."
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
    assert [(each.status, each.cause) for each in found] == [
        ("fail", "shares-key:us-east-1"),
        ("fail", "shares-key:us-west-2"),
    ]
    assert found[0].says == (
        "The region us-east-1 has no key of its own: it shares one with us-west-2."
    )
    assert found[0].action == f"Give each scope a key of its own instead of {aws_key_id()}"


def test_an_unread_list_is_a_cause_for_each_region() -> None:
    """Where the keys may not be all, each region without one is inconclusive by itself."""
    gaps = [{"fact": "serverless-keys", "reason": "refused"}]
    organization = an_organization(databases=[a_database(regions=TWO)], gaps=gaps)
    assert causes("CMEK-03", organization) == ["refused:us-west-2"]
