"""Bundles of evidence, recorded from a server on loopback, and audits of them without pytest."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cmek_audit.run.option_values import parse_options
from inventory.astra.collector import collect
from inventory.astra.config import read_organizations
from tests.astra.fleet import Fleet, healthy_fleet, organizations_data
from tests.astra.server import serve
from tests.reports.samples import Report, read_report, run_of, run_rules, save

if TYPE_CHECKING:
    from reports.model.head import Head
    from tests.astra.faults import Fault


class Recorded(NamedTuple):
    """A bundle, the organizations file it was made by, and the tokens by their variables."""

    bundle: str
    organizations: Path
    environment: dict[str, str]


@cache
def small_fleet() -> Fleet:
    """Return one organization with three databases, each with its key."""
    return Fleet(healthy_fleet().organizations[1:])


def renamed(fleet: Fleet, name: str) -> Fleet:
    """Give the first organization another name."""
    first, *others = fleet.organizations
    return Fleet((replace(first, name=name), *others))


def recorded(
    folder: Path,
    *faults: Fault,
    fleet: Fleet | None = None,
    evidence: str = "ev",
    stated: bool = True,
) -> Recorded:
    """Record ``fleet`` as a bundle in ``folder``; if not ``stated``, without words about keys."""
    fleet = fleet or small_fleet()
    folder.mkdir(exist_ok=True)
    with serve(fleet, faults) as running:
        data = organizations_data(fleet, running.address, first_wait_seconds=0.001, attempts=2)
        for organization in data["organizations"]:
            organization["token"] = _variable(organization["id"])
            organization["keys"] = organization["keys"] if stated else []
        file = save(folder / "organizations.json", **data)
        environment = {
            _variable(organization.id): organization.token for organization in fleet.organizations
        }
        made = collect(read_organizations(str(file)), str(folder / evidence), environment)
    return Recorded(made.bundle, file, environment)


def _variable(identity: str) -> str:
    return f"TOKEN_{identity.replace('-', '_').upper()}"


def report_on(folder: Path, *bundles: str, only: str = "", **options: Any) -> Report:  # noqa: ANN401 (as options are)
    """Audit ``bundles``, and what else ``options`` name, into ``folder``/report.

    A live audit keeps its own times, within which its bundle was recorded.
    """
    values = {"inventory": bundles, "report_dir": str(folder / "report")} | options
    times = {"started", "ended"} if "live" in options else set()

    def describe_run(head: Head) -> Any:  # noqa: ANN401 (a block of the record)
        return {name: value for name, value in run_of(head).items() if name not in times}

    head = run_rules(parse_options(values), only, describe_run)
    return read_report(Path(values["report_dir"]), head)
