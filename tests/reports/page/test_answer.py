"""The answer at the top of the page."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from reports.formats import html
from reports.page.answer import answer
from reports.page.bars import lay_out_bar
from reports.page.organizations.links import OnlyOrganization
from reports.presentation import protection_text
from reports.presentation.labels import VERDICT
from tests.reports.samples import COMPLIANT, VIOLATIONS, WAIVERS, Page, Report, audit


@pytest.fixture(scope="module")
def violations(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return audit(tmp_path_factory.mktemp("violations"), VIOLATIONS)


@pytest.fixture(scope="module")
def waived(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return audit(tmp_path_factory.mktemp("waived"), VIOLATIONS, WAIVERS)


@pytest.fixture(scope="module")
def compliant(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return audit(tmp_path_factory.mktemp("compliant"), COMPLIANT)


def _facts(head: Any) -> dict[str, str]:  # noqa: ANN401 (a head)
    return dict(answer(head).facts)


def test_the_answer_is_in_databases(violations: Report) -> None:
    """The answer has the verdict, the sentence in databases, and the same as a bar and numbers."""
    head = violations.head
    given = answer(head)
    lead, _, rest = head["verdict"]["text"].partition(": ")
    assert (given.label, given.lead, given.rest) == (VERDICT["not compliant"], lead, rest)
    assert given.sentence == protection_text.answer(head)
    protection = head["protection"]
    assert [(label.word, number) for label, number in given.numbers] == [
        ("protected", protection["protected"]),
        ("not protected", protection["unprotected"]),
        ("not proven", protection["unproven"]),
        ("Astra’s keys, approved", protection["astra_provided"]),
    ]
    assert given.bar == lay_out_bar({label.css: number for label, number in given.numbers})
    text = Page(violations.page).text
    assert given.sentence in text
    assert text.index(given.sentence) < text.index("Fix first")


def test_what_is_waived_is_a_number_of_its_own(waived: Report) -> None:
    """A database that is unprotected and accepted is in neither of the other numbers."""
    head: Any = copy.deepcopy(waived.head)
    head["protection"] |= {"unprotected": 3, "waived": 2}
    numbers = {label.word: number for label, number in answer(head).numbers}
    assert numbers["not protected"] == 1
    assert numbers["not protected, accepted by a waiver"] == 2


def test_facts(violations: Report, compliant: Report) -> None:
    """One line has what was audited, what is open, and who answered; no hash but a short id."""
    head = violations.head
    facts = _facts(head)
    assert facts["Organizations"] == "2"
    assert facts["Databases"] == "5 existing, 1 planned"
    assert facts["Answers from"] == "recorded files"
    assert facts["Report"] == head["report"][:12]
    assert facts["Open findings"] == ", ".join(
        f"{number} {severity}" for severity, number in head["open"].items() if number
    )
    assert _facts(compliant.head)["Open findings"] == "none"


def test_on_what_it_rests(compliant: Report) -> None:
    """The answer says by which kinds of evidence databases are proven; an older record does not."""
    assert answer(compliant.head).rests_on == (
        "The one database that is proven is so by statements of people alone."
    )
    older: Any = {**compliant.head}
    del older["evidence_kinds"]
    assert answer(older).rests_on == ""


def test_the_next_waiver_to_expire(waived: Report, violations: Report) -> None:
    """The line of facts counts the waivers in force, and says when the next one expires."""
    assert _facts(violations.head)["Waivers"] == "none in force"
    head: Any = copy.deepcopy(waived.head)
    day = head["settings"]["as_of"][:10]
    head["waivers"] = [
        {"state": "active", "expires_on": "2031-01-01"},
        {"state": "expiring", "expires_on": day},
        {"state": "expired", "expires_on": "2020-01-01"},
    ]
    assert _facts(head)["Waivers"] == "2 in force, the next expires today"
    head["waivers"][1]["expires_on"] = "2026-11-23"
    assert _facts(head)["Waivers"] == "2 in force, the next expires in 2 days"


def test_a_record_without_numbers_of_databases(violations: Report) -> None:
    """A record of an older version shows its verdict, and says that databases were not counted."""
    head: Any = copy.deepcopy(violations.head)
    del head["protection"]
    for row in head["coverage"]:
        del row["protection"], row["open"]
    given = answer(head)
    assert (given.sentence, given.bar, given.numbers) == (protection_text.NOT_RECORDED, [], [])
    assert "databases not counted" in Page(html.render(head, violations.lines)).text


def test_the_answer_about_one_organization(violations: Report) -> None:
    """The page of one organization shows what it comes to, and the verdict of the whole audit."""
    head: Any = copy.deepcopy(violations.head)
    head["coverage"] = head["coverage"][:1]
    given = answer(head, OnlyOrganization("acme", 2, "../audit.html", "Not compliant"))
    assert (given.label.css, given.lead) == ("fail", "Not protected")
    assert given.rest.endswith(
        "This page is about one of 2 organizations. The whole audit: not compliant."
    )
    head["coverage"] = []
    assert answer(head, OnlyOrganization("acme", 2, "", "Partial run")).lead == "No database"
