"""Who may use a key in AWS: its key policy and its grants, asked for one account and one action.

What is allowed is allowed by the key: the account's own policies must allow it as well, and only
its owner sees those.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from checks.access.answers import Access, Clause, VendorAccess, all_of, any_of, distinct
from checks.access.aws_policy import (
    Principal,
    Statement,
    matches_action,
    matches_key,
    matches_pattern,
    parse_policy,
)
from checks.shared.principals import aws_account_of, grant_of, is_no_aws_account
from inventory.model.key_ids import parse_key_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from checks.access.answers import Match
    from checks.access.aws_policy import Condition
    from checks.shared.principals import Grant
    from inventory.model.kms import KeyGrant, KmsFacts

_NEEDED: Mapping[str, tuple[str, ...]] = {
    "Decrypt": ("Decrypt",),
    "GenerateDataKey": ("GenerateDataKey", "GenerateDataKeyWithoutPlaintext"),
    "DescribeKey": ("DescribeKey",),
}
"""What nobody can use a key without: of each, one of the actions is enough."""

_PERHAPS_NEEDED: Mapping[str, tuple[str, ...]] = {
    "Encrypt": ("Encrypt",),
    "ReEncrypt*": ("ReEncryptFrom", "ReEncryptTo"),
    "CreateGrant": ("CreateGrant",),
}
"""What Astra may need, as its list is not published: of each, all of the actions."""

_BOTH: Mapping[str, tuple[str, ...]] = {**_NEEDED, **_PERHAPS_NEEDED}

_ACCOUNT_KEYS = frozenset({"kms:calleraccount", "aws:principalaccount"})
"""The keys of conditions that compare the account which asks."""

_FOR_AWS_RESOURCES = ("Bool", "kms:grantisforawsresource", ("true",))
"""The condition on CreateGrant that AWS's console writes: for grants which its services use."""

_COMPARING = frozenset({"StringEquals", "StringNotEquals", "StringLike", "StringNotLike"})
_NUMBER = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])")
_IN_ACCOUNT = re.compile(r"arn:aws[a-z-]*:(?:iam|sts)::([0-9]{12}):")

_NOT_ON_WHO = frozenset({"kms:grantisforawsresource", "kms:viaservice", "aws:securetransport"})
"""The keys of conditions that do not limit who may use a key."""

_OF_GRANT: Mapping[Grant, Match] = {"not-granted": "no", "undecidable": "maybe", "granted": "yes"}


class AwsKey(NamedTuple):
    """A key in AWS, with what decides who may use it.

    Attributes:
        arn: the key's ARN; empty if it is known by an alias only.
        partition: the key's partition; None if its id does not show it.
        statements: those of its policy.
        grants: its grants; None if they are not shown, so that any may be there.
    """

    arn: str
    partition: str | None
    statements: tuple[Statement, ...]
    grants: tuple[KeyGrant, ...] | None = ()


UNKNOWN_GRANTS = Clause("grants", "the grants of the key, which are not shown", "")
"""What may allow anything while the grants of a key are not known."""


class Party(NamedTuple):
    """Somebody whose access to a key is asked.

    Attributes:
        account: the account, or one principal of it.
        number: the account's number; empty if that is not known.
        is_stranger: whether the question is if anybody in the account may use the key, under
            whatever condition; else it is whether the account as such surely may.
    """

    account: str
    number: str
    is_stranger: bool = False


ANYBODY = Party("*", "*", is_stranger=True)
"""An account that no policy and no grant names."""


def aws_key(key_id: str, kms: KmsFacts) -> AwsKey:
    """Return the key with its policy and its grants; without a policy there are no statements."""
    parsed = parse_key_id(key_id)
    statements = parse_policy(kms.policy) if kms.policy is not None else ()
    arn = key_id if parsed.form == "key" else ""
    return AwsKey(arn, parsed.partition, statements, kms.grants)


def list_of_names(names: Iterable[str]) -> tuple[Statement, ...]:
    """Return a list of those who may use a key as the statement that it amounts to."""
    principals = tuple(Principal("AWS", name) for name in names)
    text = ", ".join(principal.name for principal in principals)
    label = "the list of who may use it"
    statement = Statement(
        label,
        "granted_to",
        text,
        effect="Allow",
        is_odd=False,
        principals=principals,
        actions=("*",),
        resources=("*",),
    )
    return (statement,) if principals else ()


def vendor_access(key: AwsKey, account: str) -> VendorAccess:
    """Return what an account that Astra names may do with the key."""
    number = aws_account_of(account, key.partition)
    # Of an account in another partition nothing can be compared.
    party = Party(account, "" if ":" in number else number)
    actions = {action for group in _BOTH.values() for action in group}
    found = accesses(key, party, sorted(actions))
    needed = {name: _choose(any_of, found, group) for name, group in _NEEDED.items()}
    perhaps = {name: _choose(all_of, found, group) for name, group in _PERHAPS_NEEDED.items()}
    both = needed | perhaps
    unclear = _with_answer(both, "maybe")
    return VendorAccess(
        account,
        missing=_with_answer(needed, "no"),
        unclear=unclear,
        doubtful=_with_answer(perhaps, "no"),
        clauses=distinct(clause for name in unclear for clause in both[name].clauses),
    )


def _choose(
    combine: Callable[[Iterable[Match]], Match], found: Mapping[str, Access], actions: Iterable[str]
) -> Access:
    """Return the access among those to ``actions`` that decides on all of them together."""
    answer = combine(found[action].answer for action in actions)
    return next(found[action] for action in actions if found[action].answer == answer)


def _with_answer(by_name: Mapping[str, Access], answer: Match) -> tuple[str, ...]:
    return tuple(name for name, access in by_name.items() if access.answer == answer)


def accesses(key: AwsKey, party: Party, actions: Iterable[str]) -> dict[str, Access]:
    """Say of each action whether ``party`` may do it with the key.

    A statement that denies it outweighs all others, and what nothing allows is denied. A statement
    that may apply, or may not, leaves the answer open only if it would change it.
    """
    # A policy may name hundreds of accounts: what is not about the party is left out at once.
    statements = [
        (statement, statement.clause, who)
        for statement in key.statements
        if (who := _concerns(statement, key, party)) != "no"
    ]
    grants = [
        (grant, clause_of(grant), who)
        for grant in key.grants or ()
        if (who := _matches_name(grant.grantee, key, party, any_part=party.is_stranger)) != "no"
    ]
    unknown: dict[Clause, Match] = {UNKNOWN_GRANTS: "maybe"} if key.grants is None else {}
    found = {}
    for action in actions:
        denying: dict[Clause, Match] = {}
        allowing = dict(unknown)
        for statement, clause, who in statements:
            match = _matches_statement(statement, who, party, action)
            if statement.may("Deny"):
                denying[clause] = match
            if statement.may("Allow"):
                allowing[clause] = match
        for grant, clause, who in grants:
            allowing[clause] = _matches_grant(grant, who, party, action)
        found[action] = _weigh(denying, allowing)
    return found


def _weigh(denying: Mapping[Clause, Match], allowing: Mapping[Clause, Match]) -> Access:
    denied, allowed = any_of(denying.values()), any_of(allowing.values())
    if denied == "yes":
        return Access("no", _with_match(denying, "yes"))
    if allowed == "no":
        return Access("no")
    if denied == "no" and allowed == "yes":
        return Access("yes", _with_match(allowing, "yes"))
    open_ones = _with_match(denying, "maybe")
    if allowed == "maybe":
        open_ones += _with_match(allowing, "maybe")
    return Access("maybe", distinct(open_ones))


def _with_match(clauses: Mapping[Clause, Match], wanted: Match) -> tuple[Clause, ...]:
    return tuple(clause for clause, match in clauses.items() if match == wanted)


def clause_of(grant: KeyGrant) -> Clause:
    """Return the grant as it is quoted."""
    constrained = ", under constraints" if grant.constrained else ""
    operations = ", ".join(grant.operations)
    text = f"{grant.grantee} may do {operations}{constrained}"
    return Clause(f"grant {grant.id}", f"grant {grant.id}", text)


def _concerns(statement: Statement, key: AwsKey, party: Party) -> Match:
    """Say whether a statement is about the party and the key; of an odd one that is not known."""
    if statement.is_odd:
        return "maybe"
    who = _matches_principals(statement, key, party)
    # No action makes a condition fail that holds for another, so that one answer serves for all.
    if who == "no" or _holds(statement, party, "") == "no":
        return "no"
    return all_of((who, matches_key(statement, key.arn)))


def _matches_statement(statement: Statement, who: Match, party: Party, action: str) -> Match:
    """Say whether a statement that concerns the party by ``who`` is about ``action``."""
    if statement.is_odd:
        return "maybe"
    if matches_action(statement, action) == "no":
        return "no"
    return all_of((who, _holds(statement, party, action)))


# --- principals -----------------------------------------------------------------------------------


def _matches_principals(statement: Statement, key: AwsKey, party: Party) -> Match:
    if "NotPrincipal" in statement.negated:
        return "maybe"
    is_widened = party.is_stranger and statement.effect == "Allow"
    return any_of(
        _matches_principal(principal, key, party, any_part=is_widened)
        for principal in statement.principals
    )


def _matches_principal(principal: Principal, key: AwsKey, party: Party, *, any_part: bool) -> Match:
    """Compare a principal with the account; by ``any_part`` of it a stranger has access."""
    if principal.kind == "AWS":
        return _matches_name(principal.name, key, party, any_part=any_part)
    if principal.kind == "CanonicalUser" or "*" in principal.name:
        return "maybe"
    # Whoever signs in by a provider of identities may be anybody, but never an account.
    return "maybe" if principal.kind == "Federated" and any_part else "no"


def _matches_name(name: str, key: AwsKey, party: Party, *, any_part: bool) -> Match:
    if party == ANYBODY:
        if name == "*":
            return "yes"
        is_somebody = aws_account_of(name, key.partition) or is_no_aws_account(name)
        return "no" if is_somebody else "maybe"
    account = aws_account_of(name, key.partition)
    if account and party.number and account != party.number:
        return "no"
    if any_part and account and account == party.number:
        return "yes"
    return _OF_GRANT[grant_of(name, party.account, "aws", key.partition)]


def _matches_grant(grant: KeyGrant, who: Match, party: Party, action: str) -> Match:
    """Say whether a grant allows it; one under constraints may not hold when it is needed."""
    if action.lower() not in {operation.lower() for operation in grant.operations}:
        return "no"
    is_limited = grant.constrained and not party.is_stranger
    return all_of((who, "maybe" if is_limited else "yes"))


# --- conditions -----------------------------------------------------------------------------------


def _holds(statement: Statement, party: Party, action: str) -> Match:
    return all_of(
        _holds_for(condition, statement, party, action) for condition in statement.conditions
    )


def _holds_for(condition: Condition, statement: Statement, party: Party, action: str) -> Match:
    """Say whether a condition holds; of a key or an operator that is not known, it may."""
    if condition.key in _ACCOUNT_KEYS:
        return _compares_account(condition, party)
    if condition == _FOR_AWS_RESOURCES and action == "CreateGrant":
        return "yes"
    if party.is_stranger and statement.effect == "Allow":
        if condition.key in _NOT_ON_WHO:
            return "yes"
        if condition.key == "aws:principalarn":
            return _limits_to_others(condition, party)
    return "maybe"


def _compares_account(condition: Condition, party: Party) -> Match:
    """Compare the account that asks with the values of a condition."""
    operator = condition.operator.removesuffix("IfExists")
    is_like = operator in {"StringLike", "StringNotLike"}
    if not party.number or operator not in _COMPARING or _has_variable(condition):
        return "maybe"
    if is_like and party == ANYBODY and any(_is_partial(value) for value in condition.values):
        return "maybe"  # some account that nobody names is like it, and another is not
    found = party.number in condition.values
    if is_like:
        found = any(matches_pattern(value, party.number) for value in condition.values)
    return "yes" if found is not ("Not" in operator) else "no"


def _is_partial(pattern: str) -> bool:
    """Say whether a pattern is like some accounts, and not like all."""
    return pattern.strip("*") != "" and not pattern.isdigit()


def _has_variable(condition: Condition) -> bool:
    return any("${" in value for value in condition.values)


def _limits_to_others(condition: Condition, party: Party) -> Match:
    """Say whether a condition on the ARN that asks leaves room for one of the party's."""
    operator = condition.operator.removesuffix("IfExists")
    accounts = [_IN_ACCOUNT.match(value) for value in condition.values]
    is_known = operator in {"ArnLike", "ArnEquals", "StringLike", "StringEquals"}
    if not is_known or None in accounts or condition.operator != operator:
        return "maybe"
    return "maybe" if party.number in {match[1] for match in accounts if match} else "no"


# --- who is named ---------------------------------------------------------------------------------


def mentioned_accounts(key: AwsKey) -> list[str]:
    """Return every account that the policy or a grant of the key may mean, sorted.

    In the values of conditions that is whatever looks like one: to ask for too many does no harm.
    """
    names = [principal.name for one in key.statements for principal in one.principals]
    grantees = [grant.grantee for grant in key.grants or ()]
    values = [value for one in key.statements for line in one.conditions for value in line.values]
    numbers = {number for value in values for number in _NUMBER.findall(value)}
    accounts = {aws_account_of(name, key.partition) for name in (*names, *grantees)}
    return sorted(numbers | accounts - {""})


def without_account(key: AwsKey) -> list[str]:
    """Return whom the key allows something though no account has them, sorted.

    They are services of AWS, and roles and users that were deleted.
    """
    allowing = [statement for statement in key.statements if statement.effect == "Allow"]
    names = [
        principal.name
        for statement in allowing
        for principal in statement.principals
        if not statement.negated & {"NotPrincipal"}
    ]
    grantees = [grant.grantee for grant in key.grants or ()]
    return sorted({name for name in (*names, *grantees) if is_no_aws_account(name)})


def may_grant_anything(key: AwsKey, account: str) -> bool:
    """Say whether an account may create grants that are not for resources of AWS's services."""
    free = tuple(
        statement
        for statement in key.statements
        if statement.effect != "Allow" or _FOR_AWS_RESOURCES not in statement.conditions
    )
    party = Party(account, aws_account_of(account, key.partition))
    found = accesses(key._replace(statements=free), party, ["CreateGrant"])
    return found["CreateGrant"].answer == "yes"
