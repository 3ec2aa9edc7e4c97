"""The registered keys of an organization, as ``population.ndjson`` lists them.

Each with what is known of the time of its registration: the same facts as its databases are judged
by.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from checks.engine.context import utc
from checks.engine.finding import key_subject
from checks.shared.key_registration import KeyRegistration, date_registration
from inventory.index.organization_index import scope_of
from inventory.model.key_ids import canonical
from reports.record.key_facts import cloud_record, portal_of_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from checks.engine.context import Context
    from checks.shared.registration import Period
    from inventory.history import Observation
    from inventory.model.key import CustomerKey, KeyScope, SupportCase
    from inventory.model.organization import Organization
    from inventory.model.planned_keys import PlannedKey
    from reports.model.population_record import ExpiryRecord, KeyLine, ReplacedKey


class _ScopeFacts(NamedTuple):
    """What the keys of one scope share, found once for all of them."""

    observations: Sequence[Observation]
    known: KeyRegistration


def registered_keys(organization: Organization, context: Context) -> Iterator[KeyLine]:
    """Yield the line of each registered key of ``organization``."""
    keys: defaultdict[KeyScope, list[CustomerKey]] = defaultdict(list)
    for key in organization.keys or ():
        keys[scope_of(organization.id, key)].append(key)
    cases: defaultdict[KeyScope, list[SupportCase]] = defaultdict(list)
    for case in organization.support_cases:
        cases[scope_of(organization.id, case)].append(case)
    facts: dict[KeyScope, _ScopeFacts] = {}
    for key in organization.keys or ():
        scope = scope_of(organization.id, key)
        if scope not in facts:
            own = cases.get(scope, [])
            known = date_registration(scope, keys[scope], own, organization, context)
            facts[scope] = _ScopeFacts(context.history.observations(scope), known)
        line = _line(organization, key, scope, facts[scope])
        add_cloud_facts(line, organization, key, context)
        if key.portal:
            line["portal"] = portal_of_key(key.portal)
        yield line


def add_cloud_facts(
    line: KeyLine, organization: Organization, key: CustomerKey | PlannedKey, context: Context
) -> None:
    """Add what the cloud shows of ``key``, unless the audit leaves the clouds out."""
    if key.kms and context.kms != "none":
        scope = scope_of(organization.id, key)
        accounts = organization.vendor_accounts or ()
        named = {one.account for one in accounts if scope_of(organization.id, one) == scope}
        line["cloud"] = cloud_record(key.kms, named)


def _line(
    organization: Organization, key: CustomerKey, scope: KeyScope, facts: _ScopeFacts
) -> KeyLine:
    line: KeyLine = {
        "kind": "key",
        "path": key_subject(scope, key.key_id).path,
        "organization": organization.id,
        "state": "registered",
        "type": key.type,
        "provider": key.provider,
        "region": key.region,
        "key_id": key.key_id,
        "file": key.file,
        "line": key.line,
    }
    if key.registered:
        line["registered"] = utc(key.registered.at)
        line["attested_by"] = key.registered.by
        line["attested_on"] = key.registered.on.isoformat()
        if contradiction := _contradiction(key, facts.known):
            line["contradiction"] = contradiction
    _add_sightings(line, key, facts.observations, organization)
    if facts.known.periods:
        _add_registration(line, facts.known)
    if expiries := _expiries(key):
        line["expiries"] = expiries
    return line


def _add_sightings(
    line: KeyLine, key: CustomerKey, observations: Sequence[Observation], organization: Organization
) -> None:
    """Add the time of the first dated record that shows ``key`` in its scope."""
    key_id = canonical(key.key_id)
    times = [seen.at for seen in observations if key_id in map(canonical, seen.key_ids)]
    if first := times[0] if times else organization.captured_at:
        line["first_seen"] = utc(first)


def _contradiction(key: CustomerKey, known: KeyRegistration) -> str:
    """Return why the attested time of ``key`` does not count; empty if it does."""
    if not known.periods:
        return "Several keys are claimed for the key scope."
    if key.registered not in known.attested:
        return "The attestation is dated after the audit."
    return known.contradiction


def _add_registration(line: KeyLine, known: KeyRegistration) -> None:
    """Add what bounds the time of registration of the one key of a scope."""
    registration = known.periods[0].registration
    if registration.after:
        line["not_before"] = utc(registration.after)
    if registration.since:
        line["since"] = utc(registration.since)
    if registration.by and registration.after and utc(registration.by) != line.get("first_seen"):
        line["seen_again"] = utc(registration.by)
    before = known.periods[1:]
    if replaced := [_replaced(period, period.until) for period in before if period.until]:
        line["replaced"] = replaced


def _replaced(period: Period, last_seen: datetime) -> ReplacedKey:
    """Return a key that another one replaced; ``first_seen`` as far back as it was there."""
    cases = [case.ticket for case in period.cases]
    entry: ReplacedKey = {"last_seen": utc(last_seen), "cases": cases}
    if period.key:
        entry["key_id"] = period.key
    if period.registration.by:
        entry["first_seen"] = utc(period.registration.by)
    if period.registration.after:
        entry["not_before"] = utc(period.registration.after)
    return entry


def _expiries(key: CustomerKey) -> list[ExpiryRecord]:
    """Return the last day on which each attestation about ``key`` counts."""
    attested = (
        ("its rotation", key.rotation),
        ("that it is usable", key.usable),
        ("what the portal showed of it", key.portal),
        ("that nobody else may use it", key.exclusive),
    )
    return [
        {"what": what, "due": statement.last_day().isoformat()}
        for what, statement in attested
        if statement
    ]
