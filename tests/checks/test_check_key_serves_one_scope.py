from __future__ import annotations

import pytest

from tests.builders import (
    a_database,
    a_key,
    a_planned_database,
    an_organization,
    aws_key_id,
    azure_key_id,
    gcp_key_id,
)
from tests.checks.judging import judged, judged_once

MULTI_REGION = "arn:aws:kms:us-east-1:111122223333:key/mrk-00000000000000000000000000000001"


def test_a_key_of_two_scopes_names_them() -> None:
    """A shared key fails for each scope that it serves, whatever its versions, and names all."""
    keys = [
        a_key(provider="gcp", region="us-east1", key_id=gcp_key_id(version=1)),
        a_key(provider="gcp", region="us-east1", key_id=gcp_key_id(version=2), type="classic"),
    ]
    found = judged("CMEK-02", an_organization(keys=keys))
    assert [(finding.status, finding.cause) for finding in found] == [
        ("fail", "serves:serverless/gcp/us-east1"),
        ("fail", "serves:managed-clusters/gcp/us-east1"),
    ]
    assert [finding.subject.type for finding in found] == ["serverless", "managed-clusters"]
    assert {finding.subject.path for finding in found} == {found[0].subject.path}
    finding = found[0]
    assert finding.subject.key == gcp_key_id()
    assert finding.message == (
        "acme-prod / serverless / gcp / us-east1 is one of 2 scopes that the key serves: "
        "acme-prod / serverless / gcp / us-east1, acme-prod / managed-clusters / gcp / us-east1."
    )
    assert len(finding.evidence) == 2


def test_two_keys_of_one_scope_are_named() -> None:
    """Two different keys claimed for one scope are a failure of the scope."""
    keys = [a_key(), a_key(key_id=aws_key_id(number=2))]
    found = judged("CMEK-02", an_organization(keys=keys))
    assert {(finding.subject.kind, finding.status) for finding in found} == {
        ("key-scope", "fail"),
        ("key-id", "pass"),
    }
    rivals = [finding for finding in found if finding.subject.kind == "key-scope"]
    assert [rival.cause for rival in rivals] == [
        f"rival-key:{aws_key_id()}",
        f"rival-key:{aws_key_id(number=2)}",
    ]
    scope = rivals[0]
    assert scope.message == (
        f"{aws_key_id()} is one of 2 keys claimed for the scope: {aws_key_id()}, "
        f"{aws_key_id(number=2)}."
    )


@pytest.mark.parametrize(
    ("provider", "one", "two"),
    [
        ("gcp", gcp_key_id(version=1), gcp_key_id(version=2)),
        ("gcp", gcp_key_id(), gcp_key_id(version=2)),
        ("azure", azure_key_id(), azure_key_id(version="0" * 32)),
        ("azure", azure_key_id(), azure_key_id().upper().replace("HTTPS", "https")),
    ],
)
def test_versions_are_one_key(provider: str, one: str, two: str) -> None:
    """Two ids that differ only by version, or on Azure by case, claim one scope as one key."""
    region = "us-east1" if provider == "gcp" else "westeurope"
    keys = [a_key(provider=provider, region=region, key_id=key_id) for key_id in (one, two)]
    assert judged_once("CMEK-02", an_organization(keys=keys)).status == "pass"


def test_multi_region_keys_pass_with_a_note() -> None:
    """A multi-Region key passes, and the finding says that its material is shared."""
    finding = judged_once("CMEK-02", an_organization(keys=[a_key(key_id=MULTI_REGION)]))
    assert finding.status == "pass"
    assert finding.message.endswith("Multi-Region keys share their material between regions.")
    plain = judged_once("CMEK-02", an_organization())
    assert plain.message == "The key serves acme-prod / serverless / aws / us-east-1 alone."


def test_a_project_named_by_id_and_by_number_passes_with_a_note() -> None:
    """Two ids of Google that may name one key are said to; two projects' ids never are."""
    here = "locations/us-east1/keyRings/astra/cryptoKeys/astra"
    ids = [f"projects/{project}/{here}" for project in ("acme", "123456789012")]
    types = ("serverless", "managed-clusters")
    keys = [
        a_key(type=each, provider="gcp", region="us-east1", key_id=key_id)
        for each, key_id in zip(types, ids, strict=True)
    ]
    found = judged("CMEK-02", an_organization(keys=keys))
    own, other = (f"acme-prod / {kind} / gcp / us-east1" for kind in types)
    assert [(finding.status, finding.message) for finding in found] == [
        ("pass", _may_be(own, other, "number")),
        ("pass", _may_be(other, own, "id")),
    ]
    apart = [keys[0], keys[1].model_copy(update={"key_id": f"projects/acme-two/{here}"})]
    found = judged("CMEK-02", an_organization(keys=apart))
    assert [finding.message for finding in found if "may be" in finding.message] == []


def _may_be(own: str, other: str, by: str) -> str:
    alone = f"The key serves {own} alone."
    return f"{alone} It may be the key that {other} names by the project's {by}."


@pytest.mark.parametrize(
    ("key_id", "reason"),
    [
        ("arn:aws:kms:us-east-1:111122223333:alias/acme", "alias"),
        ("acme-key", "unknown-key-id"),
    ],
)
def test_a_disguised_key_is_never_said_to_be_its_own(key_id: str, reason: str) -> None:
    """An alias can point elsewhere tomorrow, and an unknown id to anything: both are doubted."""
    finding = judged_once("CMEK-02", an_organization(keys=[a_key(key_id=key_id)]))
    assert (finding.status, finding.reason) == ("inconclusive", reason)
    assert finding.action == f"Record the id of the key itself instead of {key_id}"


def test_regions_of_one_account_have_keys_of_their_own() -> None:
    """The account is nothing to go by: two keys of one account pass."""
    keys = [a_key(), a_key(region="us-west-2")]
    found = judged("CMEK-02", an_organization(keys=keys))
    assert [finding.status for finding in found] == ["pass", "pass"]


def test_a_third_scope_is_a_cause_of_its_own() -> None:
    """Whoever accepted that a key serves two scopes has not accepted a third."""
    keys = [a_key(), a_key(type="managed-clusters")]
    third = a_key(region="us-west-2", key_id=aws_key_id())
    known = {finding.id for finding in judged("CMEK-02", an_organization(keys=keys))}
    found = judged("CMEK-02", an_organization(keys=[*keys, third]))
    assert [finding.cause for finding in found if finding.id not in known] == [
        "serves:serverless/aws/us-west-2"
    ]


def test_databases_that_rest_on_a_key_are_counted() -> None:
    """A finding about a key says how many databases of its scope there are, planned ones too."""
    databases = [a_database(), a_planned_database()]
    finding = judged_once("CMEK-02", an_organization(databases=databases))
    assert (finding.databases, finding.existing, finding.severity) == (2, 1, "high")


def test_a_finding_concerns_its_own_scope() -> None:
    """A key of two scopes, or two keys of one, concern the databases of the scope that is named."""
    databases = [a_database(), a_planned_database(), a_planned_database(regions=["us-west-2"])]
    shared = [a_key(), a_key(region="us-west-2", key_id=aws_key_id())]
    found = judged("CMEK-02", an_organization(keys=shared, databases=databases))
    assert [(finding.subject.region, finding.databases, finding.existing) for finding in found] == [
        ("us-east-1", 2, 1),
        ("us-west-2", 1, 0),
    ]
    assert {finding.subject.provider for finding in found} == {"aws"}
    assert {finding.action for finding in found} == {
        f"Give each key scope a key of its own instead of {aws_key_id()}"
    }
    rivals = [a_key(), a_key(key_id=aws_key_id(number=2))]
    found = judged("CMEK-02", an_organization(keys=rivals, databases=databases))
    assert {(finding.databases, finding.existing) for finding in found if finding.cause} == {(2, 1)}
