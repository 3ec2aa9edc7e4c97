"""CMEK-06: organizations do not share a customer key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.card import OVERVIEW, Card, Quote
from checks.context import because
from checks.finding import fails, inconclusive, of_key_id, of_organization, passes, places
from checks.group import settle
from inventory.key_ids import parse_key_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from checks.context import Context, Summary
    from checks.finding import Finding, Subject
    from checks.group import Group
    from inventory.entries import Place
    from inventory.models import CustomerKey

CARD = Card(
    id="CMEK-06",
    check="check_organization_has_own_keys",
    title="Organizations do not share a customer key",
    force="recommended",
    severity="advisory",
    subject="key id across organizations",
    rationale=(
        "Whoever disables or loses a shared key takes several organizations down at once, and "
        "access to one organization's key is access to the other's."
    ),
    quotes=(
        Quote(
            sentence=(
                "If you have multiple Astra organizations, DataStax recommends separate keys for "
                "each organization."
            ),
            page=OVERVIEW,
            heading="Determine how many keys you need",
        ),
    ),
    remediation=(
        "Create a key of its own for each organization. A key that is registered already can be "
        "replaced by IBM Support only: open a case. The same AWS account or Google project is fine."
    ),
    no_subject="The audit holds no key, or a single organization, so no key could be shared.",
)


def judge_across(organizations: Sequence[Summary], context: Context) -> Iterator[Finding]:
    """Judge each key id, compared without version, over all organizations together."""
    if len(organizations) < 2:  # noqa: PLR2004 (sharing takes two)
        return
    unread = [each for each in organizations if each.gaps]
    users: dict[str, dict[str, tuple[str, CustomerKey]]] = {}
    for each in organizations:
        for key in each.keys:
            canonical = parse_key_id(key.key_id).canonical
            users.setdefault(canonical, {})[each.id] = (each.name, key)
    for canonical, used in users.items():
        yield _judge_key(canonical, list(used.values()), unread)
    for each in () if users else unread:
        says = f"No key is known anywhere, and not all keys are: {because(each.gaps[0])}."
        yield _unread(of_organization(each.id), (each.place,), says, each)


def _judge_key(
    canonical: str, used: list[tuple[str, CustomerKey]], unread: list[Summary]
) -> Finding:
    subject, where = of_key_id("", canonical), places(key for _, key in used)
    names = ", ".join(name for name, _ in used)
    if len(used) > 1:
        says = f"{len(used)} organizations share the key: {names}."
        action = f"Give each organization a key of its own instead of {canonical}"
        return fails(CARD, subject, says, where, action)
    if parse_key_id(used[0][1].key_id).form != "key":
        says = "The key id is an alias or of no known form: it may disguise a shared key."
        action = f"Record the id of the key itself instead of {canonical}"
        return inconclusive(CARD, subject, says, where, "disguised-key", action)
    if unread:
        says = f"Not all keys of {unread[0].name} are known: {because(unread[0].gaps[0])}."
        return _unread(subject, where, says, unread[0])
    return passes(CARD, subject, f"Only {names} uses the key.", where)


def _unread(subject: Subject, where: tuple[Place, ...], says: str, unread: Summary) -> Finding:
    action = f"Record the keys of {unread.name} in full"
    return inconclusive(CARD, subject, says, where, unread.gaps[0].reason, action)


def check_organization_has_own_keys(group: Group) -> None:
    """Organizations do not share a customer key."""
    settle(group)
