"""The keys on the auditor's page: what is behind each, its life, and what it does not show."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from cmek_audit.run.option_values import parse_options
from reports.formats import html
from reports.presentation.selection import PageLimits
from tests.reports.samples import (
    VIOLATIONS,
    Page,
    Report,
    audit,
    database,
    key,
    organization,
    run_rules,
)

ROOT = Path(__file__).parents[3]
OBSERVED = "2026-11-20T02:00:00Z"
POLICY = (
    '{"Statement": [{"Effect": "Allow", "Principal": {"AWS": "999988887777"},'
    ' "Action": "kms:Decrypt", "Resource": "*"}, {"Effect": "Deny", "NotAction": "x"}]}'
)
FACTS = {
    "observed_at": OBSERVED,
    "state": "PendingDeletion",
    "enabled": False,
    "suitable": True,
    "owner": "111122223333",
    "created_at": "2025-01-05T00:00:00Z",
    "rotated_at": "2026-01-05T00:00:00Z",
    "last_used_at": "2026-11-19T00:00:00Z",
    "deletion_at": "2026-12-04T00:00:00Z",
    "policy": POLICY,
    "versions": [{"id": "7", "state": "DISABLED", "usable": False}],
    "unread": [
        {"fact": "grants", "reason": "refused", "permission": "kms:ListGrants", "detail": "403"}
    ],
}
LOOK = {"by": "Kim Example", "on": "2026-11-10"}
ORGANIZATIONS = [
    organization(
        "acme",
        [
            key("us-east-2", 1, kms=FACTS, portal={"status": "in-use", **LOOK}),
            key("us-west-2", 2, kms={"observed_at": OBSERVED, "never_used": True}),
            key("eu-west-1", 3),
        ],
        [
            *(database(f"orders-{number}", "us-east-2") for number in range(12)),
            database("ledger", "eu-central-1"),
        ],
    )
]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return audit(tmp_path_factory.mktemp("keys"), ORGANIZATIONS)


def section(page: str) -> str:
    """Return the section with the keys."""
    return page[page.index('<section id="keys"') :].partition("</section>")[0]


def keys_of(page: str) -> dict[str, str]:
    """Return the source of each key by its region."""
    parts = section(page).split('<li class="lane')[1:]
    return {re.findall(r"<b>([^<]*)</b>", part)[0]: part for part in parts}


def words(source: str) -> str:
    """Return the text of a part of the page, its white space joined."""
    return " ".join(Page(f"<p>{source}").text.split())


def test_every_key_and_every_key_scope_in_use_is_listed(report: Report) -> None:
    """Registered keys, used or not, and a key scope with databases and no key have an entry."""
    assert set(keys_of(report.page)) == {"us-east-2", "us-west-2", "eu-west-1", "eu-central-1"}
    assert "no key is recorded 1 database: ledger" in words(keys_of(report.page)["eu-central-1"])


def test_a_key_shows_what_is_behind_it(report: Report) -> None:
    """Databases, life, facts, users, versions, and what was not read are all there."""
    shown = words(keys_of(report.page)["us-east-2"])
    for text in (
        "deletion 2026-12-04",
        "12 databases:",
        "and 2 more",
        "created 2025-01-05",
        "rotated 2026-01-05",
        "last used 2026-11-19",
        "the portal showed it in use on 2026-11-10, seen by Kim Example (counts until 2027-11-10)",
        "StatePendingDeletion, cannot be used",
        "Held by111122223333",
        "999988887777 may kms:Decrypt key policy",
        'statement 2 of the key policy unclear {"Effect":"Deny","NotAction":"x"} key policy',
        "Versions that are not alive",
        "7: DISABLED",
        (
            "its grants: The cloud refused: these credentials may not read it. refused It takes "
            "the permission kms:ListGrants. 403"
        ),
    ):
        assert text in shown, text
    assert "never used since it was created" in words(keys_of(report.page)["us-west-2"])


def test_what_is_not_known_is_said(report: Report) -> None:
    """A key of which its cloud showed nothing says so, and one without users names nobody."""
    shown = {region: words(source) for region, source in keys_of(report.page).items()}
    assert "What its cloud shows is not recorded." in shown["eu-west-1"]
    assert "Who may use it is not known: nothing about that was read." in shown["us-west-2"]
    intro = words(section(report.page).partition("<ul")[0])
    assert "the clouds showed 2, 1 of them not in full; somebody looked at 1 in the portal" in intro
    assert "1 was never used" in intro
    assert "1 is to be deleted or expires" in intro


def test_the_findings_of_a_key_are_links_into_the_page(report: Report) -> None:
    """Each finding of a key leads to where the page shows it."""
    linked = re.findall(r'<a href="#f-([0-9a-f]{20})">CMEK-', section(report.page))
    assert len(linked) > 3
    assert all(f'id="f-{finding}"' in report.page for finding in linked)


def test_the_same_marks_are_on_the_timeline(report: Report) -> None:
    """The timeline draws the life of a key below its line, at the same places."""
    marks = r'<svg class="at life ([a-z]+)" x="([0-9.]+)%"'
    own = set(re.findall(marks, keys_of(report.page)["us-east-2"]))
    timeline = report.page[report.page.index('<section id="timeline">') :].partition("</section>")[
        0
    ]
    assert {kind for kind, _ in own} == {"created", "rotated", "used", "looked"}
    assert own <= set(re.findall(marks, timeline))


def test_a_page_without_keys_says_why(report: Report) -> None:
    """A record of nothing has no key, and no empty legend."""
    head: Any = {**report.head, "coverage": []}
    shown = section(html.render(head, []))
    assert "No key and no key scope is recorded." in words(shown)
    assert "<ul" not in shown


def test_keys_beyond_the_limit_are_counted(report: Report) -> None:
    """The worst keys are shown, and how many more each organization has is said."""
    page = html.render(report.head, report.lines, PageLimits(keys=1), population=report.population)
    assert len(keys_of(page)) == 1
    assert "3 more keys and key scopes" in words(section(page))


@pytest.fixture(scope="module")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Audit the bundled example with three clouds, and return its page."""
    folder = tmp_path_factory.mktemp("clouds")
    examples = ROOT / "inventory" / "examples"
    options: Any = {"report_dir": str(folder / "report")}
    options |= {"inventory": [str(examples / "clouds.yaml")]}
    options |= {"plan": [str(examples / "clouds-plan.yaml")]}

    run_rules(parse_options(options))
    return (folder / "report" / "audit.html").read_text("utf-8")


def test_the_example_shows_it_all(clouds: str) -> None:
    """The example with three clouds has a key for each thing that the page can show of one."""
    shown = words(section(clouds))
    for text in (
        "planned: a plan would register it",
        "not of the kind that wraps keys",
        "deletion 2026-12-04",
        "expiry 2026-12-15",
        "first grant by the vendor’s account 2025-05-06",
        "never used since it was created",
        "which shows nothing of a key in Azure",
        "statement 4 of the key policy unclear",
        "1: DISABLED",
        "The credentials for the cloud have expired, or are not valid.",
        "The cloud was not asked, as that takes credentials in the key's own account.",
        "role on its key ring",
    ):
        assert text in shown, text
    kinds = set(re.findall(r'class="at life ([a-z]+)"', section(clouds)))
    assert kinds == {"created", "granted", "rotated", "used", "looked", "ends"}


def test_an_audit_without_clouds_says_so(tmp_path: Path) -> None:
    """An audit that leaves the clouds out shows nothing of them, and says that it did."""
    made = audit(tmp_path, VIOLATIONS)
    head: Any = {**made.head, "settings": {**made.head["settings"], "kms": "none"}}
    page = html.render(head, made.lines, population=made.population)
    assert "This audit left out what the clouds show (--cmek-kms none)." in words(section(page))
