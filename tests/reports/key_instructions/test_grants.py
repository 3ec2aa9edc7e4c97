"""What lets Astra use a key: exactly the accounts it names, and no more than is documented."""

from __future__ import annotations

import json
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.access.aws_access import aws_key, vendor_access
from inventory.model.key import KeyScope
from reports.key_instructions.grants import (
    FOR_AWS_RESOURCES,
    NONE_NAMED,
    ROLE,
    KeyGrants,
    grant_parts,
    grants_for,
)
from tests.builders import ORGANIZATION, aws_key_id, azure_key_id, gcp_key_id, kms_facts
from tests.hypothesis_profile import examples

AWS = KeyScope(ORGANIZATION, "serverless", "aws", "us-east-1")
GOOGLE = KeyScope(ORGANIZATION, "serverless", "gcp", "us-east1")
AZURE = KeyScope(ORGANIZATION, "serverless", "azure", "eastus")
VENDOR, SECOND = "999988887777", "999988886666"
SERVICE = "astra-kms@vendor-prod.iam.gserviceaccount.com"
USE = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]


def granted(scope: KeyScope, key: str, *accounts: str) -> KeyGrants:
    return grants_for(scope, "acme-prod", key, accounts)


def principals(grants: KeyGrants) -> set[str]:
    return {
        principal
        for statement in json.loads(grants["statement"])
        for principal in statement["Principal"]["AWS"]
    }


def test_the_statements_of_an_aws_key() -> None:
    """Two statements: to use the key, and to grant it further to services of AWS alone."""
    grants = granted(AWS, aws_key_id(), VENDOR, SECOND, VENDOR)
    principal = {"AWS": [f"arn:aws:iam::{account}:root" for account in (VENDOR, SECOND)]}
    assert json.loads(grants["statement"]) == [
        {
            "Sid": "AllowAstraToUseTheKey",
            "Effect": "Allow",
            "Principal": principal,
            "Action": USE,
            "Resource": "*",
        },
        {
            "Sid": "AllowAstraToGrantTheKeyToAWSServices",
            "Effect": "Allow",
            "Principal": principal,
            "Action": "kms:CreateGrant",
            "Resource": "*",
            "Condition": FOR_AWS_RESOURCES,
        },
    ]
    assert (grants["accounts"], grants["language"], grants["look_up"]) == (
        *([VENDOR, SECOND], "json", []),
    )
    assert FOR_AWS_RESOURCES == {"Bool": {"kms:GrantIsForAWSResource": "true"}}


@pytest.mark.parametrize(
    ("region", "key", "partition"),
    [
        ("us-gov-west-1", "", "aws-us-gov"),
        ("cn-north-1", "", "aws-cn"),
        ("eu-west-1", "", "aws"),
        ("eu-west-1", aws_key_id().replace("arn:aws:", "arn:aws-cn:"), "aws-cn"),
    ],
)
def test_accounts_are_of_the_partition_of_the_key(region: str, key: str, partition: str) -> None:
    """The partition is the key's own, and that of the region if there is no key yet."""
    grants = granted(AWS._replace(region=region), key, VENDOR)
    assert principals(grants) == {f"arn:{partition}:iam::{VENDOR}:root"}


def test_what_is_no_account_gets_no_statement() -> None:
    """A name that is no account of AWS is to be looked up, and is in no statement."""
    grants = granted(AWS, aws_key_id(), "*", VENDOR)
    assert principals(grants) == {f"arn:aws:iam::{VENDOR}:root"}
    assert grants["look_up"] == [
        "Astra names *, which is no number of an AWS account: ask which one it means."
    ]
    nothing = granted(AWS, aws_key_id(), "*")
    assert (nothing["statement"], nothing["language"]) == ("", "")


def test_the_bindings_of_a_google_key() -> None:
    """Each service account that Astra names gets one role, on this key alone."""
    grants = granted(GOOGLE, gcp_key_id(version=3), SERVICE, f"serviceAccount:b{SERVICE}")
    first, second = grants["statement"].replace(" \\\n", "").splitlines()
    assert shlex.split(first) == [
        *("gcloud", "kms", "keys", "add-iam-policy-binding", "acme-key"),
        *("--keyring", "acme-ring", "--location", "us-east1", "--project", "acme-prod"),
        *("--member", f"serviceAccount:{SERVICE}", "--role", ROLE),
    ]
    assert f"serviceAccount:b{SERVICE}" in shlex.split(second)
    assert (grants["language"], grants["look_up"]) == ("sh", [])


def test_a_google_key_to_come_has_placeholders() -> None:
    """Where no key is registered the command has placeholders, and the region if it is one."""
    for region, location in (("us-east1", "us-east1"), ("$(reboot)", "LOCATION")):
        grants = granted(GOOGLE._replace(region=region), "", SERVICE)
        assert shlex.split(grants["statement"].replace("\\\n", ""))[4:11] == [
            *("KEY", "--keyring", "KEY_RING", "--location", location, "--project", "PROJECT"),
        ]


def test_a_project_has_to_be_looked_up() -> None:
    """Astra may name a project only: which of its service accounts is meant is not guessed."""
    grants = granted(GOOGLE, gcp_key_id(), "vendor-prod")
    assert (grants["statement"], grants["language"]) == ("", "")
    assert grants["look_up"] == [
        (
            "Astra names vendor-prod, which is no service account: look up which service account "
            f"of it uses the key, and give that one the role {ROLE} on the key alone."
        )
    ]


def test_azure_has_to_be_looked_up() -> None:
    """The role that Astra needs in Azure is not published, so nothing is printed to paste."""
    grants = granted(AZURE, azure_key_id(), "some-id")
    assert grants["statement"] == ""
    assert grants["look_up"][0].startswith("Astra names some-id. Which role that needs")


@pytest.mark.parametrize("scope", [AWS, GOOGLE, AZURE])
def test_without_accounts_there_is_nothing_to_paste(scope: KeyScope) -> None:
    """Where the evidence names no account of Astra it is said where to find them."""
    grants = granted(scope, "")
    assert (grants["statement"], grants["accounts"], grants["look_up"]) == ("", [], [NONE_NAMED])


def test_parts_for_people() -> None:
    """What is to be pasted comes after what it is for, and then what is to be looked up."""
    first, second = grant_parts(granted(AWS, aws_key_id(), VENDOR, "x"))
    assert (first.language, json.loads(first.code)[0]["Sid"]) == ("json", "AllowAstraToUseTheKey")
    assert first.text.startswith("Review these statements, and add them")
    assert second.code == ""
    assert [part.text for part in grant_parts(granted(AWS, ""))] == [NONE_NAMED]
    [only] = grant_parts(granted(GOOGLE, "", SERVICE))
    assert (only.language, only.text) == (
        "sh",
        "First replace KEY, KEY_RING, PROJECT. Review, and give the role on this key alone:",
    )
    [whole] = grant_parts(granted(GOOGLE, gcp_key_id(), SERVICE))
    assert whole.text == "Review, and give the role on this key alone:"


def test_the_statements_let_in_whom_they_should() -> None:
    """By the judge of policies, these accounts may do all they need, and no other anything."""
    statements = json.loads(granted(AWS, aws_key_id(), VENDOR)["statement"])
    policy = {"Version": "2012-10-17", "Statement": statements}
    key = aws_key(aws_key_id(), kms_facts(policy=json.dumps(policy), grants=[]))
    allowed, other = (vendor_access(key, account) for account in (VENDOR, SECOND))
    assert (allowed.missing, allowed.unclear, allowed.doubtful) == ((), (), ())
    assert (set(other.missing), other.unclear) == (
        {"Decrypt", "GenerateDataKey", "DescribeKey"},
        (),
    )


NAMES = st.text(max_size=30) | st.sampled_from(
    ["*", VENDOR, "arn:aws:iam::1:root", "'; reboot", "allUsers", f"{SERVICE}\n", "user:a@b.c"]
)


@examples(300)
@given(
    scope=st.sampled_from([AWS, GOOGLE, AZURE]),
    key=st.sampled_from(["", aws_key_id(), gcp_key_id()]) | st.text(max_size=40),
    accounts=st.lists(NAMES, max_size=4),
    region=st.sampled_from(["us-east-1"]) | st.text(min_size=1, max_size=20),
)
def test_no_name_gets_more_than_it_should(
    scope: KeyScope, key: str, accounts: list[str], region: str
) -> None:
    """Whatever is called an account, a region or a key, only whole accounts are let in."""
    statement = granted(scope._replace(region=region), key, *accounts)["statement"]
    assert statement.isascii()
    assert statement.replace("\n", "").isprintable()
    if scope is AWS and statement:
        allowed = principals(granted(scope._replace(region=region), key, *accounts))
        assert {principal.split(":")[4] for principal in allowed} <= set(accounts)
        assert all(principal.endswith(":root") for principal in allowed)
    if scope is GOOGLE:
        for line in statement.replace(" \\\n", "").splitlines():
            words = shlex.split(line)
            assert (words[0], words[-1], len(words)) == ("gcloud", ROLE, 15)
