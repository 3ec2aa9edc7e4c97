"""The tables of an audit, in the order in which formats write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reports.tables.audit import AUDIT
from reports.tables.databases import DATABASES
from reports.tables.findings import FINDINGS
from reports.tables.keys import KEYS
from reports.tables.scopes import SCOPES

if TYPE_CHECKING:
    from reports.tables.columns import Table

OTHERS: tuple[Table[Any], ...] = (FINDINGS, KEYS, DATABASES, SCOPES)
"""What was found and judged."""

TABLES: tuple[Table[Any], ...] = (AUDIT, *OTHERS)
"""All tables: the one of the audit as a whole comes first."""
