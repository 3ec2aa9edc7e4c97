"""The worked examples of the vendor's documentation: how many keys are needed."""

from __future__ import annotations

import pytest

from checks.engine.evaluation import evaluate
from inventory.model.database import Database
from inventory.model.organization import Organization
from tests.builders import a_database, a_planned_database, an_organization, key_data, uuid
from tests.checks.judging import CONTEXT, RULES, judged

Place = tuple[str, str, tuple[str, ...]]
"""A database's type, provider and regions."""

SERVERLESS, MANAGED = "Astra DB Serverless", "Astra Managed Clusters"
EXAMPLES: dict[str, tuple[list[Place], int]] = {
    "AWS us-east-2 and AWS ap-south-1": (
        [(SERVERLESS, "AWS", ("us-east-2",)), (SERVERLESS, "AWS", ("ap-south-1",))],
        2,
    ),
    "AWS us-east-2 only": (
        [(SERVERLESS, "AWS", ("us-east-2",)), (SERVERLESS, "AWS", ("us-east-2",))],
        1,
    ),
    "AWS us-east-1 and GCP us-east1": (
        [(SERVERLESS, "AWS", ("us-east-1",)), (SERVERLESS, "GCP", ("us-east1",))],
        2,
    ),
    "a multi-region database": ([(SERVERLESS, "AWS", ("us-east-2", "ap-south-1"))], 2),
    "one type in two regions": (
        [(MANAGED, "AWS", ("us-east-2",)), (MANAGED, "AWS", ("ap-south-1",))],
        2,
    ),
    "both types in the same two regions": (
        [
            (SERVERLESS, "AWS", ("us-east-2",)),
            (SERVERLESS, "AWS", ("ap-south-1",)),
            (MANAGED, "AWS", ("us-east-2",)),
            (MANAGED, "AWS", ("ap-south-1",)),
        ],
        4,
    ),
    "the table of combinations": (
        [
            (SERVERLESS, "AWS", ("us-east-2",)),
            (SERVERLESS, "AWS", ("ap-south-1",)),
            (SERVERLESS, "Google Cloud", ("us-east1",)),
            (MANAGED, "AWS", ("us-east-2",)),
            (MANAGED, "AWS", ("ap-south-1",)),
            (MANAGED, "Google Cloud", ("us-east1",)),
        ],
        6,
    ),
}
EACH = pytest.mark.parametrize(("places", "count"), EXAMPLES.values(), ids=list(EXAMPLES))


def planned(places: list[Place]) -> list[Database]:
    return [
        a_planned_database(name=f"acme-{n}", type=kind, provider=provider, regions=regions)
        for n, (kind, provider, regions) in enumerate(places)
    ]


def with_keys_for(organization: Organization) -> Organization:
    """Register a key for each scope of which the rule says that it has none."""
    missing = [finding for finding in judged("CMEK-01", organization) if finding.status == "fail"]
    keys = [
        key_data(type=each.subject.type, provider=each.subject.provider, region=each.subject.region)
        | (
            {"key_id": f"arn:aws:kms:{each.subject.region}:111122223333:key/{uuid(number)}"}
            if each.subject.provider == "aws"
            else {
                "key_id": f"projects/acme-prod/locations/{each.subject.region}"
                f"/keyRings/acme/cryptoKeys/key-{number}"
            }
        )
        for number, each in enumerate(missing)
    ]
    return an_organization(keys=keys, databases=organization.databases)


@EACH
def test_the_documentation_needs_as_many_keys(places: list[Place], count: int) -> None:
    """As many key scopes lack a key as the documentation says that keys are needed."""
    findings = judged("CMEK-01", an_organization(keys=[], databases=planned(places)))
    assert [(finding.status, finding.severity) for finding in findings] == [
        ("fail", "critical")
    ] * count


@EACH
def test_exactly_as_many_keys_suffice(places: list[Place], count: int) -> None:
    """With that many keys every rule of scope and order passes, and no key is idle."""
    organization = with_keys_for(an_organization(keys=[], databases=planned(places)))
    assert len(organization.keys or ()) == count
    rules = [RULES[f"CMEK-{each}"] for each in ("01", "02", "03", "05", "07", "09")]
    findings = list(evaluate([organization], rules, CONTEXT))
    assert {finding.status for finding in findings} == {"pass"}
    assert sum(finding.rule == "CMEK-01" for finding in findings) == count


@EACH
def test_one_key_less_does_not_suffice(places: list[Place], count: int) -> None:
    """Whichever key is left out, its scope lacks one."""
    organization = with_keys_for(an_organization(keys=[], databases=planned(places)))
    keys = organization.keys or ()
    for left_out in keys:
        fewer = organization.model_copy(update={"keys": tuple(k for k in keys if k != left_out)})
        failed = [finding for finding in judged("CMEK-01", fewer) if finding.status == "fail"]
        assert [finding.subject[3:6] for finding in failed] == [
            (left_out.type, left_out.provider, left_out.region)
        ]


def test_a_new_key_cannot_be_used_for_an_existing_database() -> None:
    """A key registered after the database was deployed makes the scope whole, not the database."""
    registered = {"at": "2026-07-01T00:00:00Z", "by": "acme-security", "on": "2026-07-01"}
    organization = an_organization(
        keys=[key_data(registered=registered)], databases=[a_database(id=uuid(1))]
    )
    found = {
        rule: [finding.status for finding in judged(rule, organization)]
        for rule in ("CMEK-01", "CMEK-05")
    }
    assert found == {"CMEK-01": ["pass"], "CMEK-05": ["fail"]}
