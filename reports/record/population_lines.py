"""What was judged, a line each: organizations, keys and databases in ``population.ndjson``.

The lines of an organization add up to its numbers in the head.
"""

from __future__ import annotations

from json.encoder import encode_basestring_ascii as quote
from typing import TYPE_CHECKING, TypeVar, get_args

from checks.engine.context import utc
from checks.engine.finding import (
    organization_subject,
    planned_database_subject,
    planned_key_subject,
    undetermined_key_subject,
)
from checks.engine.identity import escape, join
from checks.shared.key_registration import deployed_at
from inventory.model.organization_index import scope_of
from inventory.model.vocabulary import DatabaseType
from inventory.text.canonical_json import compact_json
from reports.aggregation.expected_databases import undetermined_databases
from reports.record.encoding import cached_quote
from reports.record.key_facts import portal_of_region
from reports.record.key_lines import add_cloud_facts, registered_keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.engine.context import Context
    from inventory.model.base import Located
    from inventory.model.database import Database, DatabaseRegion, Encryption
    from inventory.model.organization import Organization
    from inventory.model.planned_keys import PlannedKey, UndeterminedKey
    from inventory.model.terraform_managed import UndeterminedDatabase
    from reports.model.population_record import DatabaseLine, KeyLine, OrganizationLine


L = TypeVar("L", "KeyLine", "DatabaseLine")


def population_lines(organization: Organization, context: Context) -> Iterator[str]:
    """Yield the line of ``organization``, then those of its keys, then those of its databases.

    ``context`` holds the earlier records, which may show a key before the present one does.
    """
    yield compact_json(_organization(organization))
    yield from map(compact_json, registered_keys(organization, context))
    for planned_key in organization.managed.planned_keys:
        yield compact_json(_planned_key(organization, planned_key, context))
    for undetermined_key in organization.managed.undetermined_keys:
        yield compact_json(_undetermined_key(organization, undetermined_key))
    yield from _encode_databases(organization)
    for undetermined in undetermined_databases(organization):
        yield compact_json(_undetermined_database(organization, undetermined))


def _organization(organization: Organization) -> OrganizationLine:
    line: OrganizationLine = {
        "kind": "organization",
        "path": organization_subject(organization.id).path,
        "id": organization.id,
        "name": organization.name,
        "file": organization.file,
        "line": organization.line,
    }
    if organization.captured_at:
        line["captured_at"] = utc(organization.captured_at)
    return line


# --- keys -----------------------------------------------------------------------------------------


def _planned_key(organization: Organization, key: PlannedKey, context: Context) -> KeyLine:
    line: KeyLine = {
        "kind": "key",
        "path": planned_key_subject(scope_of(organization.id, key), key).path,
        "organization": organization.id,
        "state": "planned",
        "type": key.type,
        "provider": key.provider,
        "region": key.region,
        "change": key.change,
        "file": key.file,
        "line": key.line,
    }
    if key.key_id:
        line["key_id"] = key.key_id
    add_cloud_facts(line, organization, key, context)
    return _with_plan(line, key, key.missing)


def _undetermined_key(organization: Organization, key: UndeterminedKey) -> KeyLine:
    line: KeyLine = {
        "kind": "key",
        "path": undetermined_key_subject(organization.id, key).path,
        "organization": organization.id,
        "state": "planned",
        "name": key.name,
        "change": key.change,
        "file": key.file,
        "line": key.line,
    }
    return _with_plan(line, key, key.missing)


def _with_plan(line: L, entry: Located, missing: str) -> L:
    """Add what a plan does not show of ``entry``, and the address by which Terraform manages it."""
    if missing:
        line["missing"] = missing
    if entry.resource:
        line["address"] = entry.resource
    return line


# --- databases ------------------------------------------------------------------------------------


def _encode_databases(organization: Organization) -> Iterator[str]:
    """Yield the lines of the databases, put together by hand as those of findings are.

    There may be as many as databases in a fleet: what they have in common is rendered once.
    """
    policy, regions = organization.policy, _Regions(organization.id)
    policies = {kind: policy.of(kind).encryption for kind in get_args(DatabaseType)}
    begin = f'{{"kind":"database","path":"{escape(organization.id)}/database/'
    owner = f'","organization":{quote(organization.id)},"state":"'
    for database in organization.databases or ():
        name, kind, provider = database.name, database.type, database.provider
        state = "terminated" if database.is_terminated else database.state
        expected = database.encryption or policies[kind]
        places = [regions.encode(database, region, state, expected) for region in database.regions]
        identity = f'"id":{quote(database.id)},' if database.id else ""
        created = database.created_at
        added = f'"created_at":"{created.isoformat()[:-6]}Z",' if created else ""
        location = database.location
        resource = f',"address":{quote(database.resource)}' if len(location) > 2 else ""  # noqa: PLR2004 (a file and a line)
        yield (
            f'{begin}{escape(database.id or database.identity)}{owner}{state}",{identity}'
            f'"name":{quote(name)},"type":"{kind}","provider":"{provider}",{added}'
            f'"regions":[{",".join(places)}],"file":{cached_quote(location[0])},"line":{location[1]}{resource}}}'
        )


class _Regions:
    """Encodes the regions of one organization's databases, of which many are in the same one."""

    def __init__(self, organization: str) -> None:
        self._organization = organization
        self._known: dict[tuple[str, str, str], str] = {}

    def encode(
        self, database: Database, region: DatabaseRegion, state: str, expected: Encryption
    ) -> str:
        """Render ``region``; ``state`` and ``expected`` encryption are those of the database."""
        place = database.type, region.provider or database.provider, region.name
        begin = self._known.get(place)
        if begin is None:
            scope = join(self._organization, *place)
            begin = f'{{"name":{quote(region.name)},"scope":"{scope}","state":"'
            self._known[place] = begin
        state = region.state if state == "existing" else state
        added = f'","added_at":"{region.added_at.isoformat()[:-6]}Z' if region.added_at else ""
        if state == "existing" and not added and (deployed := deployed_at(database, region)):
            added = f'","deployed_at":"{deployed.isoformat()[:-6]}Z'
        look = f',"portal":{compact_json(portal_of_region(region.portal))}' if region.portal else ""
        return f'{begin}{state}{added}","encryption":"{region.encryption or expected}"{look}}}'


def _undetermined_database(
    organization: Organization, database: UndeterminedDatabase
) -> DatabaseLine:
    line: DatabaseLine = {
        "kind": "database",
        "path": planned_database_subject(organization.id, database).path,
        "organization": organization.id,
        "state": "planned",
        "name": database.name,
        "file": database.file,
        "line": database.line,
    }
    return _with_plan(line, database, database.missing)
