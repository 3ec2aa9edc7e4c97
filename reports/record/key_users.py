"""Who may use a key, as its cloud names them: principals of policies, grants and bindings.

These are facts for people to read. Nothing here is judged, and nothing that a policy says is left
out: what cannot be listed is an entry that says so.
"""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

from inventory.text.canonical_json import compact_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from inventory.model.kms import KeyGrant, KmsFacts, RoleBinding
    from reports.model.cloud_record import KeyUser

MOST_USERS = 30
"""How many entries of a key are recorded; the others are counted."""

LONGEST = 500
"""How many characters of a text are recorded; the inventory holds the whole."""

_EFFECTS = {"Allow": "allow", "Deny": "deny"}
_UNDERSTOOD = frozenset({"Sid", "Effect", "Principal", "Action", "Resource", "Condition"})
_EVERYTHING = "*"


def users_of(facts: KmsFacts) -> list[KeyUser] | None:
    """Return everybody whom ``facts`` name, those whom a file states first.

    None if nothing is known: that names nobody, either, and is not the same.
    """
    known = (facts.granted_to, facts.policy, facts.grants, facts.bindings)
    if all(fact is None for fact in known):
        return None
    return [
        *(_user("stated", "allow", who, "the use of the key") for who in facts.granted_to or ()),
        *(_of_policy(facts.policy) if facts.policy is not None else ()),
        *map(_of_grant, facts.grants or ()),
        *chain.from_iterable(map(_of_binding, facts.bindings or ())),
    ]


def _user(via: str, effect: str, who: str, what: str, *, limited: bool = False) -> KeyUser:
    fields = {"via": via, "effect": effect, "who": _short(who), "what": _short(what)}
    return cast("KeyUser", {**fields, "limited": True} if limited else fields)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _of_grant(grant: KeyGrant) -> KeyUser:
    operations = ", ".join(grant.operations) or "nothing"
    return _user("grant", "allow", grant.grantee, operations, limited=grant.constrained)


def _of_binding(binding: RoleBinding) -> Iterator[KeyUser]:
    for member in binding.members:
        is_limited = binding.condition is not None
        yield _user(binding.on, "allow", member, binding.role, limited=is_limited)


# --- a key policy ---------------------------------------------------------------------------------


def _of_policy(policy: str) -> list[KeyUser]:
    """Return the principals of each statement of a key policy."""
    try:
        return list(_statements(json.loads(policy, object_pairs_hook=_without_duplicates)))
    except (ValueError, RecursionError):
        return [_user("policy", "unclear", "the key policy", "no JSON that can be listed")]


def _statements(document: object) -> Iterator[KeyUser]:
    statements = document.get("Statement") if isinstance(document, dict) else None
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list):
        yield _user("policy", "unclear", "the key policy", "no list of statements")
        return
    for number, statement in enumerate(statements, 1):
        yield from _of_statement(number, statement)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object with one name twice: what is read last would hide what came before."""
    named = dict(pairs)
    if len(named) != len(pairs):
        message = "duplicate names"
        raise ValueError(message)
    return named


def _of_statement(number: int, statement: object) -> Iterable[KeyUser]:
    understood = _understood(statement)
    if understood is None:
        text = compact_json(statement)
        return [_user("policy", "unclear", f"statement {number} of the key policy", text)]
    effect, principals, actions, limited = understood
    what = ", ".join(actions)
    return [_user("policy", effect, who, what, limited=limited) for who in principals]


def _understood(statement: object) -> tuple[str, list[str], list[str], bool] | None:
    """Return effect, principals, actions and whether these are limited; None if one is unclear."""
    if not isinstance(statement, dict) or statement.keys() - _UNDERSTOOD:
        return None
    effect = statement.get("Effect")
    principals = _principals(statement.get("Principal"))
    actions = _texts(statement.get("Action"))
    if effect not in ("Allow", "Deny") or not principals or not actions:
        return None
    is_limited = bool(statement.get("Condition")) or statement.get("Resource") != _EVERYTHING
    return _EFFECTS[effect], principals, actions, is_limited


def _principals(principal: object) -> list[str]:
    """Return every principal in words; empty if any of them is unclear."""
    if principal == _EVERYTHING:
        return ["everybody (*)"]
    if not isinstance(principal, dict):
        return []
    named: list[str] = []
    for kind, value in principal.items():
        texts = _texts(value)
        if not texts:
            return []
        named += texts if kind == "AWS" else [f"{kind} {text}" for text in texts]
    return named


def _texts(value: object) -> list[str]:
    """Return one text or several as a list; empty if it is anything else."""
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) and text for text in texts):
        return []
    return texts
