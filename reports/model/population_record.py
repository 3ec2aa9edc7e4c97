"""What was judged, as the record holds it: the lines of ``population.ndjson``."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from inventory.model.database import Encryption
from inventory.model.planned_keys import KeyChange
from inventory.model.vocabulary import DatabaseType, Provider
from reports.model.cloud_record import CloudRecord, PortalKeyRecord, PortalRegionRecord


class OrganizationLine(TypedDict):
    """An organization; ``path`` is the subject under which findings name it."""

    kind: Literal["organization"]
    path: str
    id: str
    name: str
    captured_at: NotRequired[str]
    file: str
    line: int


class ReplacedKey(TypedDict):
    """A key that was registered for the same key scope before, and was replaced.

    Attributes:
        key_id: its id without its version; left out if several keys were registered then.
        first_seen: the time of the first record by which it was registered (UTC).
        not_before: the time of the last record before that, which shows the scope without it (UTC).
        last_seen: the time of the last record that shows it (UTC).
        cases: the support cases by which another key replaced it.
    """

    key_id: NotRequired[str]
    first_seen: NotRequired[str]
    not_before: NotRequired[str]
    last_seen: str
    cases: list[str]


class ExpiryRecord(TypedDict):
    """What is attested of a key, and the last day on which that counts."""

    what: str
    due: str


class KeyLine(TypedDict):
    """A customer key of one key scope, registered or planned.

    Attributes:
        path: the subject under which findings name it.
        organization: the organization's id.
        state: whether it is registered, or only part of a plan.
        name: of a planned key whose key scope the plan does not show, its address.
        type, provider, region: its key scope; left out if the plan does not show it.
        key_id: its id; left out if the plan does not show it.
        registered: when it was registered, as a person stated (UTC).
        attested_by, attested_on: who stated ``registered``, and the day on which.
        first_seen: the time of the first record that shows this key id in its scope (UTC).
        not_before: the time of the last record that shows the scope without this key id, so that
            it was registered later (UTC).
        since: the begin of the day of the support case by which it replaced another key (UTC).
        seen_again: the time of the first record after ``not_before`` that shows it, if it had been
            seen before (UTC).
        contradiction: why ``registered`` does not count, in a sentence.
        replaced: the keys that it replaced, the latest first.
        expiries: until when each attestation about it counts.
        portal: what Astra's portal showed of it.
        cloud: what its cloud shows of it.
        change: what the plan does with it.
        missing: what the plan does not show of it.
        address: the address by which Terraform manages it.
    """

    kind: Literal["key"]
    path: str
    organization: str
    state: Literal["registered", "planned"]
    name: NotRequired[str]
    type: NotRequired[DatabaseType]
    provider: NotRequired[Provider]
    region: NotRequired[str]
    key_id: NotRequired[str]
    registered: NotRequired[str]
    attested_by: NotRequired[str]
    attested_on: NotRequired[str]
    first_seen: NotRequired[str]
    not_before: NotRequired[str]
    since: NotRequired[str]
    seen_again: NotRequired[str]
    contradiction: NotRequired[str]
    replaced: NotRequired[list[ReplacedKey]]
    expiries: NotRequired[list[ExpiryRecord]]
    portal: NotRequired[PortalKeyRecord]
    cloud: NotRequired[CloudRecord]
    change: NotRequired[KeyChange]
    missing: NotRequired[str]
    file: str
    line: int
    address: NotRequired[str]


class RegionRecord(TypedDict):
    """A region of a database.

    Attributes:
        name: the region's name.
        scope: the path of the key scope in which the database's data is.
        state: that of the database; ``planned`` if only this region of it is planned.
        added_at: when it was added to the database (UTC).
        deployed_at: when the database was created, if it has this existing region only and
            ``added_at`` is not known (UTC).
        encryption: what is expected there, by the region, the database or the policy.
        portal: what Astra's portal showed of the region.
    """

    name: str
    scope: str
    state: Literal["existing", "planned", "terminated"]
    added_at: NotRequired[str]
    deployed_at: NotRequired[str]
    encryption: Encryption
    portal: NotRequired[PortalRegionRecord]


class DatabaseLine(TypedDict):
    """A database, existing, planned or terminated.

    Attributes:
        path: the subject under which findings name it.
        organization: the organization's id.
        state: a terminated one is listed and not judged.
        id: Astra's id; a planned database has none.
        name: its name.
        type: the database type; left out with all that follows if the plan does not show it.
        provider: the cloud provider.
        created_at: when it was created (UTC).
        regions: its regions.
        missing: what the plan does not show of it.
        address: the address by which Terraform manages it.
    """

    kind: Literal["database"]
    path: str
    organization: str
    state: Literal["existing", "planned", "terminated"]
    id: NotRequired[str]
    name: str
    type: NotRequired[DatabaseType]
    provider: NotRequired[Provider]
    created_at: NotRequired[str]
    regions: NotRequired[list[RegionRecord]]
    missing: NotRequired[str]
    file: str
    line: int
    address: NotRequired[str]


PopulationLine = OrganizationLine | KeyLine | DatabaseLine
