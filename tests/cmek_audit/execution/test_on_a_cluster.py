"""An audit on a Dask cluster is the audit: the same bytes, also if workers are killed meanwhile."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from distributed import Client

from cmek_audit.run.audit import run_audit
from inventory import inventory_parts
from inventory.system.executors import ExecutorSetting, sized_for
from tests.builders import a_database, a_key, an_organization, aws_key_id, uuid
from tests.clusters.local import kill, local_cluster
from tests.cmek_audit.execution.audits import (
    audited,
    die_at_second,
    die_once,
    findings_of,
    in_shards,
    options_of,
    save_fleet,
)
from tests.cmek_audit.run.test_audit import OWN_RUN

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow


@pytest.fixture
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a cluster that tries each task twice; the test's own, as some kill its workers."""
    folder = tmp_path_factory.mktemp("cluster")
    with local_cluster(folder, scheduler_kwargs={"allowed_failures": 1}) as cluster:
        cluster.wait_for_workers(2)
        yield cluster.scheduler_address


@pytest.fixture
def setting(address: str, tmp_path: Path) -> ExecutorSetting:
    found = sized_for(ExecutorSetting("dask", address=address), tmp_path)
    assert found.jobs == 2
    return found


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory_parts, "LEAST_BYTES", 1)


def fleet_file(folder: Path, number: int = 8) -> str:
    organizations = [
        an_organization(
            id=uuid(each),
            name=f"acme-{each}",
            keys=[a_key(key_id=aws_key_id(number=each))] if each % 3 else [],
            databases=[a_database(id=uuid(100_000 + each))],
        )
        for each in range(1, number + 1)
    ]
    return save_fleet(folder, organizations)


def files_of(folder: Path) -> dict[str, Any]:
    """Return what each file holds, without the block ``run``, which has times of this run."""
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    head = json.loads(files.pop("audit.json"))
    del head["run"], files["audit.html"]  # the page shows that block
    return files | {"audit.json": head}


def test_same_findings(setting: ExecutorSetting, tmp_path: Path) -> None:
    """All that workers find is what one process finds."""
    options = options_of(tmp_path, fleet_file(tmp_path))
    assert in_shards(tmp_path / "cluster", options, setting) == audited(tmp_path / "one", options)


def test_same_reports(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file of every report is the same, and paths may start in the folder of the audit."""
    monkeypatch.chdir(tmp_path)
    inventory = Path(fleet_file(tmp_path)).name
    reports = []
    for executor in ("serial", f"dask={address}"):
        options = options_of(Path(), inventory, executor=executor)
        run_audit(options, lambda _: OWN_RUN)
        reports.append(files_of(Path("r")))
    alone, together = reports
    assert {"findings.ndjson", "population.ndjson", "audit.sarif"} <= alone.keys()
    assert together == alone


def test_worker_that_dies_once(setting: ExecutorSetting, tmp_path: Path) -> None:
    """A shard whose worker ends is judged by another one, and nobody sees it in the audit."""
    options = options_of(tmp_path, fleet_file(tmp_path))
    found = in_shards(tmp_path / "cluster", options, setting, work=die_once)
    assert (tmp_path / "cluster/died").exists()
    assert found == audited(tmp_path / "one", options)


def test_shard_that_ends_all_its_workers(setting: ExecutorSetting, tmp_path: Path) -> None:
    """A shard that ends each of its workers is inconclusive, and nothing else is."""
    options = options_of(tmp_path, fleet_file(tmp_path))
    findings = findings_of(in_shards(tmp_path / "cluster", options, setting, work=die_at_second))
    lost = {
        one["subject"]["organization"]
        for one in findings
        if one.get("cause", "").startswith("not-judged")
    } - {""}
    assert lost == {uuid(2)}
    of_lost = [one["status"] for one in findings if one["subject"]["organization"] in lost]
    assert set(of_lost) <= {"inconclusive", "not-applicable"}


def test_worker_killed_in_mid_run(address: str, setting: ExecutorSetting, tmp_path: Path) -> None:
    """A worker that is killed by its process id in the middle of an audit changes no byte."""
    options = options_of(tmp_path, fleet_file(tmp_path, 3_000))
    killed: list[int] = []

    def kill_one() -> None:
        with Client(address, set_as_default=False) as client:  # type: ignore[no-untyped-call]
            until = time.monotonic() + 60
            while not killed and time.monotonic() < until:
                busy = [name for name, tasks in client.processing().items() if tasks]
                for pid in client.run(os.getpid, workers=busy[:1]).values() if busy else ():
                    kill(pid)
                    killed.append(pid)

    killer = threading.Thread(target=kill_one)
    killer.start()
    found = in_shards(tmp_path / "cluster", options, setting)
    killer.join()
    assert len(killed) == 1
    assert found == audited(tmp_path / "one", options)
