"""What was judged, a line each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from checks.engine.context import Context
from checks.engine.evaluation import evaluate
from checks.engine.finding import database_subject, key_subject
from inventory.index.organization_index import scope_of
from inventory.model.organization import Expectation, Policy
from inventory.model.planned_keys import PlannedKey
from inventory.model.terraform_managed import ManagedResources
from reports.record.population import Population
from reports.record.population_lines import population_lines
from tests.builders import (
    AS_OF,
    ORGANIZATION,
    a_database,
    a_key,
    a_planned_database,
    an_organization,
    aws_key_id,
    kms_facts,
    uuid,
)
from tests.reports.everything import an_organization_with_everything, an_organization_with_plans
from tests.reports.recording import RULES, SOURCE

if TYPE_CHECKING:
    from checks.engine.context import Kms
    from inventory.model.organization import Organization

LOOK = {"by": "acme-security", "on": "2026-11-01"}


def _lines(organization: Organization, kms: Kms = "recorded") -> Any:  # noqa: ANN401 (parts of the record)
    context = Context(AS_OF, kms=kms)
    return [json.loads(line) for line in population_lines(organization, context)]


def test_an_organization_is_listed_with_its_keys_and_databases() -> None:
    """The organization comes first, then its keys, then its databases, each with its place."""
    key = a_key(registered={"at": "2026-05-01T00:00:00Z", "by": "it", "on": "2026-05-01"})
    database = a_database(name="acme-\u00fcrders", regions=["us-east-1"])
    organization = an_organization(
        keys=[key.at("acme.yaml", 3)], databases=[database.at("acme.yaml", 9)]
    ).at("acme.yaml", 1)
    assert _lines(organization) == [
        {
            "kind": "organization",
            "path": ORGANIZATION,
            "id": ORGANIZATION,
            "name": "acme-prod",
            "file": "acme.yaml",
            "line": 1,
            "captured_at": "2026-11-20T02:00:00Z",
        },
        {
            "kind": "key",
            "path": key_subject(scope_of(ORGANIZATION, key), key.key_id).path,
            "organization": ORGANIZATION,
            "state": "registered",
            "type": key.type,
            "provider": key.provider,
            "region": key.region,
            "key_id": key.key_id,
            "file": "acme.yaml",
            "line": 3,
            "registered": "2026-05-01T00:00:00Z",
            "attested_by": "it",
            "attested_on": "2026-05-01",
            "first_seen": "2026-11-20T02:00:00Z",
        },
        {
            "kind": "database",
            "path": database_subject(ORGANIZATION, database).path,
            "organization": ORGANIZATION,
            "state": "existing",
            "id": database.id,
            "name": "acme-\u00fcrders",
            "type": database.type,
            "provider": database.provider,
            **({"created_at": _time(database)} if database.created_at else {}),
            "regions": [
                {
                    "name": "us-east-1",
                    "scope": f"{ORGANIZATION}/serverless/aws/us-east-1",
                    "state": "existing",
                    "added_at": "2026-06-01T00:00:00Z",
                    "encryption": "customer-managed",
                }
            ],
            "file": "acme.yaml",
            "line": 9,
        },
    ]


def _time(database: Any) -> str:  # noqa: ANN401 (a database)
    return f"{database.created_at.isoformat()[:-6]}Z"


def test_a_key_is_listed_with_what_its_cloud_and_the_portal_show() -> None:
    """Facts of the cloud and looks at the portal are part of a key's line, and of a region's."""
    region = {"name": "us-east-1", "portal": {"key": "customer", **LOOK}}
    organization = an_organization(
        keys=[a_key(kms=kms_facts(), portal={"status": "in-use", **LOOK})],
        databases=[a_database(regions=[region])],
    )
    _, key, database = _lines(organization)
    assert key["cloud"]["observed_at"] == "2026-11-20T02:00:00Z"
    assert key["portal"] == {"status": "in-use", **LOOK, "due": "2027-11-01"}
    assert database["regions"][0]["portal"] == {"key": "customer", **LOOK, "due": "2027-11-01"}


def test_facts_of_a_planned_key_are_listed() -> None:
    """What a cloud shows of a key that is only planned is part of its line."""
    planned = PlannedKey(
        type="serverless",
        provider="aws",
        region="us-east-1",
        key_id=aws_key_id(),
        kms=kms_facts(enabled=False),
    )
    managed = ManagedResources(planned_keys=(planned,))
    organization = an_organization(keys=[], databases=[]).with_managed(managed)
    assert [line["cloud"]["enabled"] for line in _lines(organization)[1:]] == [False]


def test_facts_of_clouds_that_are_left_out_are_not_listed() -> None:
    """An audit that leaves the clouds out lists nothing of what they show: it judged nothing by it.

    What people saw in the portal stays.
    """
    key = a_key(kms=kms_facts(), portal={"status": "in-use", **LOOK})
    _, line = _lines(an_organization(keys=[key], databases=[]), kms="none")
    assert ("cloud" in line, "portal" in line) == (False, True)


def test_only_grants_of_the_vendor_accounts_of_the_scope_count() -> None:
    """A grant is the vendor's if Astra names its issuer for the key's own scope."""
    scope = {"type": "serverless", "provider": "aws"}
    grant = {"id": "g", "grantee": "x", "operations": (), "issued_by": "999988887777"}
    shown = []
    for region in ("us-east-1", "us-west-2"):
        account = scope | {"region": region, "account": "999988887777"}
        key = a_key(kms=kms_facts(grants=[grant]))
        organization = an_organization(keys=[key], databases=[], vendor_accounts=[account])
        shown.append("vendor_grants" in _lines(organization)[1]["cloud"])
    assert shown == [True, False]


def test_the_lines_add_up_to_the_numbers_of_the_head() -> None:
    """Organizations, keys and databases are as many lines as the head counts, in every state."""
    organizations = [an_organization_with_everything(), an_organization_with_plans()]
    population = Population()
    for organization in organizations:
        population.add(organization)
    lines = [line for organization in organizations for line in _lines(organization)]
    states = [(line["kind"], line.get("state", "")) for line in lines]
    # Of an organization that only a plan knows, the head counts no databases: nobody read them.
    totals: Any = population.summary([SOURCE])["totals"]
    assert totals == {
        "organizations": states.count(("organization", "")),
        "keys": states.count(("key", "registered")),
        "planned_keys": states.count(("key", "planned")),
        "existing": states.count(("database", "existing")),
        "planned": states.count(("database", "planned")),
        "terminated": states.count(("database", "terminated")),
    }


def test_findings_name_what_is_listed() -> None:
    """The path of a line is the subject of the findings about it."""
    organization = an_organization_with_everything()
    found = evaluate([organization], RULES, Context(AS_OF))
    subjects = {finding.subject.path for finding in found}
    keys = {line["path"] for line in _lines(organization) if line["kind"] == "key"}
    assert keys <= subjects
    databases = [line for line in _lines(organization) if line["kind"] == "database"]
    regions = {
        f"{line['path']}/{region['name']}"
        for line in databases
        if line["state"] == "existing"
        for region in line["regions"]
    }
    assert regions <= subjects


def test_what_is_expected_is_resolved() -> None:
    """A region states the encryption that it, its database or the policy asks for."""
    policy = Policy(default=Expectation(encryption="astra-provided", reason="a trial"))
    databases = [
        a_database(id=uuid(1), regions=["us-east-1"]),
        a_database(id=uuid(2), regions=["us-east-1"], encryption="customer-managed"),
    ]
    organization = an_organization(databases=databases, policy=policy)
    listed = [line["regions"][0] for line in _lines(organization) if line["kind"] == "database"]
    expected = ["astra-provided", "customer-managed"]
    assert [region["encryption"] for region in listed] == expected


def test_a_terminated_database_exists_nowhere() -> None:
    """A terminated database is listed as such, and so are its regions."""
    organization = an_organization(databases=[a_database(status="terminated")])
    [line] = [line for line in _lines(organization) if line["kind"] == "database"]
    assert (line["state"], {region["state"] for region in line["regions"]}) == (
        "terminated",
        {"terminated"},
    )


def test_a_planned_database_has_no_id() -> None:
    """A planned database goes by its name, and so do its findings."""
    database = a_planned_database()
    [line] = [
        line for line in _lines(an_organization(databases=[database])) if line["kind"] == "database"
    ]
    assert ("id" in line, line["path"]) == (
        False,
        database_subject(ORGANIZATION, database).path,
    )


def test_the_creation_dates_a_database_of_one_region() -> None:
    """A region without a time of its own shows when the rule holds it to be deployed, if ever."""
    undated: Any = [
        {"name": "us-east-1", "added_at": None},
        {"name": "us-east-2", "added_at": None},
    ]
    databases = [
        a_database(regions=undated[:1]),
        a_database(id=uuid(1), regions=undated),
        a_database(id=uuid(2), regions=undated[:1], created_at=None),
        a_database(id=uuid(3), regions=undated[:1], status="TERMINATED"),
    ]
    lines = _lines(an_organization(keys=[], databases=databases))[1:]
    assert [[region.get("deployed_at") for region in line["regions"]] for line in lines] == [
        ["2026-06-01T00:00:00Z"],
        [None, None],
        [None],
        [None],
    ]
