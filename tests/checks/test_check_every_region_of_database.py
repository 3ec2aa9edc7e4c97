from __future__ import annotations

from tests.builders import a_database, a_key, a_planned_database, an_organization
from tests.checks.judging import judged, judged_once

TWO = ["us-east-1", "us-west-2"]


def test_regions_without_a_key_are_named() -> None:
    """A failure counts and names each region that has no key."""
    database = a_database(regions=[*TWO, "eu-west-1"])
    finding = judged_once("CMEK-03", an_organization(databases=[database]))
    assert finding.says == "2 of 3 regions have no key: us-west-2, eu-west-1."
    assert finding.action == "Register a key for acme-prod / serverless / aws / us-west-2"
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
    assert (
        judged_once(
            "CMEK-03", an_organization(keys=[a_key(), same_name], databases=[database])
        ).says
        == "1 of 2 regions have no key: us-east1."
    )
    keys = [a_key(), a_key(provider="gcp", region="us-east1")]
    finding = judged_once("CMEK-03", an_organization(keys=keys, databases=[database]))
    assert (finding.status, finding.says) == ("pass", "Each of 2 regions has its key.")


def test_a_region_that_can_have_no_key_is_left_to_its_own_rule() -> None:
    """A region of Managed Clusters on Azure is not said to have a key: the other rule is named."""
    regions = [{"name": "us-east-1"}, {"name": "westeurope", "provider": "azure"}]
    database = a_database(type="managed-clusters", regions=regions)
    keys = [a_key(type="managed-clusters")]
    finding = judged_once("CMEK-03", an_organization(keys=keys, databases=[database]))
    assert finding.status == "pass"
    assert finding.says == (
        "Each of 1 regions has its key. CMEK-04 judges 1 more, where Astra has no customer keys."
    )
