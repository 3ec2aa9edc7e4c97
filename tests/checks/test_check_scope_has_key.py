from __future__ import annotations

import pytest

from checks.card import rank
from tests.builders import (
    ORGANIZATION,
    a_database,
    a_key,
    a_planned_database,
    an_organization,
    aws_key_id,
    uuid,
)
from tests.checks.judging import judged, judged_once


def test_a_scope_is_counted_once_however_many_databases_it_holds() -> None:
    """One finding speaks for all existing databases of a scope, and one for all planned ones."""
    databases = [a_database(id=uuid(number)) for number in range(4)]
    planned = [a_planned_database(name="acme-a"), a_planned_database(name="acme-b")]
    found = judged("CMEK-01", an_organization(keys=[], databases=[*databases, *planned]))
    assert [(each.cause, each.databases, each.existing) for each in found] == [
        ("planned-without-key", 2, 0),
        ("without-key", 4, 4),
    ]
    assert {each.status for each in found} == {"fail"}
    assert {each.subject.path for each in found} == {f"{ORGANIZATION}/serverless/aws/us-east-1"}
    action = "Register a key for acme-prod / serverless / aws / us-east-1"
    assert {each.action for each in found} == {action}


@pytest.mark.parametrize(
    ("databases", "severity"),
    [
        ([a_database()], "high"),
        ([a_planned_database()], "critical"),
        ([a_database(), a_planned_database()], "critical"),
        # What is only planned here is to use Astra's own keys: nothing can be prevented.
        (
            [a_database(), a_planned_database(encryption="astra-provided", reason="public data")],
            "high",
        ),
    ],
)
def test_a_failure_that_can_still_be_prevented_is_critical(
    databases: list[object], severity: str
) -> None:
    """A missing key is critical as long as a database that wants it is only planned."""
    found = judged("CMEK-01", an_organization(keys=[], databases=databases))
    assert min((each.severity for each in found), key=rank) == severity


def test_a_failure_concerns_the_databases_that_want_a_key() -> None:
    """Databases that are declared to use Astra's keys are not counted among the unprotected."""
    own = a_database(id=uuid(7), encryption="astra-provided", reason="public data")
    finding = judged_once("CMEK-01", an_organization(keys=[], databases=[own, a_database()]))
    assert (finding.status, finding.databases, finding.existing) == ("fail", 1, 1)


def test_the_declared_reason_is_shown() -> None:
    """A scope whose databases use Astra's keys is listed with the reason and its databases."""
    own = a_database(encryption="astra-provided", reason="holds public data")
    finding = judged_once("CMEK-01", an_organization(keys=[], databases=[own]))
    assert (finding.status, finding.reason, finding.databases) == (
        "not-applicable",
        "astra-provided",
        1,
    )
    assert finding.says == "To be encrypted by Astra's keys: holds public data"


def test_a_pass_names_the_key_and_where_it_stands() -> None:
    """A pass gives the key's id, and the places of key and databases as evidence."""
    key, database = a_key(), a_database()
    organization = an_organization(keys=[key.at("now.yaml", 4)], databases=[database.at("n", 9)])
    finding = judged_once("CMEK-01", organization)
    assert finding.says == f"The key {aws_key_id()} is registered."
    assert finding.evidence == (("now.yaml", 4), ("n", 9))


def test_the_evidence_of_a_large_scope_is_its_first_databases() -> None:
    """Of many databases in a scope, the first three stand as evidence."""
    databases = [a_database(id=uuid(number)).at("now.yaml", number) for number in range(5)]
    finding = judged_once("CMEK-01", an_organization(keys=[], databases=databases))
    assert finding.evidence == (("now.yaml", 0), ("now.yaml", 1), ("now.yaml", 2))
    assert finding.databases == 5


def test_regions_are_compared_exactly() -> None:
    """A key registered for a region in another spelling does not help."""
    organization = an_organization(keys=[a_key(region="US-EAST-1")])
    assert judged_once("CMEK-01", organization).status == "fail"


def test_an_organization_without_databases_has_no_scope() -> None:
    """Where no database lies or is planned, no key is needed."""
    assert judged("CMEK-01", an_organization(databases=[])) == []
