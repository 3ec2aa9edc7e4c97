"""Real runs of live audits, each a process of its own, against the server on loopback."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.astra.fleet import CREATED_AT, FleetDatabase, FleetKey, FleetRegion, organizations_data
from tests.astra.fleet import synthetic_key_id as key_id
from tests.astra.fleet import synthetic_uuid as uuid
from tests.builders import write_yaml
from tests.wiring.runs import HTML, XDIST, run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.astra.fleet import Fleet, FleetOrganization
    from tests.astra.server import Running
    from tests.wiring.runs import Run

POLICY = {"first_wait_seconds": 0.001, "timeout_seconds": 10, "attempts": 2}


def configured(folder: Path, data: Mapping[str, Any]) -> str:
    """Write an organizations file, and return its path."""
    folder.mkdir(exist_ok=True)
    return write_yaml(folder / "organizations.yaml", data)


def organizations(fleet: Fleet, server: Running) -> dict[str, Any]:
    """Return an organizations file with all that makes every rule pass."""
    return organizations_data(fleet, server.address, **POLICY)


def unregistered(data: dict[str, Any]) -> dict[str, Any]:
    """Take away what people attest about when keys were registered."""
    for organization in data["organizations"]:
        for key in organization["keys"]:
            del key["registered"]
    return data


def live(
    folder: Path,
    fleet: Fleet,
    server: Running,
    *arguments: str,
    data: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    formats: str = "json",
) -> Run:
    """Audit ``fleet`` live; evidence goes to ``folder``/ev, reports to ``folder``/r."""
    file = configured(folder, data or organizations(fleet, server))
    return run(
        f"--cmek-live={file}",
        *places(folder),
        f"--cmek-formats={formats}",
        *arguments,
        folder=folder / "r",
        environment=fleet.environment if environment is None else environment,
        plugins=(*(HTML if "results" in formats else ()), *(XDIST if "-n2" in arguments else ())),
    )


def places(folder: Path) -> tuple[str, str]:
    """Return the options by which evidence and reports go to ``folder``."""
    return f"--cmek-evidence-dir={folder / 'ev'}", f"--cmek-report-dir={folder / 'r'}"


def bundles(folder: Path) -> list[Path]:
    """Return what lies where the evidence goes: bundles, and nothing else."""
    return sorted((folder / "ev").iterdir()) if (folder / "ev").exists() else []


def shown(run: Run) -> list[dict[str, Any]]:
    """Return the findings, without where their evidence stands."""
    return [
        {name: finding[name] for name in finding if name != "evidence"} for finding in run.findings
    ]


def of_rule(run: Run, rule: str) -> dict[str, str]:
    """Return the status of each finding of a rule, by the path of its subject."""
    return {
        finding["subject"]["path"]: finding["status"]
        for finding in run.findings
        if finding["rule"] == rule
    }


def gaps(bundle: Path) -> set[tuple[str, str]]:
    """Return organization and reason of each gap that a bundle holds."""
    lines = (bundle / "inventory.ndjson").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    return {(entry["name"], gap["reason"]) for entry in found for gap in entry.get("gaps", ())}


# --- fleets that change from night to night -------------------------------------------------------


def with_first(fleet: Fleet, **changes: object) -> Fleet:
    """Change the first organization of ``fleet``."""
    first, *others = fleet.organizations
    return replace(fleet, organizations=(replace(first, **changes), *others))  # type: ignore[arg-type]


def database_in(
    organization: FleetOrganization, region: str, added: str = CREATED_AT
) -> FleetDatabase:
    """Make a Serverless database on AWS."""
    own = uuid("database", organization.name, region, added)
    regions = (FleetRegion(region, added),)
    return FleetDatabase(own, f"orders-{region}", "serverless", "aws", regions)


def key_in(organization: FleetOrganization, region: str, name: str = "") -> FleetKey:
    """Make a Serverless key on AWS; another ``name`` makes another key."""
    own = key_id(organization.name + name, "serverless", "aws", region)
    return FleetKey("serverless", "aws", region, own)
