"""Statements of key policies as hypothesis draws them, understood ones and odd ones."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.checks.access.policies import FOREIGN, OWNER, VENDOR, root

ACCOUNTS = st.sampled_from([OWNER, VENDOR, FOREIGN, "222233334444"])
NAMES = st.one_of(
    ACCOUNTS,
    ACCOUNTS.map(root),
    ACCOUNTS.map(lambda account: f"arn:aws:iam::{account}:role/astra"),
    st.sampled_from(["*", "AROAEXAMPLEEXAMPLE123", "arn:aws-cn:iam::999988887777:root", "x"]),
)
PRINCIPALS: st.SearchStrategy[Any] = st.one_of(
    st.just("*"),
    NAMES.map(lambda name: {"AWS": name}),
    st.lists(NAMES, max_size=3).map(lambda names: {"AWS": names}),
    st.just({"Service": "ec2.amazonaws.com"}),
    st.just({"Federated": "accounts.google.com"}),
    st.just({"AWS": 999988887777}),
)
ACTIONS: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(["*", "kms:*", "kms:Decrypt", "KMS:De*", "kms:GenerateDataKey*", "Decrypt"]),
    st.lists(st.sampled_from(["kms:Decrypt", "kms:DescribeKey", "kms:CreateGrant"]), max_size=3),
)
RESOURCES = st.sampled_from(["*", "arn:aws:kms:*:111122223333:key/*", "arn:aws:kms:::key/x", ""])
LINES = st.one_of(
    st.sampled_from(["StringEquals", "StringNotEquals", "StringLike"]).flatmap(
        lambda operator: st.lists(ACCOUNTS | st.just("9999*"), min_size=1, max_size=2).map(
            lambda values: {operator: {"kms:CallerAccount": values}}
        )
    ),
    st.just({"Bool": {"kms:GrantIsForAWSResource": "true"}}),
    st.just({"StringEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}}),
    st.just({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/*"}}),
    st.just({"StringEquals": "odd"}),
)


@st.composite
def statements(draw: st.DrawFn, effect: str = "") -> dict[str, Any]:
    """Draw a statement of any kind, or one of this effect."""
    negates = [draw(st.sampled_from(["", "", "", "Not"])) for _ in range(3)]
    made: dict[str, Any] = {
        "Effect": effect or draw(st.sampled_from(["Allow", "Allow", "Deny", "deny"])),
        f"{negates[0]}Principal": draw(PRINCIPALS),
        f"{negates[1]}Action": draw(ACTIONS),
        f"{negates[2]}Resource": draw(RESOURCES),
    }
    if draw(st.booleans()):
        made["Condition"] = draw(LINES)
    return made


POLICIES = st.lists(statements(), max_size=4)
GRANTS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.sampled_from(["g1", "g2"]),
            "grantee": NAMES,
            "operations": st.lists(
                st.sampled_from(["Decrypt", "GenerateDataKey", "DescribeKey", "CreateGrant"])
            ),
            "constrained": st.booleans(),
        }
    ),
    max_size=2,
    unique_by=lambda grant: grant["id"],
)
