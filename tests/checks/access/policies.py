"""Key policies with their right answers, and the keys that they make."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.builders import a_key, an_organization, kms_facts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from inventory.model.kms import KmsFacts
    from inventory.model.organization import Organization

OWNER = "111122223333"
VENDOR = "999988887777"
FOREIGN = "555566667777"
SCOPE = {"type": "serverless", "provider": "aws", "region": "us-east-1"}


@cache
def table() -> Mapping[str, Any]:
    """Return the table of policies: the vendor's account, the key, and each policy's answers."""
    text = Path(__file__).with_name("aws_policies.json").read_text("utf-8")
    data: Mapping[str, Any] = json.loads(text)
    return data


def facts_of(case: Mapping[str, Any]) -> KmsFacts:
    """Return what AWS shows of the key in a case of the table."""
    policy = case["policy"]
    grants = [
        {
            "id": grant["GrantId"],
            "grantee": grant["GranteePrincipal"],
            "operations": grant["Operations"],
            "constrained": "Constraints" in grant,
        }
        for grant in case["grants"]
    ]
    text = policy if isinstance(policy, str) else json.dumps(policy)
    return kms_facts(policy=text, grants=grants, granted_to_astra=None, owner=OWNER)


def root(account: str = VENDOR) -> str:
    """Return the ARN of an account as a whole."""
    return f"arn:aws:iam::{account}:root"


def statement(**over: object) -> dict[str, Any]:
    """Return a statement that lets the vendor use the key."""
    allow = {"Effect": "Allow", "Principal": {"AWS": root()}, "Action": "kms:*", "Resource": "*"}
    return allow | over


def policy_of(statements: Sequence[object]) -> str:
    """Return a policy of these statements as text."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def organization_with(kms: KmsFacts, *accounts: str) -> Organization:
    """Return an organization with one key in AWS, for which Astra names these accounts."""
    named = [SCOPE | {"account": account} for account in accounts]
    key = a_key(key_id=table()["key"], kms=kms)
    return an_organization(keys=[key], vendor_accounts=named)
