"""Whole live audits in this process, against a server that misbehaves, and what they leave."""

from __future__ import annotations

import json
import re
import time
from base64 import b64encode
from collections import Counter
from dataclasses import replace
from hashlib import sha256
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cmek_audit.run.audit import run_audit
from cmek_audit.run.option_values import parse_options
from tests.astra.faults import ADDRESSES, ALWAYS, FIRST, KINDS, Fault, applies
from tests.astra.fleet import SMALL, Fleet, FleetRegion, healthy_fleet, organizations_data
from tests.builders import write_json
from tests.evidence_files import lines_of
from tests.reports.recording import RUN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.astra.fleet import FleetOrganization, Shape
    from tests.astra.server import Running

POLICY = {
    "first_wait_seconds": 0.001,
    "timeout_seconds": 20.0,
    "organization_deadline_seconds": 60.0,
    "attempts": 3,
    "largest_answer_bytes": 2_000_000,
    "most_pages": 10,
}
DEADLINE = 5.0
HURRIED = {"timeout_seconds": 0.5, "organization_deadline_seconds": DEADLINE}
"""The policy where an answer never ends; all others have time enough on a busy machine."""

ENDLESS = frozenset({"stall", "stall-headers", "drip"})
FEW = 4
"""How many databases an organization has where pages do not matter."""

_VOLATILE = ("captured_at", "seen")
_HIDDEN = re.compile(r"orders-[0-9]{4}|(?:AstraCS:)?\(hidden\)")


ALWAYS_ONLY = frozenset(
    {"two-gzip-members", "unasked-first", "half-characters", "no-date", "far-date"}
)
"""Kinds of which a first request alone would show nothing that others do not show."""


class Cell(NamedTuple):
    """One fault at one address: at each of the first organization's requests, or at the first."""

    kind: str
    address: str
    when: str

    def __str__(self) -> str:
        return f"{self.kind}-{self.address}-{self.when}"


def cells() -> list[Cell]:
    """Return every cell of the matrix."""
    return [
        Cell(kind, address, when)
        for kind in KINDS
        for address in ADDRESSES
        if applies(kind, address)
        for when in ("always", "first")
        if when == "always" or kind not in ALWAYS_ONLY
    ]


def secret_of(name: str) -> str:
    """Return the secret part of an organization's sham token."""
    return sha256(name.encode()).hexdigest()


def with_secrets(fleet: Fleet) -> Fleet:
    """Give each organization a token with a secret part of the length that real ones have."""
    return Fleet(
        tuple(
            replace(
                organization, token="AstraCS:" + f"not-a-real-token:{secret_of(organization.name)}"
            )
            for organization in fleet.organizations
        )
    )


def paged_fleet() -> Fleet:
    """Return the healthy fleet in few key scopes; its first organization fills more than a page."""
    organizations = with_secrets(healthy_fleet()).organizations
    return Fleet(
        tuple(
            _narrowed(organization, len(organization.databases)) for organization in organizations
        )
    )


def small_fleet() -> Fleet:
    """Return the same with few databases, which matter for nothing but the pages."""
    return Fleet(
        tuple(_narrowed(organization, FEW) for organization in paged_fleet().organizations)
    )


def _narrowed(organization: FleetOrganization, count: int) -> FleetOrganization:
    databases = tuple(
        replace(entry, tier=shape.tier, provider=shape.provider, regions=_regions(shape))
        for entry, shape in zip(organization.databases[:count], cycle(SMALL), strict=False)
    )
    scopes = {
        (database.type, database.provider, database.regions[0].name) for database in databases
    }
    own = tuple(key for key in organization.keys if (key.type, key.provider, key.region) in scopes)
    return replace(organization, databases=databases, keys=own)


def _regions(shape: Shape) -> tuple[FleetRegion, ...]:
    return tuple(map(FleetRegion, shape.regions))


def needles(fleet: Fleet) -> list[bytes]:
    """Return what gives a token of ``fleet`` away, each as it could be written."""
    tokens = [organization.token.encode() for organization in fleet.organizations]
    secrets = [token.rpartition(b":")[2] for token in tokens]
    encoded = [b64encode(secret).rstrip(b"=")[:-1] for secret in (*tokens, *secrets)]
    return [*tokens, *secrets, *encoded, *(secret.hex().encode() for secret in secrets)]


class Outcome(NamedTuple):
    """What an audit left: in its folder, and in how many seconds."""

    folder: Path
    seconds: float

    @property
    def head(self) -> dict[str, Any]:
        head: dict[str, Any] = json.loads((self.folder / "r" / "audit.json").read_text())
        return head

    @property
    def code(self) -> int:
        return int(self.head["verdict"]["exit_code"])

    @property
    def bundle(self) -> Path:
        (bundle,) = (self.folder / "ev").iterdir()
        return bundle

    @property
    def left(self) -> set[str]:
        """Return every file and folder in the report folder and beside the bundle."""
        inside = {f"r/{path.name}" for path in (self.folder / "r").iterdir()}
        return inside | {f"ev/{file.name}" for file in (self.folder / "ev").iterdir()}

    def findings(self) -> list[dict[str, Any]]:
        """Return the findings, without where their evidence is."""
        lines = (self.folder / "r" / "findings.ndjson").read_text().splitlines()
        found = [json.loads(line) for line in lines]
        return [
            {name: finding[name] for name in finding if name != "evidence"} for finding in found
        ]

    def inventory(self) -> list[dict[str, Any]]:
        """Return the inventory's lines, without when and how they were read."""
        lines = (self.bundle / "inventory.ndjson").read_text().splitlines()
        records = [json.loads(line) for line in lines]
        return [
            {name: record[name] for name in record if name not in _VOLATILE}
            for record in records
            if record["kind"] != "reading"
        ]

    def gaps(self) -> Iterator[tuple[str, str, str]]:
        """Yield organization, fact and reason of each gap, in order."""
        for organization in self.inventory():
            for gap in organization.get("gaps", ()):
                yield organization["id"], gap["fact"], gap["reason"]

    def recorded(self, number: int) -> Counter[str]:
        """Count what was asked for the organization at ``number``, from 1, by address."""
        lines = lines_of(self.bundle / f"exchanges/{number:04}.ndjson.gz")
        return Counter(json.loads(line)["address"] for line in lines)

    def judged(self, *, named: bool = True) -> str:
        """Return all that two audits of the same facts must have alike."""
        head = self.head
        judged = [
            self.findings(),
            self.inventory(),
            head["verdict"],
            head["counts"],
            head["actions"],
        ]
        text = json.dumps(judged)
        return text if named else _HIDDEN.sub("(a name)", text)


class Place:
    """A server with its fleet, and what the audit of it without any fault left."""

    def __init__(self, server: Running, fleet: Fleet, folder: Path) -> None:
        self.server = server
        self.fleet = fleet
        self.healthy = self.audit(folder)

    def audit(self, folder: Path, cell: Cell | None = None) -> Outcome:
        """Audit the fleet in ``folder``, with the fault of ``cell`` in its first organization."""
        server, first = self.server, self.fleet.organizations[0].id
        when = FIRST if cell and cell.when == "first" else ALWAYS
        server.faults = [Fault(cell.kind, cell.address, when, first)] if cell else []
        server.requests.clear()
        policy = POLICY | (HURRIED if cell and cell.kind in ENDLESS else {})
        data = organizations_data(self.fleet, server.address, **policy)
        return _audit(folder, write_json(folder / "organizations.json", data))


def _audit(folder: Path, organizations: str) -> Outcome:
    places = {"evidence_dir": str(folder / "ev"), "report_dir": str(folder / "r")}
    started = time.monotonic()
    options = parse_options({"live": organizations, "formats": "json", **places})
    run: Any = {name: value for name, value in RUN.items() if name not in {"started", "ended"}}
    run_audit(options, lambda _: run)
    return Outcome(folder, time.monotonic() - started)


def is_paged(cell: Cell) -> bool:
    """Say whether the cell needs an organization that fills more than a page."""
    return cell.address == "next-page"
