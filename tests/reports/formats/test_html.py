"""The auditor's page, as its source shows it."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from base64 import b64encode
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest

from checks.engine.card import SEVERITIES
from checks.engine.finding import OPEN, STATUSES
from checks.engine.waivers import State
from reports.formats import html
from reports.formats.registry import encode
from reports.presentation import labels
from reports.presentation.action_groups import group_actions
from reports.presentation.selection import PageLimits
from tests.reports.samples import (
    COMPLIANT,
    EVIL,
    HOSTILE,
    HOSTILE_NAMES,
    VIOLATIONS,
    WAIVERS,
    Page,
    Report,
    audit,
)

if TYPE_CHECKING:
    from reports.model.head import Head

ROOT = Path(__file__).parents[3]
SECTIONS = [
    "actions",
    "coverage",
    "key-plan",
    "timeline",
    "keys",
    "changes",
    "findings",
    "frameworks",
    "exceptions",
    "evidence",
    "method",
    "reading",
    "criteria",
    "limits",
    "gate",
    "run",
    "integrity",
    "sign-off",
]
INSIDE = {"reading", "criteria", "limits", "gate", "run"}
"""Parts of the method, to which the contents have no link of their own."""


@pytest.fixture(scope="module")
def violations(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return audit(tmp_path_factory.mktemp("violations"), VIOLATIONS)


@pytest.fixture(scope="module")
def waived(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return audit(tmp_path_factory.mktemp("waived"), VIOLATIONS, WAIVERS)


@pytest.fixture(scope="module")
def compliant(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return audit(tmp_path_factory.mktemp("compliant"), COMPLIANT)


@pytest.fixture(scope="module")
def partial(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return audit(tmp_path_factory.mktemp("partial"), VIOLATIONS, only="CMEK-08")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return audit(tmp_path_factory.mktemp("hostile"), HOSTILE)


def _section(page: str, name: str) -> str:
    """Return the source of a section of ``page``."""
    return page.partition(f'<section id="{name}">')[2].partition("</section>")[0]


def render(report: Report, **limits: int) -> Page:
    return Page(html.render(report.head, report.lines, PageLimits(**limits)))


# --- contents of the page -------------------------------------------------------------------------


def test_sections(violations: Report, compliant: Report) -> None:
    """Every section stands in every page, in one order, each with a link among the contents."""
    for report in (violations, compliant):
        page = Page(report.page)
        assert page.values("id", "section") == SECTIONS
        linked = [f"#{section}" for section in SECTIONS if section not in INSIDE]
        assert page.values("href", "a")[1 : len(linked) + 1] == linked


def test_head_of_the_page(violations: Report) -> None:
    """The page says verdict, report, rule set and record format, and that all times are in UTC."""
    text = Page(violations.page).text
    head = violations.head
    verdict = head["verdict"]["text"].partition(": ")[2]
    for shown in (head["title"], head["report"], head["criteria"]["hash"], head["schema"], verdict):
        assert shown in text
    assert "all times in UTC" in text


def test_every_finding(waived: Report) -> None:
    """Every finding of the record stands in the page exactly once."""
    ids = [anchor[2:] for anchor in Page(waived.page).values("id") if anchor.startswith("f-")]
    assert sorted(ids) == sorted(json.loads(line)["id"] for line in waived.lines)


def test_open_findings_are_explained(violations: Report) -> None:
    """An open finding has its condition, criteria, cause, effect, recommendation and evidence."""
    head = violations.head
    [finding] = [
        finding
        for finding in map(json.loads, violations.lines)
        if finding["rule"] == "CMEK-01" and finding.get("cause") == "planned-without-key"
    ]
    start = violations.page.index(f'id="f-{finding["id"]}"')
    text = Page(violations.page[start : violations.page.index("</details>", start)]).text
    card = next(rule for rule in head["criteria"]["rules"] if rule["id"] == "CMEK-01")
    for expected in (
        finding["message"],
        card["title"],
        card["quotes"][0]["sentence"],
        card["rationale"],
        "1 database, planned",
        finding["action"],
        card["remediation"],
        finding["subject"]["path"],
        f"inventory.json:{finding['evidence'][0][1]}",
        finding["id"],
    ):
        assert expected in text


def test_most_urgent_first(violations: Report) -> None:
    """Open findings stand in the order of their severity, and in each by their status."""
    page = Page(violations.page)
    order = [
        (SEVERITIES.index(attrs["data-v"]), STATUSES.index(attrs["data-s"]))
        for tag, attrs in page.tags
        if tag == "details" and "data-s" in attrs
    ]
    assert len(order) > 5
    assert order == sorted(order)


def test_actions_lead_to_findings(violations: Report) -> None:
    """Every group of actions has its title, its steps, and links to its findings."""
    source = violations.page
    section = Page(source[source.index('id="actions"') : source.index('id="coverage"')])
    links = Counter(section.values("href", "a"))
    head = violations.head
    groups = group_actions(head["actions"], head["population"]["organizations"])
    assert len(groups) > 5
    for group in groups:
        assert group.title in section.text
        assert all(step in section.text for step in group.steps)
        assert all(links[f"#f-{finding}"] for finding in group.findings[:50])
    assert f"The 5 most urgent of {len(groups)} actions" in section.text
    assert f"The other {len(groups) - 5} actions, by owner" in section.text


def test_links_lead_somewhere(waived: Report, partial: Report) -> None:
    """Every link inside a page has its target, and no id is given twice."""
    for report in (waived, partial):
        page = Page(report.page)
        ids = Counter(page.values("id"))
        assert max(ids.values()) == 1
        links = [link for link in page.values("href", "a") if link.startswith("#")]
        inside = {link[1:].partition("?")[0] for link in links}
        assert inside - set(ids) == set()


def test_waivers(waived: Report) -> None:
    """A waiver is shown with every field and its state, and its finding leads to it."""
    text = Page(waived.page).text
    for waiver, state in zip(waived.head["waivers"], get_args(State), strict=False):
        assert waiver["id"] in text
        assert labels.WAIVER[state].meaning in text
        for field in ("reason", "compensating_control"):
            assert " ".join(waiver[field].split()) in text
        for field in ("subject", "ticket", "requested_by", "approved_by", "expires_on"):
            assert (waiver[field] or "not yet") in text
    assert {waiver["state"] for waiver in waived.head["waivers"]} == set(get_args(State))
    assert '<a href="#w-1"><code>W-active</code></a>' in waived.page


def test_waivers_to_see_to_come_first(waived: Report) -> None:
    """Above all other waivers come those that end soon, have ended, or wait for an approval."""
    summaries = re.findall(
        r'<details class="waiver" id="w-\d">\n<summary>(.*?)</summary>', waived.page
    )
    rows = [Page(summary).text for summary in summaries]
    waits = "has awaited approval since 2026-09-01 and covers nothing"
    assert [row.partition(" CMEK-")[0] for row in rows[:3]] == [
        "! expiring W-expiring expires in 10 days, on 2026-12-01",
        "✕ expired W-expired expired 51 days ago, on 2026-10-01",
        f"… awaiting approval W-requested {waits}",
    ]
    assert len(rows) == len(waived.head["waivers"])


def test_waivers_beyond_the_limit_are_no_links(waived: Report) -> None:
    """A waiver that the page does not show is counted, and no finding leads to it."""
    page = Page(html.render(waived.head, waived.lines, PageLimits(waivers=2)))
    numbers = [each["id"] for each in waived.head["waivers"]]
    shown = {f"#w-{numbers.index(name) + 1}" for name in ("W-expiring", "W-expired")}
    assert {link for link in page.values("href", "a") if link.startswith("#w-")} <= shown
    assert {f"#{each}" for each in page.values("id") if each.startswith("w-")} == shown
    assert "5 more are listed in audit.json" in page.text


def test_attestations_are_a_row_a_kind(waived: Report) -> None:
    """Each kind of statement has one row, and each statement is among those it covers."""
    section = _section(waived.page, "exceptions").partition('id="attestations"')[2]
    rows = section.count('<th scope="row">')
    kinds = {(each["by"], each["what"], each["due"]) for each in waived.head["attestations"]}
    assert rows == len(kinds)
    assert section.count("<small>stated on ") == len(waived.head["attestations"])
    assert not re.search(r"\b(True|False|None)\b", Page(section).text)


def test_controls_are_shown_by_framework(violations: Report) -> None:
    """Each control has a row with what its evidence does not show, and links to its rules."""
    section = _section(violations.page, "frameworks")
    text = Page(section).text
    for framework in violations.head["criteria"]["frameworks"]:
        assert framework["name"] in text
        for control in framework["controls"]:
            for words in (control["id"], control["title"], control["not_shown"]):
                assert words in text
    used = {rule["id"] for rule in violations.head["criteria"]["rules"] if rule["controls"]}
    assert set(re.findall(r'href="#r-([^"]+)"', section)) == used


def test_no_control_is_called_satisfied(waived: Report, compliant: Report) -> None:
    """Whatever was found, the section by framework says of no control that it is fulfilled."""
    for report in (waived, compliant):
        text = Page(_section(report.page, "frameworks")).text
        assert re.findall(r"(?i)\b(met|satisf\w+|complian\w+|fulfil\w+)\b", text) == []


def test_the_chosen_frameworks_alone_are_shown(violations: Report) -> None:
    """The section is limited to the frameworks of the settings, and says so."""
    head = copy.deepcopy(violations.head)
    head["settings"]["frameworks"] = ["SOC 2"]
    text = Page(_section(html.render(head, violations.lines), "frameworks")).text
    assert ("SOC 2:" in text, "HIPAA 45 CFR:" in text) == (True, False)
    assert "limited to the frameworks chosen for it" in text
    head["criteria"]["frameworks"] = []
    assert "names no framework" in html.render(head, violations.lines)


def test_criteria(violations: Report) -> None:
    """Every rule stands there with its words, its quotes and its control ids."""
    text = Page(violations.page).text
    for rule in violations.head["criteria"]["rules"]:
        for expected in (rule["title"], rule["subject"], rule["rationale"], rule["remediation"]):
            assert expected in text
        for quote in rule["quotes"]:
            assert quote["sentence"] in text
            assert quote["page"] in text
        for control in rule["controls"]:
            assert f"{control['framework']} {control['id']} {control['strength']}" in text


def test_population(violations: Report) -> None:
    """The page names every source with its hash, and every organization with its gaps."""
    text = Page(violations.page).text
    for source in violations.head["population"]["sources"]:
        assert source["sha256"] in text
    assert "managed-clusters-keys refused: 403" in text


def test_banners(partial: Report, compliant: Report, tmp_path: Path) -> None:
    """A partial run and an example say so on the page and on every sheet of its print."""
    example = audit(tmp_path, COMPLIANT, example=True)
    for report, words in (
        (partial, "PARTIAL RUN, NOT AUDIT EVIDENCE"),
        (example, "EXAMPLE, NOT AUDIT EVIDENCE"),
    ):
        assert f"{words}: " in Page(report.page).text
        assert f'@top-center{{content:"{words}"' in report.page
    assert "NOT AUDIT EVIDENCE" not in compliant.page


def test_link_of_the_run(violations: Report) -> None:
    """The link of the run can be followed only if it is an https one."""
    head = copy.deepcopy(violations.head)
    assert "https://ci.example/1" in Page(violations.page).values("href", "a")
    head["run"]["link"] = "javascript:alert(1)"
    page = Page(html.render(head, violations.lines))
    assert "javascript:alert(1)" not in page.values("href", "a")
    assert "javascript:alert(1)" in page.text


def test_integrity_commands(violations: Report) -> None:
    """The commands on the page prove the findings, and give the report's id."""
    section = violations.page.partition('<section id="integrity">')[2]
    check, compute, *_ = (
        Page(text).text for text in re.findall(r"<pre .*?</pre>", section, re.DOTALL)
    )
    done = subprocess.run(
        check.replace("  findings", "  findings"),
        shell=True,
        cwd=violations.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (
        0,
        "findings.ndjson: OK\npopulation.ndjson: OK\n",
    )
    code = compute.removeprefix("python3 -c '").removesuffix("'")
    reported = subprocess.check_output(
        [sys.executable, "-c", code], cwd=violations.folder, text=True
    )
    assert reported.strip() == violations.head["report"]


# --- labels ---------------------------------------------------------------------------------------


def test_the_page_shows_word_and_shape_of_every_status(violations: Report) -> None:
    """Every status is shown by its word and by its shape."""
    for label in labels.STATUS.values():
        assert f'<i aria-hidden="true">{label.shape}</i> {label.word}</b>' in violations.page


def test_not_evaluated_says_what_to_do(violations: Report) -> None:
    """Each row of what was not judged says who must act, and the step that settles it."""
    source = violations.page
    text = Page(source[source.index('id="not-evaluated"') : source.index('id="sample"')]).text
    rows = [row for row in violations.head["not_evaluated"] if row["status"] == "inconclusive"]
    reported = {row["reason"] for row in rows}
    assert "refused" in reported
    assert "Give the token of labs the permission org-cmk-read" in text
    assert {
        code for code in reported - {"refused"} if labels.reason(code).step not in text
    } == set()


# --- safety ---------------------------------------------------------------------------------------


def test_policy_matches(violations: Report, partial: Report) -> None:
    """The policy allows exactly the one style and the one script that stand in the page."""
    for report in (violations, partial):
        [policy] = Page(report.page).values("content", "meta")[:1]
        for tag in ("style", "script"):
            [text] = re.findall(f"<{tag}>(.*?)</{tag}>", report.page, re.DOTALL)
            digest = b64encode(sha256(text.encode()).digest()).decode()
            assert f"{tag}-src 'sha256-{digest}'" in policy
        assert "default-src 'none'" in policy
        assert "base-uri 'none'; form-action 'none'" in policy


def test_nothing_is_loaded(violations: Report, hostile: Report) -> None:
    """No element, style or script of the page names anything that a browser would fetch."""
    for report in (violations, hostile):
        page = Page(report.page)
        loaders = {"img", "link", "iframe", "object", "embed", "source", "video", "audio", "base"}
        assert {tag for tag, _ in page.tags} & loaders == set()
        assert page.values("src") == []
        style = re.findall("<style>(.*?)</style>", report.page, re.DOTALL)[0]
        assert re.findall(r"url\(|@import|image-set", style) == []


def test_hostile_text_is_text(hostile: Report) -> None:
    """Whatever a name holds, it adds no element, handler or style of its own."""
    page = Page(hostile.page)
    assert Counter(tag for tag, _ in page.tags)["script"] == 1
    attributes = {attribute for _, attrs in page.tags for attribute in attrs}
    assert {
        attribute for attribute in attributes if attribute.startswith("on") or attribute == "style"
    } == set()
    assert EVIL in page.text
    assert HOSTILE_NAMES[6] in page.text


def test_hostile_text_is_visible(hostile: Report) -> None:
    """No character that hides or turns text around reaches the page; its code point does."""
    assert (
        set(
            re.findall(
                "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]",
                hostile.page,
            )
        )
        == set()
    )
    text = Page(hostile.page).text
    for code in ("U+202E", "U+0000", "U+001B", "U+200B", "U+0301", "U+2800"):
        assert code in text


def test_long_text_is_cut(hostile: Report) -> None:
    """A name of 10,000 characters is cut, a path later, and the page says where all stands."""
    text = Page(hostile.page).text
    assert "A" * 2_049 not in text
    assert "… (10,000 characters; whole in findings.ndjson)" in text
    assert len(hostile.page) < 1_200_000


def test_anything_can_be_written(violations: Report) -> None:
    """A head with text that UTF-8 cannot carry is written all the same."""
    head = copy.deepcopy(violations.head)
    head["run"]["actor"] = "\ud800"
    assert "U+D800" in encode(html.render(head, violations.lines)).decode("utf-8")


# --- the same again -------------------------------------------------------------------------------


def test_identical_but_for_the_run(violations: Report) -> None:
    """Of two runs of one audit, the pages differ in the section of the run alone."""
    head = copy.deepcopy(violations.head)
    head["run"] = dict.fromkeys(head["run"], "another") | {
        "command": ["x"],
        "packages": {"x": "1"},
        "dirty": True,
        "exit_code": 0,
    }
    again = html.render(head, violations.lines, population=violations.population)
    assert again != violations.page
    run = re.compile('<section id="run">.*?</section>', re.DOTALL)
    assert run.sub("", again) == run.sub("", violations.page)


# --- bounds ---------------------------------------------------------------------------------------


def test_open_findings_are_bounded(violations: Report) -> None:
    """Beyond the limit the mildest open findings are left out, and the page says how many."""
    page = render(violations, open=3)
    shown = [attrs["data-v"] for tag, attrs in page.tags if "data-s" in attrs and tag == "details"]
    total = sum(violations.head["counts"][status] for status in OPEN)
    assert shown == ["critical", "critical", "critical"]
    assert f"{total - 3:,} more open findings are listed in findings.ndjson." in page.text


def test_folded_findings_are_bounded(violations: Report) -> None:
    """Beyond the limit passes are summed by rule, and the page says how many more there are."""
    page = render(violations, folded=0)
    counts = violations.head["counts"]
    assert not {"pass", "not-applicable"} & set(page.values("data-s"))
    reported = [
        int(number)
        for number in re.findall(r"(\d+) more (?:is|are) listed in findings.ndjson", page.text)
    ]
    assert sum(reported) == counts["pass"] + counts["not-applicable"]


def test_lists_are_bounded(waived: Report) -> None:
    """Every list that is cut says in words what was left out, and where it stands."""
    text = render(
        waived, waived=1, cells=0, actions=1, waivers=1, attestations=1, rows=1, plan=0
    ).text
    head = waived.head
    for sentence in (
        "1 more waived finding is listed in findings.ndjson",
        "key scopes are listed in audit.json",
        f"{_beyond_first_group(head)} more steps are listed in audit.json",
        f"{len(head['waivers']) - 1} more are listed in audit.json",
        "1 more organization is listed in audit.json",
        f"{len(head['key_plan']['lists']['missing'])} more are listed in audit.json",
    ):
        assert sentence in text


def _beyond_first_group(head: Head) -> int:
    [leading, *_] = group_actions(head["actions"], head["population"]["organizations"])
    return head["actions_total"] - len(leading.actions)


def test_nothing_is_cut_in_silence(waived: Report) -> None:
    """A page that shows everything says of nothing that there is more."""
    assert re.findall(r"\d+ more .{0,40}(?:is|are) listed in", Page(waived.page).text) == []


def test_many_findings_are_brief(violations: Report) -> None:
    """Where findings are very many, the words of their rules stand once, and the page says so."""
    text = render(violations, full=0).text
    card = violations.head["criteria"]["rules"][0]
    assert "are shown once, under criteria" in text
    assert text.count(card["rationale"]) == 1
    assert Page(violations.page).text.count(card["rationale"]) > 1


def test_findings_are_read_once(violations: Report) -> None:
    """The findings are taken as a stream that can be read once only."""
    page = html.render(violations.head, iter(violations.lines), population=violations.population)
    assert page == violations.page


def test_the_longest_time_between_rotations_is_a_criterion(compliant: Report) -> None:
    """The page names the days that the audit allows, in its criteria and its scope."""
    head = copy.deepcopy(compliant.head)
    assert "--cmek-rotation-days" not in html.render(head, compliant.lines)
    head["settings"]["rotation_days"] = 90
    page = html.render(head, compliant.lines)
    assert "Keys have to rotate at least every 90 days (<code>--cmek-rotation-days</code>)." in page
    assert "Longest time between rotations of a key</dt><dd>90 days</dd>" in page
