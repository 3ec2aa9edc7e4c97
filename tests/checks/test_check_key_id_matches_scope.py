from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import a_key, an_organization, aws_key_id, azure_key_id, gcp_key_id, key_id_for
from tests.checks.judging import causes, judged, judged_once
from tests.hypothesis_profile import examples

UUID = "00000000-0000-4000-8000-000000000001"
IN_US = f"arn:aws:kms:us-east-1:111122223333:key/{UUID}"


@pytest.mark.parametrize(
    ("provider", "region", "key_id", "message"),
    [
        (
            "aws",
            "us-east-2",
            IN_US,
            "The id names the region us-east-1, but the key is for us-east-2.",
        ),
        ("gcp", "us-east-1", IN_US, "The id is one of aws, but the key is for gcp."),
        ("azure", "us-east-1", IN_US, "The id is one of aws, but the key is for azure."),
        ("aws", "us-east1", gcp_key_id(), "The id is one of gcp, but the key is for aws."),
        ("aws", "westeurope", azure_key_id(), "The id is one of azure, but the key is for aws."),
        (
            "gcp",
            "us-east4",
            gcp_key_id(),
            "The id names the region us-east1, but the key is for us-east4.",
        ),
        (
            "gcp",
            "us-east1",
            gcp_key_id("global"),
            "The id names the region global, but the key is for us-east1.",
        ),
        (
            "aws",
            "us-gov-west-1",
            f"arn:aws:kms:us-gov-west-1:111122223333:key/{UUID}",
            "The partition aws has no region us-gov-west-1.",
        ),
        (
            "aws",
            "us-east-1",
            f"arn:aws-us-gov:kms:us-east-1:111122223333:key/{UUID}",
            "The partition aws-us-gov has no region us-east-1.",
        ),
        (
            "aws",
            "cn-north-1",
            f"arn:aws-us-gov:kms:cn-north-1:111122223333:key/{UUID}",
            "The partition aws-us-gov has no region cn-north-1.",
        ),
        (
            "aws",
            "us-east-1",
            "arn:aws:kms:us-east-1:111122223333:alias/acme",
            "The id is an alias, not the ARN of a key.",
        ),
        ("aws", "us-east-1", f"{IN_US}/", "The id has the form of no provider's key."),
        (
            "aws",
            "us-east-1",
            IN_US.replace("111122223333", "11112222333"),
            "The id has the form of no provider's key.",
        ),
        (
            "aws",
            "us-east-1",
            IN_US.replace(":aws:", ":aws-iso:"),
            "The id has the form of no provider's key.",
        ),
        ("azure", "westeurope", "acme-key", "The id has the form of no provider's key."),
    ],
)
def test_each_mismatch_is_reported(provider: str, region: str, key_id: str, message: str) -> None:
    """An id that cannot be the key of its scope fails, and the finding says why."""
    key = a_key(provider=provider, region=region, key_id=key_id)
    finding = judged_once("CMEK-07", an_organization(keys=[key]))
    assert (finding.status, finding.message) == ("fail", message)
    assert finding.action == (
        f"Correct the record of the key {key_id}, or have IBM Support replace it"
    )


@pytest.mark.parametrize(
    ("provider", "region", "message"),
    [
        ("aws", "us-east-1", "The id names aws and us-east-1."),
        ("gcp", "us-east1", "The id names gcp and us-east1."),
        (
            "azure",
            "westeurope",
            "The id has the form of an Azure key identifier, which holds no region.",
        ),
    ],
)
def test_each_provider_can_pass(provider: str, region: str, message: str) -> None:
    """An id of the provider's form that names the region passes; Azure's names none."""
    key = a_key(provider=provider, region=region)
    finding = judged_once("CMEK-07", an_organization(keys=[key]))
    assert (finding.status, finding.message) == ("pass", message)


@pytest.mark.parametrize(
    ("partition", "region"),
    [("aws", "eu-west-1"), ("aws-us-gov", "us-gov-east-1"), ("aws-cn", "cn-northwest-1")],
)
def test_each_partition_has_its_regions(partition: str, region: str) -> None:
    """A region passes with its own partition and with no other."""
    found = {
        each: judged_once(
            "CMEK-07",
            an_organization(
                keys=[
                    a_key(region=region, key_id=f"arn:{each}:kms:{region}:111122223333:key/{UUID}")
                ]
            ),
        ).status
        for each in ("aws", "aws-us-gov", "aws-cn")
    }
    assert found == dict.fromkeys(("aws", "aws-us-gov", "aws-cn"), "fail") | {partition: "pass"}


PROVIDERS = st.sampled_from(["aws", "gcp", "azure"])
REGIONS = st.sampled_from(["us-east-1", "us-east1", "westeurope", "us-gov-west-1", "global"])


@examples(80)
@given(PROVIDERS, REGIONS, PROVIDERS, REGIONS)
def test_no_id_passes_for_another_place(one: str, here: str, two: str, there: str) -> None:
    """An id made for one provider and region passes elsewhere only where it names no region."""
    key = a_key(provider=one, region=here, key_id=key_id_for(two, there))
    found = judged("CMEK-07", an_organization(keys=[key]))
    plain_partition = two != "aws" or not here.startswith("us-gov")
    same = one == two and (here == there or two == "azure") and plain_partition
    assert {finding.status for finding in found} == {"pass" if same else "fail"}


def test_the_account_is_not_judged() -> None:
    """Any account of twelve digits may own the key."""
    key = a_key(key_id=aws_key_id().replace("111122223333", "000000000000"))
    assert judged_once("CMEK-07", an_organization(keys=[key])).status == "pass"


def test_each_mismatch_is_a_cause_of_its_own() -> None:
    """An id that is wrong in several ways fails by each of them."""
    alias = "arn:aws-cn:kms:cn-north-1:111122223333:alias/acme"
    assert causes("CMEK-07", an_organization(keys=[a_key(key_id=alias)])) == [
        "alias",
        "other-region",
        "other-partition",
    ]


def test_a_finding_about_an_id_has_its_cause_its_place_and_its_databases() -> None:
    """Each mismatch has its own code, and shows the key and the databases that rest on it."""
    ids = {"not-a-key": "unknown-form", gcp_key_id(): "other-provider"}
    for key_id, cause in ids.items():
        key = a_key(key_id=key_id).at("keys.yaml", 4)
        finding = judged_once("CMEK-07", an_organization(keys=[key]))
        assert (finding.status, finding.cause, finding.evidence) == (
            "fail",
            cause,
            (("keys.yaml", 4),),
        )
        assert (finding.databases, finding.existing) == (1, 1)
