"""The lines of a record, written while an audit judges."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given

from checks.engine.catalogue import load_rules
from checks.engine.context import Context
from checks.engine.evaluation import evaluate_in_series
from checks.engine.pass_series import PassSeries
from reports.record.layout import FINDINGS, POPULATION
from reports.record.recorder import Recorder
from tests.builders import AS_OF, a_key, an_organization
from tests.checks.strategies import inventories
from tests.database_lists import VARIED, database_lists, read_in_columns
from tests.hypothesis_profile import examples
from tests.reports.everything import an_organization_with_everything
from tests.reports.recording import a_finding
from tests.reports.recording import record as make

if TYPE_CHECKING:
    from inventory.model.organization import Organization

EVERY = load_rules()


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


def _recorded(organizations: list[Organization], folder: Path) -> list[object]:
    """Record all that an audit of ``organizations`` finds; return what its report is made of."""
    context = Context(AS_OF)
    recorder = Recorder(folder, context)
    for found in evaluate_in_series(organizations, EVERY, context, recorder.add_organization):
        if isinstance(found, PassSeries):
            recorder.add_series(found)
        else:
            recorder.add(found)
    files, names = recorder.close(), recorder.population.names
    aggregates, population = recorder.aggregates, recorder.population
    return [
        *(files, population.summary([]), population.attestations(AS_OF)),
        *(
            aggregates.coverage(names),
            aggregates.key_plan(aggregates.coverage(names)),
            aggregates.actions(names),
        ),
        *(aggregates.by_rule, aggregates.not_evaluated(), aggregates.declared),
        *((folder / name).read_bytes() for name in (FINDINGS, POPULATION)),
    ]


@examples(60)
@example([an_organization(keys=[a_key()])], VARIED)
@given(inventories, database_lists())
def test_columns_make_no_difference(
    organizations: list[Organization], data: list[dict[str, Any]]
) -> None:
    """Whatever an organization is like, its databases in columns give the bytes of models."""
    read = read_in_columns(data)
    results = []
    for databases in (read, tuple(read)):
        update = {"databases": databases}
        changed = [each.model_copy(update=update) for each in organizations[:1]]
        with tempfile.TemporaryDirectory() as folder:
            results.append(_recorded([*changed, *organizations[1:]], Path(folder)))
    assert results[0] == results[1]
