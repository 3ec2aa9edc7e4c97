"""The JSON Schemas that the suite ships, by name: those of files to write, and of the record."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from cmek_audit import install_location

if TYPE_CHECKING:
    from pathlib import Path


class Schema(NamedTuple):
    """A schema.

    Attributes:
        name: the name by which a user finds it.
        file: its path in the folder of the suite.
        purpose: what it describes, for people.
    """

    name: str
    file: str
    purpose: str

    @property
    def path(self) -> Path:
        """Return the path of the file."""
        return install_location.folder() / self.file

    @property
    def address(self) -> str:
        """Return its ``$id``, by which a file may name it."""
        return str(json.loads(self.path.read_bytes())["$id"])


SCHEMAS = {
    schema.name: schema
    for schema in (
        Schema("inventory", "inventory/schema.json", "a recorded inventory, in YAML or JSON"),
        Schema("plan", "inventory/plan-schema.json", "planned databases and keys, in YAML or JSON"),
        Schema(
            "organizations",
            "inventory/organizations-schema.json",
            "the organizations file of a live audit",
        ),
        Schema("waivers", "checks/waivers-schema.json", "a file of waivers"),
        Schema("controls", "checks/controls-schema.json", "a file of control ids"),
        Schema(
            "audit",
            "reports/record/schemas/audit.schema.json",
            "the head of an audit's record: audit.json",
        ),
        Schema(
            "finding",
            "reports/record/schemas/finding.schema.json",
            "one line of findings.ndjson",
        ),
        Schema(
            "population",
            "reports/record/schemas/population.schema.json",
            "one line of population.ndjson",
        ),
    )
}
"""Every schema of the suite; a new one is its file and a row here."""
