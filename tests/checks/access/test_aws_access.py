"""Who may use a key in AWS: a table of policies with their answers, and what always holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from checks.access.answers import Match, VendorAccess, all_of
from checks.access.aws_access import (
    ANYBODY,
    UNKNOWN_GRANTS,
    AwsKey,
    Party,
    accesses,
    aws_key,
    clause_of,
    list_of_names,
    may_grant_anything,
    mentioned_accounts,
    vendor_access,
    without_account,
)
from inventory.model.kms import KeyGrant
from tests.builders import aws_key_id, kms_facts
from tests.checks.access.policies import (
    FOREIGN,
    OWNER,
    VENDOR,
    facts_of,
    policy_of,
    root,
    statement,
    table,
)
from tests.checks.access.strategies import GRANTS, POLICIES, statements
from tests.hypothesis_profile import examples

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from checks.access.answers import Access

CASES = table()["cases"]
ANSWERS = {"no": "deny", "maybe": "undecidable", "yes": "allow"}
PARTY = Party(VENDOR, VENDOR)
ACTIONS = ("Decrypt", "GenerateDataKey", "DescribeKey", "Encrypt", "CreateGrant")
RANKS = get_args(Match)
NEEDED = ("Decrypt", "GenerateDataKey", "DescribeKey")
FURTHER = ("Encrypt", "ReEncrypt*", "CreateGrant")
ALL = (*NEEDED, *FURTHER)


def key_of(*listed: object, grants: Sequence[Mapping[str, Any]] | None = ()) -> AwsKey:
    """Return a key with a policy of these statements."""
    return aws_key(table()["key"], kms_facts(policy=policy_of(listed), grants=grants))


def answers(key: AwsKey, party: Party = PARTY) -> dict[str, Match]:
    """Return what a party may do with a key."""
    return {action: access.answer for action, access in accesses(key, party, ACTIONS).items()}


def decrypts(key: AwsKey, party: Party = PARTY) -> Access:
    """Return whether a party may decrypt with a key."""
    return accesses(key, party, ["Decrypt"])["Decrypt"]


def test_the_table_is_large_and_says_why() -> None:
    """The table has well over forty policies, each with a reason and a name of its own."""
    assert len({case["name"] for case in CASES}) == len(CASES) > 40
    assert [case["name"] for case in CASES if not case["why"]] == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_policy_has_its_answer(case: Mapping[str, Any]) -> None:
    """Each policy lets the vendor use the key, or not, or leaves it open, as the table says."""
    key = aws_key(table()["key"], facts_of(case))
    found = {
        name: ANSWERS[all_of(one.answer for one in accesses(key, PARTY, actions).values())]
        for name, actions in table()["needed"].items()
    }
    assert found == case["expect"], case["why"]


# --- what always holds ----------------------------------------------------------------------------


@examples(300)
@given(listed=POLICIES, grants=GRANTS, denying=statements("Deny"))
def test_a_deny_never_allows(
    listed: list[object], grants: list[dict[str, Any]], denying: object
) -> None:
    """A statement that denies something, in whatever form, never makes an answer better."""
    before = answers(key_of(*listed, grants=grants))
    after = answers(key_of(*listed, denying, grants=grants))
    assert [
        action for action in ACTIONS if RANKS.index(after[action]) > RANKS.index(before[action])
    ] == []


@examples(200)
@given(
    listed=POLICIES,
    operator=st.sampled_from(["StringEquals", "StringLike", "Bool", "Null", "ForAnyValue:X", "x"]),
    name=st.sampled_from(["aws:PrincipalOrgID", "kms:ViaService", "aws:SourceIp", "x", "*"]),
    value=st.sampled_from(["true", "*", VENDOR]),
)
def test_an_unknown_condition_never_allows(
    listed: list[Any], operator: str, name: str, value: str
) -> None:
    """What is allowed under a condition that is not known is never surely allowed."""
    allowing = [one for one in listed if one["Effect"] == "Allow"]
    conditions = {operator: {name: value}}
    assert (
        "yes"
        not in answers(key_of(*(one | {"Condition": conditions} for one in allowing))).values()
    )


@examples(200)
@given(listed=POLICIES, grants=GRANTS, data=st.data())
def test_the_order_of_statements_makes_no_difference(
    listed: list[object], grants: list[dict[str, Any]], data: st.DataObject
) -> None:
    """The same statements and grants in another order give the same answers."""
    other = data.draw(st.permutations(listed))
    assert answers(key_of(*listed, grants=grants)) == answers(key_of(*other, grants=grants[::-1]))


@examples(200)
@given(listed=POLICIES)
def test_unknown_grants_never_allow_and_never_deny(listed: list[object]) -> None:
    """While grants are not known, what is allowed stays so, and what only lacks one is open."""
    known, unknown = answers(key_of(*listed)), answers(key_of(*listed, grants=None))
    assert {action for action in ACTIONS if unknown[action] == "yes"} == {
        action for action in ACTIONS if known[action] == "yes"
    }


@examples(200)
@given(listed=POLICIES, name=st.text(max_size=30))
def test_a_name_is_never_mistaken_for_the_vendor(listed: list[Any], name: str) -> None:
    """A principal that holds neither a star nor the vendor's number never lets the vendor in."""
    assume("*" not in name and VENDOR not in name)
    mine = [one | {"Principal": {"AWS": name}} for one in listed if "NotPrincipal" not in one]
    assert "yes" not in answers(key_of(*mine)).values()


# --- what decides ---------------------------------------------------------------------------------


def test_what_decides_is_quoted() -> None:
    """An answer names what allows it, what denies it, or what leaves it open, and nothing else."""
    allowing = statement(Sid="Allow")
    denying = statement(Sid="Deny", Effect="Deny", Action="kms:Decrypt")
    unclear = statement(Sid="Maybe", Effect="Deny", Condition={"Bool": {"a": "true"}})
    role = statement(Sid="Role", Principal={"AWS": f"arn:aws:iam::{VENDOR}:role/astra"})
    for listed, answer, codes in (
        ([allowing, role], "yes", ["Allow"]),
        ([allowing, denying, unclear], "no", ["Deny"]),
        ([allowing, unclear], "maybe", ["Maybe"]),
        ([role], "maybe", ["Role"]),
        ([role, unclear], "maybe", ["Maybe", "Role"]),
        ([unclear], "no", []),
        ([], "no", []),
    ):
        access = decrypts(key_of(*listed))
        assert (access.answer, [clause.code for clause in access.clauses]) == (answer, codes)


def test_a_grant_is_quoted_with_its_operations() -> None:
    """A grant is named by its id, with who may do what, and whether it has constraints."""
    grant = KeyGrant(id="g1", grantee=root(), operations=("Decrypt",), constrained=True)
    assert clause_of(grant).quote == f"grant g1: {root()} may do Decrypt, under constraints"
    free = grant.model_copy(update={"constrained": False})
    assert clause_of(free).quote == f"grant g1: {root()} may do Decrypt"


def test_an_account_needs_three_actions_and_may_need_three_more() -> None:
    """Without Decrypt, a data key or DescribeKey a key is of no use; the rest is not published."""
    everything = {"missing": (), "unclear": (), "doubtful": (), "clauses": ()}
    for actions, expected in (
        (["kms:*"], {}),
        (["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"], {"doubtful": FURTHER}),
        (
            ["kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext", "kms:DescribeKey"],
            {"doubtful": FURTHER},
        ),
        (["kms:Encrypt", "kms:ReEncrypt*", "kms:CreateGrant"], {"missing": NEEDED}),
        (
            ["kms:Decrypt", "kms:ReEncryptFrom"],
            {"missing": ("GenerateDataKey", "DescribeKey"), "doubtful": FURTHER},
        ),
    ):
        found = vendor_access(key_of(statement(Action=actions)), VENDOR)
        assert found == VendorAccess(VENDOR)._replace(**everything | expected)


def test_one_form_of_data_key_is_enough() -> None:
    """A data key that is denied in one form can be made in the other."""
    denying = statement(Effect="Deny", Action="kms:GenerateDataKey")
    assert vendor_access(key_of(statement(), denying), VENDOR) == VendorAccess(VENDOR)


def test_unknown_grants_leave_open_what_the_policy_does_not_allow() -> None:
    """A policy without the vendor is no denial while the grants are not known; a Deny is one."""
    found = vendor_access(key_of(grants=None), VENDOR)
    assert found == VendorAccess(VENDOR, unclear=(*NEEDED, *FURTHER), clauses=(UNKNOWN_GRANTS,))
    denied = vendor_access(key_of(statement(Effect="Deny"), grants=None), VENDOR)
    assert denied == VendorAccess(VENDOR, missing=NEEDED, doubtful=FURTHER)


@pytest.mark.parametrize(
    ("account", "name", "answer"),
    [
        (f"arn:aws:iam::{VENDOR}:role/astra", root(), "yes"),
        (f"arn:aws:iam::{VENDOR}:role/astra", f"arn:aws:iam::{VENDOR}:role/astra", "yes"),
        (f"arn:aws:iam::{VENDOR}:role/astra", f"arn:aws:iam::{VENDOR}:role/other", "no"),
        (f"arn:aws-cn:iam::{VENDOR}:root", root(), "maybe"),
        ("vendor-prod", root(), "maybe"),
        ("vendor-prod", "*", "yes"),
    ],
)
def test_astra_may_name_a_role(account: str, name: str, answer: Match) -> None:
    """An account that Astra names in another form is compared as far as it is understood."""
    found = vendor_access(key_of(statement(Principal={"AWS": name})), account)
    expected = {"yes": ("missing", ()), "no": ("missing", NEEDED), "maybe": ("unclear", ALL)}
    field, value = expected[answer]
    assert getattr(found, field) == value


def test_a_condition_on_an_account_that_is_not_understood_stays_open() -> None:
    """Whether a condition holds for an account in another form, or partition, is not known."""
    limited = statement(Principal="*", Condition={"StringNotEquals": {"kms:CallerAccount": OWNER}})
    for account in ("vendor-prod", f"arn:aws-cn:iam::{VENDOR}:root"):
        assert vendor_access(key_of(limited), account).unclear == ALL
    assert vendor_access(key_of(limited), VENDOR) == VendorAccess(VENDOR)


def test_a_key_by_its_alias_has_no_arn() -> None:
    """Of a key that is known by an alias only a star in a policy is surely the key."""
    alias = "arn:aws:kms:us-east-1:111122223333:alias/acme"
    facts = kms_facts(policy=policy_of([statement(Resource=aws_key_id())]), grants=[])
    assert (aws_key(alias, facts).arn, decrypts(aws_key(alias, facts)).answer) == ("", "maybe")
    key = aws_key(aws_key_id(), facts)
    assert (key.arn, decrypts(key).answer) == (aws_key_id(), "yes")


def test_without_a_policy_there_are_no_statements() -> None:
    """A key of which no policy is known has none, and none of its grants is lost."""
    grants = [{"id": "g1", "grantee": root(), "operations": ["Decrypt"]}]
    key = aws_key(aws_key_id(), kms_facts(grants=grants))
    assert (key.statements, len(key.grants or ())) == ((), 1)
    assert aws_key(aws_key_id(), kms_facts()).grants is None


# --- strangers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("*", "yes"),
        (root(FOREIGN), "no"),
        (FOREIGN, "no"),
        ("ec2.amazonaws.com", "no"),
        ("AROAEXAMPLEEXAMPLE123", "no"),
        ("arn:aws:iam::*:root", "maybe"),
        ("somebody", "maybe"),
    ],
)
def test_anybody_is_an_account_that_nobody_names(name: str, answer: Match) -> None:
    """Only a star lets everybody in; what is not understood may."""
    assert decrypts(key_of(statement(Principal={"AWS": name})), ANYBODY).answer == answer


@pytest.mark.parametrize(
    ("operator", "name", "values", "anybody", "foreign"),
    [
        ("StringEquals", "kms:CallerAccount", [FOREIGN], "no", "yes"),
        ("StringEquals", "kms:CallerAccount", [OWNER], "no", "no"),
        ("StringNotEquals", "kms:CallerAccount", [FOREIGN], "yes", "no"),
        ("StringLike", "kms:CallerAccount", ["*"], "yes", "yes"),
        ("StringLike", "kms:CallerAccount", ["5555*"], "maybe", "yes"),
        ("StringNotLike", "kms:CallerAccount", ["5555*"], "maybe", "no"),
        ("StringLike", "kms:CallerAccount", [FOREIGN], "no", "yes"),
        ("StringEquals", "kms:CallerAccount", ["${aws:username}"], "maybe", "maybe"),
        ("ArnLike", "kms:CallerAccount", [FOREIGN], "maybe", "maybe"),
        ("ArnLike", "aws:PrincipalArn", [f"arn:aws:iam::{OWNER}:role/*"], "no", "no"),
        ("ArnLike", "aws:PrincipalArn", [f"arn:aws:iam::{FOREIGN}:role/*"], "no", "maybe"),
        ("ArnLike", "aws:PrincipalArn", ["arn:aws:iam::*:role/x"], "maybe", "maybe"),
        ("ArnLikeIfExists", "aws:PrincipalArn", [root(OWNER)], "maybe", "maybe"),
        ("ArnNotLike", "aws:PrincipalArn", [root(OWNER)], "maybe", "maybe"),
        ("StringEquals", "kms:ViaService", ["ec2.us-east-1.amazonaws.com"], "yes", "yes"),
        ("Bool", "kms:GrantIsForAWSResource", ["true"], "yes", "yes"),
        ("StringEquals", "aws:PrincipalOrgID", ["o-exampleorgid"], "maybe", "maybe"),
    ],
)
def test_a_condition_limits_strangers(
    operator: str, name: str, values: list[str], anybody: Match, foreign: Match
) -> None:
    """A condition keeps strangers out only if it is known that it does."""
    key = key_of(statement(Principal="*", Condition={operator: {name: values}}))
    stranger = Party(FOREIGN, FOREIGN, is_stranger=True)
    assert (decrypts(key, ANYBODY).answer, decrypts(key, stranger).answer) == (anybody, foreign)


def test_a_deny_is_not_widened_for_strangers() -> None:
    """A condition that does not limit who uses a key limits what is denied all the same."""
    denying = statement(
        Effect="Deny", Principal="*", Condition={"Bool": {"aws:SecureTransport": "true"}}
    )
    role = statement(Effect="Deny", Principal={"AWS": f"arn:aws:iam::{FOREIGN}:role/x"})
    stranger = Party(FOREIGN, FOREIGN, is_stranger=True)
    for one in (denying, role):
        assert decrypts(key_of(statement(Principal="*"), one), stranger).answer == "maybe"


def test_every_account_in_a_policy_is_mentioned() -> None:
    """Accounts are found in principals, grants and conditions."""
    key = key_of(
        statement(Principal={"AWS": [root(OWNER), "arn:aws-cn:iam::222233334444:root", "*"]}),
        statement(Condition={"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{FOREIGN}:role/*"}}),
        statement(Condition={"StringLike": {"kms:CallerAccount": ["3333*", "1234567890123"]}}),
        grants=[{"id": "g1", "grantee": "444455556666", "operations": ["Decrypt"]}],
    )
    assert mentioned_accounts(key) == [
        OWNER,
        "444455556666",
        FOREIGN,
        VENDOR,
        "aws-cn:222233334444",
    ]
    assert mentioned_accounts(key_of(grants=None)) == []


def test_whoever_is_in_no_account_is_named() -> None:
    """Services and deleted roles are named if something is allowed to them."""
    service, deleted = "ec2.amazonaws.com", "AROAEXAMPLEEXAMPLE123"
    key = key_of(
        statement(Principal={"AWS": [deleted, root()]}),
        statement(Effect="Deny", Principal={"Service": "s3.amazonaws.com"}),
        grants=[{"id": "g1", "grantee": service, "operations": ["Decrypt"]}],
    )
    assert without_account(key) == [deleted, service]
    negated = statement(NotPrincipal={"Service": service})
    del negated["Principal"]
    assert without_account(key_of(negated, grants=None)) == []


def test_grants_of_any_kind_are_known() -> None:
    """An account may grant anything unless each statement limits it to resources of services."""
    limited = statement(Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}})
    assert not may_grant_anything(key_of(limited), VENDOR)
    assert may_grant_anything(key_of(limited, statement(Action="kms:CreateGrant")), VENDOR)
    denying = statement(Effect="Deny", Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}})
    assert not may_grant_anything(key_of(statement(), denying), VENDOR)


def test_a_list_of_names_is_a_statement_for_them() -> None:
    """Those who may use a key by a list may do everything with it, and an empty one has nobody."""
    key = key_of()._replace(statements=list_of_names([root(), root(FOREIGN)]))
    assert set(answers(key).values()) == {"yes"}
    assert decrypts(key).clauses[0].quote == (
        f"the list of who may use it: {root()}, {root(FOREIGN)}"
    )
    assert list_of_names([]) == ()
