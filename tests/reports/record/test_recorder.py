"""The lines of a record, written while an audit judges."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from checks.engine.context import Context
from reports.record.layout import FINDINGS, POPULATION
from reports.record.recorder import Recorder
from tests.builders import AS_OF, an_organization
from tests.reports.everything import an_organization_with_everything
from tests.reports.recording import a_finding
from tests.reports.recording import record as make

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("count", [0, 1, 1_999, 2_000, 2_001, 4_500])
def test_the_head_holds_the_hash_of_the_findings(tmp_path: Path, count: int) -> None:
    """The head holds name, hash, size and number of lines of the file."""
    made = make(tmp_path, (a_finding(region=f"r{number}") for number in range(count)))
    assert made.head["findings"] == {
        "file": "findings.ndjson",
        "sha256": hashlib.sha256(made.findings).hexdigest(),
        "bytes": len(made.findings),
        "count": count,
    }
    assert made.findings.count(b"\n") == count


def test_findings_keep_the_order_in_which_they_were_found(tmp_path: Path) -> None:
    """The file keeps the order of the audit, whatever their status."""
    regions = ["us-west-2", "ap-south-1", "eu-west-1"]
    made = make(tmp_path, [a_finding(region=region) for region in regions])
    lines = [json.loads(line) for line in made.findings.splitlines()]
    assert [line["subject"]["region"] for line in lines] == regions


def test_the_head_holds_the_hash_of_the_population(tmp_path: Path) -> None:
    """What was judged is hashed and counted as the findings are."""
    made = make(tmp_path, organizations=[an_organization_with_everything()])
    assert made.head["population_file"] == {
        "file": "population.ndjson",
        "sha256": hashlib.sha256(made.population).hexdigest(),
        "bytes": len(made.population),
        "count": len(made.population.splitlines()),
    }


def test_a_recorder_that_is_aborted_writes_nothing_more(tmp_path: Path) -> None:
    """What is waiting to be written is dropped when the recorder is aborted."""
    recorder = Recorder(tmp_path, Context(AS_OF))
    recorder.add_organization(an_organization())
    recorder.add(a_finding())
    recorder.abort()
    assert [(tmp_path / name).read_bytes() for name in (FINDINGS, POPULATION)] == [b"", b""]
