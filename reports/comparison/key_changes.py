"""What two audits saw, and which keys were added, replaced or removed between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.catalogue import rule_of
from inventory.model.key import KeyScope
from inventory.model.key_ids import parse_key_id
from reports.model.changes import KEY_CHANGES, KeyChange

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from checks.engine.finding import Finding
    from reports.model.changes import ChangedKeys, KeyChanges

KEYS = rule_of("key-id")
"""The rule that has a finding for each registered key, whatever it finds."""

DATABASES = rule_of("key-first")
"""The rule that has a finding for each database in each region, whatever it finds."""

MOST_SCOPES = 1_000
"""How many key scopes of one kind of change are named; the others are counted."""


class Seen:
    """What an audit saw: its organizations, and the keys that its findings name.

    Attributes:
        names: each organization's name by its id.
        unread: the facts that are not known to be whole, by the organization's id.
        broken: rule and organization of each check that broke.
        keys: the ids of the keys of each key scope, by what is the same in all their versions.
        captured: when the record of each organization was made (UTC), where that is known.
    """

    def __init__(self) -> None:
        """Start with nothing."""
        self.names: dict[str, str] = {}
        self.unread: dict[str, frozenset[str]] = {}
        self.broken: set[tuple[str, str]] = set()
        self.keys: dict[KeyScope, dict[str, str]] = {}
        self.captured: dict[str, datetime] = {}

    def add_organization(
        self,
        organization: str,
        name: str,
        unread: Iterable[str],
        captured_at: datetime | None = None,
    ) -> None:
        """Take note of an organization, and of the facts that could not be read."""
        self.names[organization] = name
        self.unread[organization] = frozenset(unread)
        if captured_at is not None:
            self.captured[organization] = captured_at

    def add(self, finding: Finding) -> None:
        """Take note of the key that ``finding`` names, or of a check that broke."""
        subject = finding.subject
        if finding.status == "error":
            self.broken.add((finding.rule, subject.organization))
        elif finding.rule == KEYS and subject.kind == "key":
            scope = KeyScope(*subject[2:6])  # type: ignore[arg-type]  # the parts of the subject
            self.keys.setdefault(scope, {})[parse_key_id(subject.key).canonical] = subject.key

    def merge(self, other: Seen) -> None:
        """Add what ``other`` saw: other organizations."""
        self.names |= other.names
        self.unread |= other.unread
        self.broken |= other.broken
        self.captured |= other.captured
        for scope, keys in other.keys.items():
            self.keys.setdefault(scope, {}).update(keys)

    def knows_all(self, scope: KeyScope) -> bool:
        """Say whether all keys of ``scope`` were read, and judged by the rule that names them."""
        unread = self.unread.get(scope.organization)
        is_read = unread is not None and f"{scope.type}-keys" not in unread
        return is_read and (KEYS, scope.organization) not in self.broken


def compare_keys(old: Seen, new: Seen) -> KeyChanges:
    """Return the key scopes whose keys differ, by what became of them.

    What only one of the two audits could read was neither added nor removed: it is listed apart.
    """
    names = old.names | new.names
    found: dict[KeyChange, list[ChangedKeys]] = {key_change: [] for key_change in KEY_CHANGES}
    for scope in sorted(old.keys.keys() | new.keys.keys()):
        before, after = old.keys.get(scope, {}), new.keys.get(scope, {})
        if before.keys() != after.keys():
            what = _change(scope, old, new)
            found[what].append(_changed_keys(scope, names, before, after))
    return {
        "counts": {what: len(scopes) for what, scopes in found.items()},
        "lists": {what: scopes[:MOST_SCOPES] for what, scopes in found.items()},
    }


def _change(scope: KeyScope, old: Seen, new: Seen) -> KeyChange:
    before, after = old.keys.get(scope, {}).keys(), new.keys.get(scope, {}).keys()
    if (after - before and not old.knows_all(scope)) or (
        before - after and not new.knows_all(scope)
    ):
        return "not_read"
    if before and after:
        return "replaced"
    return "added" if after else "removed"


def _changed_keys(
    scope: KeyScope, names: dict[str, str], before: dict[str, str], after: dict[str, str]
) -> ChangedKeys:
    return {
        "organization": scope.organization,
        "name": names.get(scope.organization, scope.organization),
        "type": scope.type,
        "provider": scope.provider,
        "region": scope.region,
        "before": sorted(before.values()),
        "after": sorted(after.values()),
    }
