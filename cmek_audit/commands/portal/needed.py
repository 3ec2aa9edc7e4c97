"""Which looks at Astra's portal would resolve what is open: the fewest first."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple

from checks.engine.catalogue import load_rules, rule_of
from checks.engine.context import day
from checks.engine.evaluation import judge_organization
from checks.shared.direct_evidence import ScopeKeys, unknown_user
from checks.shared.portal import is_in_portal, shows_use
from inventory.index.organization_index import index_organization
from inventory.model.attestations import PortalKey
from inventory.model.key import KeyScope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from checks.engine.context import Context
    from checks.engine.finding import Finding
    from inventory.index.organization_index import OrganizationIndex
    from inventory.model.database import Database
    from inventory.model.key import CustomerKey
    from inventory.model.organization import Organization

Kind = Literal["key", "region"]

WHERE: dict[Kind, tuple[str, ...]] = {
    "key": ("Settings", "Security", "Key Encryption"),
    "region": ("the database", "Regions", "More", "Details"),
}
"""Where the portal shows it, click by click."""

_RESOLVED_BY_LOOK = frozenset(
    {"registration-time-unknown", "equal-times", "rival-keys", "replaced-without-case"}
)
"""Why a database cannot be judged though a look would show whether its key encrypts it."""

_CONTRADICTION = "contradiction"


class Look(NamedTuple):
    """Something to look at in the portal.

    Attributes:
        kind: a key, or a region of a database.
        organization: the organization.
        scope: the key scope.
        databases: how many databases it would resolve.
        shows_use: whether it would show that the key is in use, which is open as well.
        key: the key; None for a region.
        database: the database; None for a key.
        is_only_one: of a key, whether its scope has one database only, so that *In-Use* shows that
            one, once a record of a later day shows that there is no other.
        only_if_in_use: of a region, whether it is needed only if its key is shown *In-Use*.
        is_younger: of a region, whether the database is of today, so that only a look on a later
            day counts.
    """

    kind: Kind
    organization: Organization
    scope: KeyScope
    databases: int
    shows_use: bool = False
    key: CustomerKey | None = None
    database: Database | None = None
    is_only_one: bool = False
    only_if_in_use: bool = False
    is_younger: bool = False


class Needed(NamedTuple):
    """What to look at, and what no look resolves.

    Attributes:
        entries: the looks, those first that resolve the most, and last those that may be needless.
        left: how many open findings no look resolves, by reason.
        open: how many findings are open in all.
    """

    entries: list[Look]
    left: Counter[str]
    open: int


def find_needed(organizations: Iterable[Organization], context: Context) -> Needed:
    """Return the looks that would resolve what the rules on order and on use cannot judge."""
    names = {rule_of("key-first"), rule_of("key-shows-use")}
    rules = [rule for rule in load_rules() if rule.card.id in names]
    entries: list[Look] = []
    left: Counter[str] = Counter()
    count = 0
    for organization in organizations:
        judged = judge_organization(organization, rules, context)
        found = [finding for finding in judged.findings if finding.status == "inconclusive"]
        count += len(found)
        resolved, others = _split(found)
        left.update(finding.reason for finding in others)
        if resolved:
            entries += _needed_in(index_organization(organization), resolved, context)
    order = sorted(entries, key=lambda look: (look.only_if_in_use, -look.databases, look.kind))
    return Needed(order, left, count)


def _split(findings: Iterable[Finding]) -> tuple[list[Finding], list[Finding]]:
    """Return the findings that a look would resolve, and the others."""
    resolved: list[Finding] = []
    others: list[Finding] = []
    for finding in findings:
        (resolved if _is_resolved_by_look(finding) else others).append(finding)
    return resolved, others


def _is_resolved_by_look(finding: Finding) -> bool:
    if finding.subject.type != "serverless" or not finding.existing:
        return False
    if finding.subject.kind == "key":
        is_shown = finding.subject.provider != "azure"
        return is_shown and finding.reason not in {_CONTRADICTION, "impossible-time"}
    return finding.reason in _RESOLVED_BY_LOOK


def _needed_in(
    index: OrganizationIndex, findings: Iterable[Finding], context: Context
) -> Iterator[Look]:
    """Yield the looks for the open ``findings`` of an organization, scope by scope."""
    databases: dict[KeyScope, set[str]] = {}
    keys: dict[KeyScope, set[str]] = {}
    for finding in findings:
        subject = finding.subject
        scope = _scope_of(index, subject.type, subject.provider, subject.region)
        if subject.kind == "key":
            keys.setdefault(scope, set()).add(subject.key)
        else:
            databases.setdefault(scope, set()).add(subject.database)
    for scope in dict.fromkeys((*databases, *keys)):
        yield from _needed_at(index, scope, databases.get(scope, set()), keys.get(scope), context)


def _scope_of(index: OrganizationIndex, *place: str) -> KeyScope:
    """Return the key scope of a finding, which is one of those with databases."""
    return next(scope for scope in index.scopes if scope[1:] == place)


def _needed_at(
    index: OrganizationIndex,
    scope: KeyScope,
    databases: set[str],
    keys: set[str] | None,
    context: Context,
) -> Iterator[Look]:
    """Yield the looks for one scope: at its key if that may be enough, else at each region."""
    entries = index.keys.get(scope, [])
    is_only_one = bool(databases) and _is_only_one(index, scope, context)
    by_key = (
        shows_use(scope) and len(index.key_ids(scope)) == 1 and (len(databases) > 1 or is_only_one)
    )
    shown = {key.key_id: key for key in entries if key.key_id in (keys or ())}
    if by_key and not shown:
        shown = {entries[0].key_id: entries[0]}
    for key in shown.values():
        yield Look(
            "key",
            index.organization,
            scope,
            len(databases) if by_key else 0,
            shows_use=bool(keys),
            key=key,
            is_only_one=is_only_one,
        )
    if by_key and is_only_one:
        return
    for deployment in index.scopes[scope] if is_in_portal(scope) else ():
        if deployment.database.id in databases and not deployment.is_planned:
            deployed = deployment.deployed
            yield Look(
                "region",
                index.organization,
                scope,
                1,
                database=deployment.database,
                only_if_in_use=by_key,
                is_younger=deployed is not None and day(deployed) >= day(context.as_of),
            )


def _is_only_one(index: OrganizationIndex, scope: KeyScope, context: Context) -> bool:
    """Return whether a key in use would show one database, by a record of a later day."""
    names = index.key_ids(scope)
    if len(names) != 1:
        return False
    later = context.as_of + timedelta(days=1)
    organization = index.organization.model_copy(update={"captured_at": later})
    look = PortalKey(status="in-use", by="-", on=day(context.as_of))
    keys = ScopeKeys(
        organization=index._replace(organization=organization),
        scope=scope,
        keys=index.keys[scope],
        earlier=(),
        never_used={},
        as_of=context.as_of,
    )
    return not unknown_user(keys, names[0], look)
