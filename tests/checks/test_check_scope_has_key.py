from __future__ import annotations

import pytest

from checks.engine.card import rank
from tests.builders import (
    ORGANIZATION,
    a_database,
    a_key,
    a_planned_database,
    an_organization,
    aws_key_id,
    uuid,
)
from tests.checks.judging import judged, judged_once, of_unknown_type


def test_a_scope_is_counted_once_however_many_databases_it_holds() -> None:
    """One finding speaks for all existing databases of a scope, and one for all planned ones."""
    databases = [a_database(id=uuid(number)) for number in range(4)]
    planned = [a_planned_database(name="acme-a"), a_planned_database(name="acme-b")]
    found = judged("CMEK-01", an_organization(keys=[], databases=[*databases, *planned]))
    assert [(finding.cause, finding.databases, finding.existing) for finding in found] == [
        ("planned-without-key", 2, 0),
        ("without-key", 4, 4),
    ]
    assert {finding.status for finding in found} == {"fail"}
    assert {finding.subject.path for finding in found} == {
        f"{ORGANIZATION}/serverless/aws/us-east-1"
    }
    action = "Register a key for acme-prod / serverless / aws / us-east-1"
    assert {finding.action for finding in found} == {action}


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
    """A missing key is critical as long as a database that wants it is is only planned."""
    found = judged("CMEK-01", an_organization(keys=[], databases=databases))
    assert min((finding.severity for finding in found), key=rank) == severity


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
    assert finding.message == "Declared to use Astra's keys: holds public data"


def test_a_pass_names_the_key_and_where_it_stands() -> None:
    """A pass gives the key's id, and the places of key and databases as evidence."""
    key, database = a_key(), a_database()
    organization = an_organization(keys=[key.at("now.yaml", 4)], databases=[database.at("n", 9)])
    finding = judged_once("CMEK-01", organization)
    assert finding.message == f"The key {aws_key_id()} is registered."
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


def test_a_scope_that_can_have_no_key_is_one_finding() -> None:
    """Managed Clusters on Azure are left to their own rule once, existing and planned alike."""
    place = {"type": "managed-clusters", "provider": "azure", "regions": ["westeurope"]}
    databases = [a_database(**place), a_planned_database(**place)]
    finding = judged_once("CMEK-01", an_organization(databases=databases))
    assert (finding.status, finding.reason, finding.databases, finding.existing) == (
        "not-applicable",
        "unsupported-combination",
        2,
        1,
    )


def test_one_database_that_wants_a_key_is_enough() -> None:
    """A scope is judged by the databases that want a key, wherever they are listed."""
    own = a_database(id=uuid(7), encryption="astra-provided", reason="public data")
    for databases in ([own, a_database()], [a_database(), own]):
        finding = judged_once("CMEK-01", an_organization(databases=databases))
        assert (finding.status, finding.databases) == ("pass", 2)


def test_the_evidence_of_a_pass_begins_with_what_is_planned() -> None:
    """Of the databases that rest on a key, the planned ones are shown before the others."""
    databases = [a_database(id=uuid(number)).at("now.yaml", number) for number in range(3)]
    planned = a_planned_database().at("plan.yaml", 1)
    organization = an_organization(keys=[a_key()], databases=[*databases, planned])
    finding = judged_once("CMEK-01", organization)
    assert (finding.status, finding.evidence[1:]) == (
        "pass",
        (("plan.yaml", 1), ("now.yaml", 0), ("now.yaml", 1)),
    )


def test_what_is_not_known_is_no_missing_key() -> None:
    """A scope of unknown type, or whose keys were not read, is inconclusive without a key."""
    unknown = an_organization(databases=[of_unknown_type()])
    finding = judged_once("CMEK-01", unknown)
    assert (finding.status, finding.reason) == ("inconclusive", "unknown-type")
    gaps = [{"fact": "serverless-keys", "reason": "refused"}]
    finding = judged("CMEK-01", an_organization(keys=[], gaps=gaps))[-1]
    assert (finding.status, finding.reason) == ("inconclusive", "refused")
    assert (
        finding.message
        == "No key is recorded, and the list of serverless keys may be incomplete: refused."
    )
    assert finding.subject.kind == "key-scope"


def test_an_exemption_is_shown_where_its_databases_were_read() -> None:
    """A scope that needs no key names the databases that want none."""
    own = a_database(encryption="astra-provided", reason="public data").at("now.yaml", 9)
    finding = judged_once("CMEK-01", an_organization(databases=[own]))
    assert (finding.status, finding.evidence) == ("not-applicable", (("now.yaml", 9),))
