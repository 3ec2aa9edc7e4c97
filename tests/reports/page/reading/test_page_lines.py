"""A page of which most lines were only counted is the page for which all were read."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from reports.formats import html
from reports.page.reading import page_lines
from reports.presentation.selection import PageLimits
from reports.record import stored_lines
from reports.record.layout import FINDINGS, POPULATION
from reports.record.stored_lines import StoredLines
from tests.reports.page.reading.fleets import FLEET, ORDER
from tests.reports.samples import COMPLIANT, HOSTILE, WAIVERS, Report, audit, organization

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

READ_WHOLE = sys.maxsize
COUNTED = -1
FEW_SHOWN = {"lanes": 3, "keys": 5, "open": 7, "folded": 9}
LIMITS = {
    "usual": PageLimits(),
    "little": PageLimits(**FEW_SHOWN),
    "index": PageLimits(fleet=5),
    "little index": PageLimits(fleet=5, **FEW_SHOWN),
}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return audit(tmp_path_factory.mktemp("fleet"), FLEET, WAIVERS)


@pytest.fixture
def render(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return what renders a page of an audit; ``few`` organizations are read in whole."""

    def render(report: Report, few: int, limits: PageLimits, **parts: Iterable[bytes]) -> str:
        monkeypatch.setattr(page_lines, "_FEW", few)
        lines = parts.get("lines", report.lines)
        population = parts.get("population", report.population)
        return html.render(report.head, lines, limits, population=population)

    return render


@pytest.mark.parametrize("limits", LIMITS.values(), ids=LIMITS)
def test_same_page(fleet: Report, render: Callable[..., str], limits: PageLimits) -> None:
    """Whatever the page shows, it is the same."""
    assert render(fleet, COUNTED, limits) == render(fleet, READ_WHOLE, limits)


@pytest.mark.parametrize(
    "organizations",
    [COMPLIANT, HOSTILE, [organization("empty", [], [])]],
    ids=["compliant", "hostile", "empty"],
)
def test_same_page_of_few(
    tmp_path: Path, render: Callable[..., str], organizations: list[dict[str, object]]
) -> None:
    """It is the same of audits in which nothing fails, or nothing is there."""
    report = audit(tmp_path, organizations)
    for limits in LIMITS.values():
        assert render(report, COUNTED, limits) == render(report, READ_WHOLE, limits)


def test_what_does_not_add_up_is_read_in_whole(fleet: Report, render: Callable[..., str]) -> None:
    """A database that was not judged is shown as such, although the head does not count it."""
    begin = f'{{"status":"pass","rule":"{ORDER}",'.encode()
    judged = next(line for line in fleet.lines if line.startswith(begin))
    report = fleet._replace(lines=[line for line in fleet.lines if line != judged])
    page = render(report, COUNTED, PageLimits())
    assert page == render(report, READ_WHOLE, PageLimits())
    assert page.count("not evaluated") > render(fleet, COUNTED, PageLimits()).count("not evaluated")


def test_lines_that_are_read_once_give_the_same_page(
    fleet: Report, render: Callable[..., str]
) -> None:
    """What can be read only once is not counted first."""
    page = render(fleet, COUNTED, PageLimits(), lines=iter(fleet.lines))
    assert page == render(fleet, READ_WHOLE, PageLimits())


def test_files_give_the_same_page(
    fleet: Report, render: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parts of a file in which there are only databases are passed over, and change nothing."""
    monkeypatch.setattr(stored_lines, "_BLOCK", 1_000)
    lines, population = (StoredLines(fleet.folder / name) for name in (FINDINGS, POPULATION))
    page = render(fleet, COUNTED, PageLimits(), lines=lines, population=population)
    assert page == render(fleet, READ_WHOLE, PageLimits())


def test_a_partial_audit_is_read_in_whole(tmp_path: Path, render: Callable[..., str]) -> None:
    """Of an audit of which only some rules were run, the page shows what was not judged."""
    report = audit(tmp_path, FLEET, only=ORDER)
    assert render(report, COUNTED, PageLimits()) == render(report, READ_WHOLE, PageLimits())
