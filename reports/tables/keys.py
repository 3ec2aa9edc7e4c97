"""The table of keys: every customer key of one key scope, registered or planned, is a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from reports.record.layout import KEY_LINE
from reports.tables.cells import joined, shown
from reports.tables.columns import MIDDLE, NARROW, WIDE, WIDEST, Column, Table
from reports.tables.population_rows import NOT_READ, entries, gap_text, not_known

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from inventory.model.vocabulary import DatabaseType
    from reports.model.cloud_record import DeadVersion, KeyUser, UnreadFact
    from reports.model.head import Head
    from reports.model.population_record import ExpiryRecord, KeyLine, ReplacedKey
    from reports.model.population_summary import GapEntry
    from reports.tables.population_rows import OrganizationFacts

_TYPES: Mapping[str, DatabaseType] = {
    "serverless-keys": "serverless",
    "managed-clusters-keys": "managed-clusters",
}
"""The lists of keys, each with the database type of its keys."""


_NOTHING: Mapping[str, object] = {}


class KeyRow(NamedTuple):
    """A key, or a list of keys that could not be read.

    Attributes:
        organization: its organization.
        line: the key as the population has it; None for a list that could not be read.
        gap: why the list could not be read, or not whole; None for a key.
        kms: which clouds the audit asked, or ``none``.
    """

    organization: OrganizationFacts
    line: KeyLine | None
    gap: GapEntry | None
    kms: str

    @property
    def fields(self) -> Mapping[str, object]:
        """Return the fields of the key."""
        return self.line or _NOTHING

    @property
    def cloud(self) -> Mapping[str, object]:
        """Return what its cloud shows of the key; empty if the record has nothing of it."""
        return cast("Mapping[str, object]", self.fields.get("cloud", _NOTHING))

    @property
    def portal(self) -> Mapping[str, object]:
        """Return what Astra's portal showed of the key; likewise."""
        return cast("Mapping[str, object]", self.fields.get("portal", _NOTHING))


def _read(head: Head, _lines: Iterable[bytes], population: Iterable[bytes]) -> Iterator[KeyRow]:
    kms = head["settings"]["kms"]
    for organization, line in entries(head, population, KEY_LINE):
        if line is not None:
            yield KeyRow(organization, line, None, kms)
            continue
        for gap in organization.gaps:
            if gap["fact"] in _TYPES:
                yield KeyRow(organization, None, gap, kms)


# --- values ---------------------------------------------------------------------------------------


def _state(row: KeyRow) -> str:
    return row.line["state"] if row.line else NOT_READ


def _type(row: KeyRow) -> str | None:
    return row.line.get("type") if row.line else _TYPES[cast("GapEntry", row.gap)["fact"]]


def _field(name: str, meaning: str, width: int = MIDDLE, title: str = "") -> Column[KeyRow]:
    """Return the column of a field of the key, under its name unless a ``title`` is given."""
    return Column(title or name, meaning, lambda row: shown(row.fields.get(name)), width)


def _portal(name: str, meaning: str) -> Column[KeyRow]:
    return Column(f"portal_{name}", meaning, lambda row: shown(row.portal.get(name)), NARROW)


def _cloud(name: str, meaning: str, width: int = NARROW) -> Column[KeyRow]:
    """Return the column of a field of what the cloud shows of the key."""
    return Column(f"cloud_{name}", meaning, lambda row: shown(row.cloud.get(name)), width)


def _grants(name: str, meaning: str) -> Column[KeyRow]:
    """Return the column of a field of the grants that the vendor issued."""

    def value(row: KeyRow) -> str | int | None:
        grants = cast("Mapping[str, object]", row.cloud.get("vendor_grants", {}))
        return shown(grants.get(name))

    return Column(f"vendor_grants_{name}", meaning, value, NARROW)


def _replaced(row: KeyRow) -> str:
    keys = cast("list[ReplacedKey]", row.fields.get("replaced", []))
    return joined(map(_replaced_text, keys))


def _replaced_text(key: ReplacedKey) -> str:
    times = (
        ("first seen ", key.get("first_seen")),
        ("not before ", key.get("not_before")),
        ("last seen ", key["last_seen"]),
    )
    known = [word + time for word, time in times if time]
    cases = [f"case {case}" for case in key["cases"]]
    return f"{key.get('key_id', 'one of several keys')} ({', '.join([*known, *cases])})"


def _expiries(row: KeyRow) -> str:
    expiries = cast("list[ExpiryRecord]", row.fields.get("expiries", []))
    return joined(f"{expiry['what']}: {expiry['due']}" for expiry in expiries)


def _dead_versions(row: KeyRow) -> str:
    versions = cast("list[DeadVersion]", row.cloud.get("dead_versions", []))
    return joined(map(_version_text, versions))


def _version_text(version: DeadVersion) -> str:
    times = (
        ("created ", version.get("created_at")),
        ("destroyed ", version.get("destroy_at")),
        ("expires ", version.get("expires_at")),
    )
    known = [word + time for word, time in times if time]
    return f"{version['id']} ({', '.join([version['state'], *known])})"


def _users(row: KeyRow) -> str:
    return joined(map(_user_text, cast("list[KeyUser]", row.cloud.get("users", []))))


def _user_text(user: KeyUser) -> str:
    limits = ", limited" if user.get("limited") else ""
    return f"{user['effect']} {user['who']}: {user['what']} ({user['via']}{limits})"


def _not_known(row: KeyRow) -> str | None:
    if row.line is None:
        return gap_text(row.gap) if row.gap else None
    is_registered = row.line["state"] == "registered"
    return not_known(
        row.line.get("missing"),
        "registered: nobody states it" if is_registered and "registered" not in row.line else "",
        *_cloud_gaps(row),
    )


def _cloud_gaps(row: KeyRow) -> Iterator[str]:
    """Yield why facts of the cloud are missing."""
    if not row.cloud:
        yield "cloud: not asked" if row.kms == "none" else "cloud: nothing is recorded"
    for unread in cast("list[UnreadFact]", row.cloud.get("unread", [])):
        more = [unread["detail"]] if "detail" in unread else []
        more += [f"needs {unread['permission']}"] if "permission" in unread else []
        in_brackets = f" ({', '.join(more)})" if more else ""
        yield f"{unread['fact']}: {unread['reason']}{in_brackets}"


# --- the table ------------------------------------------------------------------------------------

KEYS = Table(
    "keys",
    "Keys",
    f"a customer key of one key scope, or a list of keys that could not be read (`{NOT_READ}`)",
    (
        Column("organization", "the organization’s name", lambda row: row.organization.name),
        Column("organization_id", "the organization’s id", lambda row: row.organization.id),
        Column(
            "state",
            f"`registered`, `planned`, or `{NOT_READ}`: then there may be keys that no row shows",
            _state,
            NARROW,
        ),
        Column("type", "the database type", _type, NARROW),
        _field("provider", "the cloud provider", NARROW),
        _field("region", "the region"),
        _field("key_id", "the key id", WIDE),
        Column(
            "not_known",
            "which facts are not known, and why, as far as the record says",
            _not_known,
            WIDE,
        ),
        _field("name", "of a planned key whose key scope the plan does not show: its address"),
        _field("registered", "when it was registered, as a person stated (UTC)"),
        _field("attested_by", "who stated `registered`"),
        _field("attested_on", "when that was stated", NARROW),
        _field("contradiction", "why `registered` does not count"),
        _field("first_seen", "the time of the first record that shows it in its key scope (UTC)"),
        _field("not_before", "the time of the last record without it: it was registered later"),
        _field("since", "the day of the support case by which it replaced another key (UTC)"),
        _field("seen_again", "the time of the first record after `not_before` that shows it (UTC)"),
        Column("replaced", "the keys that it replaced, the latest first", _replaced, WIDE),
        Column("expiries", "what is attested of it, and the last day on which", _expiries, WIDE),
        _portal("status", "what Astra’s portal showed: `in-use` or `available`"),
        _portal("by", "who looked at the portal"),
        _portal("on", "when"),
        _portal("due", "the last day on which that counts"),
        _cloud("observed_at", "when its cloud was asked (UTC)", MIDDLE),
        _cloud("state", "its state, in the cloud’s own word"),
        _cloud("kind", "its kind, in the cloud’s own words"),
        _cloud("owner", "the account, project or vault that holds it", MIDDLE),
        _cloud("region", "where it is"),
        _cloud("enabled", "whether it can be used now: `yes` or `no`, as in all such columns"),
        _cloud("symmetric", "whether it is a symmetric key"),
        _cloud("suitable", "whether it is of the kind that wraps other keys"),
        _cloud("created_at", "when it was created (UTC)", MIDDLE),
        _cloud("rotated_at", "when it rotated last (UTC)", MIDDLE),
        _cloud("next_rotation_at", "when it rotates next (UTC)", MIDDLE),
        _cloud("rotation_enabled", "whether it rotates automatically"),
        _cloud("rotation_days", "how many days are between two rotations"),
        _cloud("last_used_at", "when a use was last recorded (UTC)", MIDDLE),
        _cloud("never_used", "whether uses are recorded, and none was"),
        _cloud("expires_at", "when it expires (UTC)", MIDDLE),
        _cloud("deletion_at", "when it will be deleted (UTC)", MIDDLE),
        _cloud("multi_region", "whether it can have replicas in other regions"),
        _cloud("purge_protected", "whether it cannot be erased early once it is deleted"),
        _cloud("recoverable_days", "for how many days it can be recovered once it is deleted"),
        _cloud("granted_to_astra", "whether Astra may use it, as a file states"),
        _cloud("versions", "how many versions it has"),
        _cloud("dead_versions_total", "how many versions are not alive, or will not be"),
        Column("cloud_dead_versions", "the first ones of these", _dead_versions, WIDE),
        _cloud("users_total", "how many may use it"),
        Column("cloud_users", "the first ones of these", _users, WIDEST),
        _grants("number", "how many grants of it Astra issued"),
        _grants("first", "when the first was issued (UTC)"),
        _grants("last", "when the last was issued (UTC)"),
        _field("change", "what the plan does with it", NARROW),
        _field("path", "its path, by which findings name it", WIDE, title="subject"),
        _field("file", "the file in which it was read"),
        _field("line", "the line there", NARROW),
        _field("address", "the address by which Terraform manages it"),
    ),
    _read,
    frozen=3,
)
