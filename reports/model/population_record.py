"""What was judged, as the record holds it: the lines of ``population.ndjson``."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from inventory.model.database import Encryption
from inventory.model.planned_keys import KeyChange
from inventory.model.vocabulary import DatabaseType, Provider


class OrganizationLine(TypedDict):
    """An organization; ``path`` is the subject under which findings name it."""

    kind: Literal["organization"]
    path: str
    id: str
    name: str
    captured_at: NotRequired[str]
    file: str
    line: int


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
        first_seen: the time of the first record that shows this key id in its scope (UTC).
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
    first_seen: NotRequired[str]
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
        encryption: what is expected there, by the region, the database or the policy.
    """

    name: str
    scope: str
    state: Literal["existing", "planned", "terminated"]
    added_at: NotRequired[str]
    encryption: Encryption


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
