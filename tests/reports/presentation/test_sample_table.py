"""The sample as a work paper."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from checks.engine.finding import STATUSES
from inventory.text.display import pluralize
from reports.presentation.sample import KINDS, Conclusion, Kind
from reports.presentation.sample_table import (
    Sample,
    command_to_list,
    command_to_reproduce,
    describe_method,
    take_sample,
)
from tests.reports.samples import COMPLIANT, HOSTILE, VIOLATIONS, Report, audit

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def violations(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return audit(tmp_path_factory.mktemp("violations"), VIOLATIONS)


def _sample(report: Report, size: int = 25, kind: Kind = "databases") -> Sample:
    return take_sample(report.head, iter(report.lines), iter(report.population), size, kind)


def test_a_row_holds_what_it_takes_to_perform_a_check_again(tmp_path: Path) -> None:
    """A row names the database, its places, its keys, its evidence and every conclusion."""
    report = audit(tmp_path, COMPLIANT)
    (row,) = _sample(report).rows
    expected: dict[str, Any] = {
        "draw": 1,
        "number": 1,
        "organization": "calm",
        "organization_id": "calm",
        "name": "orders",
        "id": "db-orders",
        "type": "Serverless",
        "provider": "AWS",
        "regions": (
            "us-east-2: existing, added 2025-03-01T12:00:00Z, customer-managed keys expected",
        ),
        "scopes": ("calm/serverless/aws/us-east-2",),
        "keys": (
            (
                "arn:aws:kms:us-east-2:111122223333:key/00000001-0000-4000-8000-000000000000 "
                "(registered, stated as registered 2025-01-10T09:00:00Z, "
                "first seen 2026-11-20T02:00:00Z)"
            ),
        ),
        "state": "existing",
        "location": f"{tmp_path / 'inventory.json'}:1",
        "note": "",
    }
    assert {name: getattr(row, name) for name in expected} == expected
    assert row.place == f"{tmp_path / 'inventory.json'}:1"
    assert {"CMEK-01", "CMEK-05"} <= {conclusion.rule for conclusion in row.conclusions}


def test_conclusions_by_status(violations: Report) -> None:
    """The page shows the worst status first, and every conclusion once."""
    for row in _sample(violations).rows:
        grouped = row.by_status()
        order = [STATUSES.index(status) for status, _ in grouped]
        assert order == sorted(set(order))
        flat: list[Conclusion] = [each for _, group in grouped for each in group]
        assert sorted(flat) == sorted(row.conclusions)


@pytest.mark.parametrize("kind", KINDS)
def test_the_population_is_whole(violations: Report, kind: Kind) -> None:
    """What is numbered is what the head counts; the file and its hash are named."""
    sample = _sample(violations, 3, kind)
    assert sample.is_whole
    assert len(sample.rows) == 3
    file = violations.head["findings" if kind == "passes" else "population_file"]
    assert (sample.file, sample.sha256) == (file["file"], file["sha256"])


@pytest.mark.parametrize("kind", KINDS)
def test_the_commands_draw_the_same(violations: Report, kind: Kind) -> None:
    """The shell command of the work paper prints the numbers of the sample, in their order."""
    sample = _sample(violations, 4, kind)
    done = subprocess.run(
        ["bash", "-c", command_to_reproduce(sample)], capture_output=True, text=True, check=True
    )
    assert [*map(int, done.stdout.split())] == [row.number for row in sample.rows]
    assert sample.file in command_to_list(sample)


def test_the_method_names_its_limits(violations: Report, tmp_path: Path) -> None:
    """Terminated databases, organizations not read in full and a wrong count are stated."""
    text = " ".join(describe_method(_sample(violations)))
    assert "Left out as out of scope: 1 terminated database." in text
    assert "1 organization was not read in full: what is unknown there has no number" in text
    calm = audit(tmp_path, COMPLIANT)
    text = " ".join(describe_method(_sample(calm)))
    assert "not read in full" not in text
    assert "not one of the whole" not in text
    assert "Skipped" not in text
    cut = take_sample(calm.head, calm.lines, [], 25)
    assert "counts 1, and 0 were numbered: the sample is not one" in " ".join(describe_method(cut))


def test_the_method_counts_what_was_skipped(violations: Report) -> None:
    """Draws that bring a number again are counted; a sample of all of some numbers has them."""
    sample = _sample(violations)
    again = sample.draws - len(sample.rows)
    assert again > 0
    assert f"is skipped. Skipped: {pluralize(again, 'draw')}." in " ".join(describe_method(sample))


def test_passes_are_findings(violations: Report) -> None:
    """A drawn pass names its subject, its message and its evidence, and is its own conclusion."""
    for row in _sample(violations, 100, "passes").rows:
        assert row.state == "pass"
        assert [conclusion.ids for conclusion in row.conclusions] == [(row.id,)]
        assert row.note
        assert row.location


@pytest.mark.parametrize("kind", KINDS)
def test_any_record_can_be_drawn_from(tmp_path: Path, kind: Kind) -> None:
    """Whatever names hold, every member has its row."""
    report = audit(tmp_path, HOSTILE)
    sample = _sample(report, 1_000, kind)
    assert len(sample.rows) == sample.total == sample.expected
