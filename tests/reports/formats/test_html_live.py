"""The auditor's page of an audit that rests on evidence from Astra."""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from checks.engine.context import utc
from inventory.evidence.manifest import read_manifest
from inventory.evidence.reader import index_exchanges
from reports.formats import html
from reports.presentation import labels
from reports.presentation.selection import PageLimits
from tests.astra.faults import ALWAYS, FIRST, Fault
from tests.reports.live import Recorded, recorded, renamed, report_on, small_fleet
from tests.reports.samples import COMPLIANT, EVIL, Page, Report, audit

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMES = "\N{MULTIPLICATION SIGN}"
HOSTILE_FOLDER = "<img src=x onerror=window.__pwned=1> 'ev'"


class Audited(NamedTuple):
    """A bundle, and the report on it."""

    recorded: Recorded
    report: Report


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Audited:
    folder = tmp_path_factory.mktemp("healthy")
    made = recorded(folder)
    return Audited(made, report_on(folder, made.bundle))


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Audited:
    """Audit a bundle in which one list is refused and another lacks a key; in a chain of two."""
    folder = tmp_path_factory.mktemp("faulty")
    recorded(folder)
    faults = (
        Fault("403-errors", "managed-clusters-keys", ALWAYS),
        Fault("cut-list", "serverless-keys", ALWAYS),
        Fault("reset-at-once", "databases", FIRST),
    )
    made = recorded(folder, *faults, stated=False)
    return Audited(made, report_on(folder, made.bundle))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Audited:
    folder = tmp_path_factory.mktemp("hostile")
    made = recorded(folder, fleet=renamed(small_fleet(), EVIL), evidence=HOSTILE_FOLDER)
    return Audited(made, report_on(folder, made.bundle))


def _section(source: str, name: str) -> Page:
    start = source.index(f'<section id="{name}">')
    return Page(source[start : source.index("</section>", start)])


def _flat(text: str) -> str:
    return "".join(text.split())


def _bundles(audited: Audited) -> list[dict[str, Any]]:
    bundles: list[dict[str, Any]] = audited.report.head["evidence"]
    return bundles


# --- from a finding to the answer -----------------------------------------------------------------


def test_every_answer_has_its_row(faulty: Audited) -> None:
    """The evidence index shows each recorded answer, with its address, outcome, time and hash."""
    section = _section(faulty.report.page, "evidence")
    bundle = faulty.recorded.bundle
    rows = list(index_exchanges(bundle, read_manifest(bundle)))
    assert {row.outcome for row in rows} == {"200", "403", "unavailable"}
    for row in rows:
        number = row.path.removeprefix("exchanges/").removesuffix(".ndjson.gz")
        [at] = re.findall(f'<tr id="e-1-{number}-{row.line}">.*?</tr>', faulty.report.page)
        text = Page(at).text
        for shown in (
            f"{row.path}:{row.line}",
            row.address,
            row.sha256,
            utc(row.at)[:19].replace("T", " "),
        ):
            assert shown in text
        assert f"<code>{row.outcome}</code>" in at
    assert len(section.values("id", "tr")) == len(rows)


def test_evidence_leads_to_its_answer(healthy: Audited, faulty: Audited) -> None:
    """Each place in a bundle that a finding names is a link, and its target is there."""
    for audited in (healthy, faulty):
        report, bundle = audited.report, audited.recorded.bundle
        ids = Counter(Page(report.page).values("id"))
        links = re.findall(r'<a href="#([eb]-[^"]+)"><code>([^<]+)</code></a>', report.page)
        assert {anchor for anchor, _ in links} - set(ids) == set()
        assert max(ids.values()) == 1
        loose = re.sub(r'<a href="#[eb]-[^"]+"><code>[^<]+</code></a>', "", report.page)
        assert re.findall(f"<code>{re.escape(bundle)}/exchanges/[^<]+</code>", loose) == []
        assert {place for _, place in links} == set(_cited(report))


def _cited(report: Report) -> Iterator[str]:
    for line in report.lines:
        for file, number in json.loads(line)["evidence"]:
            yield f"{file}:{number}"


def test_a_link_leads_to_the_very_line(healthy: Audited) -> None:
    """The row to which a link leads is that of the line that the link names."""
    page = healthy.report.page
    links = set(re.findall(r'href="#(e-[^"]+)"><code>([^<]+)</code>', page))
    assert links
    for anchor, place in links:
        [row] = re.findall(f'<tr id="{anchor}">.*?</tr>', page)
        assert f"<code>{place.removeprefix(healthy.recorded.bundle + '/')}</code>" in row


def test_the_index_is_bounded(healthy: Audited) -> None:
    """Beyond the limit rows are counted, those of open findings stay, and no link is broken."""
    report = healthy.report
    total = _bundles(healthy)[0]["exchanges_total"]
    page = Page(html.render(report.head, report.lines, PageLimits(exchanges=2)))
    rows = [anchor for anchor in page.values("id", "tr") if anchor.startswith("e-")]
    assert rows == ["e-1-0001-1", "e-1-0001-2"]
    assert f"{total - 2} more recorded answers are listed in the bundle itself" in page.text
    links = [link for link in page.values("href", "a") if link.startswith("#")]
    inside = {link[1:].partition("?")[0] for link in links}
    assert inside - set(page.values("id")) == set()


def test_files_are_no_evidence(tmp_path: Path) -> None:
    """A page of an audit of files says that no answer was recorded, and shows no bundle."""
    report = audit(tmp_path, COMPLIANT)
    assert "no answer from Astra was recorded for it" in _section(report.page, "evidence").text
    assert report.head["evidence"] == []
    assert "Source of the facts recorded files" in " ".join(
        re.sub("<[^>]+>", " ", report.page).split()
    )


def test_nothing_asked(tmp_path: Path) -> None:
    """A bundle for which there was no token says that nothing was asked."""
    from inventory.astra.collector import collect  # noqa: PLC0415
    from inventory.astra.config import read_organizations  # noqa: PLC0415

    wanted = read_organizations(str(recorded(tmp_path).organizations))
    report = report_on(tmp_path, collect(wanted, str(tmp_path / "none"), {}).bundle)
    assert "No request was sent" in _section(report.page, "evidence").text
    assert "First answer" in _section(report.page, "run").text


# --- the population -------------------------------------------------------------------------------


def test_readings(healthy: Audited, faulty: Audited) -> None:
    """Each fact stands there with its address, requests, answers, entries, hash and note."""
    for audited in (healthy, faulty):
        text = _flat(_section(audited.report.page, "evidence").text)
        [organization] = audited.report.head["population"]["organizations"]
        assert len(organization["readings"]) > 4
        for reading in organization["readings"]:
            assert _flat("".join(_words(reading))) in text


def _words(reading: dict[str, Any]) -> Iterator[str]:
    yield labels.FACT[reading["fact"]]
    yield f"{reading['address']}{reading['requests']}"
    yield from (f"{count} {TIMES} {outcome}" for outcome, count in reading["answers"].items())
    unknown = "one" if reading["fact"] == "identity" else "not known"
    yield unknown if reading["entries"] is None else str(reading["entries"])
    yield f"{reading['sha256'][:12]}…{reading['note']}"


def test_reconciliation(faulty: Audited) -> None:
    """Each comparison stands there with its counts, its rule, and what differs."""
    section = _section(faulty.report.page, "evidence")
    text = _flat(section.text)
    [organization] = faulty.report.head["population"]["organizations"]
    assert {comparison["agree"] for comparison in organization["reconciliation"]} == {
        True,
        False,
        None,
    }
    for comparison in organization["reconciliation"]:
        routes = [
            f"{route['by']}: {'not known' if route['count'] is None else route['count']}"
            for route in comparison["routes"]
        ]
        look = labels.AGREE[comparison["agree"]]
        reported = [
            labels.COUNTED[comparison["what"]],
            *routes,
            look.shape,
            look.word,
            comparison["rule"],
        ]
        none = "none in what was read" if comparison["agree"] is None else "none"
        assert _flat("".join([*reported, *(comparison["differences"] or [none])])) in text
        assert f"#r-{comparison['rule']}" in section.values("href", "a")


def test_unexplained_differences_are_findings(faulty: Audited) -> None:
    """Where two routes differ and nothing explains it, the rule that is named has a failure."""
    [organization] = faulty.report.head["population"]["organizations"]
    rules = {
        comparison["rule"]
        for comparison in organization["reconciliation"]
        if comparison["agree"] is False
    }
    failing = {
        rule["id"] for rule in faulty.report.head["criteria"]["rules"] if rule["counts"]["fail"]
    }
    assert rules == {"CMEK-13"}
    assert rules <= failing


def test_a_bundle_is_reported(faulty: Audited) -> None:
    """Root, previous root, host and times of a bundle stand under population and the run."""
    [bundle] = _bundles(faulty)
    population = _section(faulty.report.page, "evidence").text
    for shown in (bundle["path"], bundle["root"], bundle["previous"], bundle["address"]):
        assert shown in population
    run = _section(faulty.report.page, "run").text
    for name in ("first_answer", "last_answer"):
        shown = bundle[name][:19].replace("T", " ")
        assert shown in population
        assert shown in run
    assert "Clock difference" in run


def test_where_facts_come_from(
    healthy: Audited, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page says in words whether this audit asked Astra or took what was recorded before."""
    assert "evidence recorded from Astra before this audit" in healthy.report.page
    head: Any = {
        **healthy.report.head,
        "settings": healthy.report.head["settings"] | {"mode": "live"},
    }
    live = html.render(head, healthy.report.lines)
    assert "Astra, read by this audit and recorded as evidence" in live


def test_many_organizations_are_folded(healthy: Audited) -> None:
    """One organization is open, a dozen are folded one by one, and more than that all together."""
    head = healthy.report.head.copy()
    [organization] = head["population"]["organizations"]
    for count, folds in ((1, (1, 1)), (12, (12, 0)), (13, (13, 0))):
        many = [organization | {"id": f"o{number}"} for number in range(count)]
        head["population"] = head["population"] | {"organizations": many}
        head["evidence"] = []
        source = html.render(head, healthy.report.lines)
        asked = source.count('<details class="fold asked"'), source.count('asked" open>')
        assert asked == folds
        assert ("The organizations, one by one" in source) is (count > 12)
    source = html.render(head, healthy.report.lines, PageLimits(readings=1, rows=2))
    text = _section(source, "evidence").text
    assert "12 more organizations are listed in audit.json" in text
    compared = 13 * len(organization["reconciliation"])
    assert f"{compared - 2} more comparisons are listed in audit.json" in text


# --- integrity ------------------------------------------------------------------------------------


def test_the_command_that_verifies(faulty: Audited, hostile: Audited) -> None:
    """The page gives the command that verifies the bundle, fit for a shell, and both roots."""
    for audited in (faulty, hostile):
        [bundle] = _bundles(audited)
        text = _section(audited.report.page, "integrity").text
        assert f"cmek-audit verify {shlex.quote(bundle['path'])}" in text
        assert bundle["root"] in text
    assert _bundles(faulty)[0]["previous"] in _section(faulty.report.page, "integrity").text
    assert "none: it is the first of its folder" in hostile.report.page


def test_hostile_words_are_text(hostile: Audited) -> None:
    """Whatever a folder or an organization is called, it adds no element and no handler."""
    page = Page(hostile.report.page)
    assert Counter(tag for tag, _ in page.tags)["script"] == 1
    assert [tag for tag, _ in page.tags if tag == "img"] == []
    attributes = {attribute for _, attrs in page.tags for attribute in attrs}
    assert {
        attribute for attribute in attributes if attribute.startswith("on") or attribute == "style"
    } == set()
    assert HOSTILE_FOLDER in page.text
    assert EVIL in page.text


# --- the same again -------------------------------------------------------------------------------


def test_the_same_bundle_gives_the_same_bytes(healthy: Audited, tmp_path: Path) -> None:
    """Judged as of the same time, a bundle gives the same record and the same page."""
    as_of = healthy.report.head["settings"]["as_of"]
    again = report_on(tmp_path, healthy.recorded.bundle, as_of=as_of)
    apart = {"run"}
    assert {name: again.head[name] for name in again.head if name not in apart} == {
        name: healthy.report.head[name] for name in healthy.report.head if name not in apart
    }
    assert again.lines == healthy.report.lines
    run = re.compile('<section id="run">.*?</section>', re.DOTALL)
    assert run.sub("", again.page) == run.sub("", healthy.report.page)
