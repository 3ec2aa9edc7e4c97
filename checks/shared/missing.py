"""What an audit misses of an earlier one: organizations and databases, as causes name them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from checks.engine.catalogue import rule_of

if TYPE_CHECKING:
    from checks.engine.finding import Finding

VANISHED = "vanished"
"""The code of the cause of a database that is missing, though all databases were read."""

UNSEEN = "unseen"
"""The code of the cause of a database that is not among those that could be read."""

ORGANIZATION_MISSING = "organization-missing"
"""The cause of an organization that is missing altogether."""


def missing_database(finding: Finding) -> str:
    """Return the id of the database that ``finding`` misses; empty if it misses none."""
    code, _, database = finding.cause.partition(":")
    is_missing = finding.rule == rule_of("population") and code in {VANISHED, UNSEEN}
    return unquote(database) if is_missing else ""
