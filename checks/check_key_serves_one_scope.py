"""CMEK-02: a customer key serves one database type, provider and region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.card import OVERVIEW, Card, Quote
from checks.common import concerning_scopes, rival_keys_action
from checks.context import words
from checks.finding import fails, inconclusive, of_key_id, of_scope, passes, places
from checks.group import settle
from checks.identity import cause_of
from inventory.key_ids import kin, parse_key_id, project_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from checks.context import Context
    from checks.finding import Finding, Subject
    from checks.group import Group
    from inventory.entries import Place
    from inventory.estate import Estate
    from inventory.models import CustomerKey, KeyScope

CARD = Card(
    id="CMEK-02",
    check="check_key_serves_one_scope",
    title="A customer key serves one database type, provider and region",
    force="required",
    severity="high",
    subject="key id within an organization; key scope for which two keys are claimed",
    needs=("keys",),
    causes={
        "serves:TYPE/PROVIDER/REGION": "The key is registered for this combination and for others.",
        "rival-key:KEY": "The key is one of several that are claimed for the combination.",
    },
    rationale=(
        "Astra keeps a key for each combination. One key registered for two of them, or two keys "
        "claimed for one, means that the separation the documentation demands does not hold, or "
        "that the record does not show what is really in use."
    ),
    quotes=(
        Quote(
            sentence=(
                "If you use both types, then you need separate encryption keys for each type, even "
                "if they are deployed to the same regions."
            ),
            page=OVERVIEW,
            heading="Determine how many keys you need",
        ),
    ),
    remediation=(
        "Create a key of its own for each further combination. A key that is registered already "
        "can be replaced by IBM Support only: open a case."
    ),
    no_subject="The inventory holds no customer key.",
)


def judge(estate: Estate, context: Context) -> Iterator[Finding]:
    """Judge each key id, compared without version, and each scope with two different ones."""
    uses: dict[str, list[tuple[KeyScope, CustomerKey]]] = {}
    for scope, keys in estate.keys.items():
        yield from _judge_rivals(estate, scope, keys)
        for key in keys:
            uses.setdefault(parse_key_id(key.key_id).canonical, []).append((scope, key))
    namesakes = _namesakes(uses)
    for canonical, used in uses.items():
        for finding in _judge_key(estate, canonical, used):
            note = _note(estate, canonical, [uses[other] for other in namesakes(canonical)])
            yield finding._replace(says=f"{finding.says}{note}")


def _namesakes(uses: Iterable[str]) -> Callable[[str], list[str]]:
    """Return how to find the ids that may name the Google key of another id.

    One of them names the project by its id, the other by its number.
    """
    relatives: dict[str, list[str]] = {}
    for canonical in uses:
        if project_of(canonical):
            relatives.setdefault(kin(canonical), []).append(canonical)

    def find(canonical: str) -> list[str]:
        is_number = project_of(canonical).isdecimal()
        alike = relatives.get(kin(canonical), ())
        return [other for other in alike if project_of(other).isdecimal() is not is_number]

    return find


def _note(estate: Estate, canonical: str, others: list[list[tuple[KeyScope, CustomerKey]]]) -> str:
    """Say for which other scopes the key may be registered under another id, if for any."""
    own = "id" if project_of(canonical).isdecimal() else "number"
    scopes = dict.fromkeys(scope for used in others for scope, _ in used)
    named = ", ".join(words(estate.organization, scope) for scope in scopes)
    return f" It may be the key that {named} names by the project's {own}." if named else ""


def _judge_rivals(estate: Estate, scope: KeyScope, keys: list[CustomerKey]) -> Iterator[Finding]:
    """Yield one finding for each of several keys claimed for ``scope``: each is a cause."""
    claimed = sorted({parse_key_id(key.key_id).canonical for key in keys})
    if len(claimed) == 1:
        return
    named = ", ".join(claimed)
    action = rival_keys_action(words(estate.organization, scope))
    for canonical in claimed:
        says = f"{canonical} is one of {len(claimed)} keys that are claimed: {named}."
        cause = cause_of("rival-key", canonical)
        finding = fails(CARD, of_scope(scope), cause, says, places(keys), action)
        yield concerning_scopes(finding, estate, [scope])


def _judge_key(
    estate: Estate, canonical: str, used: list[tuple[KeyScope, CustomerKey]]
) -> Iterator[Finding]:
    scopes = list(dict.fromkeys(scope for scope, _ in used))
    if len(scopes) > 1:
        yield from _shared(estate, canonical, scopes, places(key for _, key in used))
    elif parse_key_id(canonical).form != "key":
        yield concerning_scopes(_disguised(canonical, used), estate, scopes)
    else:
        yield concerning_scopes(_exclusive(estate, canonical, used), estate, scopes)


def _of_key_id(canonical: str, scope: KeyScope) -> Subject:
    """Return the subject that is a key id, with the one scope that its finding concerns."""
    subject = of_key_id(scope.organization, canonical)
    return subject._replace(type=scope.type, provider=scope.provider, region=scope.region)


def _shared(
    estate: Estate, canonical: str, scopes: list[KeyScope], where: tuple[Place, ...]
) -> Iterator[Finding]:
    """Yield one finding for each scope that the key serves: a further scope is a further cause."""
    named = ", ".join(words(estate.organization, scope) for scope in scopes)
    action = f"Give each scope a key of its own instead of {canonical}"
    for scope in scopes:
        own = words(estate.organization, scope)
        says = f"{own} is one of {len(scopes)} scopes that the key serves: {named}."
        cause = cause_of("serves", "/".join(scope[1:]))
        finding = fails(CARD, _of_key_id(canonical, scope), cause, says, where, action)
        yield concerning_scopes(finding, estate, [scope])


def _exclusive(estate: Estate, canonical: str, used: list[tuple[KeyScope, CustomerKey]]) -> Finding:
    scope, key = used[0]
    subject, where = _of_key_id(canonical, scope), places(key for _, key in used)
    is_replicated = parse_key_id(key.key_id).multi_region
    note = " Multi-Region keys share their material between regions." if is_replicated else ""
    says = f"The key serves {words(estate.organization, scope)} alone.{note}"
    return passes(CARD, subject, says, where)


def _disguised(canonical: str, used: list[tuple[KeyScope, CustomerKey]]) -> Finding:
    subject = _of_key_id(canonical, used[0][0])
    where = places(key for _, key in used)
    if parse_key_id(used[0][1].key_id).form == "alias":
        says, reason = "An alias names the key; what an alias points to can change.", "alias"
    else:
        says, reason = "The key id has the form of no provider.", "unknown-key-id"
    action = f"Record the id of the key itself instead of {canonical}"
    return inconclusive(CARD, subject, reason, says, where, action)


def check_key_serves_one_scope(group: Group) -> None:
    """A customer key serves one database type, provider and region."""
    settle(group)
