"""Which keys lack a grant to Astra: those that are missing, and those that a rule found."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from checks.engine.finding import OPEN
from checks.engine.identity import PLANNED
from inventory.model.key import KeyScope
from inventory.text.display import pluralize
from reports.key_instructions.grants import NONE_NAMED, grant_parts, grants_for
from reports.key_instructions.instructions import scope_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from checks.engine.finding import Finding
    from inventory.model.organization import Organization
    from inventory.model.vocabulary import DatabaseType, Provider
    from reports.key_instructions.grants import KeyGrants
    from reports.key_instructions.instructions import Part
    from reports.model.key_plan import ListedScope

_NOT_GRANTED = ("not-granted", "undecidable-grant", "inherited-access", "needs-not-published")
"""With what the causes of findings begin that a grant to Astra would resolve."""


class UngrantedKeys:
    """Collects, organization by organization, the keys that lack a grant to Astra."""

    def __init__(self) -> None:
        """Start with none."""
        self._accounts: dict[KeyScope, list[str]] = {}
        self._keys: dict[tuple[KeyScope, str], None] = {}

    def on_organization(self, organization: Organization) -> None:
        """Keep the accounts that Astra names."""
        for account in organization.vendor_accounts or ():
            scope = KeyScope(organization.id, account.type, account.provider, account.region)
            self._accounts.setdefault(scope, []).append(account.account)

    def add(self, finding: Finding) -> None:
        """Keep the key that ``finding`` is about if it lacks a grant."""
        subject, cause = finding.subject, finding.cause.removeprefix(PLANNED)
        if finding.status in OPEN and subject.key and cause.startswith(_NOT_GRANTED):
            kind, provider = cast("DatabaseType", subject.type), cast("Provider", subject.provider)
            scope = KeyScope(subject.organization, kind, provider, subject.region)
            self._keys[scope, subject.key] = None

    def grants(
        self, missing: Sequence[ListedScope], names: Mapping[str, str]
    ) -> Iterator[KeyGrants]:
        """Yield what lets Astra use each key that is ``missing`` or lacks a grant."""
        wanted = {(scope_of(listed), ""): None for listed in missing} | self._keys
        for scope, key in wanted:
            yield grants_for(scope, names[scope.organization], key, self._accounts.get(scope, []))


# --- for people -----------------------------------------------------------------------------------

TITLE = "Who has to be allowed to use the keys"


class ShownGrants(NamedTuple):
    """What is shown of grants.

    Attributes:
        sections: the name of each key scope, with its parts.
        remarks: what is true of the others, in sentences.
    """

    sections: Sequence[tuple[str, Sequence[Part]]]
    remarks: Sequence[str]


def lay_out_grants(grants: Sequence[KeyGrants], most: int) -> ShownGrants:
    """Return what is shown of ``grants``, of at most so many; those without accounts together."""
    named = [entry for entry in grants if entry["accounts"]]
    unnamed = len(grants) - len(named)
    sections = [(_title(entry), list(grant_parts(entry))) for entry in named[:most]]
    remarks = []
    if (left := len(named) - len(sections)) > 0:
        remarks.append(f"For {pluralize(left, 'more key')}: --format json.")
    if unnamed:
        remarks.append(f"For {pluralize(unnamed, 'key')}: {NONE_NAMED}")
    return ShownGrants(sections, remarks)


def _title(entry: KeyGrants) -> str:
    place = f"{entry['name']}, {entry['type']}/{entry['provider']}/{entry['region']}"
    return f"{place}: {entry['key'] or 'the key to come'}"
