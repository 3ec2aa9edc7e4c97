"""The summary in Markdown: what it says, how long it is, and that nobody can write into it."""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from checks.engine.card import SEVERITIES
from checks.engine.context import Context
from checks.engine.finding import EVIDENCE_KINDS, OPEN, STATUSES
from checks.engine.outcome import Gate
from reports.formats.markdown import WHOLE, SummaryLimits, render
from reports.presentation import labels
from reports.presentation.action_groups import effect, first, group_actions
from reports.presentation.markdown_text import prose
from reports.presentation.organization_status import protected_of, state_of, worst_first
from reports.presentation.protection_text import answer
from reports.presentation.waiver_notices import urgent_waivers
from reports.record.writer import Settings
from tests.builders import AS_OF
from tests.hypothesis_profile import examples
from tests.reports.live import report_on
from tests.reports.markdown_reading import assert_harmless, inline, tables_of
from tests.reports.recording import a_finding, findings, record
from tests.reports.samples import (
    COMPLIANT,
    HOSTILE,
    HOSTILE_NAMES,
    VIOLATIONS,
    WAIVERS,
    Report,
    audit,
    save_inventory,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.engine.finding import Finding


@pytest.fixture(scope="module")
def violations(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Audit failures of many kinds, with waivers."""
    return audit(tmp_path_factory.mktemp("violations"), VIOLATIONS, WAIVERS)


def _render(report: Report, **limits: int) -> str:
    return render(report.head, iter(report.lines), SummaryLimits(**limits))


def _of(*given: Finding, gate: Gate | None = None, **over: Any) -> str:  # noqa: ANN401 (settings are of any type)
    """Render a record that holds nothing but findings."""
    reported = Settings(Context(AS_OF), gate or Gate(), "subject", **over)
    with TemporaryDirectory() as folder:
        made = record(Path(folder), given, settings=reported)
    return render(made.head, made.findings.splitlines(keepends=True))


# --- what it says ---------------------------------------------------------------------------------


def test_the_kinds_of_evidence_follow_the_answer(violations: Report) -> None:
    """On what the protected databases rest is a line of its own below the answer."""
    head: Any = copy.deepcopy(violations.head)
    head["evidence_kinds"]["databases"] |= dict.fromkeys(EVIDENCE_KINDS, 0) | {"portal": 1}
    proven = "The one database that is proven is so by a look at the portal."
    assert render(head, violations.lines).splitlines()[4] == proven


def test_the_verdict_comes_first(violations: Report) -> None:
    """The heading is the verdict's word; the answer in databases and the verdict follow."""
    text = _render(violations)
    assert text.splitlines()[:5:2] == [
        "## Customer keys in Astra: not compliant",
        f"**✕ {prose(answer(violations.head))}**",
        prose(violations.head["verdict"]["text"], WHOLE),
    ]
    assert "… (" not in text.splitlines()[4]
    assert (
        "This run stops the pipeline; the gate stops it for failures of severity low or higher"
        in text
    )


def test_every_status_is_counted(violations: Report) -> None:
    """There is a count of each status, zero or not, and the sum is that of the record."""
    (words, counts), *_ = tables_of(_render(violations)).values()
    assert [word.replace(" ", "-") for word in words] == list(STATUSES)
    assert [int(count) for count in counts] == list(violations.head["counts"].values())


def test_open_findings_are_listed_by_urgency(violations: Report) -> None:
    """Every open finding is listed once, the worst severities first, and no other."""
    table = tables_of(_render(violations))["Open findings, most urgent first"]
    reported = [json.loads(line) for line in violations.lines]
    wanted = {finding["id"] for finding in reported if finding["status"] in OPEN}
    assert {_id(row[-1]) for row in table[1:]} == wanted
    assert len(table) == len(wanted) + 1
    ranks = [SEVERITIES.index(row[0]) for row in table[1:]]
    assert ranks == sorted(ranks)


def test_a_finding_is_reported_in_full() -> None:
    """A row has severity, status, rule, subject, condition, place and id."""
    found = a_finding("inconclusive", severity="medium", evidence=(("a.yaml", 3), ("b.yaml", 4)))
    assert tables_of(_of(found))["Open findings, most urgent first"] == [
        ["Severity", "Status", "Rule", "Subject", "What was found", "Where", "Finding"],
        [
            "medium",
            "? inconclusive",
            "`CMEK-01`",
            f"`{found.subject.organization} / Serverless on AWS / us-east-1`",
            "It is so.",
            "`a.yaml:3`",
            f"[`{found.id}`](audit.html#f-{found.id})",
        ],
    ]
    (_, row) = tables_of(_of(a_finding()))["Open findings, most urgent first"]
    assert row[5] == "—"


def _id(cell: str) -> str:
    """Return the id of a finding that a cell shows, linked or not."""
    (found,) = re.findall("`([0-9a-f]{20})`", cell)
    return str(found)


def test_the_first_actions_are_listed(violations: Report) -> None:
    """The most urgent groups of actions say what to do, for whom, who acts, and what it closes."""
    table = tables_of(_render(violations, actions=3))["Fix first"]
    groups = group_actions(
        violations.head["actions"], violations.head["population"]["organizations"]
    )
    assert [(row[0], row[1], row[4], row[5]) for row in table[1:]] == [
        (group.purpose, group.severity, group.who, effect(group.closes))
        for group in first(groups, 3)
    ]
    linked = [re.findall("`([0-9a-f]{20})`", row[6]) for row in table[1:]]
    assert linked == [list(group.findings[:3]) for group in first(groups, 3)]


def test_an_action_names_some_of_its_findings() -> None:
    """An action leads to the first of its findings, and counts the others."""
    action: Any = {"action": "Ask acme", "organization": "acme"}
    given = [a_finding(region=f"us-east-{number}", **action) for number in range(5)]
    text = _of(*given, a_finding(action="Ask all", organization="", region="x"))
    (_, *rows) = tables_of(text)["Fix first"]
    cells = {row[3]: row for row in rows}
    assert set(cells) == {"`acme`", "across organizations"}
    effect, linked = cells["`acme`"][5:]
    assert (effect, linked.rpartition(", ")[2]) == ("closes 5 failures", "2 more")
    found = re.findall(r"\[`([0-9a-f]{20})`\]\(audit\.html#f-\1\)", linked)
    assert len(set(found) & {finding.id for finding in given}) == len(found) == 3


def test_actions_of_an_older_record_are_counted(violations: Report) -> None:
    """A record from before actions had a purpose shows how many there are."""
    older: list[Any] = [
        {name: value for name, value in action.items() if name != "purpose"}
        for action in violations.head["actions"]
    ]
    text = render(violations.head | {"actions": older}, violations.lines)
    total = violations.head["actions_total"]
    assert f"### Fix first\n\n\n… {total} more actions in the report\n" in text


def test_organizations_are_listed_by_urgency(violations: Report) -> None:
    """Each organization has its status, its protected databases and its open findings."""
    (names, *rows) = tables_of(_render(violations))["Organizations, worst first"]
    assert names == ["Organization", "Status", "Protected databases", *SEVERITIES]
    ordered = worst_first(violations.head["coverage"])
    assert [row[0] for row in rows] == [f"`{row['name']}`" for row in ordered]
    assert [[int(number) for number in row[3:]] for row in rows] == [
        [row["open"][severity] for severity in SEVERITIES] for row in ordered
    ]
    assert [row[2] for row in rows] == [protected_of(row) for row in ordered]
    statuses = [state_of(row) for row in ordered]
    assert [row[1] for row in rows] == [f"{label.shape} {label.word}" for label in statuses]


def test_organizations_of_an_older_record_have_no_numbers(violations: Report) -> None:
    """A record from before it counted databases shows that these numbers are unknown."""
    older: list[Any] = [
        {name: value for name, value in row.items() if name not in {"open", "protection"}}
        for row in violations.head["coverage"]
    ]
    text = render(violations.head | {"coverage": older}, violations.lines)
    (_, *rows) = tables_of(text)["Organizations, worst first"]
    assert {tuple(row[2:]) for row in rows} == {("not recorded", *"?????")}


def test_a_partial_run_shows_no_organization_as_fine() -> None:
    """Of a run of a part of the checks, no organization is shown as passing."""
    text = _of(a_finding("pass"), left_out="3 of 5 groups")
    (_, *rows) = tables_of(text)["Organizations, worst first"]
    assert {row[1] for row in rows} == {"? not proven"}


def test_waivers_that_ask_for_somebody_are_listed(violations: Report) -> None:
    """Waivers are counted by state; those that end, have ended or wait are listed."""
    text = _render(violations)
    states = Counter(labels.WAIVER[waiver["state"]].word for waiver in violations.head["waivers"])
    reported = ", ".join(f"{states[word]} {word}" for word in sorted(states))
    assert f"\n{len(violations.head['waivers'])} waivers: {reported}.\n" in text
    (_, *rows) = tables_of(text)["Waivers"]
    assert [row[0] for row in rows] == [
        f"`{urgent_waiver['id']}`" for urgent_waiver in urgent_waivers(violations.head)
    ]
    assert dict(row[:2] for row in rows)["`W-expiring`"] == "expires in 10 days, on `2026-12-01`"


def test_waivers_that_ask_for_nobody_are_counted_only(tmp_path: Path) -> None:
    """Where every waiver covers a failure for long, their number is all there is to say."""
    text = _render(audit(tmp_path, VIOLATIONS, WAIVERS[:1]))
    assert "### Waivers\n\n1 waiver: 1 active.\n\n### Key plan\n" in text


def test_the_key_plan_is_summed_up(violations: Report) -> None:
    """The numbers of the key plan are those of the record, with what no key encrypts."""
    text, plan = _render(violations), violations.head["key_plan"]
    (_, numbers) = tables_of(text)["Key plan"]
    assert [int(number) for number in numbers] == [plan[field] for field in labels.KEY_NUMBERS]
    assert "2 existing databases run on Astra's keys and must be recreated after the key" in text
    assert plan["unprotected"] == 2


def test_a_compliant_audit_is_brief(tmp_path: Path) -> None:
    """Where nothing is open, nothing is listed."""
    text = _render(audit(tmp_path, COMPLIANT))
    assert text.startswith("## Customer keys in Astra: compliant\n\n**✓ ")
    assert list(tables_of(text)) == [
        "Customer keys in Astra: compliant",
        "Organizations, worst first",
        "Key plan",
    ]
    assert "Open, by severity" not in text
    assert "This run lets the pipeline continue" in text


@pytest.mark.parametrize(
    ("over", "banner"),
    [
        ({"left_out": "3 of 5 groups"}, "PARTIAL RUN, NOT AUDIT EVIDENCE"),
        ({"is_example": True}, "EXAMPLE, NOT AUDIT EVIDENCE"),
        ({"is_example": True, "is_default": True}, "EXAMPLE, NOT AUDIT EVIDENCE"),
    ],
    ids=["partial", "example", "default"],
)
def test_what_is_no_evidence_says_so(over: dict[str, Any], banner: str) -> None:
    """A partial run and an example say what they are before anything else but the verdict."""
    assert _of(**over).splitlines()[4].startswith(f"> **{banner}: ")


def test_the_gate_is_reported() -> None:
    """What the run stops for is said as the gate has it."""
    text = _of(a_finding(severity="low"), gate=Gate("critical", allow_inconclusive=True))
    assert (
        "lets the pipeline continue; the gate stops it for failures of severity critical." in text
    )


def _compared(folder: Path, organizations: Sequence[Any], before: Sequence[Any]) -> Report:
    """Audit ``organizations`` with a baseline that is an audit of ``before``."""
    for name in ("old", "new"):
        (folder / name).mkdir()
    old = str(save_inventory(folder / "before.json", before))
    baseline = report_on(folder / "old", old, as_of="2026-11-20T12:00:00Z").folder
    new = str(save_inventory(folder / "inventory.json", organizations))
    options = {"as_of": "2026-11-21T00:00:00Z", "baseline": str(baseline / "audit.json")}
    return report_on(folder / "new", new, fail_on_new=True, **options)


def test_changes_come_first(tmp_path: Path) -> None:
    """With a baseline, the counts and what is new come before all else but the verdict."""
    report = _compared(tmp_path, VIOLATIONS, VIOLATIONS[:1])
    tables = tables_of(_render(report))
    assert [heading for heading in tables if not heading.startswith("Customer")][:3] == [
        "Changes since `2026-11-20T12:00:00Z`",
        "Organizations, worst first",
        "Fix first",
    ]
    changed = [json.loads(line) for line in report.lines if b'"change":"' in line]
    rows = tables["Changes since `2026-11-20T12:00:00Z`"]
    listed = {_id(row[-1]) for row in rows[3:]}
    assert listed == {item["id"] for item in changed if item["change"] != "unchanged"} != set()
    assert {row[0] for row in rows[3:]} <= {"new", "reopened", "worsened", "unclear"}
    known = tables["Open since earlier audits, most urgent first"]
    assert {_id(row[-2]) for row in known[1:]} == {
        item["id"] for item in changed if item["change"] == "unchanged"
    }


def test_changes_are_counted(tmp_path: Path) -> None:
    """Each class is counted, and each finding that is known says since when it is open."""
    report = _compared(tmp_path, VIOLATIONS, VIOLATIONS)
    text = _render(report)
    (classes, counts) = tables_of(text)["Changes since `2026-11-20T12:00:00Z`"]
    reported = dict(zip(classes, map(int, counts), strict=True))
    assert reported == report.head["changes"]["counts"]
    assert "\nNo open finding is new, reopened, worsened or unclear.\n" in text
    assert f"Compared with report `{report.head['changes']['baseline']['report']}`." in text
    assert ", if they are new since the baseline." in text
    (names, one, *_) = tables_of(text)["Open since earlier audits, most urgent first"]
    assert dict(zip(names, one, strict=True))["Open since"] == "`2026-11-20T12:00:00Z` (unchanged)"


def test_new_findings_take_the_place_of_known_ones(tmp_path: Path) -> None:
    """The limit is one for both lists, and of each it is said how many more there are."""
    report = _compared(tmp_path, VIOLATIONS, VIOLATIONS[:1])
    total = Counter(json.loads(line)["change"] for line in report.lines if b'"change":"' in line)
    news = sum(total.values()) - total["unchanged"]
    for limit, shown, known in ((2, 2, 0), (news + 1, news, 1)):
        text = _render(report, open=limit)
        left = [f"{news - shown} more such findings"] if news > shown else []
        left += [f"{total['unchanged'] - known} more open findings"]
        assert re.findall(r"^… (.+ findings) in the report$", text, re.MULTILINE) == left


def test_what_was_not_judged_again_is_reported(violations: Report) -> None:
    """Findings that are gone because nobody looked are told apart, and so are keys."""
    changes = {
        "baseline": {"as_of": "2026-11-20T12:00:00Z", "report": "0" * 64},
        "counts": {"new": 1, "gone": 2_000},
        "not_judged_again": 1_500,
        "keys": {"counts": {"added": 1, "not_read": 2}},
        "organizations_gone": {"count": 0},
    }
    text = render(violations.head | {"changes": changes}, violations.lines)
    assert "\nOf the findings that are gone, 1,500 were not evaluated again.\n" in text
    assert "\nKey scopes with changed keys: 1 added, 2 not read.\n" in text
    reported = changes | {"not_judged_again": 0, "keys": None}
    text = render(violations.head | {"changes": reported}, violations.lines)
    assert "not evaluated again" not in text
    assert "Key scopes with changed keys" not in text


@pytest.mark.parametrize(("formats", "linked"), [(["html", "markdown"], True), (["junit"], False)])
def test_links_lead_to_a_page_that_exists(
    violations: Report, formats: list[str], *, linked: bool
) -> None:
    """If no page was asked for, nothing leads to one, and findings are named by their ids."""
    head: Any = violations.head | {"run": violations.head["run"] | {"formats": formats}}
    text = render(head, violations.lines)
    assert ("](audit.html" in text) is linked
    assert "`audit.html`" in text


def test_identifiers_are_code_wherever_they_are() -> None:
    """A name that is a plain word is code in a sentence, as it is in a cell of its own."""
    found = a_finding(
        organization="acme", region="northeurope", message="In northeurope, of acme (northeurope)."
    )
    (_, row) = tables_of(_of(found))["Open findings, most urgent first"]
    assert row[4] == "In `northeurope`, of acme (`northeurope`)."


# --- how long it is -------------------------------------------------------------------------------


def test_lists_are_bounded(violations: Report) -> None:
    """Beyond a limit each list says how many more there are."""
    text = _render(violations, actions=2, open=3, organizations=1, waivers=1)
    tables = tables_of(text)
    lengths = [len(rows) - 1 for rows in tables.values()]
    assert lengths == [1, 1, 2, 3, 1, 1]
    total = sum(violations.head["counts"][status] for status in OPEN)
    groups = group_actions(
        violations.head["actions"], violations.head["population"]["organizations"]
    )
    listed = sum(len(group.actions) for group in first(groups, 2))
    assert re.findall(r"^… (.+) in the report$", text, re.MULTILINE) == [
        f"{len(violations.head['coverage']) - 1} more organizations",
        f"{violations.head['actions_total'] - listed} more actions",
        f"{total - 3} more open findings",
        f"{len(urgent_waivers(violations.head)) - 1} more waivers",
    ]


@examples(60)
@given(st.integers(500, 20_000))
@example(1)
def test_it_is_cut_by_bytes(room: int) -> None:
    """A summary with a limit keeps to it, is cut between lines only, and says how many are gone."""
    given = [a_finding(region=f"ü-{number}", message=f"Ü {number}.") for number in range(30)]
    with TemporaryDirectory() as folder:
        made = record(Path(folder), given)
    lines = made.findings.splitlines(keepends=True)
    whole = render(made.head, lines).splitlines()
    text = render(made.head, lines, SummaryLimits(bytes=room))
    reported = text.splitlines()
    if len("\n".join(whole).encode()) < room:
        assert reported == whole
        return
    assert len(text.encode()) <= max(room, 400)
    kept = reported[:-4]
    assert kept == whole[: len(kept)]
    assert reported[-4:] == ["", f"… {len(whole) - len(kept) - 2} more lines", *whole[-2:]]


@pytest.mark.slow
def test_the_limit_is_githubs(violations: Report) -> None:
    """Of a million findings the summary is still one that GitHub takes."""
    long = json.loads(violations.lines[0]) | {"status": "fail", "message": "ü" * 5_000}
    line = json.dumps(long).encode()
    counts = {**violations.head["counts"], "fail": 5_000}
    head = violations.head | {"counts": counts}
    text = render(head, (line for _ in range(5_000)), SummaryLimits(open=5_000))
    assert len(text.encode()) <= 1_000 * 1_024
    assert len(text.encode()) > 900 * 1_024


def test_findings_are_read_once(violations: Report) -> None:
    """The same audit gives the same bytes, and its findings may be a stream."""
    assert _render(violations) == _render(violations)
    assert _render(violations) == (violations.folder / "summary.md").read_text("utf-8")


# --- hostile names --------------------------------------------------------------------------------


def test_hostile_names_do_no_harm(tmp_path: Path) -> None:
    """No name mentions, links, sets or breaks anything: what is not plain stands in code."""
    text = _render(audit(tmp_path, HOSTILE), open=1_000)
    assert_harmless(text)
    for rows in tables_of(text).values():
        assert len({len(row) for row in rows}) == 1


@pytest.mark.parametrize("name", HOSTILE_NAMES[:7])
def test_hostile_names_are_shown(tmp_path: Path, name: str) -> None:
    """A name is shown as it is, but for what cannot be seen."""
    found = a_finding(message=name, name=name, organization="acme")
    shown = [token.content for token in inline(_of(found)) if token.type == "code_inline"]
    visible = "".join(
        character for character in name if character.isprintable() and character not in "`|"
    )
    bare = re.sub(r"\((?:U\+[0-9A-F]{4} ?)+\)", "", " ".join(shown))
    assert visible.split()[0][:40] in bare


@examples(60)
@given(st.lists(findings(), max_size=5))
def test_any_findings_make_whole_tables(given: list[Finding]) -> None:
    """Whatever findings hold, each row of a table has as many cells as its head."""
    text = _of(*given)
    assert_harmless(text)
    for rows in tables_of(text).values():
        assert len({len(row) for row in rows}) == 1
    expected = sum(finding.status in OPEN for finding in given)
    assert _rows(tables_of(text), "Open findings, most urgent first") == expected


def _rows(tables: dict[str, list[list[str]]], heading: str) -> int:
    rows: Sequence[list[str]] = tables.get(heading, [[]])
    return len(rows) - 1
