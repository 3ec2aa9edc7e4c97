from __future__ import annotations

import pytest

from checks.shared.remedies import FIND_TYPE
from inventory.model.organization import Policy
from tests.builders import (
    a_database,
    a_key,
    a_planned_database,
    a_view,
    an_organization,
    azure_key_id,
)
from tests.checks.judging import judged, judged_once, of_unknown_type

AZURE = {"type": "managed-clusters", "provider": "azure", "regions": ["westeurope"]}


def test_the_other_rules_leave_such_a_database_to_this_one() -> None:
    """A database on Azure Managed Clusters fails here only, once, and not for its missing key."""
    organization = an_organization(keys=[], databases=[a_database(**AZURE)])
    found = {
        rule: [finding.status for finding in judged(rule, organization)]
        for rule in ("CMEK-01", "CMEK-04", "CMEK-05")
    }
    assert found == {
        "CMEK-01": ["not-applicable"],
        "CMEK-04": ["fail"],
        "CMEK-05": ["not-applicable"],
    }


def test_a_planned_database_counts_as_planned() -> None:
    """A planned database there fails before it is deployed."""
    organization = an_organization(databases=[a_planned_database(**AZURE)])
    finding = judged_once("CMEK-04", organization)
    assert (finding.status, finding.databases, finding.existing) == ("fail", 1, 0)


@pytest.mark.parametrize("type_", ["serverless", "managed-clusters"])
def test_a_policy_may_declare_the_whole_type(type_: str) -> None:
    """The policy of the database's own type decides, and that of the other type does not."""
    own_keys = {"encryption": "astra-provided", "reason": "public data"}
    policy = Policy.model_validate({"types": {type_: own_keys}})
    organization = an_organization(databases=[a_database(**AZURE)], policy=policy)
    expected = "pass" if type_ == "managed-clusters" else "fail"
    assert judged_once("CMEK-04", organization).status == expected


def test_a_key_registered_there_is_a_mistake() -> None:
    """A key for that kind fails, also where no database lies."""
    key = a_key(type="classic", provider="azure", region="westeurope")
    finding = judged_once("CMEK-04", an_organization(keys=[key], databases=[]))
    assert (finding.status, finding.subject.kind) == ("fail", "key")
    assert finding.message == "The record shows a customer key where Astra supports none."


def test_what_is_not_of_the_kind_is_no_subject() -> None:
    """Serverless on Azure and Managed Clusters elsewhere are none of the rule's."""
    others = [
        a_database(id="a", provider="azure", regions=["westeurope"]),
        a_database(id="b", type="managed-clusters"),
    ]
    assert judged("CMEK-04", an_organization(databases=others)) == []
    assert judged("CMEK-04", an_organization(databases=others[1:])) == []


def test_a_key_that_only_a_view_shows_is_found() -> None:
    """A key that the view of one region shows there fails, also where the list holds none."""
    place = {"type": "managed-clusters", "provider": "azure", "region": "westeurope"}
    view = a_view(**place, key_id=azure_key_id())
    finding = judged_once("CMEK-04", an_organization(region_views=[view], databases=[]))
    assert (finding.status, finding.cause, finding.subject.key) == (
        "fail",
        "key-registered",
        azure_key_id(),
    )
    both = an_organization(keys=[a_key(**place)], region_views=[view], databases=[])
    assert len(judged("CMEK-04", both)) == 1
    none = an_organization(region_views=[a_view(**place, key_id=None)], databases=[])
    assert judged("CMEK-04", none) == []


def test_each_region_there_is_a_cause() -> None:
    """A region that is planned there is another cause than one that exists."""
    regions = [{"name": "westeurope"}, {"name": "northeurope", "state": "planned"}]
    database = a_database(**(AZURE | {"regions": regions}))
    found = judged("CMEK-04", an_organization(databases=[database]))
    assert [finding.cause for finding in found] == [
        "key-expected:westeurope",
        "planned-key-expected:northeurope",
    ]


def test_only_the_regions_of_the_kind_are_judged() -> None:
    """Other regions and other databases are no matter of the rule, also beside one that is."""
    regions = [{"name": "us-east-1", "provider": "aws"}, {"name": "westeurope"}]
    database = a_database(**(AZURE | {"regions": regions}))
    organization = an_organization(databases=[a_database(id="other"), database])
    finding = judged_once("CMEK-04", organization)
    assert (finding.status, finding.cause) == ("fail", "key-expected:westeurope")
    assert finding.message == (
        "A customer key is expected in westeurope, where Astra supports none: it uses its own keys."
    )
    assert finding.action == (
        "Move the Managed Clusters of acme-prod on Azure elsewhere, or declare them astra-provided"
    )
    assert (finding.databases, finding.existing) == (1, 1)


def test_a_declaration_is_shown_with_its_reason() -> None:
    """A database that is declared to use Astra's keys passes, and the reason is shown."""
    own_keys = {"encryption": "astra-provided", "reason": "public data"}
    organization = an_organization(databases=[a_database(**AZURE, **own_keys).at("now.yaml", 5)])
    finding = judged_once("CMEK-04", organization)
    assert (finding.status, finding.message, finding.evidence) == (
        "pass",
        "The database is declared to use Astra's keys: public data",
        (("now.yaml", 5),),
    )


def test_an_azure_database_of_unknown_type_may_be_of_the_kind() -> None:
    """A tier without a type is inconclusive on Azure, and none of the rule's elsewhere."""
    unknown = of_unknown_type(provider="azure", regions=["westeurope"])
    finding = judged_once("CMEK-04", an_organization(databases=[unknown]))
    assert (finding.status, finding.cause, finding.action) == (
        "inconclusive",
        "unknown-type",
        FIND_TYPE.sentence,
    )
    assert finding.message == (
        "Tier 'developer' does not show whether this is a Managed Clusters database."
    )
    serverless = a_database(id="other", provider="azure", regions=["westeurope"])
    for databases in ([of_unknown_type()], [serverless], [of_unknown_type(), serverless]):
        assert judged("CMEK-04", an_organization(databases=databases)) == []


def test_each_key_there_is_a_finding() -> None:
    """Two keys of one scope are two mistakes, each shown where it stands with its databases."""
    place = {"type": "managed-clusters", "provider": "azure", "region": "westeurope"}
    keys = [
        a_key(**place, key_id=azure_key_id(name)).at("keys.yaml", line)
        for line, name in enumerate(("one", "two"), 1)
    ]
    databases = [a_database(**AZURE)]
    found = judged("CMEK-04", an_organization(keys=keys, databases=databases))[1:]
    assert [
        (finding.subject.key, finding.action, finding.evidence, finding.databases)
        for finding in found
    ] == [
        (
            azure_key_id(name),
            f"Find out what the key {azure_key_id(name)} was registered for",
            (("keys.yaml", line),),
            1,
        )
        for line, name in enumerate(("one", "two"), 1)
    ]
