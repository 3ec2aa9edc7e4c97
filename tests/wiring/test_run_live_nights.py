"""Live audits night after night: what earlier bundles prove, and what became of all they knew."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from inventory.astra.collector import collect
from inventory.astra.config import read_organizations
from tests.astra.faults import Fault
from tests.astra.fleet import Fleet
from tests.astra.matrix import small_fleet
from tests.astra.server import serve
from tests.wiring.live import (
    bundles,
    configured,
    database_in,
    key_in,
    live,
    of_rule,
    organizations,
    places,
    shown,
    unregistered,
    with_first,
)
from tests.wiring.runs import KEPT, ROOT, environment_of, prefill

if TYPE_CHECKING:
    from pathlib import Path

    from tests.wiring.runs import Run

pytestmark = pytest.mark.slow

BOTH = small_fleet()
ONE = Fleet(BOTH.organizations[:1])
OWNER = ONE.organizations[0]
KNOWN, LATE, SOONER, OPEN = "us-east-2", "eu-west-1", "us-west-2", "eu-central-1"


def last_night(folder: Path, fleet: Fleet) -> str:
    """Record ``fleet``, and return a time later than that."""
    with serve(fleet) as server:
        file = configured(folder, unregistered(organizations(fleet, server)))
        collect(read_organizations(file), str(folder / "ev"), fleet.environment)
    return datetime.now(UTC).isoformat()


def tonight(folder: Path, fleet: Fleet, **over: Any) -> Run:  # noqa: ANN401 (of each organization)
    """Audit ``fleet`` live, with all that was recorded before as its history."""
    with serve(fleet) as server:
        data = unregistered(organizations(fleet, server))
        for organization in data["organizations"]:
            organization.update(over)
        return live(folder, fleet, server, f"--cmek-history={folder / 'ev'}", data=data)


def by_region(run: Run, rule: str) -> dict[str, str]:
    """Return the status of each finding of a rule, by the region that ends its subject's path."""
    return {path.rpartition("/")[2]: status for path, status in of_rule(run, rule).items()}


def test_bundles_date_the_registration_of_keys(tmp_path: Path) -> None:
    """What earlier bundles showed, and did not show, settles which came first: key or database."""
    old = [database_in(OWNER, region) for region in (LATE, SOONER)]
    keys = [key_in(OWNER, region) for region in (KNOWN, SOONER)]
    between = last_night(tmp_path, with_first(ONE, databases=tuple(old), keys=tuple(keys)))
    new = [database_in(OWNER, region, between) for region in (KNOWN, OPEN)]
    keys += [key_in(OWNER, region) for region in (LATE, OPEN)]
    found = tonight(tmp_path, with_first(ONE, databases=(*old, *new), keys=tuple(keys)))
    assert by_region(found, "CMEK-05") == {
        KNOWN: "pass",  # there before the database came
        LATE: "fail",  # not there when the database was
        SOONER: "inconclusive",  # there the first time anybody looked, after the database came
        OPEN: "inconclusive",  # both came between the two records
    }
    assert (found.code, len(bundles(tmp_path))) == (1, 2)
    earlier = {source["path"] for source in found.head["population"]["sources"]} - {
        bundles(tmp_path)[1].as_posix()
    }
    assert earlier == {bundles(tmp_path)[0].as_posix()}
    assert "History:  1 earlier record\n" in found.out


def test_a_single_record_dates_nothing(tmp_path: Path) -> None:
    """Without an earlier bundle nobody knows when a key was registered."""
    fleet = with_first(ONE, databases=(database_in(OWNER, KNOWN),), keys=(key_in(OWNER, KNOWN),))
    found = tonight(tmp_path, fleet)
    assert (found.code, by_region(found, "CMEK-05")) == (1, {KNOWN: "inconclusive"})
    assert by_region(found, "CMEK-10") == {}
    assert "History:  0 earlier records\n" in found.out


def test_a_key_that_was_replaced_needs_a_support_case(tmp_path: Path) -> None:
    """Another key than the night before fails, unless a case says how that came about."""
    databases = tuple(database_in(OWNER, region) for region in (KNOWN, LATE))
    before = (key_in(OWNER, KNOWN), key_in(OWNER, LATE))
    last_night(tmp_path, with_first(ONE, databases=databases, keys=before))
    after = (key_in(OWNER, KNOWN), key_in(OWNER, LATE, "-other"))
    fleet = with_first(ONE, databases=databases, keys=after)
    found = tonight(tmp_path, fleet)
    assert (found.code, by_region(found, "CMEK-10")) == (1, {KNOWN: "pass", LATE: "fail"})
    case = {"type": "serverless", "provider": "aws", "region": LATE, "ticket": "TS1"}
    case |= {"by": "Ada Example", "on": datetime.now(UTC).date().isoformat()}
    found = tonight(tmp_path, fleet, support_cases=[case])
    assert by_region(found, "CMEK-10") == {KNOWN: "pass", LATE: "pass"}


def test_a_database_that_vanished_is_missed(tmp_path: Path) -> None:
    """A database that the night before knew, and tonight does not list, fails by name."""
    last_night(tmp_path, ONE)
    gone, *others = OWNER.databases
    found = tonight(tmp_path, with_first(ONE, databases=tuple(others)))
    (finding,) = (line for line in shown(found) if line["rule"] == "CMEK-14")
    assert (found.code, finding["status"]) == (1, "fail")
    assert f"{gone.name} ({gone.id})" in finding["message"]


def test_a_database_that_was_terminated_is_not_missed(tmp_path: Path) -> None:
    """A database that Astra lists as terminated is gone for a reason, and missed by nobody."""
    last_night(tmp_path, ONE)
    gone, *others = OWNER.databases
    databases = (replace(gone, status="TERMINATED"), *others)
    found = tonight(tmp_path, with_first(ONE, databases=databases))
    assert of_rule(found, "CMEK-14") == {OWNER.id: "pass"}
    assert found.head["population"]["totals"]["terminated"] == 1


def test_an_organization_that_vanished_is_missed(tmp_path: Path) -> None:
    """An organization that is no longer configured fails as long as an earlier bundle knows it."""
    last_night(tmp_path, BOTH)
    other = BOTH.organizations[1]
    found = tonight(tmp_path, ONE)
    assert found.code == 1
    assert of_rule(found, "CMEK-14") == {OWNER.id: "pass", other.id: "fail"}
    (action,) = (step for step in found.head["actions"] if step["organization"] == other.id)
    assert action["text"] == f"Collect {other.name}, or find out what happened to it"


# --- interruptions --------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_audit_leaves_nothing(sent: signal.Signals, tmp_path: Path) -> None:
    """Ctrl-C or its like while Astra keeps silent ends with 2: no bundle, no report, no remains."""
    prefill(tmp_path)
    with serve(ONE, [Fault("stall", "databases")]) as server:
        file = configured(tmp_path, organizations(ONE, server))
        options = [f"--cmek-live={file}", *places(tmp_path)]
        with subprocess.Popen(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options],
            cwd=ROOT,
            env=environment_of(ONE.environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            while not any(request.address == "databases" for request in server.requests):
                assert process.poll() is None
                time.sleep(0.01)
            process.send_signal(sent)
            out, _ = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "KeyboardInterrupt" in out
    assert {entry.name for entry in (tmp_path / "r").iterdir()} == KEPT
    assert bundles(tmp_path) == []
