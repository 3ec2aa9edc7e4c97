"""Organizations in a list: which comes first, and that none looks better than it is."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from checks.engine.card import SEVERITIES
from checks.engine.finding import STATUSES
from reports.presentation.organization_status import protected_of, status_of, worst_first

NUMBERS = ("protected", "unprotected", "unproven", "astra_provided", "waived")


def _row(
    worst: tuple[str, str] | None = None, numbers: tuple[int, ...] = (1, 0, 0, 0, 0), **over: object
) -> Any:  # noqa: ANN401 (a part of a row)
    status, severity = worst or ("", "")
    return {
        "organization": "o1",
        "name": "acme",
        "complete": True,
        "counts": dict.fromkeys(STATUSES, 0) | ({status: 1} if worst else {}),
        "protection": dict(zip(NUMBERS, numbers, strict=True)),
        "worst": {"status": status, "severity": severity} if worst else None,
        **over,
    }


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        (_row(), "✓ pass"),
        (_row(("error", "high")), "! error"),
        (_row(("fail", "critical")), "✕ fail"),
        (_row(("inconclusive", "low")), "? inconclusive"),
        (_row(("waived", "high")), "§ waived"),
        (_row(("fail", "advisory")), "✕ advisory fail"),
        (_row(("fail", "advisory"), (1, 0, 1, 0, 0)), "? inconclusive"),
        (_row(None, (3, 1, 0, 0, 0)), "✕ fail"),
        (_row(None, (3, 1, 0, 0, 1)), "§ waived"),
        (_row(None, (3, 2, 0, 0, 1)), "✕ fail"),
        (_row(None, (3, 1, 1, 0, 1)), "? inconclusive"),
        (_row(("waived", "high"), (3, 0, 1, 0, 0)), "? inconclusive"),
        (_row(None, (0, 0, 0, 4, 0)), "✓ pass"),
        (_row(complete=False), "? not judged in full"),
        (_row(("fail", "advisory"), complete=False), "? not judged in full"),
        (_row(("fail", "high"), complete=False), "✕ fail"),
        (_row(("inconclusive", "high"), complete=False), "? inconclusive"),
    ],
)
def test_an_organization_has_the_status_of_its_worst(row: Any, shown: str) -> None:  # noqa: ANN401 (as above)
    """The worst finding gives the status, and databases without proof make it no better."""
    label = status_of(row)
    assert f"{label.shape} {label.word}" == shown


def test_no_organization_of_a_partial_run_passes() -> None:
    """Whatever was found, a run of a part of the checks shows no organization as fine."""
    worsts = [None, *product(STATUSES, SEVERITIES)]
    shown = {status_of(_row(worst), is_partial=True).word for worst in worsts}
    assert shown == {"error", "fail", "inconclusive", "not judged in full"}


def test_a_record_without_numbers_has_its_findings() -> None:
    """In a record from before it counted databases, the worst finding is all that is known."""
    older = _row(("fail", "high"))
    del older["protection"]
    assert (status_of(older).word, protected_of(older)) == ("fail", "not recorded")
    assert status_of(older | {"worst": None}).word == "pass"


def test_protected_databases_are_counted_of_those_that_are_to_be() -> None:
    """Databases declared to use Astra's keys are counted by neither number."""
    assert protected_of(_row(None, (1_200, 30, 4, 5, 0))) == "1,200 of 1,234"
    assert protected_of(_row(None, (0, 0, 0, 5, 0))) == "none expected"


def test_the_worst_organization_comes_first() -> None:
    """Failures come before doubts, and advisories and passes after all else."""
    counts = {"error": 0, "fail": 2, "inconclusive": 0}
    ordered = [
        _row(("error", "low"), name="broken"),
        _row(("fail", "critical"), name="critical"),
        _row(("fail", "high"), name="many", counts=counts),
        _row(("fail", "high"), name="a"),
        _row(("fail", "high"), name="b"),
        _row(("inconclusive", "critical"), name="doubt"),
        _row(("waived", "critical"), name="waived"),
        _row(("fail", "advisory"), name="advisory"),
        _row(name="fine"),
    ]
    assert worst_first(reversed(ordered)) == ordered
