"""What shows directly whether a key encrypts a database: the portal, and the cloud's record of use.

A look at the portal counts for databases that were deployed on a day before it. What is shown of a
key is shown of all databases of its scope. That a key is in use shows something of a database only
if no other one can be the one that uses it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from checks.engine.context import day, utc
from checks.shared.portal import (
    current_sightings,
    is_in_portal,
    look_in_words,
    not_counting,
    not_showing,
    shows_use,
    sightings_of,
)
from inventory.model.key_ids import canonical
from inventory.text.display import pluralize

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from inventory.index.deployments import Deployment
    from inventory.index.organization_index import OrganizationIndex
    from inventory.model.attestations import PortalKey
    from inventory.model.base import SourceLocation
    from inventory.model.database import Database
    from inventory.model.key import CustomerKey, KeyScope

ON_ASTRA_KEYS, KEY_AVAILABLE, KEY_NEVER_USED = (
    "shown-on-astra-keys",
    "key-available",
    "key-never-used",
)


class Shown(NamedTuple):
    """One thing that is shown of a database.

    Attributes:
        text: what is shown, in a sentence.
        cause: why the database does not comply then; empty if it is encrypted by the key.
        by: who saw it; empty for what a cloud recorded.
        evidence: where it was read.
        decides: whether it is enough to judge by. If not, it can only contradict.
    """

    text: str
    cause: str = ""
    by: str = ""
    evidence: tuple[SourceLocation, ...] = ()
    decides: bool = True


class DirectEvidence(NamedTuple):
    """What is shown of one existing database in one region.

    Attributes:
        encrypted: what shows that a registered key encrypts it.
        unencrypted: what shows that none does.
        disputes: what contradicts that, although it shows nothing of this one database; and what
            names another key than the registered one.
        notes: what was seen but shows nothing of it, and why.
    """

    encrypted: tuple[Shown, ...] = ()
    unencrypted: tuple[Shown, ...] = ()
    disputes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def contradicts_itself(self) -> bool:
        """Return whether it shows both."""
        return bool(self.disputes or (self.encrypted and self.unencrypted))

    @property
    def text(self) -> str:
        """Return all of it in sentences, each once."""
        shown = [shown.text for shown in (*self.encrypted, *self.unencrypted)]
        return " ".join(dict.fromkeys((*shown, *self.disputes, *self.notes)))


NOTHING = DirectEvidence()


class ScopeKeys(NamedTuple):
    """The keys of one scope, for which evidence is looked for.

    Attributes:
        organization: the organization, with its index.
        scope: the scope.
        keys: every entry of a registered key.
        earlier: the ids of keys that were replaced, without versions.
        never_used: when the cloud of each key last said that it had never been used, by the key's
            id without a version; without those of which that is not known.
        as_of: the time of judgement.
        notes: why what clouds recorded of their use does not count, in sentences.
    """

    organization: OrganizationIndex
    scope: KeyScope
    keys: Sequence[CustomerKey]
    earlier: Collection[str]
    never_used: Mapping[str, datetime]
    as_of: datetime
    notes: tuple[str, ...] = ()

    @property
    def deployments(self) -> Sequence[Deployment]:
        """Return the deployments in the scope."""
        return self.organization.scopes.get(self.scope, [])

    @property
    def names(self) -> list[str]:
        """Return the ids of the different keys, without versions."""
        return self.organization.key_ids(self.scope)

    def may_have_held(self, database: Database) -> bool:
        """Return whether a database that is terminated now may have been in the scope."""
        places = {
            (region.provider or database.provider, region.name) for region in database.regions
        }
        return (
            database.is_terminated
            and (self.scope.provider, self.scope.region) in places
            and database.type in {self.scope.type, "unknown"}
        )

    def entries(self, name: str) -> list[CustomerKey]:
        """Return the entries of one key."""
        return [key for key in self.keys if canonical(key.key_id) == name]


def find_direct_evidence(scope: ScopeKeys) -> list[DirectEvidence]:
    """Return what is shown of each deployment in the scope, in their order; empty if nothing is."""
    has_any = (
        bool(scope.never_used or scope.notes)
        or any(key.portal for key in scope.keys)
        or scope.scope in scope.organization.looked_at
    )
    if not has_any:
        return []
    by_region = [_of_region(scope, deployment) for deployment in scope.deployments]
    found = _with_keys(scope, by_region)
    for name in scope.names:
        sightings = current_sightings(scope.entries(name), scope.scope, scope.as_of)
        for look in (look for look in sightings if look.status == "in-use"):
            found = _with_use(scope, name, look, found)
    notes = (*scope.notes, *_notes(scope))
    return [
        NOTHING if deployment.is_planned else evidence._replace(notes=(*evidence.notes, *notes))
        for deployment, evidence in zip(scope.deployments, found, strict=True)
    ]


# --- one region of a database ---------------------------------------------------------------------


def _of_region(scope: ScopeKeys, deployment: Deployment) -> DirectEvidence:
    """Return what a look at the region's details shows."""
    look = deployment.region.portal
    if look is None:
        return NOTHING
    deployed = deployment.deployed
    if why := not_showing(look, scope.as_of, deployed):
        return DirectEvidence(notes=(why,))
    text, counts = look_in_words(look), is_in_portal(scope.scope)
    shown = Shown(text, by=look.by, evidence=(deployment.location,), decides=counts)
    if look.key == "astra":
        return DirectEvidence(unencrypted=(shown._replace(cause=ON_ASTRA_KEYS),))
    named = canonical(look.key_id) if look.key_id else ""
    is_unnamed = len(scope.names) > 1 if not named else named in scope.earlier
    if not counts or is_unnamed:
        return DirectEvidence(notes=(f"{text} That does not show which registered key it is.",))
    if named and scope.names and named not in scope.names:
        return DirectEvidence(disputes=(f"{text} It is not the registered key.",))
    return DirectEvidence(encrypted=(shown,))


# --- a key that encrypts nothing ------------------------------------------------------------------


def _with_keys(scope: ScopeKeys, by_region: Sequence[DirectEvidence]) -> list[DirectEvidence]:
    """Add to what is shown of regions what shows that the keys of the scope encrypt nothing.

    If somebody saw that a key encrypts one of the databases of which that should be true, it is in
    dispute for all of them.
    """
    if not scope.names:
        return list(by_region)
    by_key = [tuple(_against_key(scope, deployment)) for deployment in scope.deployments]
    disputed: dict[Shown, list[str]] = {}
    for region, against in zip(by_region, by_key, strict=True):
        for shown in against if region.encrypted else ():
            disputed.setdefault(shown, []).extend(seen.text for seen in region.encrypted)
    return [
        region._replace(
            unencrypted=(*region.unencrypted, *against),
            disputes=(
                *region.disputes,
                *(text for shown in against for text in disputed.get(shown, [])[:1]),
            ),
            notes=(*region.notes, *_too_early(scope, deployment)),
        )
        for deployment, region, against in zip(scope.deployments, by_region, by_key, strict=True)
    ]


def _against_key(scope: ScopeKeys, deployment: Deployment) -> Iterator[Shown]:
    """Yield what shows that none of the keys encrypts anything as old as the deployment."""
    deployed = deployment.deployed
    if deployed is None or deployment.is_planned:
        return
    known = [_available(scope, name, deployed) for name in scope.names]
    sightings = [look for look in known if look]
    if len(sightings) == len(known):
        yield Shown(
            " ".join(map(look_in_words, sightings)),
            KEY_AVAILABLE,
            sightings[0].by,
            tuple(dict.fromkeys(key.location for key in scope.keys)),
            decides=is_in_portal(scope.scope),
        )
    times = [scope.never_used[name] for name in scope.names if name in scope.never_used]
    if len(times) == len(known) and deployed < min(times):
        yield Shown(
            f"Up to {utc(min(times))} the cloud recorded no use of the key.",
            KEY_NEVER_USED,
            evidence=tuple(_read_at(scope.keys)),
        )


def _available(scope: ScopeKeys, name: str, deployed: datetime) -> PortalKey | None:
    """Return the latest look that shows that a key encrypts nothing of that age; else None.

    Of Managed Clusters the portal is not known to show any status, so that such a look only casts
    doubt. Of keys in Azure it is known to show nothing.
    """
    sightings = () if scope.scope.provider == "azure" else sightings_of(scope.entries(name))
    shown = (look for look in sightings if look.status == "available")
    return next((look for look in shown if not not_showing(look, scope.as_of, deployed)), None)


def _too_early(scope: ScopeKeys, deployment: Deployment) -> Iterator[str]:
    """Yield why looks that count show nothing of a deployment that may be later than they are."""
    deployed = deployment.deployed
    for look in current_sightings(scope.keys, scope.scope, scope.as_of):
        if look.status == "available" and (why := not_showing(look, scope.as_of, deployed)):
            yield why


def _read_at(keys: Iterable[CustomerKey]) -> Iterator[SourceLocation]:
    for key in keys:
        if key.kms:
            yield from key.kms.where("last-use")


# --- a key in use ---------------------------------------------------------------------------------


def _with_use(
    scope: ScopeKeys, name: str, look: PortalKey, found: Sequence[DirectEvidence]
) -> list[DirectEvidence]:
    """Add a look that shows a key in use: one of the databases there must be encrypted by it."""
    text = look_in_words(look)
    users = _users(scope, look)
    unknown = _unknown_user(scope, name, look, users)
    is_disputed = bool(users) and all(found[place].unencrypted for place in users)
    added = []
    for place, evidence in enumerate(found):
        more = evidence
        if is_disputed and evidence.unencrypted:
            more = evidence._replace(disputes=(*evidence.disputes, text))
        elif place not in users:
            note = f"{text} That shows nothing of what was deployed later."
            more = evidence._replace(notes=(*evidence.notes, note))
        elif unknown:
            note = f"{text} That shows nothing of a single database: {unknown}."
            more = evidence._replace(notes=(*evidence.notes, note))
        else:
            shown = Shown(text, by=look.by, evidence=(scope.entries(name)[0].location,))
            more = evidence._replace(encrypted=(*evidence.encrypted, shown))
        added.append(more)
    return added


def _users(scope: ScopeKeys, look: PortalKey) -> frozenset[int]:
    """Return the places of the deployments that may be what ``look`` saw.

    One of its own day may have come before it or after it.
    """
    times = [
        (place, deployment.deployed)
        for place, deployment in enumerate(scope.deployments)
        if not deployment.is_planned
    ]
    return frozenset(place for place, time in times if time is None or day(time) <= look.on)


def unknown_user(scope: ScopeKeys, name: str, look: PortalKey) -> str:
    """Return why it is not known which database a key in use encrypts; empty if it is."""
    return _unknown_user(scope, name, look, _users(scope, look))


def _unknown_user(scope: ScopeKeys, name: str, look: PortalKey, users: Collection[int]) -> str:
    """Return why it is not known which database a key in use encrypts; empty if it is.

    One that is gone, that was not recorded, or that is of the other key scopes of the key may be
    the one that was seen.
    """
    if len(users) != 1:
        return f"{pluralize(len(users), 'database')} may use the key"
    deployment = scope.deployments[min(users)]
    if not_showing(look, scope.as_of, deployment.deployed):
        return "the only one there may be younger"
    if sum(name in scope.organization.key_ids(other) for other in scope.organization.keys) > 1:
        return "the key is registered for several key scopes"
    return _unlisted_user(scope, look)


def _unlisted_user(scope: ScopeKeys, look: PortalKey) -> str:
    """Return why a database that is not among the deployments may use the key; empty if none."""
    organization = scope.organization.organization
    if scope.organization.gaps.get("databases"):
        return "not all databases are known to be recorded"
    if organization.captured_at is None or day(organization.captured_at) <= look.on:
        return "only a record of a later day shows what else was deployed by then"
    if any(map(scope.may_have_held, organization.databases or ())):
        return "one that is terminated may have used the key"
    if scope.scope._replace(type="unknown") in scope.organization.scopes:
        return "one of unknown type may use the key"
    return ""


def _notes(scope: ScopeKeys) -> Iterator[str]:
    """Yield which looks at keys show nothing at all, and why."""
    for look in sightings_of(scope.keys):
        if why := not_counting(look, scope.as_of):
            yield why
        elif not shows_use(scope.scope):
            yield f"{look_in_words(look)} For such a key the portal does not show use."
