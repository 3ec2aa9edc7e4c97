"""Audits that are divided, interrupted and merged by real processes: the same bytes in the end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.builders import a_database, a_key, an_organization, aws_key_id, uuid
from tests.cmek_audit.execution.audits import save_fleet
from tests.wiring.runs import AS_OF, ROOT, environment_of

if TYPE_CHECKING:
    from pathlib import Path

LINES = ("findings.ndjson", "population.ndjson")


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a fleet that is large enough to be divided, of which some fail."""
    fleet = [
        an_organization(
            id=uuid(number),
            name=f"acme-{number}",
            keys=[a_key(key_id=aws_key_id(number=number))],
            databases=[
                a_database(id=uuid(1_000 * number + each), name=f"orders-{each}")
                for each in range(300)
            ],
        )
        for number in range(1, 51)
    ]
    return save_fleet(tmp_path_factory.mktemp("fleet"), fleet)


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "cmek_audit", *words]


def _start(folder: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        _command(*words),
        cwd=folder,
        env=environment_of({"PYTHONPATH": str(ROOT)}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _run(folder: Path, *words: str) -> tuple[int, str]:
    process = _start(folder, *words)
    out, _ = process.communicate()
    return process.returncode, out


def _audit(folder: Path, inventory: str, *words: str) -> tuple[int, str]:
    return _run(folder, "audit", *_options(inventory), *words)


def _options(inventory: str) -> list[str]:
    return [f"--cmek-inventory={inventory}", f"--cmek-as-of={AS_OF}", "--cmek-formats=json"]


def _record(folder: Path) -> tuple[dict[str, Any], list[bytes]]:
    head = json.loads((folder / "audit.json").read_text())
    del head["run"]
    return head, [(folder / name).read_bytes() for name in LINES]


@pytest.fixture(scope="module")
def whole(
    inventory: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], list[bytes]]:
    """Return the record of an audit without shards."""
    folder = tmp_path_factory.mktemp("whole")
    code, out = _audit(folder, inventory)
    assert code == 1, out
    return _record(folder / "audit-report")


@pytest.mark.slow
def test_processes_write_the_same_record(tmp_path: Path, inventory: str, whole: object) -> None:
    """With two processes the record is what it is with one, and no shard is left."""
    code, out = _audit(tmp_path, inventory, "--cmek-jobs=2")
    assert code == 1, out
    report = tmp_path / "audit-report"
    assert _record(report) == whole
    assert {entry.name for entry in report.iterdir()} == {"audit.json", *LINES}


@pytest.mark.slow
def test_a_part_of_the_checks_is_the_same_part(tmp_path: Path, inventory: str) -> None:
    """A partial run leaves the same out, however many processes judge."""
    records = []
    for jobs in "12":
        folder = tmp_path / jobs
        folder.mkdir()
        _audit(folder, inventory, f"--cmek-jobs={jobs}", "-k", "paid or scope_has_key")
        records.append(_record(folder / "audit-report"))
    assert records[0] == records[1]
    assert records[0][0]["settings"]["left_out"]


def test_shares_are_merged_to_the_same_record(
    tmp_path: Path, inventory: str, whole: object
) -> None:
    """Each share is judged by a run of its own; only all of them are an audit."""
    for share in ("2/3", "1/3"):
        code, out = _audit(
            tmp_path, inventory, "--cmek-shard-dir=shards", f"--cmek-shard={share}", "--cmek-jobs=2"
        )
        assert (code, (tmp_path / "audit-report").exists()) == (0, False), out
        assert out.splitlines()[-1].startswith(f"Exit: NO VERDICT: share {share} (")
        assert out.endswith("When all shares are there: cmek-audit merge shards\n")
    code, out = _run(tmp_path, "merge", "shards")
    assert (code, (tmp_path / "audit-report" / "audit.json").exists()) == (4, False)
    assert "cannot be used, so nothing was merged" in out
    assert "found no finished shard, expected one (of 3/3)" in out
    _audit(tmp_path, inventory, "--cmek-shard-dir=shards", "--cmek-shard=3/3")
    code, out = _run(tmp_path, "merge", "shards", "--formats=json")
    assert code == 1, out
    assert _record(tmp_path / "audit-report") == whole


@pytest.mark.slow
def test_shares_of_another_audit_are_refused(tmp_path: Path, inventory: str) -> None:
    """A run never replaces what another one has judged, nor adds to it by other options."""
    _audit(tmp_path, inventory, "--cmek-shard-dir=s", "--cmek-shard=1/3")
    for words, found in (
        (["--cmek-shard=1/4"], "s: found an audit in 3 shares, expected one in 4"),
        (["--cmek-shard=1/3", "--cmek-fail-on=high"], "s: found shards of another audit"),
    ):
        code, out = _audit(tmp_path, inventory, "--cmek-shard-dir=s", *words)
        assert code == 4
        assert found in out
        assert out.rstrip().endswith("NO AUDIT: the run did not finish, and no report was written.")


def test_what_cannot_be_divided_has_no_shares(tmp_path: Path) -> None:
    """A file with a mistake is refused; an audit without shares shows what is wrong."""
    file = tmp_path / "a.ndjson"
    file.write_text('{"kind":"inventory","cmek-inventory":1}\n{"kind":"organization","id":7}\n')
    words = ["--cmek-shard-dir=s", "--cmek-shard=1/2"]
    code, out = _audit(tmp_path, str(file), *words)
    assert code == 4
    assert "--cmek-shard: found an inventory that has to be read as one" in out
    code, out = _audit(tmp_path, str(file), "--cmek-shard-dir=s")
    assert code == 4
    assert "a.ndjson:2: id: found 7" in out


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupted_audit_goes_on(
    tmp_path: Path, inventory: str, whole: object, sent: signal.Signals, jobs: str
) -> None:
    """Killed or interrupted when some shards are finished, it judges the others, to the same."""
    words = ("--cmek-shard-dir=s", f"--cmek-jobs={jobs}")
    process = _start(tmp_path, "audit", *_options(inventory), *words)
    while not (tmp_path / "s" / "shard-0001").exists():
        assert process.poll() is None
        time.sleep(0.005)
    os.kill(process.pid, sent)
    process.communicate()
    assert process.returncode != 0
    assert not (tmp_path / "audit-report" / "audit.json").exists()
    code, out = _audit(tmp_path, inventory, *words)
    assert code == 1, out
    assert "are taken from s, judged as of 2026-11-21T02:00:00Z" in out
    assert _record(tmp_path / "audit-report") == whole
    assert not list((tmp_path / "s").glob(".unfinished-*"))


@pytest.mark.slow
def test_an_audit_without_a_time_goes_on_as_of_its_first_run(
    tmp_path: Path, inventory: str
) -> None:
    """The second run takes all shards of the first, with its time, and says so."""
    words = ("audit", f"--cmek-inventory={inventory}", "--cmek-shard-dir=s", "--cmek-formats=json")
    _run(tmp_path, *words)
    first = _record(tmp_path / "audit-report")
    _, out = _run(tmp_path, *words)
    assert _record(tmp_path / "audit-report") == first
    assert f"are taken from s, judged as of {first[0]['settings']['as_of']}" in out


@pytest.mark.slow
def test_an_audit_of_other_inputs_starts_over(tmp_path: Path, inventory: str) -> None:
    """Shards of other options are removed, and the run says so."""
    _audit(tmp_path, inventory, "--cmek-shard-dir=s")
    _, out = _audit(tmp_path, inventory, "--cmek-shard-dir=s", "--cmek-fail-on=high")
    assert "the shards in s were of another audit, so it starts over" in out
    _, out = _run(
        tmp_path,
        "audit",
        f"--cmek-inventory={inventory}",
        "--cmek-shard-dir=s",
        "--cmek-formats=json",
    )
    assert "so it starts over" in out
