"""The addresses of findings: each leads to a place that a page has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from checks.engine.finding import NOT_COMPLYING
from reports.formats.html import render, render_files
from reports.page.organizations.anchors import Anchors
from reports.presentation.selection import PageLimits
from tests.reports.fleets import audit_fleet
from tests.reports.samples import VIOLATIONS, WAIVERS, Page, Report, audit

if TYPE_CHECKING:
    from pathlib import Path

    from reports.model.finding_record import FindingRecord


@pytest.fixture(scope="module")
def violations(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Audit failures of many kinds, with waivers."""
    return audit(tmp_path_factory.mktemp("violations"), VIOLATIONS, WAIVERS)


def _findings(report: Report) -> list[FindingRecord]:
    return [json.loads(line) for line in report.lines]


def _addresses(report: Report, limits: PageLimits | None = None) -> dict[str, str]:
    """Return the address of each finding by its id; empty if it has none."""
    anchors = Anchors(report.head, report.lines, limits)
    return {
        finding["id"]: anchors.address(
            finding["id"], finding["subject"]["organization"], finding["status"]
        )
        for finding in _findings(report)
    }


@pytest.mark.parametrize(
    "limits",
    [PageLimits(), PageLimits(open=3, waived=0, folded=10)],
    ids=["all", "few"],
)
def test_what_the_page_shows_has_an_address(violations: Report, limits: PageLimits) -> None:
    """A finding has an address if, and only if, the page shows it."""
    page = Page(render(violations.head, violations.lines, limits, population=violations.population))
    places = set(page.values("id"))
    assert _addresses(violations, limits) == {
        finding["id"]: f"audit.html#f-{finding['id']}" if f"f-{finding['id']}" in places else ""
        for finding in _findings(violations)
    }


@pytest.mark.slow
def test_every_address_of_a_fleet_leads_to_a_place(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """In a fleet, what is open or waived leads to the page of its organization, which has it."""
    fleet = audit_fleet(tmp_path_factory.mktemp("fleet"))
    files = render_files(fleet.head, fleet.lines, population=fleet.population)
    texts = {f"organizations/{name}": "".join(parts) for name, parts in files}
    pages = {name: set(Page(text).values("id")) for name, text in texts.items()}
    pages["audit.html"] = set(Page(fleet.page).values("id"))
    addresses = _addresses(fleet)
    for finding in _findings(fleet):
        page, _, place = addresses[finding["id"]].partition("#")
        assert not page or place in pages[page]
        assert page or finding["status"] not in NOT_COMPLYING


@pytest.mark.parametrize("status", ["fail", "waived"])
def test_a_page_that_may_not_show_a_finding_is_no_address(
    tmp_path: Path, violations: Report, status: str
) -> None:
    """If an organization of a fleet has more findings than its page shows, none has an address."""
    limits = PageLimits(
        fleet=1, open=0 if status == "fail" else 99, waived=99 if status == "fail" else 0
    )
    addresses = _addresses(violations, limits)
    found = [finding for finding in _findings(violations) if finding["subject"]["organization"]]
    assert {bool(addresses[one["id"]]) for one in found if one["status"] == status} == {False}
    others = "waived" if status == "fail" else "fail"
    assert {bool(addresses[one["id"]]) for one in found if one["status"] == others} == {True}
