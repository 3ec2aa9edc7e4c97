"""CMEK-06: organizations do not share a customer key."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from checks.card import OVERVIEW, Card, Quote
from checks.context import because
from checks.finding import fails, inconclusive, of_key_id, of_organization, passes, places
from checks.group import settle
from checks.identity import cause_of
from inventory.key_ids import kin, parse_key_id, project_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from checks.context import Context, Summary
    from checks.finding import Finding, Subject
    from checks.group import Group
    from inventory.entries import Place
    from inventory.models import CustomerKey

    Users = dict[str, dict[str, tuple[str, CustomerKey]]]
    """Name and entry of each organization that uses a key, by the key and the organization's id."""

CARD = Card(
    id="CMEK-06",
    check="check_organization_has_own_keys",
    title="Organizations do not share a customer key",
    force="recommended",
    severity="advisory",
    subject="key id across organizations",
    causes={
        "shared-by:ORGANIZATION": "The organization is one of several that use the key.",
    },
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
    unread = sorted((each for each in organizations if each.gaps), key=attrgetter("id"))
    users: Users = {}
    for each in organizations:
        for key in each.keys:
            canonical = parse_key_id(key.key_id).canonical
            users.setdefault(canonical, {})[each.id] = (each.name, key)
    relatives, summaries = _relatives(users), {each.id: each for each in organizations}
    for canonical, used in users.items():
        resting = [summaries[identity].resting[canonical] for identity in used]
        databases, existing = (sum(counts) for counts in zip(*resting, strict=True))
        note = _note(canonical, users, relatives)
        for finding in _judge_key(canonical, used, unread):
            says = f"{finding.says}{note}"
            yield finding._replace(says=says, databases=databases, existing=existing)
    for each in () if users else unread:
        says = f"No key is known anywhere, and not all keys are: {because(each.gaps[0])}."
        yield _unread(of_organization(each.id), (each.place,), says, each)


def _relatives(users: Users) -> dict[str, list[str]]:
    """Return the keys that may share their material, by what their ids have in common."""
    relatives: dict[str, list[str]] = {}
    for canonical in users:
        if common := kin(canonical):
            relatives.setdefault(common, []).append(canonical)
    return relatives


def _note(canonical: str, users: Users, relatives: dict[str, list[str]]) -> str:
    """Say which other organizations use a key of the same material under another id, if any do."""
    others = [each for each in relatives.get(kin(canonical), ()) if _may_be_one(canonical, each)]
    names = {
        name
        for other in others
        for organization, (name, _) in users[other].items()
        if organization not in users[canonical]
    }
    if not names:
        return ""
    named = ", ".join(sorted(names))
    if project := project_of(canonical):
        by = "id" if project.isdecimal() else "number"
        return f" It may be the key that {named} names by the project's {by}."
    return f" Replicas of this multi-Region key, which share its material, are used by {named}."


def _may_be_one(one: str, two: str) -> bool:
    """Say whether two ids with something in common may name one material.

    Two projects of Google are different ones unless one is named by id and one by number.
    """
    projects = project_of(one), project_of(two)
    return projects == ("", "") or projects[0].isdecimal() is not projects[1].isdecimal()


def _judge_key(
    canonical: str, used: dict[str, tuple[str, CustomerKey]], unread: list[Summary]
) -> Iterator[Finding]:
    subject, where = of_key_id("", canonical), places(key for _, key in used.values())
    if len(used) > 1:
        yield from _shared(canonical, used)
    elif parse_key_id(canonical).form != "key":
        says = "The key id is an alias or of no known form: it may disguise a shared key."
        action = f"Record the id of the key itself instead of {canonical}"
        yield inconclusive(CARD, subject, "disguised-key", says, where, action)
    elif unread:
        says = f"Not all keys of {unread[0].name} are known: {because(unread[0].gaps[0])}."
        yield _unread(subject, where, says, unread[0])
    else:
        [(name, _)] = used.values()
        yield passes(CARD, subject, f"Only {name} uses the key.", where)


def _shared(canonical: str, used: dict[str, tuple[str, CustomerKey]]) -> Iterator[Finding]:
    """Yield one finding for each organization that uses the key: a further one is a new cause."""
    where = places(key for _, key in used.values())
    names = ", ".join(name for name, _ in used.values())
    action = f"Give each organization a key of its own instead of {canonical}"
    for organization, (name, _) in used.items():
        says = f"{name} is one of {len(used)} organizations that share the key: {names}."
        cause = cause_of("shared-by", organization)
        yield fails(CARD, of_key_id("", canonical), cause, says, where, action)


def _unread(subject: Subject, where: tuple[Place, ...], says: str, unread: Summary) -> Finding:
    action = f"Record the keys of {unread.name} in full"
    return inconclusive(CARD, subject, unread.gaps[0].reason, says, where, action)


def check_organization_has_own_keys(group: Group) -> None:
    """Organizations do not share a customer key."""
    settle(group)
