"""Who may use a key in AWS beside its owner and the vendor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given

from checks.access.answers import Outsider, Outsiders
from checks.access.aws_access import AwsKey, aws_key, clause_of
from checks.access.aws_outsiders import aws_outsiders
from tests.builders import kms_facts
from tests.checks.access.policies import (
    FOREIGN,
    OWNER,
    VENDOR,
    policy_of,
    root,
    statement,
    table,
)
from tests.checks.access.strategies import ACCOUNTS, GRANTS, POLICIES
from tests.hypothesis_profile import examples

if TYPE_CHECKING:
    from collections.abc import Sequence

OWN = statement(Sid="Own", Principal={"AWS": root(OWNER)})


def key_of(*listed: object, grants: Sequence[object] | None = ()) -> AwsKey:
    """Return a key with a policy of these statements."""
    return aws_key(table()["key"], kms_facts(policy=policy_of(listed), grants=grants))


def outsiders(*listed: object, grants: Sequence[object] | None = ()) -> Outsiders:
    """Return who else may use a key of the owner, which Astra's account may use."""
    return aws_outsiders(key_of(*listed, grants=grants), OWNER, [VENDOR])


def names(found: Outsiders) -> list[tuple[str, list[str]]]:
    """Return who may use a key, with the codes of what lets them."""
    return [(one.account, [clause.code for clause in one.clauses]) for one in found.found]


def test_owner_and_vendor_are_no_outsiders() -> None:
    """A key that its owner and Astra may use has no outsiders, whatever roles these have."""
    vendor = statement(Principal={"AWS": f"arn:aws:iam::{VENDOR}:role/astra"})
    user = statement(Principal={"AWS": f"arn:aws:iam::{OWNER}:user/ada"})
    assert outsiders(OWN, vendor, user) == Outsiders()


def test_everybody_and_each_account_that_is_named() -> None:
    """What lets everybody in does not hide an account that another statement names."""
    everybody = statement(Sid="All", Principal="*")
    foreign = statement(Sid="Backup", Principal={"AWS": root(FOREIGN)}, Action="kms:Decrypt")
    grants = [{"id": "g1", "grantee": "222233334444", "operations": ["Decrypt"]}]
    assert names(outsiders(OWN, everybody, foreign, grants=grants)) == [
        ("", ["All"]),
        ("222233334444", ["grant g1"]),
        (FOREIGN, ["Backup"]),
    ]


def test_a_grant_may_be_for_everybody() -> None:
    """Also a grant that everybody may use is found, once."""
    grants = [{"id": "g1", "grantee": "*", "operations": ["Decrypt"]}]
    key = key_of(OWN, grants=grants)
    (grant,) = key.grants or ()
    assert outsiders(OWN, statement(), grants=grants).found == (Outsider("", (clause_of(grant),)),)


def test_what_leaves_it_open_is_listed_once() -> None:
    """A statement that may let several accounts in is one part that leaves it open."""
    unclear = statement(
        Sid="Org",
        Principal={"AWS": [root(FOREIGN), "222233334444"]},
        Condition={"StringEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}},
    )
    found = outsiders(OWN, unclear)
    assert (names(found), [clause.code for clause in found.unclear]) == ([], ["Org"])
    assert [clause.code for clause in outsiders(OWN, grants=None).unclear] == ["grants"]


def test_notes_name_services_and_free_grants() -> None:
    """Services of AWS, deleted roles, and grants of any kind by the vendor are notes."""
    service = statement(Principal={"Service": "ec2.amazonaws.com", "AWS": "AROAEXAMPLEEXAMPLE123"})
    assert outsiders(OWN, service).notes == (
        (
            "It also names services of AWS or deleted roles and users: AROAEXAMPLEEXAMPLE123, "
            "ec2.amazonaws.com."
        ),
    )
    assert outsiders(OWN, statement()).notes == (
        (f"{VENDOR} may create grants of any kind, not only for resources of AWS's services."),
    )


@examples(150)
@given(listed=POLICIES, grants=GRANTS, account=ACCOUNTS)
def test_a_further_account_never_makes_a_key_exclusive(
    listed: list[Any], grants: list[Any], account: str
) -> None:
    """To let one more account use a key never removes an outsider, or what leaves one open."""
    before = outsiders(*listed, grants=grants)
    further = statement(Sid="Further", Principal={"AWS": root(account)})
    after = outsiders(*listed, further, grants=grants)
    assert {one.account for one in before.found} <= {one.account for one in after.found}
    assert (after.found, after.unclear) != ((), ()) or (before.found, before.unclear) == ((), ())


@examples(100)
@given(listed=POLICIES, account=ACCOUNTS)
def test_whoever_is_trusted_is_no_outsider(listed: list[Any], account: str) -> None:
    """An account that Astra names is never reported, whatever the policy says of it."""
    found = aws_outsiders(key_of(*listed), OWNER, [VENDOR, account])
    assert not {OWNER, VENDOR, account} & {one.account for one in found.found}


def test_hundreds_of_accounts_are_all_found() -> None:
    """A policy as long as AWS allows, with an account in each statement, hides none of them."""
    accounts = [f"{number:012d}" for number in range(100)]
    found = outsiders(OWN, *(statement(Principal={"AWS": root(account)}) for account in accounts))
    assert [one.account for one in found.found] == accounts
