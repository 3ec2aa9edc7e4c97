"""What every report says in large letters: what is no evidence, and what the gate was on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from cmek_audit.verification.verify_report import verify_report
from inventory.system.hosts import ADDRESS
from reports.formats import gitlab_code_quality, html, junit, markdown, sarif
from reports.formats.github_annotations import render as annotate
from reports.presentation.banners import OUTSIDE, banners, cloud_hosts_of
from reports.record.verdict import NOT_ASTRA
from tests.reports.live import recorded, report_on
from tests.reports.samples import AS_OF, COMPLIANT, VIOLATIONS, Report, save_inventory

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = {
    "left_out": "",
    "example": False,
    "default_example": False,
    "fail_on_new": False,
    "as_of": "2026-11-21T00:00:00Z",
    "max_age_seconds": 30 * 86_400,
}
POPULATION = {"sources": [{"evidence": None}], "organizations": []}
HEAD: Any = {"settings": WHOLE, "population": POPULATION}
WORDS = "NOT ASTRA, NOT AUDIT EVIDENCE"


@pytest.mark.parametrize(
    ("settings", "texts"),
    [
        ({}, []),
        ({"left_out": "1 of 2"}, ["PARTIAL RUN, NOT AUDIT EVIDENCE: 1 of 2."]),
        (
            {"example": True},
            ["EXAMPLE, NOT AUDIT EVIDENCE: what was audited is marked as an example."],
        ),
        (
            {"example": True, "default_example": True, "left_out": "1 of 2"},
            [
                "PARTIAL RUN, NOT AUDIT EVIDENCE: 1 of 2.",
                (
                    "EXAMPLE, NOT AUDIT EVIDENCE: no inventory was given, so a bundled example "
                    "was audited."
                ),
            ],
        ),
    ],
    ids=["whole", "partial", "example", "both"],
)
def test_a_banner_says_what_is_no_evidence(settings: dict[str, Any], texts: list[str]) -> None:
    """A partial run and an example say in capitals that they are no audit evidence."""
    assert banners(HEAD | {"settings": WHOLE | settings}) == texts


def test_a_banner_says_what_the_gate_was_on() -> None:
    """A gate on new findings only is reported in capitals, with the baseline's time and report."""
    settings = WHOLE | {"fail_on_new": True}
    baseline = {"as_of": "2026-11-20T02:00:00Z", "report": "0123456789abcdef"}
    [text] = banners(HEAD | {"settings": settings, "changes": {"baseline": baseline}})
    which = "the baseline of 2026-11-20T02:00:00Z (report 0123456789ab)"
    assert text == f"GATE ON NEW FINDINGS ONLY: findings of {which} do not stop the run."


def test_a_banner_says_what_is_stale() -> None:
    """Records older than the options allow are counted in capitals; one without a time is not."""
    times = ["2026-10-21T23:59:59Z", "2026-10-22T00:00:00Z", "2026-10-01T00:00:00Z", None]
    organizations = [{"captured_at": time} for time in times]
    head = HEAD | {"population": POPULATION | {"organizations": organizations}}
    assert banners(head) == [
        "STALE: the records of 2 of 4 organizations are more than 30 days older than the audit."
    ]
    fresh = HEAD | {"population": POPULATION | {"organizations": organizations[1:2]}}
    assert banners(fresh) == []


# --- answers of another host than Astra's ---------------------------------------------------------


def _from(*addresses: str) -> list[str]:
    sources = [{"evidence": {"address": address}} for address in addresses]
    return banners(HEAD | {"population": POPULATION | {"sources": sources}})


def test_a_banner_names_the_host_that_answered_instead_of_astra() -> None:
    """Answers of another host are no evidence about Astra, whichever of the sources they are in."""
    assert _from(ADDRESS, "http://127.0.0.1:8080", ADDRESS) == [
        f"{WORDS}: answers came from http://127.0.0.1:8080, not from {ADDRESS}."
    ]
    assert _from(ADDRESS, f"{ADDRESS}:443/", ADDRESS.upper()) == []


def test_a_banner_names_a_few_hosts_and_counts_the_others() -> None:
    """However many hosts there are, and whatever they are called, the banner stays short."""
    (text,) = _from("https://b.example", *(f"https://a{n}.example" for n in range(9)), "\x1b[2J")
    assert text == (
        f"{WORDS}: answers came from ?[2J, https://a0.example, https://a1.example and 8 more, "
        f"not from {ADDRESS}."
    )
    assert len(_from("x" * 10_000)[0]) < 400


@pytest.fixture(scope="module")
def loopback(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Audit what a server on loopback answered."""
    folder = tmp_path_factory.mktemp("loopback")
    return report_on(folder, recorded(folder).bundle)


def test_every_report_names_the_host_that_answered(loopback: Report, tmp_path: Path) -> None:
    """Each format, verifying and the verdict's own text say that the answers are not Astra's."""
    head, lines = loopback.head, loopback.lines
    texts = {
        "html": html.render(head, lines),
        "markdown": markdown.render(head, lines),
        "sarif": sarif.render(head, iter(lines)),
        "codequality": gitlab_code_quality.render(head, lines),
        "junit": junit.render(head, lines),
        "annotations": annotate(head, lines, tmp_path).replace("%2C", ","),
        "verify": "\n".join(verify_report(str(loopback.folder)).lines),
    }
    assert {name for name, text in texts.items() if WORDS not in text} == set()
    assert (head["verdict"]["outcome"], NOT_ASTRA in head["verdict"]["text"]) == ("compliant", True)


def test_what_another_host_answered_closes_no_alert(loopback: Report) -> None:
    """Code scanning keeps the alerts about Astra apart from those about another host."""
    text = sarif.render(loopback.head, iter(loopback.lines))
    assert f"cmek-audit/not-astra/{loopback.head['report']}" in text


def test_earlier_answers_of_another_host_count(tmp_path: Path) -> None:
    """History from another host dates the keys, so a record beside it is no evidence either."""
    bundle = recorded(tmp_path).bundle
    at = datetime.now(UTC).isoformat()
    present = save_inventory(tmp_path / "inventory.json", COMPLIANT, captured_at=at)
    report = report_on(tmp_path, str(present), history=[bundle])
    assert [text.partition(":")[0] for text in banners(report.head)] == [WORDS]
    assert NOT_ASTRA in report.head["verdict"]["text"]
    alone = report_on(tmp_path, str(present)).head
    assert (banners(alone), NOT_ASTRA in alone["verdict"]["text"]) == ([], False)


@pytest.mark.parametrize(
    ("code", "texts"),
    [
        (0, []),
        (1, []),
        (6, [f"THE RUN ENDED WITH EXIT CODE 6: {OUTSIDE}."]),
    ],
)
def test_a_banner_says_how_pytest_ended(tmp_path: Path, code: int, texts: list[str]) -> None:
    """An exit code that is not the verdict's is reported in capitals."""
    inventory = save_inventory(tmp_path / "inventory.json", VIOLATIONS)
    head = report_on(tmp_path, str(inventory), as_of=AS_OF).head
    assert banners(head | {"run": head["run"] | {"exit_code": code}}) == texts


def test_every_report_names_the_host_that_answered_for_a_cloud(tmp_path: Path) -> None:
    """Hosts in place of a cloud's own are named where they are no hosts of the cloud."""
    report = report_on(tmp_path, str(save_inventory(tmp_path / "inventory.json", COMPLIANT)))
    own, other = "https://kms.us-east-2.amazonaws.com", "http://127.0.0.1:8080"
    (source,) = report.head["population"]["sources"]
    evidence: Any = {"address": "", "cloud_addresses": [own]}
    source["evidence"] = evidence
    assert (banners(report.head), cloud_hosts_of(report.head)) == ([], [])
    evidence["cloud_addresses"] = [own, other]
    (banner,) = banners(report.head)
    assert banner == (
        f"NOT THE CLOUD, NOT AUDIT EVIDENCE: answers about keys came from {other}, not from the "
        "cloud’s own hosts."
    )
    assert "cmek-audit/not-astra/" in sarif.render(report.head, iter(report.lines))
    del evidence["cloud_addresses"]
    assert banners(report.head) == []
